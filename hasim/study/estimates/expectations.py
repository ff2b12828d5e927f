"""Verdicts: does a cell keep what its scenario expects?

A one-sided 95 % bound decides: an expectation passes if the whole
one-sided interval keeps the limit, fails if it wholly breaks it, and is undecided
otherwise. For quantiles that is the bound by order statistics, so that a promise about
p99 takes 299 incidents at least.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hasim.measures import Measured
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.statistics import Interval
from hasim.study.estimates.summary import Projection, estimate_of, interval

if TYPE_CHECKING:
    from hasim.scenario.expectations import Expectation

ONE_SIDED = 0.90
"""The ends of a two-sided 90 % interval are the one-sided 95 % bounds."""

KEEPS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
Outcome = Literal["pass", "fail", "undecided"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One expectation judged.

    `text` is the limit as written, `limit` its number; `estimate` carries the 95 %
    interval; `bound` is the one-sided 95 % bound that decided (for an undecided one, the bound
    that would have to keep the limit), None if the data give none. `by_how_much` says in words
    how far the bound is from the limit, or what is missing.
    """

    measure: str
    text: str
    verdict: Outcome
    estimate: Estimate
    limit: float
    bound: float | None
    by_how_much: str


def judge(
    expectations: Sequence[Expectation],
    measured: Sequence[Measured] | Mapping[str, Estimate],
    projection: Projection = None,
) -> list[Verdict]:
    """The verdict on each expectation, in their order.

    `measured` are the replications of one cell. A summary will do, but its two-sided intervals
    are wider, and quantiles without enough observations for both bounds stay
    undecided. Raises LookupError for an unknown measure.
    """
    verdicts = []
    for expectation in expectations:
        if isinstance(measured, Mapping):
            estimate = measured[expectation.measure]
            verdicts.append(_verdict(expectation, estimate, _as_interval(estimate)))
        else:
            estimate = estimate_of(expectation.measure, measured, projection)
            decisive = interval(expectation.measure, measured, projection, ONE_SIDED)
            verdicts.append(_verdict(expectation, estimate, decisive))
    return verdicts


def _as_interval(estimate: Estimate) -> Interval:
    low = -math.inf if estimate.low is None else estimate.low
    high = math.inf if estimate.high is None else estimate.high
    return Interval(estimate.value, low, high, estimate.n, estimate.method, estimate.needed)


def _verdict(expectation: Expectation, estimate: Estimate, found: Interval) -> Verdict:
    keeps, limit = KEEPS[expectation.op], expectation.bound
    upper = expectation.op in ("<", "<=")
    worst, best = (found.high, found.low) if upper else (found.low, found.high)
    outcome: Outcome = "undecided"
    bound = worst
    if found.value is not None and keeps(worst, limit):
        outcome = "pass"
    elif found.value is not None and not keeps(best, limit):
        outcome, bound = "fail", best
    return Verdict(
        measure=expectation.measure,
        text=expectation.text,
        verdict=outcome,
        estimate=estimate,
        limit=limit,
        bound=bound if math.isfinite(bound) and found.value is not None else None,
        by_how_much=_by_how_much(outcome, found, bound, limit, estimate.unit),
    )


def _by_how_much(outcome: Outcome, found: Interval, bound: float, limit: float, unit: str) -> str:
    if found.value is None and found.needed is None:
        return f"nothing to judge: {found.method}" if found.n == 0 else "no estimate"
    if outcome == "undecided" and found.needed is not None:
        return f"needs {found.needed} observations, has {found.n}"
    if not math.isfinite(bound):
        return "the data give no bound"
    side = {"pass": "inside", "fail": "beyond", "undecided": "beyond"}[outcome]
    text = f"95 % bound {_show(bound, unit)} is {_gap(abs(bound - limit), unit)} {side} the limit"
    if outcome == "undecided":
        text += f", the estimate {_show(found.value or 0.0, unit)} may still keep it"
    return text


def _gap(value: float, unit: str) -> str:
    """A difference: that of two shares is in percentage points."""
    return f"{value * 100:.3g} percentage points" if unit == "ratio" else _show(value, unit)


def _show(value: float, unit: str) -> str:
    if unit == "ratio":
        return f"{value * 100:.6g} %"
    number = f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return number + {"s": " s", "per_hour": "/h", "per_year": "/y"}.get(unit, "")
