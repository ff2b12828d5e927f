"""What the gate found: verdicts, changes of behaviour, speeds, and what could not be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hasim.study.gate.judge import Comparison

Outcome = Literal["pass", "regression", "inconclusive", "error"]


@dataclass(frozen=True, slots=True)
class Change:
    """Tier 1: the fingerprints of a cell against the baseline's, over `n` replications.

    `differing` are the replications whose fingerprint differs; `counters` the totals (baseline,
    now) of those counters that differ; `settings` the control plane's settings that were changed,
    (baseline, now) by path.
    """

    cell: str
    n: int
    differing: tuple[int, ...]
    counters: Mapping[str, tuple[int, int]]
    settings: Mapping[str, tuple[str, str]]

    @property
    def changed(self) -> bool:
        """Whether the behaviour changed."""
        return bool(self.differing)


@dataclass(frozen=True, slots=True)
class Speed:
    """Tier 3: time per replication over the reference loop's, now over the baseline's.

    `ratio` is the median over replications between its distribution-free one-sided 95 % bounds;
    `slower` says that the lower bound exceeds the limit.
    """

    cell: str
    ratio: float
    lower: float
    upper: float
    limit: float
    n: int

    @property
    def slower(self) -> bool:
        """Whether it is slower than allowed, beyond doubt."""
        return self.lower > self.limit


@dataclass(frozen=True, slots=True)
class GateReport:
    """The outcome of a suite against its baseline.

    `missing` maps cells that could not be compared to the reason; `unused` are cells of the
    baseline that the suite does not have; `versions` maps a library to (baseline, now) where
    they differ; `errors` maps cells of which a replication crashed to what it raised, with the
    traceback. `exact` and `speed` say what counts beside the measures. `wall_s` is how long it
    took, in seconds.
    """

    suite: str
    baseline: str
    comparisons: tuple[Comparison, ...]
    changes: tuple[Change, ...]
    speeds: tuple[Speed, ...]
    missing: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    versions: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    exact: bool = False
    speed: bool = False
    wall_s: float = 0.0

    @property
    def worst_first(self) -> list[Comparison]:
        """All comparisons, regressions first, then by how many margins they are worse."""
        return sorted(self.comparisons, key=lambda one: one.badness, reverse=True)

    @property
    def regressions(self) -> list[Comparison]:
        """The measures that are worse by more than their margin."""
        return [one for one in self.worst_first if one.verdict == "regression"]

    @property
    def inconclusive(self) -> list[Comparison]:
        """The measures that the replications could not decide."""
        return [one for one in self.worst_first if one.verdict == "inconclusive"]

    @property
    def changed(self) -> list[Change]:
        """The cells whose behaviour changed."""
        return [one for one in self.changes if one.changed]

    @property
    def slower(self) -> list[Speed]:
        """The cells that are slower than allowed."""
        return [one for one in self.speeds if one.slower]

    @property
    def verdict(self) -> Outcome:
        """A crash is an error, whatever else was found; a regression anywhere is one; else
        inconclusive if anything could not be decided."""
        if self.errors:
            return "error"
        strict = (self.exact and self.changed) or (self.speed and self.slower)
        if self.regressions or strict:
            return "regression"
        return "inconclusive" if self.inconclusive or self.missing else "pass"
