"""The course of each failover through its lifecycle, as its events tell it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from hasim.events import FailoverChanged
from hasim.measures.records import Records
from hasim.measures.spans import Steps

TERMINAL = frozenset({"completed", "cancelled", "failed"})


@dataclass
class Course:
    """One failover: who failed, whose partitions it moves, and each change of state."""

    failover: int
    master: str
    partitions: tuple[str, ...]
    declared_ns: int
    changes: list[tuple[int, FailoverChanged]] = field(default_factory=list)
    state: Steps[str] = field(default_factory=lambda: Steps(""))

    @cached_property
    def planned(self) -> bool:
        """It began as a planned switchover: nobody was declared failed for it."""
        return any(change.trigger == "planned" for _, change in self.changes)

    @property
    def suppressed(self) -> bool:
        """A block after an earlier failover held it until there was no need any more."""
        triggers = {change.trigger for _, change in self.changes}
        return "block" in triggers and "released" not in triggers

    @property
    def last_state(self) -> str:
        """The state at the end of the run."""
        return self.changes[-1][1].new

    @property
    def ended_ns(self) -> int | None:
        """When it reached a terminal state, or None if it is in progress."""
        return self.changes[-1][0] if self.last_state in TERMINAL else None

    def last(self, old: str, new: str) -> int | None:
        """When it last went from one state to another (nanoseconds), or None."""
        times = [t for t, c in self.changes if c.old == old and c.new == new]
        return times[-1] if times else None

    def left(self, old: str) -> int | None:
        """When it last went from a state to another one (nanoseconds), or None."""
        times = [t for t, c in self.changes if c.old == old != c.new]
        return times[-1] if times else None

    def durations_ns(self, end_ns: int) -> dict[str, int]:
        """Nanoseconds in each state it was in, up to the end of the run."""
        spent: dict[str, int] = {}
        until = [t for t, _ in self.changes[1:]] + [end_ns]
        for (t_ns, change), next_ns in zip(self.changes, until, strict=True):
            if change.new not in TERMINAL:
                spent[change.new] = spent.get(change.new, 0) + next_ns - t_ns
        return spent

    @property
    def candidates(self) -> tuple[str, ...]:
        """The backups tried, in order, each once."""
        return tuple(dict.fromkeys(c.candidate for _, c in self.changes if c.candidate))


def courses(records: Records) -> list[Course]:
    """Every failover, in the order of declaration."""
    found: dict[int, Course] = {}
    for t_ns, change in records.of(FailoverChanged):
        course = found.get(change.failover)
        if course is None:
            course = Course(change.failover, change.master, change.partitions, t_ns)
            found[change.failover] = course
        course.changes.append((t_ns, change))
        course.state.set(t_ns, change.new)
    return list(found.values())
