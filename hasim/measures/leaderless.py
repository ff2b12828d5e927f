"""For how long no control plane acts: its leader is killed, hangs or is cut off."""

from __future__ import annotations

from typing import NamedTuple

from hasim.events import TermBegun
from hasim.journal import Journal
from hasim.truth import FaultCured, FaultStarted

GONE = "observer-crash"
"""Who was killed asks for a term before it acts again; others go on when they are cured."""
KINDS = (GONE, "observer-hang", "observer-partition")
"""The kinds of faults by which a control plane acts no more."""
TOLD = (TermBegun, FaultStarted, FaultCured)
"""What tells that a control plane acts, or does not."""


class Leaderless(NamedTuple):
    """How often the control plane that acted was lost, and the time without one (nanoseconds)."""

    times: int
    total_ns: int


def leaderless_of(journal: Journal) -> Leaderless:
    """From each such fault at whoever acts, until anybody begins a term, or it is cured.

    A control plane that is killed acts again with its next term only. What lasts to the end of the
    run counts up to there.
    """
    leader = journal.observers[0]
    since_ns, fault, times, total_ns = -1, FaultStarted(0, "", (), False, ""), 0, 0
    for record in journal.records:
        body, over = record.body, False
        if type(body) not in TOLD:  # nearly all of them
            continue
        if isinstance(body, TermBegun):
            leader, over = record.observer, True
        elif isinstance(body, FaultCured):
            over = body.fault == fault.fault and fault.kind != GONE
        elif since_ns < 0 and isinstance(body, FaultStarted) and _strikes(body, leader):
            since_ns, fault, times = record.t_ns, body, times + 1
        if over and since_ns >= 0:
            total_ns += record.t_ns - since_ns
            since_ns = -1
    if since_ns >= 0:
        total_ns += journal.horizon_ns - since_ns
    return Leaderless(times, total_ns)


def _strikes(fault: FaultStarted, leader: str) -> bool:
    return fault.kind in KINDS and leader in fault.others
