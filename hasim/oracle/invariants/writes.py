"""Acknowledged writes are in the owner's copy, or counted as lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.truth import WritesHeld, WritesLost


def _find(case: Case) -> Iterator[Found]:
    lost: Counter[str] = Counter()
    for t_ns, row in case.facts.records.of(WritesLost):
        lost[row.partition] += row.writes
        if min(row.writes, row.lost_bytes, row.since_ns) < 0:
            yield Found(t_ns, row.partition, f"impossible counts: {row}")
    for t_ns, held in case.facts.records.of(WritesHeld):
        if held.acknowledged != held.held + lost[held.partition]:
            text = (
                f"{held.acknowledged} writes acknowledged, {held.held} held, "
                f"{lost[held.partition]} counted as lost"
            )
            yield Found(t_ns, held.partition, text)


WRITES_CONSERVED = Invariant(
    "writes-conserved",
    "Acknowledged writes = those in the owner's copy + those that are counted as lost.",
    "Writes vanish without a trace, or the loss that is shown is not what was lost.",
    _find,
    "run",
)
