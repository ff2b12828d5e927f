"""What the gate found, for people and for programs: worst first, in the terminal or a file."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hasim.report.format import estimate_text, number, significant
from hasim.report.junit import as_junit
from hasim.study.estimates.estimate import Estimate
from hasim.study.gate import Change, Comparison, GateReport

FORMATS = ("markdown", "junit", "json", "benchmark-action")
COLUMNS = ("scenario", "measure", "baseline", "now", "worse by", "margin", "n", "verdict")
_STYLES = {
    "pass": "green",
    "regression": "bold red",
    "inconclusive": "yellow",
    "error": "bold red",
}
_MOST_SHOWN = 5
CENSORED = ("detection_time.mean", "failover_time.mean", "outage.mean")
"""Measures of times that may be cut short, by a cure or the end of the run."""


def render(report: GateReport, style: str) -> str:
    """The report as text that ends in a line feed.

    Raises ValueError, naming the formats, for any other `style`.
    """
    match style:
        case "markdown":
            return as_markdown(report)
        case "junit":
            return as_junit(report)
        case "json":
            return as_json(report)
        case "benchmark-action":
            return as_benchmark_action(report)
    raise ValueError(f"unknown format {style!r}; expected one of {', '.join(FORMATS)}")


def headline(report: GateReport) -> str:
    """The verdict in one sentence."""
    counts = [
        (len(report.errors), "scenario crashed", "scenarios crashed"),
        (len(report.regressions), "regression", "regressions"),
        (len(report.inconclusive), "inconclusive", "inconclusive"),
        (len(report.missing), "scenario not compared", "scenarios not compared"),
    ]
    parts = [f"{n} {one if n == 1 else many}" for n, one, many in counts if n]
    if report.exact and report.changed:
        parts.append("behaviour changed")
    if report.speed and report.slower:
        parts.append("slower")
    parts.append(f"{sum(c.verdict == 'pass' for c in report.comparisons)} passed")
    return f"{report.verdict}: {', '.join(parts)}"


def remarks(report: GateReport) -> Iterator[str]:
    """Everything beside the measures, a sentence each."""
    for cell, error in report.errors.items():
        lines = error.splitlines()
        yield f"{cell}: crashed: {lines[0]}: {lines[-1]}"
    for cell, reason in report.missing.items():
        yield f"{cell}: not compared: {reason}."
    for change in report.changes:
        if change.changed:
            yield f"{change.cell}: behaviour changed in {_changed(change)}."
        for path, (was, now) in change.settings.items():
            yield f"{change.cell}: {path} was {was}, is {now}."
    for speed in report.slower:
        advice = "" if report.speed else " (advisory)"
        yield (
            f"{speed.cell}: takes {significant(speed.ratio)} times as long "
            f"[{significant(speed.lower)}, {significant(speed.upper)}]{advice}."
        )
    for name, (was, now) in report.versions.items():
        yield f"{name} was {was} when the baseline was made, is {now}."
    if any(one.unit == "ratio" and not one.identical for one in report.comparisons):
        yield "Differences and margins of shares (%) are in percentage points."
    if any(one.measure in CENSORED and not one.identical for one in report.comparisons):
        yield "A time that was censored counts for as long as it was seen to last."
    if report.unused:
        yield f"In the baseline, but not in the suite: {', '.join(report.unused)}."


def _changed(change: Change) -> str:
    counters = [f"{name} {was} -> {now}" for name, (was, now) in change.counters.items()]
    more = len(counters) - _MOST_SHOWN
    shown = counters[:_MOST_SHOWN] + ([f"{more} more"] if more > 0 else [])
    inside = f" ({', '.join(shown)})" if shown else " (same counts, another order or time)"
    return f"{len(change.differing)} of {change.n} replications{inside}"


def fields(one: Comparison) -> tuple[str, ...]:
    """One comparison in the columns of `COLUMNS`; differences and margins in absolute terms."""
    return (
        one.cell,
        one.measure,
        "-" if one.baseline is None else number(one.baseline, one.unit),
        "-" if one.current is None else number(one.current, one.unit),
        difference_text(one),
        number(one.margin, one.unit),
        str(one.n),
        one.verdict + (" (better)" if one.better else ""),
    )


def difference_text(one: Comparison) -> str:
    """How much worse, between its one-sided 95 % bounds: ``+1.20 s [1.10, 1.31]``."""
    if one.difference is None:
        return "-"
    if one.identical:
        return "0"
    estimate = Estimate(one.measure, one.unit, one.difference, one.lower, one.upper, one.n, "")
    return ("+" if one.difference > 0 else "") + estimate_text(estimate)


def terminal(report: GateReport) -> RenderableType:
    """A table of what is not identical to the baseline, worst first, and the remarks."""
    shown = [one for one in report.worst_first if not one.identical or one.verdict != "pass"]
    same = len(report.comparisons) - len(shown)
    parts: list[RenderableType] = []
    if shown:
        table = Table(box=box.SIMPLE_HEAD)
        for name in COLUMNS:
            right = name in ("baseline", "now", "worse by", "margin", "n")
            table.add_column(name, justify="right" if right else "left", overflow="fold")
        for one in shown:
            *most, verdict = fields(one)
            table.add_row(*most, Text(verdict, style=_STYLES[one.verdict]))
        parts.append(table)
    if same:
        parts.append(Text(f"{same} of {len(report.comparisons)} measures are identical."))
    parts += [Text(line) for line in remarks(report)]
    parts.append(Text(headline(report), style=_STYLES[report.verdict]))
    return Group(*parts)


def as_markdown(report: GateReport) -> str:
    """Markdown for a step summary: the verdict, all measures worst first, the remarks."""
    lines = [f"## hasim bench: {report.suite}", "", f"**{headline(report)}**"]
    if report.comparisons:
        lines += ["", _row([*COLUMNS, "r"]), _row(["---", "---", *["---:"] * 5, "---", "---:"])]
        lines += [_row([*fields(one), _correlation(one)]) for one in report.worst_first]
        lines += [
            "",
            "Worse by: the mean paired difference, worse positive, between its one-sided 95 % "
            "bounds. r: the correlation of the pairs; near 0, they have lost their common luck.",
        ]
    notes = list(remarks(report))
    if notes:
        lines += ["", *(f"- {line}" for line in notes)]
    return "\n".join(lines) + "\n"


def _correlation(one: Comparison) -> str:
    return "-" if one.correlation is None else f"{one.correlation:.2f}"


def _row(texts: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"


def as_json(report: GateReport) -> str:
    """JSON with full precision; an infinite bound is null."""
    plain = {
        "suite": report.suite,
        "baseline": report.baseline,
        "verdict": report.verdict,
        "exact": report.exact,
        "speed": report.speed,
        "wall_s": report.wall_s,
        "comparisons": [dataclasses.asdict(one) for one in report.worst_first],
        "changes": [dataclasses.asdict(one) for one in report.changes],
        "speeds": [{**dataclasses.asdict(one), "slower": one.slower} for one in report.speeds],
        "missing": dict(report.missing),
        "errors": dict(report.errors),
        "unused": list(report.unused),
        "versions": {name: list(pair) for name, pair in report.versions.items()},
    }
    return json.dumps(_finite(plain), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_benchmark_action(report: GateReport) -> str:
    """The ``{name, unit, value}`` list of github-action-benchmark, for customSmallerIsBetter.

    Of what more is better, a share is given as what is missing to 1, a rate as its reciprocal.
    """
    rows = []
    for one in report.comparisons:
        known = _smaller_is_better(one)
        if known is None:
            continue
        prefix, unit, value = known
        row = {
            "name": f"{one.cell}: {prefix}{one.measure}",
            "unit": unit,
            "value": value,
            "extra": f"{one.verdict}; worse by {difference_text(one)}, margin "
            f"{number(one.margin, one.unit)}, n {one.n}",
        }
        rows.append(row)
    return json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _smaller_is_better(one: Comparison) -> tuple[str, str, float] | None:
    """What to put before the measure's name, its unit and value; None without a finite one."""
    if one.current is None:
        return None
    if not one.more_is_better:
        return "", one.unit, one.current
    if one.unit == "ratio":
        return "1 - ", one.unit, 1 - one.current
    return ("1 / ", f"1/{one.unit}", 1 / one.current) if one.current > 0 else None


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value
