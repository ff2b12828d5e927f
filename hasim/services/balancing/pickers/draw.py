"""Drawing masters at random, with uniforms that are handed in."""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence

from hasim.services.balancing.fleet import Fleet, Request


def candidates(weight: Sequence[float]) -> int:
    """How many masters may be picked."""
    count = 0
    for index in range(len(weight)):
        if weight[index] > 0.0:
            count += 1
    return count


def candidate(weight: Sequence[float], place: int) -> int:
    """The index of candidate number `place`, from 0."""
    for index in range(len(weight)):
        if weight[index] > 0.0:
            if place == 0:
                return index
            place -= 1
    return -1


def place_apart(places: MutableSequence[int], first: int, drawn: int, place: int) -> int:
    """A place among all candidates, of one among those that were not drawn before.

    `places` has the `drawn` ones before in order, from `first` on, and gets this one as well.
    """
    spot = 0
    while spot < drawn and place >= places[first + spot]:
        place += 1  # past those before it
        spot += 1
    for later in range(drawn, spot, -1):
        places[first + later] = places[first + later - 1]
    places[first + spot] = place
    return place


def random(fleet: Fleet, request: Request) -> int:
    """Any master, all alike; weights play no part."""
    count = candidates(fleet.weight)
    return candidate(fleet.weight, int(request.draws[0] * count)) if count else -1


def weighted_random(fleet: Fleet, request: Request) -> int:
    """Any master, in proportion to its weight."""
    weight = fleet.weight
    total = 0.0
    for index in range(len(weight)):
        total += weight[index]
    target, last = request.draws[0] * total, -1
    for index in range(len(weight)):
        if weight[index] > 0.0:
            last = index
            target -= weight[index]
            if target < 0.0:
                break
    return last
