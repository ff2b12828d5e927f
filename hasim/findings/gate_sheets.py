"""What the gate found as a sheet, in sentences, and as plain data: worst first."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from hasim.measures.catalogue import find
from hasim.report.format import number, significant
from hasim.report.forms.json_text import json_text
from hasim.report.sheet import Column, Field, Mood, Sheet, Value, estimate_field
from hasim.study.estimates.estimate import Estimate
from hasim.study.gate import Change, Comparison, GateReport

MOODS: Mapping[str, Mood] = {
    "pass": "good",
    "regression": "bad",
    "inconclusive": "open",
    "error": "bad",
}
_MOST_SHOWN = 5
WHOLE = (
    "Worse by: the mean paired difference, worse positive, between its one-sided 95 % bounds. "
    "r: the correlation of the pairs; near 0, they have lost their common luck."
)
"""What the columns of the sheet mean."""


def headline(report: GateReport) -> Field:
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
    text = f"{report.verdict}: {', '.join(parts)}"
    return Field(text, mood=MOODS[report.verdict])


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
    times = (one for one in report.comparisons if find(one.measure).may_be_censored)
    if any(not one.identical for one in times):
        yield "A time that was censored counts for as long as it was seen to last."
    if report.unused:
        yield f"In the baseline, but not in the suite: {', '.join(report.unused)}."


def _changed(change: Change) -> str:
    counters = [f"{name} {was} -> {now}" for name, (was, now) in change.counters.items()]
    more = len(counters) - _MOST_SHOWN
    shown = counters[:_MOST_SHOWN] + ([f"{more} more"] if more > 0 else [])
    inside = f" ({', '.join(shown)})" if shown else " (same counts, another order or time)"
    return f"{len(change.differing)} of {change.n} replications{inside}"


def comparison_sheet(report: GateReport, *, brief: bool) -> Sheet:
    """A row for each measure, worst first; if brief, of those alone that are not identical."""
    numbers = ("baseline", "now", "worse by", "margin", "n")
    columns = [
        *map(Column, ("scenario", "measure")),
        *(Column(name, align="right") for name in numbers),
        Column("verdict"),
        *([] if brief else [Column("r", align="right")]),
    ]
    rows = [
        [*_row(one), *([] if brief else [_correlation(one)])]
        for one in report.worst_first
        if not brief or _told(one)
    ]
    return Sheet(columns, rows, notes=[] if brief else [WHOLE], names=2)


def identical(report: GateReport) -> list[str]:
    """How many measures are identical to the baseline, which a brief sheet leaves out."""
    same = sum(not _told(one) for one in report.comparisons)
    return [f"{same} of {len(report.comparisons)} measures are identical."] if same else []


def _told(one: Comparison) -> bool:
    return not one.identical or one.verdict != "pass"


def _row(one: Comparison) -> list[Value]:
    """One comparison; differences and margins in absolute terms."""
    verdict = one.verdict + (" (better)" if one.better else "")
    return [
        one.cell,
        one.measure,
        _number(one.baseline, one.unit),
        _number(one.current, one.unit),
        worse_by(one),
        _number(one.margin, one.unit),
        str(one.n),
        Field(verdict, mood=MOODS[one.verdict]),
    ]


def _number(value: float | None, unit: str) -> Field:
    return Field("-" if value is None else number(value, unit), value=value)


def worse_by(one: Comparison) -> Field:
    """How much worse, between its one-sided 95 % bounds: ``+1.20 s [1.10, 1.31]``."""
    if one.difference is None:
        return Field("-", value=None)
    estimate = Estimate(one.measure, one.unit, one.difference, one.lower, one.upper, one.n, "")
    shown = estimate_field(estimate)
    if one.identical:
        return dataclasses.replace(shown, text="0", lines=())
    if one.difference <= 0:
        return shown
    point, *below = shown.lines
    return dataclasses.replace(shown, text=f"+{shown.text}", lines=(f"+{point}", *below))


def _correlation(one: Comparison) -> Field:
    text = "-" if one.correlation is None else f"{one.correlation:.2f}"
    return Field(text, value=one.correlation)


def tidy(report: GateReport) -> Sheet:
    """A row for each measure with all that is known of it, in full precision."""
    columns = [Column(field.name) for field in dataclasses.fields(Comparison)]
    rows = [list(dataclasses.astuple(one)) for one in report.worst_first]
    return Sheet(columns, rows)


def plain(report: GateReport) -> dict[str, Any]:
    """All of it as plain data."""
    return {
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
            "extra": f"{one.verdict}; worse by {worse_by(one).text}, margin "
            f"{number(one.margin, one.unit)}, n {one.n}",
        }
        rows.append(row)
    return json_text(rows)


def _smaller_is_better(one: Comparison) -> tuple[str, str, float] | None:
    """What to put before the measure's name, its unit and value; None without a finite one."""
    if one.current is None:
        return None
    if not one.more_is_better:
        return "", one.unit, one.current
    if one.unit == "ratio":
        return "1 - ", one.unit, 1 - one.current
    return ("1 / ", f"1/{one.unit}", 1 / one.current) if one.current > 0 else None
