"""One estimated measure with its interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A point estimate and its 95 % confidence interval.

    `measure` is its name as in ``expect:`` (``detection_time.p99``), `unit` one
    of ``s``, ``ratio``, ``per_hour``, ``per_year``, ``count``. `value` is None if there are too few
    observations; `needed` then tells how many it takes. `n` is the number of
    observations, `method` the kind of interval, in the literature's words. A
    bound that the data cannot give (censored beyond the end) is infinite. `note` is what the
    reader has to know beside it (see `hasim.study.estimates.statistics.Interval`).
    """

    measure: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str
    needed: int | None = None
    note: str = ""
