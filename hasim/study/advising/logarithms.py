"""The logarithm of a measure, and its values with a group of replications left out each time.

Differences of logarithms are log ratios: that of two cells whose groups hold the same replications
is paired. Leaving out groups, and not single replications, is what makes the jackknife consistent
for a quantile (Shao, Wu, Annals of Statistics 17, 1989, 1176-1197).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hasim.measures.catalogue import find
from hasim.measures.catalogue.definition import Measure
from hasim.measures.catalogue.estimators import (
    DurationMean,
    DurationQuantile,
    LatencyMean,
    LatencyQuantile,
    Mean,
    Rate,
    Ratio,
    Share,
)
from hasim.study.advising.sampling import Runs
from hasim.study.estimates import durations, latency
from hasim.study.estimates.statistics import Floats
from hasim.study.estimates.summary import as_load
from hasim.study.planning.stopping import events

GROUPS = 10
"""Groups of replications, of which one is left out. Few, since the jackknife of a quantile needs
that many are left out at a time: of lognormal times, intervals of 99.9 % of the log ratio of two
p99 hold it in 98.7 % with 600 incidents and 99.2 % with 2,400, against 95.3 and 98.3 % with 30
groups (1,500 trials each)."""
LEAST = 1e-9
"""In place of nothing, whose logarithm there is not."""


@dataclass(frozen=True)
class Logarithm:
    """The logarithm of a measure (of what is missing to 1, if more is better), all pooled.

    `left_out` has a value for each group. `seen` is the number of events that it rests on; None if
    it needs none.
    """

    value: float
    left_out: Floats
    seen: int | None


def logarithm(measure: str, runs: Runs, groups: int = GROUPS) -> Logarithm:
    """Replication r belongs to group r modulo `groups`; not a number where nothing is known."""
    about = find(measure)
    groups = min(groups, len(runs))
    weights = np.ones((groups + 1, len(runs)))
    numbers = np.arange(len(runs)) % groups
    weights[1:] = numbers != np.arange(groups)[:, None]
    values, seen = _values(about, as_load(measure, runs), weights)
    if about.better == "more" and about.unit == "ratio":
        values = 1 - values
    with np.errstate(invalid="ignore"):
        logs = np.log(np.maximum(values, LEAST))
    if about.better == "more" and about.unit != "ratio":
        logs = -logs
    return Logarithm(float(logs[0]), logs[1:], seen)


def _values(about: Measure, runs: Runs, weights: Floats) -> tuple[Floats, int | None]:
    """The measure for each row of weights of the replications."""
    estimator = about.estimator
    if isinstance(estimator, DurationQuantile | DurationMean):
        sample = durations.sample(estimator.durations, runs)
        rows = weights[:, sample.cluster]
        if isinstance(estimator, DurationQuantile):
            return sample.quantiles(rows, estimator.p), len(sample.times)
        return sample.restricted_means(rows), len(sample.times)
    seen = events(about.name, runs, faults=any(run.incidents for run in runs))
    if isinstance(estimator, LatencyQuantile):
        counted = latency.with_failed(runs) if estimator.failed else runs
        return latency.weighted_quantiles(counted, weights, estimator.p), seen
    over, base = _sums(estimator, runs)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((weights @ over) / (weights @ base)), seen


def _sums(estimator: object, runs: Runs) -> tuple[Floats, Floats]:
    """Numerator and denominator of each replication; half an event more for a rate, as none is."""
    match estimator:
        case Ratio():
            pairs = [(estimator.over(run), estimator.base(run)) for run in runs]
        case Rate():
            more = 0.5 / len(runs)
            pairs = [(estimator.events(run) + more, estimator.exposure(run)) for run in runs]
        case Share():
            pairs = [(estimator.hits(run), estimator.among(run)) for run in runs]
        case Mean():
            known = [estimator.each(run) for run in runs]
            pairs = [(value or 0.0, float(value is not None)) for value in known]
        case LatencyMean():
            pairs = [latency.total_of(run) for run in runs]
        case _:
            raise TypeError(f"no estimator that can be raced: {estimator!r}")
    found = np.array(pairs, dtype=np.float64)
    return found[:, 0], found[:, 1]
