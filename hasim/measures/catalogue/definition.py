"""What is to be known of a measure, in one record: all that is said or done with it follows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hasim.measures.catalogue.estimators import DurationMean, DurationQuantile, ProjectedUptime

if TYPE_CHECKING:
    from hasim.measures.catalogue.estimators import Estimator

Unit = Literal["s", "ratio", "per_hour", "per_year", "count"]
"""Seconds, a share of one, events per hour or per year, or a plain number."""
Direction = Literal["more", "less"]
Block = Literal["detection", "failover", "service"]
"""The part of a summary that a measure belongs to."""
Events = Literal["incidents", "failovers", "mistakes", "incidents and mistakes", "messages"]
View = Literal["table", "comparison", "figure", "glance"]
"""Where a measure is shown unless others are asked for: the tables of a run, `hasim compare` of two
runs, the figure of intervals, and the small one in a notebook."""

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
"""Statistics that are quantiles, by name."""
TABLE = frozenset[View]({"table"})
COMPARED = frozenset[View]({"comparison"})
DRAWN = frozenset[View]({"table", "figure"})
FIRST = frozenset[View]({"table", "figure", "glance"})

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_.]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure: what it is called, what it means, and how it is estimated.

    Raises ValueError if the name is none that ``expect:`` can hold.
    """

    name: str
    """As in ``expect:``; what stands before the first point is its family."""
    title: str
    """The words of a heading; the last one stands below the others."""
    unit: Unit
    meaning: str
    """In one sentence, without its `statistic`."""
    estimator: Estimator
    block: Block
    better: Direction
    """Which way is better; the gate calls the other one worse."""
    statistic: str = ""
    """``mean``, ``p95``: which number of many that mean the same."""
    neutral: bool = False
    """Whether a change may be the price or the fruit of better service: a comparison then says that
    it has changed, not that it is better or worse."""
    rests_on: Events = "incidents and mistakes"
    """What a study must have seen before it may stop: a start without any looks precise and is not.
    ``messages`` are enough in a world without faults; with faults, they stand for incidents and
    mistakes."""
    load: bool = False
    """Whether an empty start biases it, so that a warm-up is left out. Incidents, probes, changes
    of routing and keys are counted from the start."""
    views: frozenset[View] = frozenset()
    detail: str = ""
    """What else a reader must know, in sentences."""
    source: str = ""
    """Where the definition comes from."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"expected a measure's name such as outage.p95 (small letters, digits, '_' and "
                f"'.'), got {self.name!r}"
            )

    @property
    def family(self) -> str:
        """``outage`` of ``outage.p95``."""
        return self.name.partition(".")[0]

    @property
    def description(self) -> str:
        """The meaning with its statistic: ``Fault to service restored: p95.``"""
        return f"{self.meaning[:-1]}: {self.statistic}." if self.statistic else self.meaning

    @property
    def needs_projection(self) -> bool:
        """Whether there is nothing to estimate without a scenario's ``projection:``."""
        return isinstance(self.estimator, ProjectedUptime)

    @property
    def may_be_censored(self) -> bool:
        """Whether it is of times that a cure or the end of the run may cut short."""
        return isinstance(self.estimator, DurationMean | DurationQuantile)
