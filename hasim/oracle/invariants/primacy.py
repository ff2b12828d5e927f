"""At most one master accepts the writes of a partition."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.measures.primacy import dual_primaries, overdue
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant


def _find(case: Case) -> Iterator[Found]:
    for dual in dual_primaries(case.facts):
        who, for_ns = " and ".join(dual.masters), dual.span.length_ns
        if not dual.allowed:
            text = f"{who} accepted writes for {for_ns} ns"
            yield Found(dual.span.start_ns, dual.partition, text)
        elif (span := overdue(case.facts, dual)) is not None:
            text = f"{who} accepted writes, declared healthy, for {span.length_ns} ns"
            yield Found(span.start_ns, dual.partition, text)


ONE_PRIMARY = Invariant(
    "one-primary",
    "At most one master accepts the writes of a partition. Where the fencing mode cannot exclude "
    "two, their seconds are counted, and they end within 30 s once all of them are declared "
    "healthy.",
    "Two primaries accept writes that nobody can merge: data is lost or contradicts itself.",
    _find,
    "run",
)
