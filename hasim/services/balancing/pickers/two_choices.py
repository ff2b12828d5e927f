"""Two choices: of two masters drawn at random, the less loaded (Mitzenmacher 2001).

Or of `choices` of them (JSQ(d), best of d): more choices are closer to the least loaded of all,
and to the herd that it makes of old loads.
"""

from __future__ import annotations

from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.pickers.draw import candidate, candidates, place_apart
from hasim.services.balancing.pickers.least_loaded import lighter


def two_choices(fleet: Fleet, request: Request) -> int:
    """Of different masters, the one with the least in flight over weight; a tie to the first drawn.

    Finagle, Linkerd, nginx `random two`: the draws are distinct. `counts` has the places drawn.
    """
    weight, best = fleet.weight, -1
    count = candidates(weight)
    for drawn in range(min(fleet.settings.choices, count)):
        place = int(request.draws[drawn] * (count - drawn))
        index = candidate(weight, place_apart(fleet.counts, 0, drawn, place))
        if best < 0 or lighter(fleet, index, best):
            best = index
    return best


def two_choices_with_replacement(fleet: Fleet, request: Request) -> int:
    """The same, but draws may hit one master twice: of two masters the busier is taken in 25 %.

    Envoy least request, gRPC least_request (A48).
    """
    weight, best = fleet.weight, -1
    count = candidates(weight)
    if count == 0:
        return -1
    for drawn in range(fleet.settings.choices):
        index = candidate(weight, int(request.draws[drawn] * count))
        if best < 0 or lighter(fleet, index, best):
            best = index
    return best
