"""Detection, failover, outage and first answer: durations that may be censored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from hasim.measures import Measured
from hasim.study.estimates import pooled
from hasim.study.estimates.statistics import Floats, Interval
from hasim.study.estimates.survival import Sample

Name = Literal["detection_time", "failover_time", "outage", "first_ok"]


def of_run(name: Name, run: Measured) -> list[tuple[float, bool]]:
    """(seconds, seen to its end) of each in one replication; what is excluded is left out."""
    pairs: list[tuple[float | None, float | None]]
    if name == "failover_time":
        pairs = [(f.failover_s, f.censored_s) for f in run.failovers]
    elif name == "detection_time":
        pairs = [(i.detection_s, i.censored_s) for i in run.incidents]
    elif name == "outage":
        pairs = [(i.outage_s, i.outage_censored_s) for i in run.incidents]
    else:
        pairs = [(i.first_ok_s, i.first_ok_censored_s) for i in run.incidents]
    found = []
    for complete_s, censored_s in pairs:
        if complete_s is not None:
            found.append((complete_s, True))
        elif censored_s is not None:
            found.append((censored_s, False))
    return found


def sample(name: Name, runs: Sequence[Measured]) -> Sample:
    """The durations of all replications; the cluster is the index of the replication."""
    rows = [(t, seen, index) for index, run in enumerate(runs) for t, seen in of_run(name, run)]
    return Sample.of(*zip(*rows, strict=True)) if rows else Sample.of([], [], [])


def quantile(name: Name, runs: Sequence[Measured], p: float, level: float) -> Interval:
    """The Kaplan-Meier quantile of the durations of all replications, see `pooled.quantile_of`."""
    return pooled.quantile_of(sample(name, runs), p, level)


def mean(name: Name, runs: Sequence[Measured], level: float) -> Interval:
    """The mean of the durations of all replications, see `pooled.mean_of`."""
    return pooled.mean_of(sample(name, runs), level)


def resampled_share(name: Name, runs: Sequence[Measured], time_s: float, draws: Floats) -> Floats:
    """The share at or below a time for each row of how often each replication was drawn."""
    return pooled.resampled_share(sample(name, runs), time_s, draws)


def difference(
    name: Name, first: Sequence[Measured], second: Sequence[Measured], level: float
) -> Interval:
    """How much longer the mean is in `second`, of pairs, see `pooled.difference_of_means`."""
    return pooled.difference_of_means(sample(name, first), sample(name, second), level)


def mean_seen(name: Name, run: Measured) -> float | None:
    """The mean time that the durations of one replication were seen to last, in seconds.

    One that was censored counts for as long as it was seen. The moments of censoring (cures,
    the end of the run) do not depend on what is compared, so that replications can be paired:
    what is found later, or no longer, is seen to last longer.
    """
    seen = [time for time, _ in of_run(name, run)]
    return sum(seen) / len(seen) if seen else None
