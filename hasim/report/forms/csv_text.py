"""A sheet as CSV (RFC 4180, but with line feeds): full precision, stable bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from hasim.report.sheet import Sheet, finite
from hasim.report.visible import cell

OF_ESTIMATE = ("value", "low", "high", "n")
"""The parts of an estimate that get columns; the first has the name of the sheet's column."""


def csv_text(sheet: Sheet) -> str:
    """One row a row; a missing or unbounded number is an empty field.

    A column that holds an estimate anywhere becomes several: ``outage``, ``outage_low``, ...
    """
    rows = [[field.plain for field in row] for row in sheet.fields()]
    parts: list[tuple[str, ...]] = [
        OF_ESTIMATE if any(isinstance(row[place], Mapping) for row in rows) else ()
        for place in range(len(sheet.columns))
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads: list[str] = []
    for column, own in zip(sheet.columns, parts, strict=True):
        key = cell(column.program_key)
        heads += [key, *(f"{key}_{part}" for part in own[1:])]
    writer.writerow(heads)
    for row in rows:
        fields: list[Any] = []
        for value, own in zip(row, parts, strict=True):
            if isinstance(value, Mapping):
                fields += [_field(value.get(part)) for part in own]
            else:
                fields += [_field(value), *[""] * (len(own) - 1)]
        writer.writerow(fields)
    return out.getvalue()


def _field(value: Any) -> Any:
    value = finite(value)
    if value is None:
        return ""
    return cell(value) if isinstance(value, str) else value
