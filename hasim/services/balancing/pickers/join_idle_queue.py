"""Join idle queue: whoever has a free worker stands in line for the next message."""

from __future__ import annotations

from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.pickers.draw import candidate, candidates
from hasim.services.balancing.pickers.turns import take_turn, waited_longer


def join_idle_queue(fleet: Fleet, request: Request) -> int:
    """The idle master that has waited longest; any, all alike, if none is idle.

    Idle: fewer of this gateway's messages in flight than it has workers. With one
    gateway, one worker each and no network this is the JIQ of Lu et al. 2011;
    otherwise a gateway only knows of its own messages. The line are the turns of `counts`,
    which a master takes with each message, and when it becomes idle.
    """
    weight, best = fleet.weight, -1
    for index in range(len(weight)):
        if (
            weight[index] > 0.0
            and fleet.in_flight[index] < fleet.workers[index]
            and (best < 0 or waited_longer(fleet, index, best))
        ):
            best = index
    if best >= 0:
        return take_turn(fleet, best)  # if it is still idle after this, it goes to the end
    count = candidates(weight)
    return candidate(weight, int(request.draws[0] * count)) if count else -1


def join_idle_queue_ended(
    fleet: Fleet, index: int, now: int, elapsed_ns: int, failed: bool
) -> None:
    """An attempt ended; a master that has a free worker again joins the line at its end."""
    if fleet.in_flight[index] == fleet.workers[index] - 1:
        take_turn(fleet, index)
