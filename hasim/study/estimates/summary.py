"""From the replications of one cell to estimates, each with its interval.

What is estimated, and by which estimator, stands in the catalogue of measures
(`hasim.measures.catalogue`); how the estimators work, in `hasim.study.estimates.methods`.
"""

from __future__ import annotations

import functools
from dataclasses import replace

from hasim.measures.catalogue import MEASURES, find
from hasim.measures.catalogue.definition import Measure
from hasim.measures.catalogue.estimators import Mean, Ratio
from hasim.study.estimates import effective
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.methods import Method, method_of
from hasim.study.estimates.replications import Replications, Runs, remembered
from hasim.study.estimates.statistics import (
    LEVEL,
    Interval,
    proportion_interval,
    t_interval,
    unknown,
)
from hasim.study.estimates.survival import cluster_draws
from hasim.study.estimates.warm_up import steady
from hasim.units import seconds

Projection = tuple[int, int] | None
"""Mean time between failures and the period that a promise is stated for, in nanoseconds."""


def interval(
    measure: str, runs: Runs, projection: Projection = None, level: float = LEVEL
) -> Interval:
    """The interval of one measure. Raises LookupError if there is no such measure."""
    how = method_of(find(measure).estimator)
    if how.projected is not None and projection is not None:
        return how.projected(runs, seconds(projection[0]), level)
    found = how.estimate(as_load(measure, runs), level)
    return _of_nothing(find(measure), found, runs, level)


NOTHING = (
    "no incident and no mistake was seen, which is no certainty: the bound is that of the share of "
    "replications that lose anything (about 3 over their number); what a year costs, and rare "
    "faults with it, is for `hasim budget`"
)
"""The note of a share of which nothing was lost, without a fault."""


def _of_nothing(about: Measure, found: Interval, runs: Runs, level: float) -> Interval:
    """A share of which nothing was lost since nothing happened: by the rule of three.

    Intervals of means and of ratios claim certainty where all replications are equal. Of n without
    a loss, the share that have one is at most 1 - a^(1/n), about 3/n for a = 5 % (Hanley,
    Lippman-Hand, JAMA 249, 1983; exactly Clopper and Pearson's bound), and none can lose more than
    all it has. Of messages as well the trials are the replications: the messages of one meet the
    same faults, so that a million of them are no million trials. That takes replications to offer
    about as many, with a loss or without.
    """
    kept = about.unit == "ratio" and about.better == "more" and not about.load
    certain = found.value == found.low == found.high == 1.0
    if not kept or not certain or not isinstance(about.estimator, Mean | Ratio):
        return found
    if any(run.incidents or run.mistakes for run in runs):
        return found
    each = method_of(about.estimator).each
    assert each is not None, "means and ratios have a value in each replication"
    # A replication that offered nothing shows nothing.
    trials = sum(each(run) is not None for run in runs)
    low = proportion_interval(trials, trials, level).low
    return replace(found, low=low, method="rule of three", note=NOTHING)


def as_load(measure: str, runs: Runs) -> Runs:
    """The replications of a cell; for a measure of load, without the warm-up to be left out."""
    return remembered(runs, "steady", _steady) if find(measure).load else runs


def _steady(runs: Runs) -> Runs:
    found = steady(runs)
    return runs if found is runs else Replications.of(found)


def values(runs: Runs) -> list[dict[str, float | None]]:
    """The value of each measure that has one in a single replication, for each of a cell's.

    None where there is nothing to measure; load is without the warm-up, as in the estimates.
    """
    methods = ((measure, method_of(measure.estimator)) for measure in MEASURES.values())
    each = [(measure, how.each) for measure, how in methods if how.each is not None]
    return [
        {measure.name: value(after if measure.load else run) for measure, value in each}
        for run, after in zip(runs, steady(runs), strict=True)
    ]


def summarise(measured: Runs, projection: Projection = None) -> dict[str, Estimate]:
    """Every measure of one cell with its 95 % interval, in the order of the catalogue.

    A quantile without enough observations for both bounds has no value, but says how
    many it needs.
    """
    runs = Replications.of(measured)
    return {name: estimate_of(name, runs, projection) for name in MEASURES}


def estimate_of(measure: str, measured: Runs, projection: Projection = None) -> Estimate:
    """One measure with its 95 % interval. Raises LookupError if there is no such measure."""
    found, its_unit = interval(measure, measured, projection), find(measure).unit
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
    about = find(measure)
    both, others = (as_load(measure, side) for side in _in_common(first, second))
    found = _difference(method_of(about.estimator), both, others, level)
    n, method, note = found.n, found.method, found.note
    if found.value is None:
        return Estimate(measure, about.unit, None, None, None, n, method, note=note)
    bounds = found.low, found.high
    return Estimate(measure, about.unit, found.value, *bounds, n, method, note=note)


def _in_common(first: Runs, second: Runs) -> tuple[Runs, Runs]:
    """The replications that both have, in the order of the first."""
    if [run.replication for run in first] == [run.replication for run in second]:
        return first, second
    by_number = {run.replication: run for run in second}
    both = [run for run in first if run.replication in by_number]
    return both, [by_number[run.replication] for run in both]


def _difference(how: Method, first: Runs, second: Runs, level: float) -> Interval:
    if how.difference is not None:
        return how.difference(first, second, level)
    if how.each is not None:
        values = zip(map(how.each, first), map(how.each, second), strict=True)
        deltas = [b - a for a, b in values if a is not None and b is not None]
        return replace(t_interval(deltas, level), method="paired t")
    if how.share is not None and len(first):
        return _paired_quantiles(how, first, second, level)
    return unknown(0, "not comparable")


def _paired_quantiles(how: Method, first: Runs, second: Runs, level: float) -> Interval:
    one, other = (
        remembered(side, (how, level), lambda runs: how.estimate(runs, level))
        for side in (first, second)
    )
    n = len(first)
    if one.needed or other.needed or one.value is None or other.value is None:
        return unknown(n, effective.PAIRED)
    share = how.share
    assert share is not None, "a quantile has shares"
    return effective.difference_interval(
        (one, functools.partial(share, first)),
        (other, functools.partial(share, second)),
        cluster_draws(n),
        level,
    )
