"""Intervals of sums and products of quantities that were estimated independently.

The method of variance estimates recovery (MOVER; Zou, Donner, Statistics in Medicine 27,
2008): the distance from an estimate to either of its bounds serves as its standard error on
that side, so that intervals need not be symmetrical (an exact Poisson interval is not).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from hasim.study.estimates.statistics import Interval

METHOD = "MOVER"


def total(parts: Iterable[Interval]) -> Interval:
    """The sum of independent estimates; one without a value counts as unknown in both directions.

    l = sum v - sqrt(sum (v - l_i)^2), u = sum v + sqrt(sum (u_i - v)^2).
    """
    known = list(parts)
    value = sum(p.value or 0.0 for p in known)
    below, above = (math.hypot(*side) for side in zip(*map(_distances, known), strict=True))
    return Interval(value, value - below, value + above, sum(p.n for p in known), METHOD)


def difference(first: Interval, second: Interval) -> Interval:
    """The first of two independent estimates minus the second."""
    negated = Interval(-(second.value or 0.0), -second.high, -second.low, second.n, second.method)
    return total((first, negated))


def product(positive: Interval, other: Interval) -> Interval:
    """The product of a positive estimate and an independent one, to the first order.

    The distance to a bound is sqrt((p d_o)^2 + (o d_p)^2), where d are the distances of the
    factors to their bounds on the side that moves the product that way.
    """
    if positive.value is None or other.value is None:
        return Interval(None, -math.inf, math.inf, other.n, METHOD)
    p, o = positive.value, other.value
    p_below, p_above = _distances(positive)
    o_below, o_above = _distances(other)
    if o < 0:
        p_below, p_above = p_above, p_below
    below = math.hypot(_times(p, o_below), _times(abs(o), p_below))
    above = math.hypot(_times(p, o_above), _times(abs(o), p_above))
    method = other.method if positive.low == positive.high else METHOD
    return Interval(p * o, p * o - below, p * o + above, other.n, method)


def scaled(interval: Interval, factor: float) -> Interval:
    """An estimate times a positive number that is known."""
    return product(exactly(factor), interval)


def exactly(value: float) -> Interval:
    """A number that is known."""
    return Interval(value, value, value, 0, "given")


def _distances(interval: Interval) -> tuple[float, float]:
    if interval.value is None:
        return math.inf, math.inf
    return interval.value - interval.low, interval.high - interval.value


def _times(factor: float, distance: float) -> float:
    """Their product, where nothing times infinity is nothing."""
    return factor * distance if factor else 0.0
