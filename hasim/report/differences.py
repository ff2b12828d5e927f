"""Paired differences: between the cells of a run and their baseline, or between two runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from rich.console import Group, RenderableType
from rich.text import Text

from hasim.report.cells import Cell, heading, labels, text
from hasim.report.format import DASH, number, seconds, significant
from hasim.report.table import plain_estimate
from hasim.report.terminal import plain_table
from hasim.report.titles import title
from hasim.study.estimates.estimate import Estimate

STYLES = {"better": "green", "worse": "red", "changed": "yellow"}
WORDS = (
    "Below each paired difference its 95 % interval and p, after Holm's correction for all of "
    "them, and at 5 % whether it is better or worse; = is no difference in any replication. "
    "Differences of shares (%) are in percentage points."
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


def difference_table(
    cells: Sequence[Cell], differences: Sequence[Difference], baseline: Mapping[str, Any]
) -> RenderableType:
    """Cells minus their baseline: a row per cell; difference, interval, p-value and verdict."""
    measures = list(dict.fromkeys(one.measure for one in differences))
    found = {(one.cell, one.measure): one for one in differences}
    table = plain_table(f"minus {named(baseline)}")
    table.add_column(heading(cells).replace(", ", ",\n"), overflow="fold")
    for measure in measures:
        name, _, part = title(measure).rpartition(" ")
        table.add_column(f"{name}\n{part}".strip(), justify="right", no_wrap=True)
    names = dict(zip((index for index, _ in cells), labels(cells), strict=True))
    for index in dict.fromkeys(one.cell for one in differences):
        fields = (_field(found.get((index, measure))) for measure in measures)
        table.add_row(names[index].replace(", ", ",\n"), *fields)
    lines = [WORDS, *censored(cells, differences)]
    return Group(table, *(Text(line, style="dim") for line in lines))


def censored(cells: Sequence[Cell], differences: Sequence[Difference]) -> list[str]:
    """A sentence for each measure: how many durations were censored in either cell of a pair."""
    names = dict(zip((index for index, _ in cells), labels(cells), strict=True))
    found: dict[str, list[str]] = {}
    for one in differences:
        if one.difference.note:
            found.setdefault(one.measure, []).append(f"{names[one.cell]}: {one.difference.note}")
    return [f"{title(measure)}, {'; '.join(told)}." for measure, told in found.items()]


def as_markdown(cells: Sequence[Cell], differences: Sequence[Difference], what: str) -> str:
    """A row for each difference; `what` heads the column of the cells."""
    names = dict(zip((index for index, _ in cells), labels(cells), strict=True))
    lines = [
        f"| {what} | measure | difference | 95 % interval | p (Holm) | verdict |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for one in differences:
        point, bounds = parts(one.difference)
        fields = (names[one.cell], one.measure, point, bounds, f"{one.p:.2g}", one.verdict)
        lines.append("| " + " | ".join(field.replace("|", "\\|") for field in fields) + " |")
    lines += [f"\n{line}" for line in censored(cells, differences)]
    return "\n".join(lines) + "\n"


def plain(differences: Sequence[Difference]) -> list[dict[str, Any]]:
    """The differences as plain data."""
    return [
        {"cell": one.cell, "baseline": one.baseline, "measure": one.measure}
        | plain_estimate(one.difference)
        | {"p": one.p, "verdict": one.verdict}
        for one in differences
    ]


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
        scale, unit = 1.0, " /h" if difference.unit == "per_hour" else ""
    # As many decimals as show three digits of the largest.
    digits = len(significant(largest * scale).partition(".")[2])
    texts = (f"{part * scale:+.{digits}f}" for part in (value, low, high))
    point, *bounds = (part if float(part) else "0" for part in texts)
    return f"{point}{unit}", " to ".join(bounds)


def _signed(point: str) -> str:
    return point if point.startswith("-") else f"+{point}"


def _field(one: Difference | None) -> Text:
    """Difference, interval, p-value and verdict in one field."""
    if one is None:
        return Text("")
    if one.verdict == "same":
        return Text("=", justify="right")
    point, bounds = parts(one.difference)
    field = Text(point, justify="right").append(f"\n{bounds}", style="dim")
    word = "" if one.verdict == "undecided" else f" {one.verdict}"
    p = "p < 0.001" if one.p < 0.001 else f"p {one.p:.2g}"
    return field.append(f"\n{p}{word}", style=STYLES.get(one.verdict, "dim"))
