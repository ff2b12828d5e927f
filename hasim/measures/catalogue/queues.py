"""Who waits for a worker at masters: measured where a scenario says `queues: counted`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hasim.measures.catalogue.definition import Measure, Unit
from hasim.measures.catalogue.estimators import Mean, Ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from hasim.measures.catalogue.estimators import Estimator
    from hasim.measures.measured import Measured
    from hasim.measures.queues import QueueRow

QUEUEING = "Kleinrock, Queueing Systems I, 1975, chapter 3: M/M/m"
_COUNTED = (
    "Of all masters, over the whole run, also a warm-up; deep probes count as well. Measured where "
    "the scenario says `queues: counted`, else a dash."
)


def _queue(
    name: str, title: str, meaning: str, estimator: Estimator, unit: Unit, statistic: str = ""
) -> Measure:
    return Measure(
        name=name,
        title=title,
        unit=unit,
        meaning=meaning,
        estimator=estimator,
        block="service",
        better="less",
        neutral=True,
        rests_on="messages",
        statistic=statistic,
        detail=_COUNTED,
        source=QUEUEING,
    )


def _sum(of: Callable[[QueueRow], float]) -> Callable[[Measured], float]:
    return lambda run: sum(of(row) for row in run.queues)


def _length(run: Measured) -> float | None:
    queued_s = _sum(lambda row: row.queued_s)(run)
    return queued_s / run.horizon_s if run.queues else None


_started = _sum(lambda row: row.started)
MEASURES = (
    _queue(
        "wait.share",
        "attempts that wait",
        "Share of attempts that wait in a queue before a worker takes them.",
        Ratio(_sum(lambda row: row.waited), _started),
        "ratio",
    ),
    _queue(
        "wait.mean",
        "wait mean",
        "Time that an attempt waits for a worker, 0 for those that are taken at once.",
        Ratio(_sum(lambda row: row.waited_s), _started),
        "s",
        statistic="mean",
    ),
    _queue(
        "queue.mean",
        "queue mean",
        "Attempts that wait for a worker, summed over masters, on average over time.",
        Mean(_length),
        "count",
        statistic="mean",
    ),
)
