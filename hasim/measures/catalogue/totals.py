"""What the measures take of one replication: sums, counts, and lists of durations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hasim.units import HOUR, YEAR, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hasim.measures.measured import Measured

    Pairs = Iterator[tuple[float | None, float | None]]


def detections(run: Measured) -> Pairs:
    """From the start of each incident to the declaration, in seconds; what was seen if censored."""
    return ((row.detection_s, row.censored_s) for row in run.incidents)


def failovers(run: Measured) -> Pairs:
    """From each declaration until the last affected partition is up again."""
    return ((row.failover_s, row.censored_s) for row in run.failovers)


def outages(run: Measured) -> Pairs:
    """From the fault of each incident until service is restored."""
    return ((row.outage_s, row.outage_censored_s) for row in run.incidents)


def first_answers(run: Measured) -> Pairs:
    """From the fault of each incident to the first message that is answered again."""
    return ((row.first_ok_s, row.first_ok_censored_s) for row in run.incidents)


def recoveries(run: Measured) -> Pairs:
    """From when each declared master was well again until it was declared healthy."""
    return ((row.recovery_s, row.recovery_censored_s) for row in run.incidents)


def degradations(run: Measured) -> Pairs:
    """From each fault until its master was well and not held for failed."""
    return ((row.degraded_s, row.degraded_censored_s) for row in run.incidents)


def longest_outage_s(run: Measured) -> float:
    """The longest time without a break in which the service as a whole was down."""
    longest = began = ended = 0.0
    for row in run.downs:  # in order; those that touch differ in their cause alone
        began = began if row.started_at_s == ended else row.started_at_s
        ended = row.ended_at_s
        longest = max(longest, ended - began)
    return longest


def unanswered(run: Measured) -> int:
    """Messages whose deadline lies within the run, and that were not answered by it."""
    return settled(run) - in_time(run)


def with_outcome(*outcomes: str) -> Callable[[Measured], int]:
    """How many incidents ended so."""
    return lambda run: sum(incident.outcome in outcomes for incident in run.incidents)


counted = with_outcome("detected", "late", "censored")
"""The incidents that detection is measured by; those of a master declared before are not."""


def settled(run: Measured) -> int:
    """Messages whose deadline lies within the run."""
    return sum(row.messages for row in run.messages if row.settled)


def in_time(run: Measured) -> int:
    """Those of them that were answered by it."""
    return sum(row.in_time for row in run.messages if row.settled)


def mistakes(run: Measured) -> int:
    """Declarations of healthy masters."""
    return len(run.mistakes)


def mistake_durations(run: Measured) -> Pairs:
    """From each mistake until it was taken back, in seconds (T_M)."""
    return ((row.duration_s, row.censored_s) for row in run.mistakes)


def mistake_recurrences(run: Measured) -> Pairs:
    """From each mistake to the next one at the same master (T_MR); the last sees the run's end."""
    last: dict[str, float] = {}
    for row in run.mistakes:
        if row.master in last:
            yield row.declared_at_s - last[row.master], None
        last[row.master] = row.declared_at_s
    for at_s in last.values():
        yield None, run.horizon_s - at_s


def healthy_h(run: Measured) -> float:
    """Hours without an incident, of all masters."""
    return sum(row.healthy_s for row in run.masters) / seconds(HOUR)


def trusted_h(run: Measured) -> float:
    """Healthy hours in which the master was not declared failed."""
    mistaken_h = sum(row.mistaken_s for row in run.masters) / seconds(HOUR)
    return healthy_h(run) - min(mistaken_h, healthy_h(run))


def needless_failovers(run: Measured) -> int:
    """Failovers that were of no use."""
    return sum(failover.needless for failover in run.failovers)


def mistaken_failovers(run: Measured) -> int:
    """Failovers of what a healthy master owned, begun by its declaration."""
    return sum(
        failover.mistaken and failover.partitions > 0 and not failover.retry
        for failover in run.failovers
    )


def years(run: Measured) -> float:
    """Simulated time, in years of 365.25 days."""
    return run.horizon_s / seconds(YEAR)


def promotions(run: Measured) -> int:
    """Failovers that promoted a backup."""
    return sum(failover.promoted_at_s is not None for failover in run.failovers)


def writes_lost(run: Measured) -> int:
    """Acknowledged writes that failovers lost."""
    return sum(failover.writes_lost for failover in run.failovers)


def bytes_lost(run: Measured) -> int:
    """Bytes of these."""
    return sum(failover.lost_bytes for failover in run.failovers)


def seconds_lost(run: Measured) -> float:
    """How old the oldest of these was at each promotion, in seconds, summed up."""
    return sum(failover.lost_s for failover in run.failovers)


def leaders_lost(run: Measured) -> int:
    """How often the control plane that acted was lost."""
    return run.leaders_lost


def leaderless_s(run: Measured) -> float:
    """Time without a control plane that acts, in seconds."""
    return run.leaderless_s


def keys(run: Measured) -> int:
    """Keys that were seen before a change of routing, of all changes."""
    return sum(row.keys for row in run.churn)


def keys_moved(run: Measured) -> int:
    """Keys whose master a change of routing changed."""
    return sum(row.moved for row in run.churn)


def keys_moved_needlessly(run: Measured) -> int:
    """Keys that moved between masters that were there before and after."""
    return sum(row.needless for row in run.churn)


def keys_to_move(run: Measured) -> float:
    """Keys that had to move."""
    return sum(row.ideal * row.keys for row in run.churn)
