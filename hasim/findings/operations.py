"""What operators did, as sheets: how the load settled, and which keys moved."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hasim.measures.operations import AFTER_NS, BEFORE_NS
from hasim.report import format
from hasim.report.cells import Cell, heading, labels
from hasim.report.sheet import Column, Field, Sheet, Value, estimate_field
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.transients import TOLERANCE
from hasim.units import SECOND

if TYPE_CHECKING:
    import pandas as pd

NOTES = (
    f"Looked at: the {BEFORE_NS // SECOND} s before an operation and the {AFTER_NS // SECOND} s "
    "after it, but not beyond the operations before and after it.",
    "Routed: every gateway uses the first routing that was published in the time after it; -: none "
    "was.",
    "Load moved: from the masters' shares of the attempts before it to their new ones, those of "
    "the last third of the time after it; half the sum of the differences.",
    "Settled: from then on the shares of each second, of all replications together, are within "
    f"{format.percent(TOLERANCE)} of the new ones (by the same sum), chance aside; -: not before "
    "the last third begins.",
    "Messages lost: ended without an answer in the time after it, for whatever reason, on average "
    "in a replication.",
)
"""What the columns of the sheet of operations mean."""


def operations_sheet(cells: Sequence[Cell], operations: pd.DataFrame) -> Sheet:
    """What the balance of load did after each operation.

    `operations` is `Result.operations`.
    """
    keyed = bool(operations["keys_moved"].notna().any())
    numbers = ["routed\nafter", "settled\nafter", "load\nmoved", "messages\nlost since"]
    numbers += ["keys\nmoved", "ideal"] if keyed else []
    columns = [
        Column(f"{heading(cells)},\nat"),
        Column("operation,\non"),
        *(Column(name, align="right") for name in numbers),
    ]
    names = dict(zip((index for index, _ in cells), labels(cells), strict=True))
    rows: list[list[Value]] = [
        [
            _two(names[row["cell"]], format.seconds(row["done_at_s"])),
            _two(row["do"], row["subject"]),
            _bounded(row, "routed_s", "routed_low_s", "routed_high_s", "s"),
            _or_dash(row["settled_s"], format.seconds),
            _bounded(row, "moved", "moved_low", "moved_high", "ratio"),
            _bounded(row, "lost", "lost_low", "lost_high", "count"),
            *(_or_dash(row[name], _percent) for name in ("keys_moved", "keys_ideal") if keyed),
        ]
        for row in operations.to_dict("records")
    ]
    return Sheet(columns, rows, notes=NOTES, names=2, stacked=True)


def churn_sheet(cells: Sequence[Cell], churn: pd.DataFrame) -> Sheet:
    """The keys that changes of routing have moved, by cell. `churn` is `Result.churn`."""
    names = ("routing\nchanges", "keys\nmoved", "ideal", "master\nleft", "master\njoined")
    columns = [
        Column(heading(cells)),
        *(Column(name, align="right") for name in (*names, "without\nneed")),
    ]
    by_cell = dict(list(churn.groupby("cell")))
    rows: list[list[Value]] = []
    for (cell, _), name in zip(cells, labels(cells), strict=True):
        if cell not in by_cell:
            rows.append([name, *[None] * 6])
            continue
        found = by_cell[cell]
        keys = found["keys"].sum()
        parts = [found[part].sum() / keys for part in ("left", "joined", "needless")]
        ideal = (found["ideal"] * found["keys"]).sum() / keys
        rows.append([name, len(found), *map(_percent, (sum(parts), ideal, *parts))])
    return Sheet(columns, rows, stacked=True)


def _two(above: str, below: str) -> Field:
    """Two words that share a place."""
    return Field(f"{above}, {below}", (above, below))


def _bounded(row: Mapping[Any, Any], value: str, low: str, high: str, unit: str) -> Field:
    """A number of an operation with its interval."""
    number = None if math.isnan(row[value]) else row[value]
    least, most = (row[name] if math.isfinite(row[name]) else None for name in (low, high))
    return estimate_field(Estimate(value, unit, number, least, most, 0, ""))


def _percent(share: float) -> Field:
    return Field(f"{share:.1%}".replace("%", " %"), value=float(share))


def _or_dash(value: float | None, shown: Callable[[float], str | Field]) -> Value:
    return None if value is None or math.isnan(value) else shown(value)
