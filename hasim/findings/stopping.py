"""What ended each cell of a study that runs until a precision is reached, as a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hasim.report.cells import Cell, heading, labels
from hasim.report.sheet import Column, Sheet, Value

if TYPE_CHECKING:
    import pandas as pd


def stopping_sheet(cells: Sequence[Cell], stopping: pd.DataFrame) -> Sheet:
    """A row per cell. `stopping` is `Result.stopping`."""
    columns = [
        Column(heading(cells)),
        Column("replications", align="right"),
        Column("stopped by"),
        Column("what is missing"),
    ]
    found = (stopping["replications"], stopping["stopped"], stopping["missing"])
    rows: list[list[Value]] = [
        [name, int(count), by if isinstance(by, str) else "not ended", missing]
        for name, count, by, missing in zip(labels(cells), *found, strict=True)
    ]
    return Sheet(columns, rows)


def plain_stopping(stopping: pd.DataFrame) -> list[dict[str, Any]]:
    """The same as plain data."""
    columns = ["cell", "replications", "stopped", "missing"]
    return [{name: row[name] for name in columns} for row in stopping.to_dict("records")]
