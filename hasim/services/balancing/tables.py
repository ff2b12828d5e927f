"""Tables for consistent hashing, built when eligibility changes."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Sequence

Members = tuple[tuple[int, str, float], ...]
"""Index, name and configured weight of masters."""


def hash_of(*parts: object) -> int:
    """A hash between 0 and 2**63 (BLAKE2b), the same in every process."""
    text = "\0".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


@functools.lru_cache(maxsize=16)
def ring(members: Members, size: int) -> tuple[int, ...]:
    """A ketama ring: its points in order, then the index of the master of each.

    Every master has points in proportion to its weight, about `size` in all and the
    lightest one at least one; a point is the hash of the master's name and its number.
    It has all masters: points of one that must not be picked are passed over, so that nobody
    else's keys move.
    Source: Envoy ring hash (there with xxHash), minimum_ring_size.
    """
    if not members:
        return ()
    total = sum(weight for _, _, weight in members)
    least = min(weight for _, _, weight in members) / total
    scale = math.ceil(least * size) / least
    points = sorted(
        (hash_of(name, number), index)
        for index, name, weight in members
        for number in range(max(1, round(weight / total * scale)))
    )
    return (*(point for point, _ in points), *(index for _, index in points))


@functools.lru_cache(maxsize=16)
def maglev_table(members: Members, size: int) -> tuple[int, ...]:
    """Maglev's lookup table: the index of a master in each of `size` places.

    In turns, each master takes the next free place of its own permutation of the places
    (offset + k x skip, modulo a prime); with weights, one takes part in as many turns as its
    weight is of the greatest. Source: Eisenbud et al., Maglev, NSDI 2016, section 3.4; weights
    as in Envoy.
    """
    if not members:
        return ()
    heaviest = max(weight for _, _, weight in members)
    gains = [weight / heaviest for _, _, weight in members]
    offsets = [hash_of("offset", name) % size for _, name, _ in members]
    skips = [hash_of("skip", name) % (size - 1) + 1 for _, name, _ in members]
    table = populate(size, gains, offsets, skips)
    return tuple(members[number][0] for number in table)


def populate(
    size: int, gains: Sequence[float], offsets: Sequence[int], skips: Sequence[int]
) -> list[int]:
    """Who takes each place, if member i wants offset + k x skip (modulo size) for k = 0, 1, ...

    `gains` are the turns that it takes part in, as a share of the most.
    """
    table, following = [-1] * size, list(offsets)
    taken, due, free = [0.0] * len(gains), [0.0] * len(gains), size
    while free:
        for number, gain in enumerate(gains):
            due[number] += gain
            if due[number] < taken[number] + 1.0:
                continue
            taken[number] += 1.0
            place, skip = following[number], skips[number]
            while table[place] >= 0:
                place = (place + skip) % size
            table[place] = number
            following[number] = (place + skip) % size
            free -= 1
            if not free:
                break
    return table


def is_prime(number: int) -> bool:
    """Whether a number is prime."""
    return number > 1 and all(number % factor for factor in range(2, math.isqrt(number) + 1))


def members_of(names: Sequence[str], base_weight: Sequence[float]) -> Members:
    """All masters."""
    pairs = zip(names, base_weight, strict=True)
    return tuple((index, name, float(weight)) for index, (name, weight) in enumerate(pairs))
