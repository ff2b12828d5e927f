"""Durations that may be censored: detection, failover, outage, first answer and their like."""

from __future__ import annotations

from hasim.measures import Measured
from hasim.measures.catalogue.estimators import Durations
from hasim.study.estimates import pooled
from hasim.study.estimates.replications import Runs, remembered
from hasim.study.estimates.statistics import Floats, Interval
from hasim.study.estimates.survival import Sample


def of_run(durations: Durations, run: Measured) -> list[tuple[float, bool]]:
    """(seconds, seen to its end) of each in one replication; what is excluded is left out."""
    found = []
    for complete_s, censored_s in durations(run):
        if complete_s is not None:
            found.append((complete_s, True))
        elif censored_s is not None:
            found.append((censored_s, False))
    return found


def sample(durations: Durations, runs: Runs) -> Sample:
    """The durations of all replications; the cluster is the index of the replication."""
    return remembered(runs, ("durations", durations), lambda runs: _sample(durations, runs))


def _sample(durations: Durations, runs: Runs) -> Sample:
    rows = [
        (t, seen, index) for index, run in enumerate(runs) for t, seen in of_run(durations, run)
    ]
    return Sample.of(*zip(*rows, strict=True)) if rows else Sample.of([], [], [])


def quantile(durations: Durations, runs: Runs, p: float, level: float) -> Interval:
    """The Kaplan-Meier quantile of the durations of all replications, see `pooled.quantile_of`."""
    return pooled.quantile_of(sample(durations, runs), p, level)


def mean(durations: Durations, runs: Runs, level: float) -> Interval:
    """The mean of the durations of all replications, see `pooled.mean_of`."""
    return pooled.mean_of(sample(durations, runs), level)


def resampled_share(durations: Durations, runs: Runs, time_s: float, draws: Floats) -> Floats:
    """The share at or below a time for each row of how often each replication was drawn."""
    return pooled.resampled_share(sample(durations, runs), time_s, draws)


def difference(durations: Durations, first: Runs, second: Runs, level: float) -> Interval:
    """How much longer the mean is in `second`, of pairs, see `pooled.difference_of_means`."""
    return pooled.difference_of_means(sample(durations, first), sample(durations, second), level)


def mean_seen(durations: Durations, run: Measured) -> float | None:
    """The mean time that the durations of one replication were seen to last, in seconds.

    One that was censored counts for as long as it was seen. The moments of censoring (cures,
    the end of the run) do not depend on what is compared, so that replications can be paired:
    what is found later, or no longer, is seen to last longer.
    """
    seen = [time for time, _ in of_run(durations, run)]
    return sum(seen) / len(seen) if seen else None
