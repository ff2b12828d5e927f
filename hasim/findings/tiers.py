"""Tiers in series, each by itself, as a sheet: what it was asked, and when it was up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hasim.report.cells import Cell, heading, labels
from hasim.report.sheet import Column, Field, Sheet, Value, estimate_field
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.statistics import Interval, mean_interval, ratio_interval

if TYPE_CHECKING:
    import pandas as pd

NOTES = (
    "Of each tier by itself: the share of time in which it was up, and what the tier before it "
    "(clients, of the first) asked of it; latencies, with all that the tiers behind take, and "
    "failovers are means of the replications.",
)
"""What the columns of the sheet of tiers mean."""


def tiers_sheet(cells: Sequence[Cell], tiers: pd.DataFrame) -> Sheet:
    """A row for each cell and tier. `tiers` is `Result.tiers`."""
    names = ("uptime", "success", "latency\np50", "latency\np99", "failovers\na replication")
    columns = [
        Column(f"{heading(cells)},\ntier"),
        *(Column(name, align="right") for name in names),
    ]
    rows: list[list[Value]] = []
    for (cell, _), label in zip(cells, labels(cells), strict=True):
        of_cell = tiers[tiers["cell"] == cell]
        for tier in dict.fromkeys(of_cell["tier"]):
            own = of_cell[of_cell["tier"] == tier]
            asked = own["requests"].where(own["success"].notna(), 0.0).to_numpy(float)
            answered = (own["success"].fillna(0.0) * asked).to_numpy(float)
            rows.append(
                [
                    Field(f"{label}, {tier}", (label, tier)),
                    _shown("uptime", "ratio", mean_interval(own["uptime"])),
                    _shown("success", "ratio", ratio_interval(answered, asked)),
                    *(_mean(own, name, "s") for name in ("p50_s", "p99_s")),
                    _mean(own, "failovers", "count"),
                ]
            )
    return Sheet(columns, rows, notes=NOTES, stacked=True)


def _mean(own: pd.DataFrame, name: str, unit: str) -> Field:
    return _shown(name, unit, mean_interval(own[name].dropna()))


def _shown(name: str, unit: str, found: Interval) -> Field:
    low, high = (
        max(0.0, found.low),
        found.high,
    )  # nothing here is below zero, and no share above one
    if unit == "ratio":
        high = min(1.0, high)
    known = found.value is not None
    least, most = (low if known else None), (high if known else None)
    return estimate_field(Estimate(name, unit, found.value, least, most, found.n, found.method))
