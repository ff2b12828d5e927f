"""Who may not take over although it is declared healthy, and why: filters, one after the other."""

from __future__ import annotations

from collections.abc import Iterable

from hasim.model import Master
from hasim.services.failover.known import Known
from hasim.services.failover.settings import FailoverSettings
from hasim.units import format_duration

MUST_NOT = "its promotion rule is must-not"


def filtered(
    settings: FailoverSettings,
    known: Known,
    failed: str,
    masters: Iterable[Master],
    partitions: tuple[str, ...],
) -> dict[str, str]:
    """Of the masters those that a filter keeps from taking over for `failed`, with the reason.

    By their promotion rule, how often they have failed, the region guard, the age of their last
    report, whether the owner waited for their copies, and how far they are behind the freshest
    copy that anybody has told of.
    """
    found: dict[str, str] = {}
    now = known.now_ns
    every = [own.behind_at(now, partitions) for own in known.reports.values()]
    freshest_ns = min((behind for behind in every if behind is not None), default=0)
    for master in masters:
        why = _why(settings, known, failed, master, partitions, freshest_ns)
        if why:
            found[master.id] = why
    return found


def _why(
    settings: FailoverSettings,
    known: Known,
    failed: str,
    master: Master,
    partitions: tuple[str, ...],
    freshest_ns: int,
) -> str:
    now = known.now_ns
    if master.promotion_rule == "must-not":
        return MUST_NOT
    failures = known.failures.get(master.id)
    if settings.migration_threshold and failures is not None:
        times = failures.counted(now, settings.failure_timeout_ns)
        if times >= settings.migration_threshold:
            return f"has failed {times} times"
    region = known.masters[failed].region
    if settings.region_guard and master.region != region:
        return f"not in {region}"
    if not settings.wants_reports:
        return ""
    report = known.reports.get(master.id)
    if settings.report_age_ns is not None:
        age_ns = None if report is None else now - report.at_ns
        if age_ns is None or age_ns > settings.report_age_ns:
            return "has not reported lately"
    if settings.synchronous_only:
        waited = (known.waited_for.get(partition, ()) for partition in partitions)
        if not all(master.id in standbys for standbys in waited):
            return "the owner did not wait for its copy"
    if settings.unapplied == "fail" and report is not None and report.has_unapplied(partitions):
        return "has not applied all that it has received"
    behind_ns = None if report is None else report.behind_at(now, partitions)
    if settings.max_lag_ns is not None and behind_ns is not None:
        lag_ns = behind_ns - freshest_ns
        if lag_ns > settings.max_lag_ns:
            return f"its copy is {format_duration(lag_ns)} behind the freshest"
    return ""
