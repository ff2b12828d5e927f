"""From the replications of one cell to estimates, each with its interval.

One registry, `MEASURES`: the name of a measure (as in ``expect:``) to how it is
estimated, and to its value in one replication where that makes sense. Unit and meaning
stand with the names that a scenario may use.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hasim.measures import Measured
from hasim.scenario import expectations
from hasim.study.estimates import durations, effective, latency
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.statistics import (
    LEVEL,
    Floats,
    Interval,
    jackknife_interval,
    mean_interval,
    proportion_interval,
    rate_interval,
    ratio_interval,
    renewal_reward,
    t_interval,
    unknown,
)
from hasim.study.estimates.survival import cluster_draws
from hasim.study.estimates.warm_up import steady
from hasim.units import HOUR, seconds

Runs = Sequence[Measured]
Projection = tuple[int, int] | None
"""Mean time between failures and the period that a promise is stated for, in nanoseconds."""


@dataclass(frozen=True)
class Measure:
    """How one measure is estimated.

    `estimate` maps replications and a level to an interval; `each` gives its value in one
    replication (None where it has none), `share`, of a quantile, the share of what
    is at or below a value for each row of how often each replication was drawn. A
    measure has one of the two, or neither if it cannot be compared between runs. Pairs of
    replications are compared by `difference` if there is one (second minus first), else by `each`
    or `share`.
    """

    estimate: Callable[[Runs, float], Interval]
    each: Callable[[Measured], float | None] | None = None
    share: Callable[[Runs, float, Floats], Floats] | None = None
    difference: Callable[[Runs, Runs, float], Interval] | None = None


def unit(measure: str) -> str:
    """The unit of a measure: ``s``, ``ratio``, ``per_hour`` or ``count``."""
    return expectations.MEASURES[measure][0]


def meaning(measure: str) -> str:
    """What a measure says, in a sentence."""
    return expectations.MEASURES[measure][1]


# -- kinds of estimates ------------------------------------------------------------


def _mean(each: Callable[[Measured], float | None]) -> Measure:
    """The mean over replications."""

    def estimate(runs: Runs, level: float) -> Interval:
        values = [value for run in runs if (value := each(run)) is not None]
        return mean_interval(values, level)

    return Measure(estimate, each)


def _ratio(numerator: Callable[[Measured], float], base: Callable[[Measured], float]) -> Measure:
    """The ratio of two totals over replications."""

    def estimate(runs: Runs, level: float) -> Interval:
        return ratio_interval([numerator(r) for r in runs], [base(r) for r in runs], level)

    def each(run: Measured) -> float | None:
        return numerator(run) / base(run) if base(run) else None

    return Measure(estimate, each)


def _share(hits: Callable[[Measured], int], among: Callable[[Measured], int]) -> Measure:
    """A share of incidents: exact if a replication has one at most, else by effective number."""
    ratio = _ratio(hits, among)

    def estimate(runs: Runs, level: float) -> Interval:
        k, n = sum(map(hits, runs)), sum(map(among, runs))
        clusters = sum(among(run) > 0 for run in runs)
        if n == clusters:
            return proportion_interval(k, n, level)
        if 0 < k < n:
            some = [run for run in runs if among(run)]
            counts = np.array([[hits(run), among(run)] for run in some], dtype=np.float64)
            return effective.share_interval(
                counts[:, 0], counts[:, 1], cluster_draws(clusters), level
            )
        # All or none: resamples would claim certainty. Each replication
        # counts as one observation, since its incidents may depend on each other.
        exact = proportion_interval(clusters if k else 0, clusters, level)
        return Interval(exact.value, exact.low, exact.high, n, exact.method)

    return Measure(estimate, ratio.each)


def _duration_quantile(name: durations.Name, p: float) -> Measure:
    return Measure(
        lambda runs, level: durations.quantile(name, runs, p, level),
        share=lambda runs, at, draws: durations.resampled_share(name, runs, at, draws),
    )


def _duration_mean(name: durations.Name) -> Measure:
    return Measure(
        lambda runs, level: durations.mean(name, runs, level),
        each=functools.partial(durations.mean_seen, name),
        difference=functools.partial(durations.difference, name),
    )


def _latency_quantile(p: float) -> Measure:
    return Measure(
        lambda runs, level: latency.quantile(runs, p, level),
        share=latency.resampled_share,
    )


# -- single measures ----------------------------------------------------------------


def _with_outcome(*outcomes: str) -> Callable[[Measured], int]:
    return lambda run: sum(incident.outcome in outcomes for incident in run.incidents)


_COUNTED = _with_outcome("detected", "late", "censored")


def _settled(run: Measured) -> int:
    return sum(row.messages for row in run.messages if row.settled)


def _in_time(run: Measured) -> int:
    return sum(row.in_time for row in run.messages if row.settled)


def _healthy_h(run: Measured) -> float:
    return sum(row.healthy_s for row in run.masters) / seconds(HOUR)


def _mistaken_h(run: Measured) -> float:
    return min(sum(row.mistaken_s for row in run.masters) / seconds(HOUR), _healthy_h(run))


def _mistake_rate() -> Measure:
    ratio = _ratio(lambda run: len(run.mistakes), _healthy_h)

    def estimate(runs: Runs, level: float) -> Interval:
        if any(run.mistakes for run in runs):
            return ratio.estimate(runs, level)
        # Without any, the ratio estimator would claim that there never will be one.
        exact = rate_interval(0, sum(map(_healthy_h, runs)), level)
        return Interval(exact.value, exact.low, exact.high, len(runs), exact.method)

    return Measure(estimate, ratio.each)


def _promotions(run: Measured) -> int:
    return sum(failover.promoted_at_s is not None for failover in run.failovers)


def _keys(run: Measured) -> int:
    return sum(row.keys for row in run.churn)


def _projected(runs: Runs, mtbf_s: float, level: float) -> Interval:
    """Uptime in the long run, if each master fails once in `mtbf_s` on average.

    The masters fail independently, so that the service, which is up when every
    partition is, meets a failure once in `mtbf_s` over the number of masters.
    The mean downtime of a fault, fences and retries included, from runs in which
    faults are frequent, weighed with how rare they are (renewal reward). Downtime
    by mistakes needs no fault: it keeps the share of time that it had in the runs.
    If a run ends while a partition is down, its downtime is not known to the end,
    and there is no lower bound.
    """
    sums = [
        (
            run.service.down_s - run.service.mistaken_s,
            # A fault that strikes several masters at once is one failure.
            len({incident.fault for incident in run.incidents}),
            run.service.mistaken_s,
            run.horizon_s,
        )
        for run in runs
    ]

    # Runs in which nothing happened tell nothing of what a fault costs, only of how rarely
    # there is a mistake: they are no observations, but their time counts.
    some = [row for row in sums if any(row[:3])]
    calm_s = sum(span_s for *counts, span_s in sums if not any(counts))
    mtbf_of_any_s = mtbf_s / len(runs[0].masters)

    def uptime(total: Floats) -> Floats:
        by_fault = renewal_reward(total[..., 0] / total[..., 1], mtbf_of_any_s)
        return (1 - np.asarray(by_fault)) * (1 - total[..., 2] / (total[..., 3] + calm_s))

    if not some:
        return unknown(0, "renewal reward, jackknife t")
    faults = np.array([float(n) for _, n, _, _ in some])
    weights = faults if faults.any() else None
    found = jackknife_interval(some, uptime, level, weights=weights)
    open_end = any(run.service.down_at_end for run in runs)
    low = -math.inf if open_end else found.low
    method = "renewal reward, jackknife t"
    return replace(found, low=low, n=int(faults.sum()), method=method)


def _no_projection(runs: Runs, level: float) -> Interval:
    return unknown(0, "no projection stated")


QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
_THREE = ("p50", "p95", "p99")
_LOAD = (
    *("latency", "attempts", "attempt_rate", "offered", "goodput", "throughput"),
    *("jain", "peak_to_mean", "least_to_mean", "cv", "balance"),
)
"""What a warm-up biases; incidents, probes, changes of routing and keys are none of it."""

MEASURES: dict[str, Measure] = {
    "detection_time.mean": _duration_mean("detection_time"),
    **{f"detection_time.{q}": _duration_quantile("detection_time", QUANTILES[q]) for q in _THREE},
    "detected": _share(_with_outcome("detected"), _COUNTED),
    "late": _share(_with_outcome("late"), _COUNTED),
    "failover_time.mean": _duration_mean("failover_time"),
    **{f"failover_time.{q}": _duration_quantile("failover_time", QUANTILES[q]) for q in _THREE},
    "outage.mean": _duration_mean("outage"),
    **{f"outage.{q}": _duration_quantile("outage", QUANTILES[q]) for q in _THREE},
    **{f"first_ok.{q}": _duration_quantile("first_ok", QUANTILES[q]) for q in _THREE},
    "uptime": _mean(lambda run: run.service.uptime),
    "uptime.mean": _mean(lambda run: run.service.uptime_mean),
    "uptime.stateless": _mean(lambda run: run.service.uptime_stateless),
    "uptime.renewal_reward": Measure(_no_projection),
    "success": _ratio(_in_time, _settled),
    "mistakes": _mistake_rate(),
    "query_accuracy": _ratio(lambda run: _healthy_h(run) - _mistaken_h(run), _healthy_h),
    "rpo.writes": _ratio(lambda run: sum(f.writes_lost for f in run.failovers), _promotions),
    **{f"latency.{q}": _latency_quantile(p) for q, p in QUANTILES.items()},
    "attempts": _ratio(lambda run: run.load.attempts, lambda run: run.load.messages),
    "offered": _mean(lambda run: run.balance.offered_per_s),
    "attempt_rate": _mean(lambda run: run.balance.attempts_per_s),
    "throughput": _mean(lambda run: run.balance.throughput_per_s),
    "goodput": _mean(lambda run: run.load.goodput_per_s),
    "jain": _mean(lambda run: run.load.jain),
    "peak_to_mean": _mean(lambda run: run.load.peak_to_mean),
    "least_to_mean": _mean(lambda run: run.load.least_to_mean),
    "cv": _mean(lambda run: run.load.cv),
    "balance.jain": _mean(lambda run: run.balance.jain),
    "balance.peak_to_mean": _mean(lambda run: run.balance.peak_to_mean),
    "balance.least_to_mean": _mean(lambda run: run.balance.least_to_mean),
    "balance.cv": _mean(lambda run: run.balance.cv),
    "switches_per_min": _mean(lambda run: run.balance.switches_per_min),
    "churn": _ratio(lambda run: sum(row.moved for row in run.churn), _keys),
    "churn.needless": _ratio(lambda run: sum(row.needless for row in run.churn), _keys),
    "churn.ideal": _ratio(lambda run: sum(row.ideal * row.keys for row in run.churn), _keys),
    "probes": _mean(lambda run: run.load.probes_per_s),
    "dual_primary": _mean(lambda run: run.service.dual_primary_s),
}


# -- what callers use ------------------------------------------------------------------


def interval(
    measure: str, runs: Runs, projection: Projection = None, level: float = LEVEL
) -> Interval:
    """The interval of one measure. Raises LookupError if there is no such measure."""
    if measure == "uptime.renewal_reward" and projection is not None:
        return _projected(runs, seconds(projection[0]), level)
    if measure not in MEASURES:
        raise LookupError(f"no measure {measure!r}; there are {', '.join(MEASURES)}")
    return MEASURES[measure].estimate(as_load(measure, runs), level)


def as_load(measure: str, runs: Runs) -> Runs:
    """The replications of a cell; for a measure of load, without the warm-up to be left out."""
    return steady(runs) if measure.partition(".")[0] in _LOAD else runs


def values(runs: Runs) -> list[dict[str, float | None]]:
    """The value of each measure that has one in a single replication, for each of a cell's.

    None where there is nothing to measure; load is without the warm-up, as in the estimates.
    """
    each = {name: how.each for name, how in MEASURES.items() if how.each is not None}
    after = {name: as_load(name, runs) for name in each}
    return [
        {name: value(after[name][place]) for name, value in each.items()}
        for place in range(len(runs))
    ]


def summarise(measured: Runs, projection: Projection = None) -> dict[str, Estimate]:
    """Every measure of one cell with its 95 % interval, in the order of the registry.

    A quantile without enough observations for both bounds has no value, but says how
    many it needs.
    """
    return {name: estimate_of(name, measured, projection) for name in MEASURES}


def estimate_of(measure: str, measured: Runs, projection: Projection = None) -> Estimate:
    """One measure with its 95 % interval. Raises LookupError if there is no such measure."""
    found, its_unit = interval(measure, measured, projection), unit(measure)
    n, method, note = found.n, found.method, found.note
    if found.value is None or found.needed is not None:
        return Estimate(measure, its_unit, None, None, None, n, method, found.needed)
    # No measure is negative, and no share exceeds one: bounds beyond that say nothing.
    low = max(found.low, 0.0)
    high = min(found.high, 1.0) if its_unit == "ratio" else found.high
    return Estimate(measure, its_unit, found.value, low, high, n, method, note=note)


def paired(first: Runs, second: Runs, measure: str, level: float = LEVEL) -> Estimate:
    """How much larger `measure` is in `second` than in `first`, replication by replication.

    Replications are paired by number; with the same seed they met the same faults
    and messages. Means of durations: the difference of the pooled means, censored ones
    included (`pooled.difference_of_means`). Other means, shares and rates: the mean of the
    differences with Student's t interval (a replication without a value in both is left out).
    Quantiles: the difference of the pooled quantiles (`effective.difference_interval`), with a
    bootstrap that draws the same replications from both. Raises LookupError if there is no such
    measure.
    """
    if measure not in MEASURES:
        raise LookupError(f"no measure {measure!r}; there are {', '.join(MEASURES)}")
    by_number = {run.replication: run for run in second}
    both = [run for run in first if run.replication in by_number]
    others = as_load(measure, [by_number[run.replication] for run in both])
    pairs = list(zip(as_load(measure, both), others, strict=True))
    found = _difference(MEASURES[measure], pairs, level)
    n, method, note = found.n, found.method, found.note
    if found.value is None:
        return Estimate(measure, unit(measure), None, None, None, n, method, note=note)
    bounds = found.low, found.high
    return Estimate(measure, unit(measure), found.value, *bounds, n, method, note=note)


def _difference(how: Measure, pairs: Sequence[tuple[Measured, Measured]], level: float) -> Interval:
    if how.difference is not None:
        return how.difference([one for one, _ in pairs], [other for _, other in pairs], level)
    if how.each is not None:
        values = [(how.each(one), how.each(other)) for one, other in pairs]
        deltas = [b - a for a, b in values if a is not None and b is not None]
        return replace(t_interval(deltas, level), method="paired t")
    if how.share is not None and pairs:
        return _paired_quantiles(how, pairs, level)
    return unknown(0, "not comparable")


def _paired_quantiles(
    how: Measure, pairs: Sequence[tuple[Measured, Measured]], level: float
) -> Interval:
    sides = [one for one, _ in pairs], [other for _, other in pairs]
    first, second = (how.estimate(side, level) for side in sides)
    n = len(pairs)
    if first.needed or second.needed or first.value is None or second.value is None:
        return unknown(n, effective.PAIRED)
    share = how.share
    assert share is not None, "a quantile has shares"
    return effective.difference_interval(
        (first, functools.partial(share, sides[0])),
        (second, functools.partial(share, sides[1])),
        cluster_draws(n),
        level,
    )
