"""Time never runs back."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant


def _find(case: Case) -> Iterator[Found]:
    last_ns = 0
    for number, record in enumerate(case.journal.records, 1):
        if record.t_ns < last_ns:
            yield Found(record.t_ns, f"record {number}", f"time runs back from {last_ns} ns")
        last_ns = max(last_ns, record.t_ns)
    if last_ns > case.horizon_ns:
        yield Found(last_ns, "journal", "a record after the end of the run")


TIME_FORWARD = Invariant(
    "time-forward",
    "The times of a journal never run back, and none lies beyond the end of the run.",
    "What came first cannot be told any more.",
    _find,
    "run",
)
