"""Consistent hashing: the same key to the same master, and few keys moved by a change."""

from __future__ import annotations

from hasim.services.balancing.fleet import Fleet, Request

MODULUS = 2**31 - 1
MULTIPLIER = 48271
JUMPS = 64
ROUNDING = 1 - 1e-12
"""What is left of a number that rounding may have made larger."""


def place_on_ring(fleet: Fleet, hash_: int) -> int:
    """The number of the first point at or after the hash, around the ring.

    The table of a ring is its points, in order, and then the master of each.
    """
    points = len(fleet.table) // 2
    low, high = 0, points
    while low < high:
        middle = (low + high) // 2
        if fleet.table[middle] < hash_:
            low = middle + 1
        else:
            high = middle
    return low if low < points else 0


def ring_hash(fleet: Fleet, request: Request) -> int:
    """The master of the first point after the key's hash that may be picked."""
    points = len(fleet.table) // 2
    if points == 0:
        return -1
    place = place_on_ring(fleet, request.hash)
    for step in range(points):
        index = fleet.table[points + (place + step) % points]
        if fleet.weight[index] > 0.0:
            return index
    return -1


def maglev(fleet: Fleet, request: Request) -> int:
    """The master in the key's place of the table, or in the first one after that may be picked."""
    size = len(fleet.table)
    for step in range(size):
        index = fleet.table[(request.hash + step) % size]
        if fleet.weight[index] > 0.0:
            return index
    return -1


def most_per_weight(fleet: Fleet) -> float:
    """How many messages in flight for each unit of weight are the bound, with one more message.

    bound x (all in flight + 1) / sum of weights: a master is full with its weight times
    that. One at least is not full, since the bound is above 1.
    """
    total, weight = 1, 0.0
    for index in range(len(fleet.weight)):
        if fleet.weight[index] > 0.0:
            total += fleet.in_flight[index]
            weight += fleet.weight[index]
    # A little less, since rounding must not let one more in where the bound is a whole number.
    return fleet.settings.load_bound * total / weight * ROUNDING if weight > 0.0 else 0.0


def open_to(fleet: Fleet, index: int, most: float) -> bool:
    """Whether a master may be picked and is not full."""
    return fleet.weight[index] > 0.0 and fleet.in_flight[index] < fleet.weight[index] * most


def ring_hash_bounded(fleet: Fleet, request: Request) -> int:
    """The ring, but a master that is full is passed over for the next one on the ring.

    Mirrokni, Thorup, Zadimoghaddam 2016; HAProxy hash-balance-factor.
    """
    points = len(fleet.table) // 2
    if points == 0:
        return -1
    most = most_per_weight(fleet)
    place = place_on_ring(fleet, request.hash)
    for step in range(points):
        index = fleet.table[points + (place + step) % points]
        if open_to(fleet, index, most):
            return index
    return -1


def maglev_bounded(fleet: Fleet, request: Request) -> int:
    """Maglev, but from a master that is full the key jumps at random (always the same jumps).

    Source: Envoy, bounded load (random jumps: Chen, Coleman, Shrivastava 2019,
    arXiv 1908.08762). If all of the first jumps meet full masters, the next place of the
    table whose master is not full.
    """
    size = len(fleet.table)
    if size == 0:
        return -1
    most = most_per_weight(fleet)
    index = fleet.table[request.hash % size]
    jump = request.hash % (MODULUS - 1) + 1
    for _ in range(JUMPS):
        if open_to(fleet, index, most):
            return index
        jump = jump * MULTIPLIER % MODULUS  # Park and Miller's minimal standard
        index = fleet.table[jump % size]
    for step in range(size):
        index = fleet.table[(jump + step) % size]
        if open_to(fleet, index, most):
            return index
    return -1


def ring_home(fleet: Fleet, hash_: int) -> int:
    """The master to which a key belongs on the ring while no master is full."""
    return ring_hash(fleet, Request(0, False, hash_, True, ()))


def maglev_home(fleet: Fleet, hash_: int) -> int:
    """The master to which a key belongs in Maglev's table while no master is full."""
    return maglev(fleet, Request(0, False, hash_, True, ()))
