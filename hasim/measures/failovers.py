"""Failovers: their phases, how they ended, and what they lost."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.measures.courses import Course
from hasim.measures.facts import Facts
from hasim.truth import WritesLost
from hasim.units import seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Failover:
    """One failover; columns ending in ``_at_s`` are seconds since the start of the run.

    `incident` is the incident that it answers to; `mistaken` says that a healthy
    master was declared; `retry` that it only tries again what an earlier
    failover of the same declaration could not finish. `needless` says that it was of no use: a
    healthy master was declared, or it was cured, and detection would have taken it back, before
    the failover had service restored; never of a retry, of a master that owned nothing, or of a
    failover that was cancelled. `planned`: a switchover, nobody had failed; `suppressed`: a block
    after an earlier failover held it until there was no need any more. `failover_s` runs from the
    declaration until the last affected partition is up, by promotion or by cure
    (0 if none ever went down); `censored_s` is the time until the end of the
    run if that is unfinished. Neither has a value if the master owned nothing, for a planned
    switchover, or for a retry (its time is part of the first one's). The moments are those of the
    last try; ``fencing_s`` and its like sum up the time spent in that state.
    `writes_lost` and `lost_bytes` are the achieved recovery point (RPO), `lost_s`
    the age of the oldest lost write at its promotion.
    """

    failover: int
    master: str
    incident: int | None
    mistaken: bool
    retry: bool
    needless: bool
    planned: bool
    suppressed: bool
    partitions: int
    outcome: str
    candidates: str
    tried: int
    rollbacks: int
    declared_at_s: float
    decided_at_s: float | None
    fenced_at_s: float | None
    transferred_at_s: float | None
    promoted_at_s: float | None
    redirected_at_s: float | None
    restored_at_s: float | None
    ended_at_s: float | None
    failover_s: float | None
    censored_s: float | None
    deciding_s: float
    held_s: float
    fencing_s: float
    aborting_s: float
    selecting_s: float
    catching_up_s: float
    handing_over_s: float
    transferring_s: float
    promoting_s: float
    redirecting_s: float
    verifying_s: float
    rolling_back_s: float
    waiting_s: float
    writes_lost: int
    lost_bytes: int
    lost_s: float


def failovers_of(facts: Facts) -> list[Failover]:
    """Every failover of the run, by declaration."""
    return [_failover(facts, course) for course in facts.courses]


def _failover(facts: Facts, course: Course) -> Failover:
    answered = facts.episode_of_course(course)
    again = course.failover in facts.retries
    counted = bool(course.partitions) and not again and not course.planned
    restored_ns = _restored(facts, course) if course.partitions else None
    left_ns = facts.horizon_ns - course.declared_ns
    spent = course.durations_ns(facts.horizon_ns)
    by = (facts.records.observer, course.failover)
    lost = [w for _, w in facts.records.of(WritesLost) if (w.observer, w.failover) == by]
    return Failover(
        failover=course.failover,
        master=course.master,
        incident=None if answered is None else answered.number,
        mistaken=facts.is_mistaken(course),
        retry=again,
        needless=counted and _needless(facts, course, restored_ns),
        planned=course.planned,
        suppressed=course.suppressed,
        partitions=len(course.partitions),
        outcome="in progress" if course.ended_ns is None else course.last_state,
        candidates=" ".join(course.candidates),
        tried=len(course.candidates),
        rollbacks=sum(c.new == "rolling-back" for _, c in course.changes),
        declared_at_s=seconds(course.declared_ns),
        decided_at_s=_optional(_decided(course)),
        fenced_at_s=_optional(course.last("fencing", "selecting")),
        transferred_at_s=_optional(course.last("transferring", "promoting")),
        promoted_at_s=_optional(course.last("promoting", "redirecting")),
        redirected_at_s=_optional(course.left("redirecting")),
        restored_at_s=_optional(restored_ns),
        ended_at_s=_optional(course.ended_ns),
        failover_s=seconds(restored_ns - course.declared_ns)
        if counted and restored_ns is not None
        else None,
        censored_s=seconds(left_ns) if counted and restored_ns is None else None,
        deciding_s=seconds(spent.get("declared", 0)),
        held_s=seconds(spent.get("held", 0)),
        fencing_s=seconds(spent.get("fencing", 0)),
        aborting_s=seconds(spent.get("aborting", 0)),
        selecting_s=seconds(spent.get("selecting", 0)),
        catching_up_s=seconds(spent.get("catching-up", 0)),
        handing_over_s=seconds(spent.get("handing-over", 0)),
        transferring_s=seconds(spent.get("transferring", 0)),
        promoting_s=seconds(spent.get("promoting", 0)),
        redirecting_s=seconds(spent.get("redirecting", 0)),
        verifying_s=seconds(spent.get("verifying", 0)),
        rolling_back_s=seconds(spent.get("rolling-back", 0)),
        waiting_s=seconds(spent.get("waiting", 0)),
        writes_lost=sum(w.writes for w in lost),
        lost_bytes=sum(w.lost_bytes for w in lost),
        lost_s=seconds(max((w.since_ns for w in lost), default=0)),
    )


def _needless(facts: Facts, course: Course, restored_ns: int | None) -> bool:
    """Whether service would have been back before without it."""
    if course.last_state == "cancelled":
        return False
    if facts.is_mistaken(course):
        return True
    answered = facts.episode_of_course(course)
    if answered is None or not answered.cured:
        return False
    back_ns = answered.span.end_ns + facts.records.recovery_ns
    return back_ns < (facts.horizon_ns if restored_ns is None else restored_ns)


def _optional(t_ns: int | None) -> float | None:
    return None if t_ns is None else seconds(t_ns)


def _decided(course: Course) -> int | None:
    """When it first went on from its declaration."""
    left = (t for t, c in course.changes if c.old == "declared" and c.new != "held")
    return next(left, None)


def _restored(facts: Facts, course: Course) -> int | None:
    """When the last affected partition was up; None if unfinished.

    What counts are the times down that the failover met: a partition that a
    fence takes down after the declaration is up only when it is up again.
    """
    ended_ns = facts.horizon_ns if course.ended_ns is None else course.ended_ns
    met = [
        down
        for partition in course.partitions
        for down in facts.servings[partition].down
        if down.span.start_ns < ended_ns and down.span.end_ns > course.declared_ns
    ]
    # Before the promotion, a partition that happens to be up may yet be fenced.
    promoted = course.last_state in ("redirecting", "verifying")
    unsettled = course.ended_ns is None and not promoted
    if unsettled or not all(down.restored for down in met):
        return None
    return max((down.span.end_ns for down in met), default=course.declared_ns)
