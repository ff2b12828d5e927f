"""Nobody powers off a healthy owner that serves."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.measures.primacy import wrongly_fenced
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant


def _find(case: Case) -> Iterator[Found]:
    for t_ns, fenced, partition in wrongly_fenced(case.facts):
        text = f"powered off while it was declared healthy and served {partition}"
        yield Found(t_ns, fenced.master, text)


NO_NEEDLESS_POWER_OFF = Invariant(
    "no-needless-power-off",
    "Nobody powers off an owner that it has declared healthy and that serves, unless an operator "
    "has taken it out of service.",
    "The failover causes the outage that it should end.",
    _find,
    "observer",
)
