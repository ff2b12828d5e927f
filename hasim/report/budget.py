"""The budget of a year's unavailability as tables, JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hasim.report import page
from hasim.report.cells import labels, text
from hasim.report.format import estimate_text, percent, seconds, significant
from hasim.report.table import plain_estimate
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.expectations import Verdict
from hasim.study.estimates.statistics import Interval
from hasim.study.rare.analysis import CellBudget
from hasim.study.rare.combine import difference, scaled
from hasim.study.rare.estimate import ALL, FAULTS, OVERLAP, QUIET, TOTAL, Budget
from hasim.study.rare.rates import FaultClass
from hasim.units import HOUR, MINUTE, SECOND, YEAR

MINUTES = YEAR / MINUTE
SECONDS = YEAR / SECOND
CAUSES = {
    "undetected": "detection",
    "deciding": "decision",
    "fencing": "fencing",
    "transferring": "transfer",
    "promoting": "promotion",
    "redirecting": "redirection",
    "mistaken": "false failover",
    "overloaded": "overload",
    "no_capacity": "no backup: waiting for repair",
}
"""What the causes of downtime are called in a budget."""
CROWDED = 0.3
"""Faults in a window from which on they are not called rare: (Lambda W)^3 / 6 is half a percent."""
OF = {"uptime": "every partition up", "uptime.mean": "the mean partition up"}


def estimate_of(measure: str, unit: str, interval: Interval) -> Estimate:
    """An interval under a name."""
    return Estimate(
        measure, unit, interval.value, interval.low, interval.high, interval.n, interval.method
    )


def nines(unavailability: Interval) -> Interval:
    """-log10 of the unavailability: 3 for 99.9 %; infinite without any."""
    value, low, high = (
        -math.log10(u) if u and u > 0 else math.inf
        for u in (unavailability.value, unavailability.high, unavailability.low)
    )
    return Interval(value, low, high, unavailability.n, unavailability.method)


def rows(cells: Sequence[CellBudget]) -> Iterator[dict[str, Any]]:
    """One row per cell, fault and cause."""
    for cell in cells:
        whole = cell.budget.unavailability.value
        for (fault, cause), part in cell.budget.parts.items():
            yield {
                "cell": cell.index,
                **{path: text(value) for path, value in cell.varied.items()},
                "fault": fault,
                "cause": cause,
                "unavailability": part.value,
                "low": part.low,
                "high": part.high,
                "minutes_per_year": (part.value or 0.0) * MINUTES,
                "minutes_low": part.low * MINUTES,
                "minutes_high": part.high * MINUTES,
                "share": part.value / whole if whole and part.value is not None else None,
                "n": part.n,
                "method": part.method,
            }


def render(
    style: str,
    header: Mapping[str, Any],
    cells: Sequence[CellBudget],
    verdicts: Sequence[Sequence[Verdict]],
) -> str:
    """Text in one of the styles ``table``, ``json``, ``csv`` and ``markdown``.

    Raises ValueError for any other.
    """
    if style == "table":
        return _as_text(header, cells, verdicts)
    if style == "json":
        return _as_json(header, cells, verdicts)
    if style == "csv":
        return _as_csv(cells)
    if style == "markdown":
        return _as_markdown(header, cells, verdicts)
    raise ValueError(f"unknown style {style!r}; expected table, json, csv or markdown")


# -- for programs -----------------------------------------------------------------------


def _as_csv(cells: Sequence[CellBudget]) -> str:
    out = io.StringIO()
    found = list(rows(cells))
    writer = csv.DictWriter(out, list(found[0]), lineterminator="\n")
    writer.writeheader()
    for row in found:
        writer.writerow({name: _finite(value, "") for name, value in row.items()})
    return out.getvalue()


def _as_json(
    header: Mapping[str, Any], cells: Sequence[CellBudget], verdicts: Sequence[Sequence[Verdict]]
) -> str:
    plain = [_plain(cell, judged) for cell, judged in zip(cells, verdicts, strict=True)]
    data = {**header, "year_s": SECONDS, "cells": plain}
    return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(cell: CellBudget, judged: Sequence[Verdict]) -> dict[str, Any]:
    budget = cell.budget
    columns = ("fault", "cause", "unavailability", "low", "high", "minutes_per_year",
               "minutes_low", "minutes_high", "share", "n", "method")  # fmt: skip
    found: dict[str, Any] = {
        "cell": cell.index,
        "varied": dict(cell.varied),
        "faults": [_plain_class(one, budget) for one in cell.classes],
        "parts": [{c: _finite(row[c], None) for c in columns} for row in rows([cell])],
        "uptime": plain_estimate(estimate_of("uptime", "ratio", budget.uptime)),
        "nines": plain_estimate(estimate_of("nines", "count", nines(budget.unavailability))),
        "faults_per_window": budget.crowd,
        "left_out": budget.left_out,
        "quiet_s": budget.quiet_s,
        "false_failovers": budget.mistakes,
        "not_excluded": _finite(budget.floor, None),
    }
    if cell.plain is not None:
        gap = difference(cell.plain, budget.seen)
        found["crude"] = {
            "simulated_s": cell.plain_s,
            "unavailability": plain_estimate(estimate_of("crude", "ratio", cell.plain)),
            "difference": plain_estimate(estimate_of("difference", "ratio", gap)),
        }
    found["verdicts"] = [
        {"measure": v.measure, "limit": v.text, "verdict": v.verdict, "by_how_much": v.by_how_much}
        for v in judged
    ]
    return found


def _plain_class(one: FaultClass, budget: Budget) -> dict[str, Any]:
    kind, per_year = one.kind, scaled(one.rate.per_s, SECONDS)
    return {
        "fault": one.name,
        "processes": kind.processes,
        "strikes": one.whose,
        "per_year": plain_estimate(estimate_of("rate", "count", per_year)),
        "origin": one.rate.origin,
        "lasts_s": kind.mean_s,
        "down_s": plain_estimate(estimate_of("down", "s", budget.down_s[one.name])),
    }


def _finite(value: Any, otherwise: Any) -> Any:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return otherwise
    return value


# -- for people -------------------------------------------------------------------------

Table = tuple[str, list[str], list[list[str]]]
"""Caption, column heads, rows."""


def tables(cell: CellBudget, label: str) -> list[Table]:
    """What a person is shown of a cell: by fault, then by cause."""
    prefix = f"{label}: " if label else ""
    return [
        (f"{prefix}minutes a year by fault", *_by_fault(cell)),
        (f"{prefix}minutes a year by cause", *_by_cause(cell.budget)),
    ]


def _by_fault(cell: CellBudget) -> tuple[list[str], list[list[str]]]:
    budget = cell.budget
    heads = ["fault", "a year", "of each", "lasts", "down per fault", "minutes a year", "share"]
    found = []
    for one in cell.classes:
        rate = scaled(one.rate.per_s, SECONDS)
        down = estimate_text(estimate_of("down", "s", budget.down_s[one.name]))
        lasts = seconds(one.kind.mean_s)
        found.append([one.name, _bounded(rate), one.whose, lasts, down, *_cost(budget, one.name)])
    for name in (OVERLAP, FAULTS, QUIET, TOTAL):
        found.append([name, "", "", "", "", *_cost(budget, name)])
    return heads, found


def _cost(budget: Budget, fault: str) -> list[str]:
    part, whole = budget.parts[fault, ALL], budget.unavailability.value
    return [_minutes(part, budget), _share(part.value or 0.0, whole)]


def _minutes(part: Interval, budget: Budget, *, bounds: bool = True) -> str:
    """Minutes a year, with as many decimals as give the total four significant digits."""
    whole = abs(budget.unavailability.value or 0.0) * MINUTES
    decimals = min(9, max(0, 3 - math.floor(math.log10(whole)))) if whole else 3

    def shown(share: float) -> str:
        if not share or not math.isfinite(share):
            return significant(share)
        text = f"{share * MINUTES:.{decimals}f}"
        return text if float(text) else text.lstrip("-")

    point = shown(part.value or 0.0)
    if not bounds or part.low == part.high:
        return point
    return f"{point} [{shown(part.low)}, {shown(part.high)}]"


def _share(value: float, whole: float | None) -> str:
    if not whole:
        return "-"
    return f"{100 * value / whole:.1f} %" if abs(value / whole) >= 5e-4 or not value else "< 0.1 %"


def _by_cause(budget: Budget) -> tuple[list[str], list[list[str]]]:
    names = [name for name in budget.faults if name != FAULTS]
    found = []
    for cause in (*budget.causes, ALL):
        parts = [budget.parts[name, cause] for name in names]
        if cause != ALL and not any(p.value or p.high for p in parts):
            continue
        points = [_minutes(part, budget, bounds=False) for part in parts[:-1]]
        whole = budget.unavailability.value
        found.append([
            CAUSES.get(cause, cause), *points, _minutes(parts[-1], budget),
            _share(parts[-1].value or 0.0, whole),
        ])  # fmt: skip
    return ["cause", *names, "share"], found


def _bounded(interval: Interval) -> str:
    """``2.60 [2.53, 2.68]``; the number alone if it is known."""
    if interval.value is None:
        return "-"
    if interval.low == interval.high:
        return significant(interval.value)
    return (
        f"{significant(interval.value)} [{significant(interval.low)}, {significant(interval.high)}]"
    )


def remarks(
    header: Mapping[str, Any], cell: CellBudget, judged: Sequence[Verdict]
) -> Iterator[str]:
    """What the numbers come to, and what they rest on, in sentences."""
    budget = cell.budget
    uptime = estimate_text(estimate_of("uptime", "ratio", budget.uptime))
    reached = _bounded(nines(budget.unavailability))
    yield f"Uptime ({OF[header['measure']]}) {uptime}: {reached} nines."
    for verdict in judged:
        yield f"Expected {verdict.text}: {verdict.verdict}; {verdict.by_how_much}."
    if budget.quiet_s:
        yield _quiet_remark(budget)
    fitted = {one.rate.origin: None for one in cell.classes if one.rate.per_s.method != "given"}
    if fitted:
        yield f"Rates: {'; '.join(fitted)}. How long faults last is the scenario's (for)."
    if cell.fence_fails is not None:
        yield (
            f"Half of the runs with one fault have the first order to the fencing device fail; "
            f"they count {percent(cell.fence_fails)}."
        )
    many = "three or more" if budget.pairs else "two or more"
    yield (
        f"Left out: {many} faults at a time, of the order of "
        f"{significant(budget.left_out * SECONDS, 2)} s a year "
        f"({significant(budget.crowd, 2)} faults in a window)."
    )
    if budget.crowd > CROWDED:
        yield "Faults are not rare here: a plain simulation (--crude, hasim run) says more."
    if cell.plain is not None:
        gap = difference(cell.plain, budget.seen)
        yield (
            f"Crude: {_bounded(scaled(cell.plain, MINUTES))} minutes a year in "
            f"{seconds(cell.plain_s)} of plain simulation, {_bounded(scaled(gap, MINUTES))} more "
            f"than the budget; after a failover it leaves the partitions where they are."
        )


def _quiet_remark(budget: Budget) -> str:
    hours = significant(budget.quiet_s * SECOND / HOUR)
    if not budget.floor:
        return f"False failovers: {budget.mistakes} in {hours} h without a fault."
    if not math.isfinite(budget.floor):
        return f"No false failover in {hours} h without a fault; what one would cost is unknown."
    found = (
        f"No false failover in {hours} h without a fault: with {percent(budget.level)} confidence "
        f"they cost less than {significant(budget.floor * MINUTES)} minutes a year."
    )
    tenth = budget.parts[FAULTS, ALL].value or 0.0
    if 0 < tenth < 10 * budget.floor:
        needed = significant(budget.quiet_s * SECOND / HOUR * 10 * budget.floor / tenth, 2)
        found += f" To bound them by a tenth of what faults cost takes --quiet {needed}h."
    return found


def _about(header: Mapping[str, Any]) -> str:
    return (
        f"Seed {header['seed']}; {header['runs']} runs with one fault of each kind, "
        f"{header['pairs']} with two. Intervals are 95 %; a year has 365.25 days. Each fault meets "
        f"the partitions at home: where the scenario puts them."
    )


def show(
    header: Mapping[str, Any], cells: Sequence[CellBudget], verdicts: Sequence[Sequence[Verdict]]
) -> None:
    """Print the tables on stdout."""
    from hasim.report import terminal

    for part in _renderables(header, cells, verdicts):
        terminal.console().print(part)


def _as_text(
    header: Mapping[str, Any], cells: Sequence[CellBudget], verdicts: Sequence[Sequence[Verdict]]
) -> str:
    from hasim.report import terminal

    parts = _renderables(header, cells, verdicts)
    return "".join(terminal.to_text(part) for part in parts)


def _renderables(
    header: Mapping[str, Any], cells: Sequence[CellBudget], verdicts: Sequence[Sequence[Verdict]]
) -> Iterator[Any]:
    from rich.table import Table as RichTable
    from rich.text import Text

    from hasim.report import terminal

    for cell, label, judged in zip(cells, _labels(cells), verdicts, strict=True):
        for caption, heads, body in tables(cell, label):
            table: RichTable = terminal.plain_table(caption)
            for index, head in enumerate(heads):
                table.add_column(head, justify="left" if index == 0 else "right", overflow="fold")
            for row in body:
                table.add_row(*row)
            yield table
        for line in remarks(header, cell, judged):
            yield Text(line)
        yield Text("")
    yield Text(_about(header), style="dim")


def _labels(cells: Sequence[CellBudget]) -> list[str]:
    found = labels([(cell.index, cell.varied) for cell in cells])
    return found if len(cells) > 1 else [""]


def _as_markdown(
    header: Mapping[str, Any], cells: Sequence[CellBudget], verdicts: Sequence[Sequence[Verdict]]
) -> str:
    lines: list[str] = []
    for cell, label, judged in zip(cells, _labels(cells), verdicts, strict=True):
        for caption, heads, body in tables(cell, label):
            lines += [
                f"**{caption}**",
                "",
                _row(heads),
                _row(["---", *["---:"] * (len(heads) - 1)]),
            ]
            lines += [*map(_row, body), ""]
        lines += [*remarks(header, cell, judged), ""]
    return "\n".join([*lines, _about(header)]) + "\n"


def as_html(
    header: Mapping[str, Any], cells: Sequence[CellBudget], verdicts: Sequence[Sequence[Verdict]]
) -> str:
    """The tables and remarks for a notebook."""
    parts: list[str] = []
    for cell, label, judged in zip(cells, _labels(cells), verdicts, strict=True):
        parts += [page.table(heads, body, caption) for caption, heads, body in tables(cell, label)]
        parts += map(page.paragraph, remarks(header, cell, judged))
    return "".join([*parts, page.paragraph(_about(header))])


def _row(fields: Sequence[str]) -> str:
    return "| " + " | ".join(field.replace("|", "\\|") for field in fields) + " |"
