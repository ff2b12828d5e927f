"""Peak EWMA: two choices by a latency that rises at once and falls slowly (Finagle)."""

from __future__ import annotations

from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.pickers.draw import candidate, candidates
from hasim.services.balancing.pickers.latency import fade, observe_peak, sample_of

PENALTY = float(2**47)
"""The cost (ns) of a master with messages in flight and no answer yet (Long.MaxValue >> 16)."""


def peak_cost(fleet: Fleet, index: int, now: int) -> float:
    """Finagle's load: the decayed latency (kept so) times one more than what is in flight."""
    cost, in_flight = fade(fleet, index, now), fleet.in_flight[index]
    if cost == 0.0 and in_flight > 0:
        return PENALTY + in_flight
    return cost * (in_flight + 1)


def peak_ewma(fleet: Fleet, request: Request) -> int:
    """Of two different masters, the one of the lower cost; a tie to the first drawn.

    Source: Finagle, PeakEwma.scala and P2C. Weights play no part.
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
    now = request.now
    return second if peak_cost(fleet, second, now) < peak_cost(fleet, first, now) else first


def peak_ewma_ended(fleet: Fleet, index: int, now: int, elapsed_ns: int, failed: bool) -> None:
    """An attempt ended, in whatever way: its time is observed."""
    observe_peak(fleet, index, now, sample_of(fleet, elapsed_ns, failed))
