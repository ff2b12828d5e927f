"""No failover stands still: each state has its time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from hasim.events import Demote, Fence, Restart, TakeSnapshot
from hasim.measures.courses import TERMINAL, Course
from hasim.model import Status
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.services.failover.fencing.confirmed import ConfirmedSettings
from hasim.services.failover.fencing.manual import ManualSettings
from hasim.services.failover.settings import FailoverSettings


def longest_ns(settings: FailoverSettings) -> Mapping[str, int]:
    """The longest time without a step, or an order to stop, in each state that waits (ns)."""
    fencing = settings.fencing
    backoff_ns = fencing.backoff_ns if isinstance(fencing, ConfirmedSettings) else 0
    pause_ns = max(fencing.longest_ns, backoff_ns, settings.demote_retry_ns)
    by_hand = isinstance(fencing, ManualSettings)  # somebody may let it wait
    told_ns = settings.demote_timeout_ns + settings.demote_retry_ns
    return {
        "declared": 0,
        "selecting": 0,
        "fencing": 2 * pause_ns + (settings.limit_ns if by_hand else 0),
        "aborting": fencing.longest_ns,
        "catching-up": settings.transfer_timeout_ns,
        "handing-over": told_ns,
        "transferring": settings.transfer_timeout_ns,
        "promoting": settings.promote_timeout_ns,
        "rolling-back": told_ns,
        "redirecting": settings.redirect_timeout_ns,
        "verifying": settings.verify_timeout_ns,
    }


def _find(case: Case) -> Iterator[Found]:
    most, limit_ns = longest_ns(case.settings.failover), case.settings.failover.limit_ns
    stops = [(e.t_ns, o.failover) for e, o in case.deeds if isinstance(o, Fence | Demote)]
    forgotten = list(_forgotten(case))
    for course in case.facts.courses:
        ends = [t_ns for t_ns, _ in course.changes[1:]] + [case.horizon_ns]
        for (since_ns, change), end_ns in zip(course.changes, ends, strict=True):
            if change.new in TERMINAL:
                continue
            over = (at for at, from_ns in forgotten if from_ns <= since_ns <= at)
            until_ns = min([end_ns, *over])
            # Who acts anew waits anew: each time without a disturbance is looked at by itself.
            for quiet in case.undisturbed(since_ns, until_ns):
                lasts_ns = quiet.length_ns
                if change.new == "fencing" and end_ns - since_ns <= limit_ns:
                    # Who is healthy is not struck, but told to stop again and again.
                    told = (t for t, of in stops if of == course.failover and quiet.holds(t))
                    moments = sorted((quiet.start_ns, *told, quiet.end_ns))
                    lasts_ns = max(b - a for a, b in pairwise(moments))
                if lasts_ns > most.get(change.new, lasts_ns):
                    text = f"{change.new} for {lasts_ns} ns, {most[change.new]} ns at most"
                    yield Found(quiet.start_ns, f"failover {course.failover}", text)
                if change.new == "waiting":
                    yield from _waits(case, course, quiet.start_ns, quiet.end_ns)


def _forgotten(case: Case) -> Iterator[tuple[int, int]]:
    """When another process began, and since when what had been done is not known to it."""
    snapshot_ns = 0
    for exchange in case.telling:
        if isinstance(exchange.item, TakeSnapshot):
            snapshot_ns = exchange.t_ns
        elif isinstance(exchange.item, Restart):
            yield exchange.t_ns, snapshot_ns if exchange.item.from_snapshot else 0


def _waits(case: Case, course: Course, since_ns: int, until_ns: int) -> Iterator[Found]:
    """Somebody was fit for longer than it takes to look again.

    Not where what masters tell of their copies may keep them back.
    """
    failover = case.settings.failover
    if course.planned or failover.wants_reports:
        return
    region = case.masters[course.master].region
    busy = [other for other in case.facts.courses if other is not course]
    for name, status in case.status.items():
        own_courses = [other for other in busy if other.master == name]
        turns_ns = {*status.times_ns, *(t for other in own_courses for t, _ in other.changes)}
        moments = sorted({since_ns, *(t for t in turns_ns if since_ns < t < until_ns), until_ns})
        for start_ns, end_ns in pairwise(moments):
            own = case.masters[name]
            may = own.promotion_rule != "must-not" and (
                not failover.region_guard or own.region == region
            )
            free = (
                may
                and name != course.master
                and not any(
                    other.state.at(t) not in (*TERMINAL, "")
                    for other in own_courses
                    for t in (start_ns, end_ns)
                )
            )
            long = end_ns - start_ns > case.settings.failover.retry_interval_ns
            if status.at(start_ns) is Status.HEALTHY and free and long:
                text = f"waits for a candidate, and {name} is fit for {end_ns - start_ns} ns"
                yield Found(start_ns, f"failover {course.failover}", text)


GOING_ON = Invariant(
    "failovers-go-on",
    "No failover stays in a state for longer than its time-outs allow, and none waits for a "
    "candidate while somebody is fit.",
    "A failover hangs, and its partitions stay down until somebody notices.",
    _find,
    "observer",
)
