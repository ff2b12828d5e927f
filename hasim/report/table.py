"""A summary as JSON, CSV or Markdown: stable order, stable bytes."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hasim.report.cells import Cell, heading, labels, text
from hasim.report.format import estimate_text
from hasim.report.titles import DEFAULT, title
from hasim.study.estimates.estimate import Estimate

FORMATS = ("json", "csv", "markdown")
Summary = Mapping[str, Estimate]
ESTIMATE_COLUMNS = ("measure", "unit", "value", "low", "high", "n", "needed", "method", "unbounded")


def render(
    format: str,
    cells: Sequence[Cell],
    summaries: Sequence[Summary],
    *,
    measures: Sequence[str] | None = None,
    header: Mapping[str, Any] | None = None,
    verdicts: Sequence[Sequence[Mapping[str, Any]]] | None = None,
) -> str:
    """The summaries (one per cell, in the cells' order) as text that ends in a line feed.

    `measures` limits and orders what is shown; without it JSON and CSV hold all
    measures in the summaries' order, Markdown the usual ones. `header` is plain
    data that leads the JSON (scenario, seed, replications), `verdicts` plain
    data of each cell's verdicts, in JSON and Markdown. Raises ValueError, naming the
    formats, for any other `format`.
    """
    if format == "json":
        return as_json(cells, summaries, measures=measures, header=header, verdicts=verdicts)
    if format == "csv":
        return as_csv(cells, summaries, measures=measures)
    if format == "markdown":
        return as_markdown(cells, summaries, measures=measures, verdicts=verdicts)
    raise ValueError(f"unknown format {format!r}; expected one of {', '.join(FORMATS)}")


def as_json(
    cells: Sequence[Cell],
    summaries: Sequence[Summary],
    *,
    measures: Sequence[str] | None = None,
    header: Mapping[str, Any] | None = None,
    verdicts: Sequence[Sequence[Mapping[str, Any]]] | None = None,
) -> str:
    """JSON with full precision; a missing or unbounded number is null (see `plain_estimate`)."""
    rows: list[dict[str, Any]] = []
    for place, ((index, varied), summary) in enumerate(zip(cells, summaries, strict=True)):
        row: dict[str, Any] = {"cell": index, "varied": dict(varied)}
        row["measures"] = {e.measure: plain_estimate(e) for e in _chosen(summary, measures)}
        if verdicts is not None:
            row["verdicts"] = [dict(verdict) for verdict in verdicts[place]]
        rows.append(row)
    data = {**(header or {}), "cells": rows}
    return json.dumps(_finite(data), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_csv(
    cells: Sequence[Cell],
    summaries: Sequence[Summary],
    *,
    measures: Sequence[str] | None = None,
) -> str:
    """CSV, one row per cell and measure; a missing or unbounded number is an empty field."""
    paths = list(dict.fromkeys(path for _, varied in cells for path in varied))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("cell", *paths, *ESTIMATE_COLUMNS))
    for (index, varied), summary in zip(cells, summaries, strict=True):
        place = [index, *(text(varied[path]) if path in varied else "" for path in paths)]
        for estimate in _chosen(summary, measures):
            plain = {"measure": estimate.measure, **plain_estimate(estimate)}
            unbounded = "true" if plain.get("unbounded") else ""
            fields = [plain[column] for column in ESTIMATE_COLUMNS[:-1]]
            writer.writerow([*place, *("" if f is None else f for f in fields), unbounded])
    return out.getvalue()


def as_markdown(
    cells: Sequence[Cell],
    summaries: Sequence[Summary],
    *,
    measures: Sequence[str] | None = None,
    verdicts: Sequence[Sequence[Mapping[str, Any]]] | None = None,
) -> str:
    """A row per cell, an estimate with its interval in each field; then the verdicts, if any."""
    shown = [m for m in measures or DEFAULT if any(m in summary for summary in summaries)]
    rows = [[heading(cells), *map(title, shown)]]
    for label, summary in zip(labels(cells), summaries, strict=True):
        fields = [estimate_text(summary[m]) if m in summary else "" for m in shown]
        rows.append([label, *fields])
    lines = [_markdown_row(row) for row in rows]
    lines.insert(1, _markdown_row(["---"] + ["---:"] * len(shown)))
    if verdicts is not None:
        columns = (heading(cells), "measure", "limit", "verdict", "by how much")
        lines += ["", _markdown_row(columns), _markdown_row(["---"] * len(columns))]
        for label, judged in zip(labels(cells), verdicts, strict=True):
            for one in judged:
                words = (one["measure"], one["limit"], one["verdict"], one["by_how_much"])
                lines.append(_markdown_row((label, *map(str, words))))
    return "\n".join(lines) + "\n"


def plain_estimate(estimate: Estimate) -> dict[str, Any]:
    """An estimate as plain data without its name; infinity is None plus ``"unbounded": True``."""
    numbers = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    plain: dict[str, Any] = {
        "unit": estimate.unit,
        **{name: _finite(number) for name, number in numbers.items()},
        "n": estimate.n,
        "needed": estimate.needed,
        "method": estimate.method,
    }
    if estimate.note:
        plain["note"] = estimate.note
    if any(number is not None and math.isinf(number) for number in numbers.values()):
        plain["unbounded"] = True
    return plain


def _chosen(summary: Summary, measures: Sequence[str] | None) -> list[Estimate]:
    if measures is None:
        return list(summary.values())
    return [summary[measure] for measure in measures if measure in summary]


def _finite(value: Any) -> Any:
    """The same plain data with None for every number that JSON cannot hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value


def _markdown_row(fields: Iterable[str]) -> str:
    escaped = (field.replace("|", "\\|").replace("\n", " ") for field in fields)
    return "| " + " | ".join(escaped) + " |"
