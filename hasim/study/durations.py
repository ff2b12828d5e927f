"""Detection, failover, outage and first answer: durations that may be censored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from hasim.measures import Measured
from hasim.study import pooled
from hasim.study.statistics import Floats, Interval
from hasim.study.survival import Sample

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
