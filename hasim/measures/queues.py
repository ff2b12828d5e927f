"""Who waits for a worker at masters, if a scenario has it counted."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.measures.facts import Facts
from hasim.truth import QueueRollup
from hasim.units import seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """The queue of one master over the whole run.

    Its workers took `started` attempts (deep probes included), `waited` of them from the queue,
    where these were for `waited_s` in all. `queued_s` is the length of the queue summed over time:
    what all waited, those that were lost in it and those that are there still included.
    """

    master: str
    started: int
    waited: int
    waited_s: float
    queued_s: float


def queues_of(facts: Facts) -> list[QueueRow]:
    """Each master's; none if they were not counted."""
    return [
        QueueRow(
            master=body.master,
            started=body.started,
            waited=body.waited,
            waited_s=seconds(body.waited_ns),
            queued_s=seconds(body.queued_ns),
        )
        for _, body in facts.records.of(QueueRollup)
    ]
