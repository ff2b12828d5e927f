"""Why a partition was down at a moment: the split of the shortfall."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hasim.measures.facts import Facts
from hasim.measures.serving import TIER, Down, Serving
from hasim.measures.spans import Span
from hasim.model import Status

CAUSES = (
    "undetected",
    "deciding",
    "fencing",
    "transferring",
    "promoting",
    "redirecting",
    "mistaken",
    "overloaded",
    "no_capacity",
)
CAUSE_OF_STATE = {
    "declared": "deciding",
    "held": "deciding",
    "fencing": "fencing",
    "aborting": "fencing",
    "selecting": "deciding",
    "catching-up": "transferring",
    "handing-over": "transferring",
    "transferring": "transferring",
    "promoting": "promoting",
    "redirecting": "redirecting",
    "verifying": "redirecting",
    "rolling-back": "deciding",
    "waiting": "no_capacity",
}


@dataclass(frozen=True, slots=True)
class Share:
    """One stretch of a partition's downtime with one cause; `fell_ns` is when it went down.

    `planned`: a switchover that somebody ordered was under way, so that it is maintenance.
    """

    span: Span
    cause: str
    fell_ns: int
    planned: bool = False


def shares(facts: Facts) -> dict[str, list[Share]]:
    """For each partition, its downtime cut into stretches with one cause each."""
    moments = _moments(facts)
    return {
        partition: [
            share for down in serving.down for share in _split(facts, serving, down, moments)
        ]
        for partition, serving in facts.servings.items()
    }


def merged(by_partition: Mapping[Any, list[Share]]) -> list[Share]:
    """The time in which at least one partition was down, each stretch with one cause.

    Where several are down, the one that went down first gives the cause, so the stretches
    add up to the downtime of the whole.
    """
    edges = sorted(
        {
            edge
            for own in by_partition.values()
            for s in own
            for edge in (s.span.start_ns, s.span.end_ns)
        }
    )
    every = sorted(
        ((s.fell_ns, rank, s) for rank, own in enumerate(by_partition.values()) for s in own),
        key=lambda item: (item[2].span.start_ns, item[0], item[1]),
    )
    found: list[Share] = []
    active: list[tuple[int, int, Share]] = []
    upcoming = 0
    for start_ns, end_ns in pairwise(edges):
        while upcoming < len(every) and every[upcoming][2].span.start_ns <= start_ns:
            active.append(every[upcoming])
            upcoming += 1
        active = [item for item in active if item[2].span.end_ns > start_ns]
        if active:
            fell_ns, _, first = min(active, key=lambda item: item[:2])
            found.append(Share(Span(start_ns, end_ns), first.cause, fell_ns, first.planned))
    return found


def _moments(facts: Facts) -> list[int]:
    """Every moment at which a cause can change."""
    moments: set[int] = set()
    for course in facts.courses:
        moments.update(t for t, _ in course.changes)
    for one in facts.verdicts.values():
        moments.update(one.declared.times_ns)
    for span in [f.span for f in facts.faults] + [f.span for f in facts.fenced]:
        moments.update((span.start_ns, span.end_ns))
    for serving in facts.servings.values():
        moments.update(serving.owner.times_ns)
    return sorted(moments)


def _split(facts: Facts, serving: Serving, down: Down, moments: list[int]) -> list[Share]:
    start_ns, end_ns = down.span.start_ns, down.span.end_ns
    inside = moments[bisect_right(moments, start_ns) : bisect_left(moments, end_ns)]
    edges = [start_ns, *inside, end_ns]
    found: list[Share] = []
    for since_ns, until_ns in pairwise(edges):
        cause = _cause(facts, serving, down, since_ns)
        planned = _planned(facts, serving, since_ns)
        if found and (found[-1].cause, found[-1].planned) == (cause, planned):
            since_ns = found.pop().span.start_ns  # noqa: PLW2901
        found.append(Share(Span(since_ns, until_ns), cause, start_ns, planned))
    return found


def _planned(facts: Facts, serving: Serving, t_ns: int) -> bool:
    """Whether a switchover that somebody ordered moves the partition at that moment."""
    return any(
        course.planned
        and course.declared_ns <= t_ns
        and (course.ended_ns is None or t_ns < course.ended_ns)
        for course in facts.courses_with[serving.partition]
    )


def _cause(facts: Facts, serving: Serving, down: Down, t_ns: int) -> str:
    """The cause at a moment, from the latest step of the recovery back to the fault."""
    if serving.partition == TIER:
        return _cause_of_tier(facts, t_ns)
    owner = serving.owner.at(t_ns)
    own = [c for c in facts.courses_with[serving.partition] if c.declared_ns <= t_ns]
    for course in reversed(own):
        if course.ended_ns is None or t_ns < course.ended_ns:
            mistaken = facts.is_mistaken(course)
            return "mistaken" if mistaken else CAUSE_OF_STATE[course.state.at(t_ns)]
    completed = bool(own) and own[-1].last_state == "completed"
    return _cause_at_owner(facts, owner, t_ns) or (
        # A failover ends although a gateway has not confirmed the routing; clients may still wait.
        "redirecting" if completed and down.span.start_ns < own[-1].changes[-1][0] else "overloaded"
    )


def _cause_of_tier(facts: Facts, t_ns: int) -> str:
    """Why no master of a tier without state serves: what would have to change first.

    That a fault is seen, that a healthy master is taken back (or had not been declared), that a
    master keeps up; else there is none left that could.
    """
    found = set()
    for master in facts.records.masters:
        struck = any(fault.span.holds(t_ns) for fault in facts.faults_of[master.id])
        one = facts.verdicts[master.id]
        if one.declared.at(t_ns):
            latest = [d for d in one.declarations if d.t_ns <= t_ns][-1]
            healthy = "mistaken" if facts.is_mistake(latest) else "deciding"
            found.add("no_capacity" if struck else healthy)
        elif one.status.at(t_ns) is (Status.UNKNOWN if master.absent else Status.MAINTENANCE):
            found.add("no_capacity")
        else:
            found.add("undetected" if struck else "overloaded")
    order = ("undetected", "mistaken", "deciding", "overloaded", "no_capacity")
    return next(cause for cause in order if cause in found)


def _cause_at_owner(facts: Facts, owner: str, t_ns: int) -> str:
    """What is wrong with the owner while no failover of the partition is under way, or empty."""
    fence = fence_at(facts, owner, t_ns)
    declared = owner in facts.verdicts and facts.verdicts[owner].declared.at(t_ns)
    if declared and fence != "mistaken":
        return "deciding"
    if fence:
        return fence
    struck = any(fault.span.holds(t_ns) for fault in facts.faults_of[owner])
    return "undetected" if struck else ""


def fence_at(facts: Facts, owner: str, t_ns: int) -> str:
    """What the downtime of a master that is off is charged to: the declaration behind its fence.

    Empty if it is not off.
    """
    for off in facts.fenced_of[owner]:
        if off.span.holds(t_ns):
            charged = [c for c in facts.courses if c.failover == off.failover]
            return "mistaken" if charged and facts.is_mistaken(charged[0]) else "fencing"
    return ""
