"""Two choices: of two masters drawn at random, the less loaded (Mitzenmacher 2001)."""

from __future__ import annotations

from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.pickers.draw import candidate, candidates
from hasim.services.balancing.pickers.least_loaded import lighter


def two_choices(fleet: Fleet, request: Request) -> int:
    """Of two different masters, the one with less in flight over weight; a tie to the first drawn.

    Finagle, Linkerd, nginx `random two`: the draws are distinct.
    """
    count = candidates(fleet.weight)
    if count == 0:
        return -1
    place = int(request.draws[0] * count)
    first = candidate(fleet.weight, place)
    if count == 1:
        return first
    other = int(request.draws[1] * (count - 1))
    second = candidate(fleet.weight, other + (other >= place))
    return second if lighter(fleet, second, first) else first


def two_choices_with_replacement(fleet: Fleet, request: Request) -> int:
    """The same, but both draws may hit one master: of two masters the busier is taken in 25 %.

    Envoy least request, gRPC least_request (A48).
    """
    count = candidates(fleet.weight)
    if count == 0:
        return -1
    first = candidate(fleet.weight, int(request.draws[0] * count))
    second = candidate(fleet.weight, int(request.draws[1] * count))
    return second if lighter(fleet, second, first) else first
