"""Paired differences as sheets: between the cells of a run and their baseline, or two runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from hasim.findings.summary import (
    ESTIMATE_COLUMNS,
    estimate_row,
    measure_columns,
    name_column,
    name_fields,
    plain_cells,
    tidy_columns,
)
from hasim.report.cells import Cell, labels, text
from hasim.report.format import DASH, RATES, number, seconds, significant
from hasim.report.sheet import Column, Field, Mood, Sheet, Value, plain_estimate
from hasim.report.titles import title
from hasim.study.estimates.estimate import Estimate

MOODS: Mapping[str, Mood] = {"better": "good", "worse": "bad", "changed": "open"}
WORDS = (
    "Each paired difference with its 95 % interval and p, after Holm's correction for all of "
    "them, and at 5 % whether it is better or worse; = is no difference in any replication.",
    "Differences of shares (%) are in percentage points.",
)


class Difference(Protocol):
    """What is to be known of a difference."""

    @property
    def cell(self) -> int:
        """The number of the cell."""
        ...

    @property
    def baseline(self) -> int | None:
        """The number of the cell that is subtracted; None between two runs."""
        ...

    @property
    def measure(self) -> str:
        """The measure that differs."""
        ...

    @property
    def difference(self) -> Estimate:
        """The difference with its interval."""
        ...

    @property
    def p(self) -> float:
        """After correction for all differences."""
        ...

    @property
    def verdict(self) -> str:
        """``same``, ``better``, ``worse``, ``changed`` or ``undecided``."""
        ...


def across(
    cells: Sequence[Cell], differences: Sequence[Difference], baseline: Mapping[str, Any]
) -> Sheet:
    """Cells minus their baseline: a row per cell; difference, interval, p-value and verdict."""
    measures = list(dict.fromkeys(one.measure for one in differences))
    found = {(one.cell, one.measure): one for one in differences}
    names = dict(zip((index for index, _ in cells), name_fields(cells), strict=True))
    rows: list[list[Value]] = [
        [names[index], *(_field(found.get((index, measure))) for measure in measures)]
        for index in dict.fromkeys(one.cell for one in differences)
    ]
    return Sheet(
        [name_column(cells), *measure_columns(measures)],
        rows,
        f"minus {named(baseline)}",
        notes=[*WORDS, *censored(cells, differences)],
        stacked=True,
    )


def listed(cells: Sequence[Cell], differences: Sequence[Difference], what: str) -> Sheet:
    """A row for each difference; `what` heads the column of the cells."""
    names = dict(zip((index for index, _ in cells), labels(cells), strict=True))
    columns = [
        Column(what),
        Column("measure"),
        *(Column(name, align="right") for name in ("difference", "95 % interval", "p (Holm)")),
        Column("verdict"),
    ]
    rows: list[list[Value]] = []
    for one in differences:
        point, bounds = parts(one.difference)
        verdict = Field(one.verdict, mood=MOODS.get(one.verdict, ""))
        rows.append([names[one.cell], one.measure, point, bounds, f"{one.p:.2g}", verdict])
    return Sheet(columns, rows, notes=censored(cells, differences), names=2)


def tidy(cells: Sequence[Cell], differences: Sequence[Difference]) -> Sheet:
    """A row for each difference, in full precision."""
    paths, places = tidy_columns(cells)
    place_of = {index: place for (index, _), place in zip(cells, places, strict=True)}
    rows = [
        [*place_of[one.cell], *estimate_row(one.difference), one.p, one.verdict]
        for one in differences
    ]
    return Sheet([Column(n) for n in ("cell", *paths, *ESTIMATE_COLUMNS, "p", "verdict")], rows)


def censored(cells: Sequence[Cell], differences: Sequence[Difference]) -> list[str]:
    """A sentence for each measure: how many durations were censored in either cell of a pair."""
    names = dict(zip((index for index, _ in cells), labels(cells), strict=True))
    found: dict[str, list[str]] = {}
    for one in differences:
        if one.difference.note:
            found.setdefault(one.measure, []).append(f"{names[one.cell]}: {one.difference.note}")
    return [f"{title(measure)}, {'; '.join(told)}." for measure, told in found.items()]


def plain(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """The differences as plain data."""
    return [
        {"cell": one.cell, "baseline": one.baseline, "measure": one.measure}
        | plain_estimate(one.difference)
        | {"p": one.p, "verdict": one.verdict}
        for one in differences
    ]


def plain_by_cell(cells: Sequence[Cell], differences: Sequence[Difference]) -> dict[str, Any]:
    """The differences as plain data, by cell and measure."""
    rows = [[one for one in differences if one.cell == index] for index, _ in cells]
    return {
        "cells": plain_cells(
            cells,
            [{one.measure: one.difference for one in row} for row in rows],
            [[{"measure": d.measure, "p": d.p, "verdict": d.verdict} for d in row] for row in rows],
        )
    }


def named(baseline: Mapping[str, Any]) -> str:
    """The baseline in words: ``balancing.algorithm = round-robin``."""
    return ", ".join(f"{path} = {text(value)}" for path, value in baseline.items())


def parts(difference: Estimate) -> tuple[str, str]:
    """A difference with its sign and unit, and its bounds in the same unit.

    The unit is that of the largest of the three: a difference may be near zero.
    """
    value, low, high = difference.value, difference.low, difference.high
    if value is None or low is None or high is None:
        return DASH, ""
    if not math.isfinite(high - low):
        return _signed(number(value, difference.unit)), "no bounds"
    largest = max(abs(value), abs(low), abs(high))
    if difference.unit == "ratio":
        scale, unit = 100.0, " %"
    elif difference.unit == "s" and largest < 60:
        scale, unit = (1.0, " s") if largest >= 1 else (1e3, " ms")
    elif difference.unit == "s":
        return _signed(seconds(value)), f"{seconds(low)} to {seconds(high)}"
    else:
        scale, unit = 1.0, f" {RATES[difference.unit]}" if difference.unit in RATES else ""
    # As many decimals as show three digits of the largest.
    digits = len(significant(largest * scale).partition(".")[2])
    texts = (f"{part * scale:+.{digits}f}" for part in (value, low, high))
    point, *bounds = (part if float(part) else "0" for part in texts)
    return f"{point}{unit}", " to ".join(bounds)


def _signed(point: str) -> str:
    return point if point.startswith("-") else f"+{point}"


def _field(one: Difference | None) -> Field:
    """Difference, interval, p-value and verdict in one field."""
    if one is None:
        return Field("", value=None)
    value = plain_estimate(one.difference) | {"p": one.p, "verdict": one.verdict}
    if one.verdict == "same":
        return Field("=", value=value)
    lines = tuple(_lines(one))
    point, bounds, judged = lines
    beside = f"({bounds})" if " to " not in bounds else f"[{bounds.replace(' to ', ', ')}]"
    return Field(f"{point} {beside}, {judged}", lines, value, MOODS.get(one.verdict, ""))


def _lines(one: Difference) -> Iterator[str]:
    yield from parts(one.difference)
    word = "" if one.verdict == "undecided" else f" {one.verdict}"
    yield ("p < 0.001" if one.p < 0.001 else f"p {one.p:.2g}") + word
