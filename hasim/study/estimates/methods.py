"""The estimators that the catalogue of measures names, bound to their intervals."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hasim.measures import Measured
from hasim.measures.catalogue.estimators import (
    DurationMean,
    DurationQuantile,
    LatencyMean,
    LatencyQuantile,
    Mean,
    ProjectedUptime,
    Rate,
    Ratio,
    Share,
)
from hasim.study.estimates import durations, effective, latency
from hasim.study.estimates.projected import projected_uptime
from hasim.study.estimates.replications import Runs
from hasim.study.estimates.statistics import (
    Floats,
    Interval,
    mean_interval,
    proportion_interval,
    rate_interval,
    ratio_interval,
    unknown,
)
from hasim.study.estimates.survival import cluster_draws


@dataclass(frozen=True)
class Method:
    """How one measure is estimated.

    `estimate` maps replications and a level to an interval; `each` gives its value in one
    replication (None where it has none), `share`, of a quantile, the share of what
    is at or below a value for each row of how often each replication was drawn. A
    measure has one of the two, or neither if it cannot be compared between runs. Pairs of
    replications are compared by `difference` if there is one (second minus first), else by `each`
    or `share`. `alone` is the value of one replication for the gate, which compares nothing else:
    `each`, or the quantile of that replication by itself. `projected` (replications, seconds
    between failures, level) takes the place of `estimate` where a projection is stated.
    """

    estimate: Callable[[Runs, float], Interval]
    each: Callable[[Measured], float | None] | None = None
    share: Callable[[Runs, float, Floats], Floats] | None = None
    difference: Callable[[Runs, Runs, float], Interval] | None = None
    alone: Callable[[Measured], float | None] | None = None
    projected: Callable[[Runs, float, float], Interval] | None = None


@functools.cache
def method_of(estimator: object) -> Method:
    """How an estimator works. Raises TypeError for one that is not bound here."""
    return _bound(estimator)


@functools.singledispatch
def _bound(estimator: object) -> Method:
    raise TypeError(f"no estimator: {estimator!r}")


@_bound.register
def _mean(mean: Mean) -> Method:
    def estimate(runs: Runs, level: float) -> Interval:
        values = [value for run in runs if (value := mean.each(run)) is not None]
        return mean_interval(values, level)

    return Method(estimate, mean.each, alone=mean.each)


@_bound.register
def _ratio(ratio: Ratio) -> Method:
    def estimate(runs: Runs, level: float) -> Interval:
        return ratio_interval([ratio.over(r) for r in runs], [ratio.base(r) for r in runs], level)

    def each(run: Measured) -> float | None:
        return ratio.over(run) / ratio.base(run) if ratio.base(run) else None

    return Method(estimate, each, alone=each)


@_bound.register
def _share(share: Share) -> Method:
    """Exact if a replication has one incident at most, else by their effective number."""
    each = _ratio(Ratio(share.hits, share.among)).each

    def estimate(runs: Runs, level: float) -> Interval:
        k, n = sum(map(share.hits, runs)), sum(map(share.among, runs))
        clusters = sum(share.among(run) > 0 for run in runs)
        if n == clusters:
            return proportion_interval(k, n, level)
        if 0 < k < n:
            some = [run for run in runs if share.among(run)]
            counts = np.array([[share.hits(r), share.among(r)] for r in some], dtype=np.float64)
            return effective.share_interval(
                counts[:, 0], counts[:, 1], cluster_draws(clusters), level
            )
        # All or none: resamples would claim certainty. Each replication
        # counts as one observation, since its incidents may depend on each other.
        exact = proportion_interval(clusters if k else 0, clusters, level)
        return Interval(exact.value, exact.low, exact.high, n, exact.method)

    return Method(estimate, each, alone=each)


@_bound.register
def _rate(rate: Rate) -> Method:
    ratio = _ratio(Ratio(rate.events, rate.exposure))

    def estimate(runs: Runs, level: float) -> Interval:
        if any(map(rate.events, runs)):
            return ratio.estimate(runs, level)
        # Without any, the ratio estimator would claim that there never will be one.
        exact = rate_interval(0, sum(map(rate.exposure, runs)), level)
        return Interval(exact.value, exact.low, exact.high, len(runs), exact.method)

    return Method(estimate, ratio.each, alone=ratio.each)


@_bound.register
def _duration_mean(mean: DurationMean) -> Method:
    each = functools.partial(durations.mean_seen, mean.durations)
    return Method(
        lambda runs, level: durations.mean(mean.durations, runs, level),
        each,
        difference=functools.partial(durations.difference, mean.durations),
        alone=each,
    )


@_bound.register
def _duration_quantile(quantile: DurationQuantile) -> Method:
    of = quantile.durations
    return Method(
        lambda runs, level: durations.quantile(of, runs, quantile.p, level),
        share=lambda runs, at, draws: durations.resampled_share(of, runs, at, draws),
    )


@_bound.register
def _latency_quantile(quantile: LatencyQuantile) -> Method:
    def counted(runs: Runs) -> Runs:
        return latency.with_failed(runs) if quantile.failed else runs

    return Method(
        lambda runs, level: latency.quantile(counted(runs), quantile.p, level),
        share=lambda runs, at, draws: latency.resampled_share(counted(runs), at, draws),
        alone=lambda run: latency.quantile_of_one(quantile.p, counted([run])[0]),
    )


@_bound.register
def _latency_mean(mean: LatencyMean) -> Method:
    return Method(latency.mean, latency.mean_of_one, alone=latency.mean_of_one)


@_bound.register
def _projected_uptime(estimator: ProjectedUptime) -> Method:
    return Method(
        lambda runs, level: unknown(0, "no projection stated"), projected=projected_uptime
    )
