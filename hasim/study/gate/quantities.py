"""What the gate compares: measures that each replication has a value of, and which way is worse."""

from __future__ import annotations

import math

from hasim.measures import Measured
from hasim.measures.catalogue import MEASURES, find
from hasim.study.estimates.methods import method_of
from hasim.study.estimates.summary import as_load


def comparable() -> list[str]:
    """The measures that can be compared, as in ``expect:``."""
    return [
        name for name, measure in MEASURES.items() if method_of(measure.estimator).alone is not None
    ]


def worse_by(measure: str, baseline: float, current: float) -> float:
    """How much worse `current` is, in the measure's unit; negative if it is better."""
    more = find(measure).better == "more"
    return baseline - current if more else current - baseline


def values_of(run: Measured, names: tuple[str, ...]) -> dict[str, float | None]:
    """The values of one replication; what is no number is None.

    Load is without the warm-up, as in every table; a suite has none that depends on the other
    replications. Durations that were censored count for as long as they were seen
    (`durations.mean_seen`): the cure and the end of the run are the same in the baseline. Quantiles
    of latency are those of the replication by itself. Raises LookupError for a measure that is not
    `comparable`.
    """
    found = {name: _value(name, *as_load(name, [run])) for name in names}
    return {
        name: float(value) if value is not None and math.isfinite(value) else None
        for name, value in found.items()
    }


def _value(measure: str, run: Measured) -> float | None:
    alone = method_of(find(measure).estimator).alone
    if alone is None:
        raise LookupError(f"{measure} has no value in one replication")
    return alone(run)
