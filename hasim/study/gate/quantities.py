"""What the gate compares: measures that each replication has a value of, and which way is worse."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from hasim import sketch
from hasim.measures import Measured
from hasim.study.comparing.compare import MORE_IS_BETTER
from hasim.study.estimates import summary
from hasim.units import SECOND

MORE = MORE_IS_BETTER | {
    *("query_accuracy", "jain", "balance.jain", "least_to_mean", "balance.least_to_mean"),
    *("throughput", "goodput"),
}
"""Measures of which more is better; of all others, less."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measure of one replication; `each` gives None where it has no value.

    Durations that were censored count for as long as they were seen (`durations.mean_seen`): the
    cure and the end of the run are the same in the baseline.
    """

    name: str
    unit: str
    more_is_better: bool
    each: Callable[[Measured], float | None]

    def worse_by(self, baseline: float, current: float) -> float:
        """How much worse `current` is, in the measure's unit; negative if it is better."""
        return baseline - current if self.more_is_better else current - baseline


def _latency_s(p: float, run: Measured) -> float | None:
    """Seconds of the p-quantile of one replication's latencies, all classes together."""
    accuracies = {row.accuracy for row in run.latencies}
    if len(accuracies) != 1:
        return None
    merged = sketch.merge(row.buckets for row in run.latencies)
    found = sketch.quantile(merged, p, *accuracies)
    return None if found is None else found / SECOND


def _quantities() -> dict[str, Quantity]:
    found: dict[str, Callable[[Measured], float | None]] = {
        name: how.each for name, how in summary.MEASURES.items() if how.each is not None
    }
    for label, p in summary.QUANTILES.items():
        # Of each replication by itself, so that replications can be paired.
        found[f"latency.{label}"] = partial(_latency_s, p)
    return {
        name: Quantity(name, summary.unit(name), name in MORE, each) for name, each in found.items()
    }


QUANTITIES = _quantities()
"""By name, as in ``expect:``."""


def values_of(run: Measured, names: tuple[str, ...]) -> dict[str, float | None]:
    """The values of one replication; what is no number is None.

    Load is without the warm-up, as in every table; a suite has none that depends on the other
    replications.
    """
    found = {name: QUANTITIES[name].each(*summary.as_load(name, [run])) for name in names}
    return {
        name: float(value) if value is not None and math.isfinite(value) else None
        for name, value in found.items()
    }
