"""Durations that may be censored: Kaplan-Meier estimates and the cluster bootstrap.

A censored duration is known only to exceed what was seen of it. Kaplan and Meier's
product-limit estimate (JASA 53, 1958) uses it for as long as it was seen.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hasim.study.estimates.resampled import Resampled
from hasim.study.estimates.statistics import Floats

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

    def effective_sizes(self) -> Floats:
        """The number of uncensored observations that would tell as much of S at each duration.

        n' = S (1 - S) / V with V Greenwood's variance of S; without censoring it is the number of
        durations (Dorey, Korn, Statistics in Medicine 6, 1987). Before the first event, which
        leaves V at zero, it is the number at risk.
        """
        n = len(self.times)
        at_risk = n - np.searchsorted(self.times, self.times).astype(np.float64)
        survival, observed = self.survival(np.ones((1, n)))[0].tolist(), self.observed.tolist()
        found = at_risk.tolist()
        # V / S, built up so that it stays finite where S falls to zero.
        spread, before = 0.0, 1.0
        for place in range(n):
            if observed[place]:
                left = n - place  # ties one after the other
                spread = spread * (left - 1) / left + before / left**2
            before = survival[place]
            if spread:
                found[place] = (1 - before) / spread
        return np.array(found)

    @functools.cached_property
    def curve(self) -> tuple[Floats, Floats, Floats]:
        """The Kaplan-Meier curve at each time: time, share by then, effective observations."""
        last = np.append(self.times[1:] > self.times[:-1], True)
        shares = 1 - self.survival(np.ones((1, len(last))))[0]
        return self.times[last], shares[last], self.effective_sizes()[last]

    @functools.cached_property
    def numbered(self) -> Sample:
        """The same durations, with the clusters that have any numbered from 0 on."""
        own = np.unique(self.cluster, return_inverse=True)[1]
        return Sample(self.times, self.observed, own)

    @functools.cached_property
    def clusters(self) -> int:
        """How many clusters have durations."""
        return len(np.unique(self.cluster))

    def quantiles(self, weights: Floats, p: float) -> Floats:
        """For each row of weights, the least t with S(t) <= 1 - p; infinite if never."""
        if not len(self.times):
            return np.full(len(weights), math.nan)
        reached = self.survival(weights) <= 1 - p + TOLERANCE
        found = np.where(reached.any(axis=1), self.times[reached.argmax(axis=1)], math.inf)
        return np.where(weights.any(axis=1), found, math.nan)

    def restricted_means(self, weights: Floats, until: float | None = None) -> Floats:
        """For each row of weights, the area under S up to a time, or to the longest duration.

        S is taken not to fall after the longest.
        """
        if not len(self.times):
            return np.full(len(weights), math.nan)
        after = self.survival(weights)
        before = np.hstack([np.ones((len(weights), 1)), after[:, :-1]])
        if until is not None:
            ends = np.minimum(self.times, until)
            area = (np.diff(ends, prepend=0.0) * before).sum(axis=1)
            area = area + (until - ends[-1]) * after[:, -1]
            return np.where(weights.any(axis=1), area, math.nan)
        at_risk = np.cumsum(weights[:, ::-1], axis=1)[:, ::-1]
        area = (np.diff(self.times, prepend=0.0) * before * (at_risk > 0)).sum(axis=1)
        return np.where(weights.any(axis=1), area, math.nan)

    def leave_out(self, clusters: int, statistic: Callable[[Floats], Floats]) -> Floats:
        """A statistic with each of so many clusters left out, one after the other."""
        rows = max(1, CHUNK // max(1, len(self.times)))
        numbers = np.arange(clusters)
        parts = [
            statistic((self.cluster != numbers[start : start + rows, None]).astype(np.float64))
            for start in range(0, clusters, rows)
        ]
        return np.concatenate(parts)

    def resample(self, draws: Floats, statistic: Callable[[Floats], Floats]) -> Floats:
        """A statistic for each row of how often each cluster was drawn."""
        rows = max(1, CHUNK // max(1, len(self.times)))
        parts = [
            statistic(draws[start : start + rows, self.cluster])
            for start in range(0, len(draws), rows)
        ]
        return np.concatenate(parts)

    def resampled(self, draws: Floats) -> Resampled:
        """The curve for each row of how often each cluster was drawn; the last draws are kept."""
        known: Resampled | None = self.__dict__.get("_resampled")
        if known is None or known.draws is not draws:
            known = self.__dict__["_resampled"] = Resampled(self.cluster, self.observed, draws)
        return known


def quantile(times: ArrayLike, observed: ArrayLike, p: float) -> float:
    """Kaplan-Meier quantile: the least t with S(t) <= 1 - p; infinite if S stays above."""
    sample = Sample.of(times, observed)
    return float(sample.quantiles(np.ones((1, len(sample.times))), p)[0])


@functools.lru_cache(maxsize=4)
def cluster_draws(clusters: int, resamples: int = RESAMPLES, seed: int = SEED) -> Floats:
    """How often each cluster is drawn in each resample (with replacement); deterministic.

    Drawn from raw uniforms, whose stream numpy keeps stable between versions. The array, of
    shape (resamples, clusters), is shared and cannot be written to.
    """
    uniforms = np.random.default_rng(seed).random((resamples, clusters))
    drawn = (uniforms * clusters).astype(np.int64) + np.arange(resamples)[:, None] * clusters
    counts = np.bincount(drawn.ravel(), minlength=resamples * clusters)
    draws = counts.reshape(resamples, clusters).astype(np.float64)
    draws.flags.writeable = False
    return draws
