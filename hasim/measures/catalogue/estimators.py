"""What a measure is of one run, and how the runs of a cell make an estimate of it.

These classes name an estimator and hold what it takes of each replication, nothing more: they
load neither numpy nor scipy. `hasim.study.estimates.methods` binds each to its intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hasim.measures.measured import Measured

Value = Callable[["Measured"], float | None]
"""The value of one replication; None where it has none."""
Amount = Callable[["Measured"], float]
"""A number that adds up over replications."""
Durations = Callable[["Measured"], Iterable[tuple[float | None, float | None]]]
"""(seconds, seconds that were seen of a censored one) of each; both None if it is excluded."""


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean over replications of a value that each has."""

    each: Value


@dataclass(frozen=True, slots=True)
class Ratio:
    """The ratio of two totals over replications."""

    over: Amount
    base: Amount


@dataclass(frozen=True, slots=True)
class Share:
    """How many of what is counted are hits; a replication may hold several, or none."""

    hits: Callable[[Measured], int]
    among: Callable[[Measured], int]


@dataclass(frozen=True, slots=True)
class Rate:
    """Events over what they can happen in, of which a study may see none."""

    events: Callable[[Measured], int]
    exposure: Amount


@dataclass(frozen=True, slots=True)
class DurationMean:
    """The mean of durations that may be censored."""

    durations: Durations


@dataclass(frozen=True, slots=True)
class DurationQuantile:
    """The p-quantile of durations that may be censored."""

    durations: Durations
    p: float


@dataclass(frozen=True, slots=True)
class LatencyQuantile:
    """The p-quantile of the latencies of all answered messages.

    `failed`: those that were not answered by their deadline count as well, at their deadline.
    """

    p: float
    failed: bool = False


@dataclass(frozen=True, slots=True)
class LatencyMean:
    """The mean latency of all answered messages."""


@dataclass(frozen=True, slots=True)
class ProjectedUptime:
    """Uptime in the long run, if faults are as rare as the scenario's projection says."""


Estimator = (
    Mean
    | Ratio
    | Share
    | Rate
    | DurationMean
    | DurationQuantile
    | LatencyQuantile
    | LatencyMean
    | ProjectedUptime
)
