"""The Kaplan-Meier curve of a sample in each of many resamples of its clusters.

A resample draws whole clusters, so that one array over the resamples tells how often each of a
cluster's durations is there: the curves are followed duration by duration, all resamples at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hasim.study.estimates.statistics import Floats


class _Reached(NamedTuple):
    """How far the curves have been followed, and what they are there, for each resample."""

    durations: int
    at_risk: Floats
    survival: Floats


class Resampled:
    """S(t) just after the first durations, for each row of how often each cluster was drawn.

    `cluster` and `observed` are in the order of time, `draws` whole numbers. What was followed
    once is not followed again.
    """

    def __init__(self, cluster: NDArray[np.int64], observed: NDArray[np.bool_], draws: Floats):
        self._cluster, self._observed = cluster, observed
        self.draws = draws
        self._weights = np.ascontiguousarray(draws.T)
        counts = np.bincount(cluster, minlength=len(self._weights)).astype(np.float64)
        self.durations = draws @ counts
        """How many there are in each resample."""
        self._reached = [_Reached(0, self.durations, np.ones(len(draws)))]

    def survival(self, until: int) -> Floats:
        """S just after the first `until` durations, for each resample."""
        reached = max(
            (one for one in self._reached if one.durations <= until),
            key=lambda one: one.durations,
        )
        if reached.durations < until:
            reached = self._followed(reached, until)
            self._reached.append(reached)
        return reached.survival

    def _followed(self, before: _Reached, until: int) -> _Reached:
        left, survival = before.at_risk.copy(), before.survival.copy()
        rest = slice(before.durations, until)
        factor = np.empty_like(left)
        for cluster, seen in zip(
            self._cluster[rest].tolist(), self._observed[rest].tolist(), strict=True
        ):
            weights = self._weights[cluster]
            if seen:
                # Where nothing is left at risk nothing is drawn either: 0 of 1 falls.
                np.maximum(left, 1.0, out=factor)
                np.divide(weights, factor, out=factor)
                np.subtract(1.0, factor, out=factor)
                survival *= factor
            left -= weights
        return _Reached(until, left, survival)
