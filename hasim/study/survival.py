"""Durations that may be censored: Kaplan-Meier estimates and the cluster bootstrap.

A censored duration is known only to exceed what was seen of it. Kaplan and Meier's
product-limit estimate (JASA 53, 1958) uses it for as long as it was seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hasim.study.statistics import LEVEL, Floats, Interval

RESAMPLES = 2000
SEED = 1958
CHUNK = 2_000_000
TOLERANCE = 1e-9
"""Survival is a product of rounded factors; 1 - p is met if missed by no more than this."""


@dataclass(frozen=True)
class Sample:
    """Durations in order of time, at equal times events before censorings.

    `cluster` is the index of the replication that a duration comes from.
    """

    times: Floats
    observed: NDArray[np.bool_]
    cluster: NDArray[np.int64]

    @classmethod
    def of(cls, times: ArrayLike, observed: ArrayLike, cluster: ArrayLike | None = None) -> Sample:
        """Put durations in order; each is a cluster of its own by default."""
        t = np.asarray(times, dtype=np.float64)
        seen = np.asarray(observed, dtype=np.bool_)
        own = np.arange(len(t)) if cluster is None else np.asarray(cluster, dtype=np.int64)
        order = np.lexsort((~seen, t))
        return cls(t[order], seen[order], own[order])

    def survival(self, weights: Floats) -> Floats:
        """S(t) just after each duration, for each row of weights of the durations.

        A tie is worked off one event at a time, which gives the same product.
        """
        at_risk = np.cumsum(weights[:, ::-1], axis=1)[:, ::-1]
        hazard = np.divide(
            weights * self.observed, at_risk, out=np.zeros_like(weights), where=at_risk > 0
        )
        return np.cumprod(1 - hazard, axis=1)

    def quantiles(self, weights: Floats, p: float) -> Floats:
        """For each row of weights, the least t with S(t) <= 1 - p; infinite if never."""
        if not len(self.times):
            return np.full(len(weights), math.nan)
        reached = self.survival(weights) <= 1 - p + TOLERANCE
        found = np.where(reached.any(axis=1), self.times[reached.argmax(axis=1)], math.inf)
        return np.where(weights.any(axis=1), found, math.nan)

    def restricted_means(self, weights: Floats) -> Floats:
        """For each row of weights, the area under S up to the longest duration."""
        if not len(self.times):
            return np.full(len(weights), math.nan)
        after = self.survival(weights)
        before = np.hstack([np.ones((len(weights), 1)), after[:, :-1]])
        at_risk = np.cumsum(weights[:, ::-1], axis=1)[:, ::-1]
        area = (np.diff(self.times, prepend=0.0) * before * (at_risk > 0)).sum(axis=1)
        return np.where(weights.any(axis=1), area, math.nan)

    def resample(self, draws: Floats, statistic: Callable[[Floats], Floats]) -> Floats:
        """A statistic for each row of how often each cluster was drawn."""
        rows = max(1, CHUNK // max(1, len(self.times)))
        parts = [
            statistic(draws[start : start + rows, self.cluster])
            for start in range(0, len(draws), rows)
        ]
        return np.concatenate(parts)


def quantile(times: ArrayLike, observed: ArrayLike, p: float) -> float:
    """Kaplan-Meier quantile: the least t with S(t) <= 1 - p; infinite if S stays above."""
    sample = Sample.of(times, observed)
    return float(sample.quantiles(np.ones((1, len(sample.times))), p)[0])


def restricted_mean(times: ArrayLike, observed: ArrayLike) -> float:
    """Mean up to the longest duration: the area under the Kaplan-Meier curve.

    Without censoring the arithmetic mean; a lower bound of the mean if the longest duration is
    censored.
    """
    sample = Sample.of(times, observed)
    return float(sample.restricted_means(np.ones((1, len(sample.times))))[0])


def cluster_draws(clusters: int, resamples: int = RESAMPLES, seed: int = SEED) -> Floats:
    """How often each cluster is drawn in each resample (with replacement); deterministic.

    Drawn from raw uniforms, whose stream numpy keeps stable between versions.
    """
    uniforms = np.random.default_rng(seed).random((resamples, clusters))
    drawn = (uniforms * clusters).astype(np.int64) + np.arange(resamples)[:, None] * clusters
    counts = np.bincount(drawn.ravel(), minlength=resamples * clusters)
    return counts.reshape(resamples, clusters).astype(np.float64)


def percentile_interval(
    value: float | None, statistics: Floats, clusters: int, n: int, level: float = LEVEL
) -> Interval:
    """The percentile interval of a bootstrap over `clusters` replications.

    A resample without a value (not a number) widens the interval on both sides. Fewer than two
    clusters give no bounds.
    """
    method = "cluster bootstrap"
    if clusters < 2:
        return Interval(value, -math.inf, math.inf, n, method)
    tail = (1 - level) / 2
    lost = np.isnan(statistics)
    lows = np.sort(np.where(lost, -math.inf, statistics))
    highs = np.sort(np.where(lost, math.inf, statistics))
    step = max(0, math.ceil(tail * len(statistics)) - 1)
    return Interval(value, float(lows[step]), float(highs[-1 - step]), n, method)
