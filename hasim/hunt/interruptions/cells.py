"""A failover is brought into a state, interrupted there, and followed to its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from hasim.events import Restart
from hasim.hunt.interruptions.kinds import KINDS, Met
from hasim.hunt.interruptions.situations import (
    DURING_PROMOTION,
    PLUG,
    SITUATIONS,
    WITHOUT,
    situation,
)
from hasim.hunt.running import run
from hasim.journal import Journal
from hasim.measures.courses import Course
from hasim.measures.facts import facts_of
from hasim.measures.primacy import dual_primary_ns
from hasim.truth import MasterFenced, MasterRestarted, PartitionServed, Writers
from hasim.units import SECOND, parse_duration

Data = dict[str, Any]
PASSED = ("declared", "selecting")
"""The states that are passed through: what comes then finds the next one."""
FENCINGS: Mapping[str, Data] = {
    "none": {"kind": "none"},
    "best-effort": {"kind": "best-effort", "timeout": "5s"},
    "confirmed": {"kind": "confirmed", "timeout": "5s", "attempts": 3},
    "lease": {"kind": "lease", "ttl": "8s", "renew": "1s"},
    "token": {"kind": "token"},
    "step-down": {"kind": "step-down", "ttl": "8s", "renew": "1s", "wait": "5s"},
    "manual": {"kind": "manual"},
}
"""The ways of fencing that the table is made for."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What came of an interruption, or of none; times in nanoseconds.

    `outcome`: whom the failover rolled back, and how it ended (`completed b`: with b as the owner);
    then the same of each later one. `owner`: who accepts the writes at the end. `dual_ns`: for how
    long two did.
    `down_ns`: for how long nobody served the partition, `served_ns`: how long after the
    interruption the last such time was over, 0 if there was none. `broken`: invariants.
    """

    state: str
    interruption: str
    met: str
    outcome: tuple[str, ...]
    owner: tuple[str, ...]
    dual_ns: int
    down_ns: int
    served_ns: int
    broken: tuple[str, ...]

    @property
    def row(self) -> str:
        """As a line of a table in Markdown."""
        ends = [
            f"{end} ({count} times)" if count > 1 else end
            for end, count in ((end, len(list(same))) for end, same in groupby(self.outcome))
        ]
        seconds = (f"{time_ns / SECOND:.2f}" for time_ns in (self.dual_ns, self.served_ns))
        owner = " and ".join(self.owner) or "nobody"
        cells = (self.state, self.interruption, ", ".join(ends), owner, *seconds)
        return "| " + " | ".join(cells) + " |"


def cells(fencing: str) -> Iterator[Cell]:
    """Each state that a failover comes to with this fencing, by each kind of interruption."""
    for state in SITUATIONS:
        if fencing in WITHOUT.get(state, ()):
            continue
        data, met = meet(state, fencing)
        for name, interrupt in KINDS.items():
            made = interrupt(data, met)
            if made is not None:
                yield _cell(state, name, met, made)


def meet(state: str, fencing: str) -> tuple[Data, Met]:
    """The scenario in which a failover comes to a state, and how it is met there."""
    data = situation(state, FENCINGS[fencing])
    if state in DURING_PROMOTION:
        since_ns, until_ns, _ = _stay(_ran(data), "promoting")
        assert until_ns is not None
        struck = DURING_PROMOTION[state](since_ns, until_ns)
        data = data | {"faults": [*data["faults"], struck]}
    journal = _ran(data)
    since_ns, until_ns, course = _stay(journal, state)
    change = [change for t_ns, change in course.changes if t_ns == since_ns][-1]
    if state in PASSED:
        until_ns = next((t_ns for t_ns, _ in course.changes if t_ns > since_ns), None)
    source = "c" if state == "transferring" else "a"
    met = Met(change.new, since_ns, until_ns, change.candidate, source, lives=True, cut=False)
    lives = source == "c" or (_is_on(journal, "a", met.at_ns) and not _is_off(data, met.at_ns))
    return data, replace(met, lives=lives, cut=_is_cut(data, met.at_ns))


def _stay(journal: Journal, state: str) -> tuple[int, int | None, Course]:
    """From when to when the first failover that comes to a state is there."""
    for course in facts_of(journal).courses:
        for place, (t_ns, change) in enumerate(course.changes):
            if change.new == state:
                later = [t for t, after in course.changes[place + 1 :] if after.new != state]
                return t_ns, next(iter(later), None), course
    raise LookupError(f"no failover is ever {state}")


def _is_on(journal: Journal, master: str, at_ns: int) -> bool:
    cut: int = sum(fenced.master == master for t, fenced in journal.of(MasterFenced) if t <= at_ns)
    back: int = sum(one.master == master for t, one in journal.of(MasterRestarted) if t <= at_ns)
    return cut == back


def _is_off(data: Data, at_ns: int) -> bool:
    """Whether somebody has pulled the owner's plug by then."""
    return PLUG in data["faults"] and at_ns >= parse_duration(PLUG["at"])


def _is_cut(data: Data, at_ns: int) -> bool:
    """Whether the cut between control plane and owner lasts beyond that."""
    cut = [fault for fault in data["faults"] if fault.get("target") == "a"]
    ends_ns = [parse_duration(f["at"]) + parse_duration(f["for"]) for f in cut]
    return any(end_ns > at_ns for end_ns in ends_ns)


def _ran(data: Data) -> Journal:
    found = run(data)
    assert found.journal is not None, found.breaches
    return found.journal


def _cell(state: str, name: str, met: Met, data: Data) -> Cell:
    found = run(data)
    assert found.journal is not None, found.breaches
    journal = found.journal
    facts = facts_of(journal)
    outcome = tuple(end for course in facts.courses for end in _ends(course, journal))
    writers = [seen.masters for _, seen in journal.of(Writers)]
    downs = list(_downs(journal))
    last_ns = max((end_ns for start_ns, end_ns in downs if end_ns > met.at_ns), default=met.at_ns)
    return Cell(
        state,
        name,
        met.state,
        outcome,
        writers[-1],
        sum(dual_primary_ns(facts).values()),
        sum(end_ns - start_ns for start_ns, end_ns in downs),
        last_ns - met.at_ns,
        found.broken,
    )


def _ends(course: Course, journal: Journal) -> Iterator[str]:
    """Whom it has rolled back, and its end; a process that remembers nothing has left it there."""
    for _, change in course.changes:
        if change.new == "rolling-back" != change.old:
            yield f"{change.candidate} rolled back"
    t_ns, last = course.changes[-1]
    restarts = [at_ns for at_ns, one in journal.of(Restart) if not one.from_snapshot]
    if course.ended_ns is None and any(at_ns > t_ns for at_ns in restarts):
        yield "forgotten"
    elif last.new in ("cancelled", "failed"):
        yield last.new
    else:
        yield f"{last.new} {last.candidate}"


def _downs(journal: Journal) -> Iterator[tuple[int, int]]:
    """From when to when nobody served the partition."""
    since_ns: int | None = None
    for t_ns, served in journal.of(PartitionServed):
        if served.up and since_ns is not None:
            yield since_ns, t_ns
            since_ns = None
        elif not served.up and since_ns is None:
            since_ns = t_ns
    if since_ns is not None:
        yield since_ns, journal.horizon_ns
