"""The page of a budget: the nines, then what a year's minutes are lost on, drawn and in tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from hasim.findings.budget_sheets import MINUTES, by_cause, by_fault, compared, nines
from hasim.findings.budget_words import CAUSES, Words
from hasim.report.cells import labels
from hasim.report.format import percent, significant
from hasim.report.html.charts import stacked
from hasim.report.html.dots import dots
from hasim.report.html.page import Block, Grid, Page, Section
from hasim.report.sheet import Field, Paper
from hasim.study.estimates.statistics import Interval
from hasim.study.rare.analysis import CellBudget
from hasim.study.rare.estimate import ALL, FAULTS, TOTAL, Budget

MOST = 24
"""Cells that have a figure of their own: the first."""


def budget_page(
    name: str,
    words: Words,
    cells: Sequence[CellBudget],
    said: Sequence[Sequence[str]],
    paper: Paper,
) -> Page:
    """The page, in the words of the measure; `said` are the sentences of each cell."""
    names = labels([(cell.index, cell.varied) for cell in cells])
    several = len(cells) > 1
    first = [f"{label}: {_found(cell, words)}." for label, cell in zip(names, cells, strict=True)]
    sections = [
        Section("What the minutes are lost on", list(_lost(names, cells, words))),
        Section("Against the first cell", list(compared(cells))),
        *(
            Section(
                label if several else "By fault and by cause",
                list(_cell(cell, own, f"{label}: " if several else "", words)),
            )
            for label, cell, own in zip(names, cells, said, strict=True)
        ),
    ]
    kept = [section for section in sections if section.blocks]
    headline = Field(_best(names, cells, words) if several else f"{_found(cells[0], words)}.")
    return Page(f"Budget: {name}", headline, first if several else [], kept, paper.notes)


def _found(cell: CellBudget, words: Words) -> str:
    """What it comes to in one line: nines, minutes, the fault and the cause that cost most."""
    budget = cell.budget
    minutes = _minutes(budget.parts[TOTAL, ALL])
    found = f"{_bounds(nines(budget.unavailability))} nines, {_bounds(minutes)} {words.down}"
    return "; ".join([found, *_most(budget, faults=True), *_most(budget, faults=False)])


def _most(budget: Budget, *, faults: bool) -> Iterator[str]:
    """The part that costs most, and its share."""
    whole = budget.unavailability.value or 0.0
    if faults:
        points = {name: budget.parts[name, ALL].value for name in budget.faults}
        points = {name: v for name, v in points.items() if name not in (FAULTS, TOTAL)}
    else:
        points = {CAUSES.get(c, c): budget.parts[TOTAL, c].value for c in budget.causes}
    known = {name: value for name, value in points.items() if value}
    if whole > 0 and known:
        name = max(known, key=lambda one: known[one] or 0.0)
        kind = "fault" if faults else "cause"
        yield f"{percent((known[name] or 0.0) / whole)} by {kind}: {name}"


def _best(names: Sequence[str], cells: Sequence[CellBudget], words: Words) -> str:
    """The cell with the fewest minutes, and how surely."""
    costs = [cell.budget.unavailability for cell in cells]
    places = sorted(range(len(cells)), key=lambda k: _value(costs[k]))
    best, *others = places
    alike = [names[k] for k in others if costs[k].low <= costs[best].high]
    others_too = f"; not told apart from it: {'; '.join(alike)}" if alike else ""
    minutes = _bounds(_minutes(cells[best].budget.parts[TOTAL, ALL]))
    return f"Fewest {words.minutes}: {names[best]}: {minutes}{others_too}."


def _capital(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}"


def _value(one: Interval) -> float:
    return math.inf if one.value is None else one.value


def _minutes(one: Interval) -> Interval:
    """In minutes a year; what chance makes less than nothing is nothing."""
    value = None if one.value is None else max(0.0, one.value) * MINUTES
    low, high = (max(0.0, end) * MINUTES for end in (one.low, one.high))
    return Interval(value, low, high, one.n, one.method)


def _bounds(one: Interval) -> str:
    value, low, high = (significant(x or 0.0) for x in (one.value, one.low, one.high))
    return value if low == high else f"{value} [{low}, {high}]"


def _lost(names: Sequence[str], cells: Sequence[CellBudget], words: Words) -> Iterator[Block]:
    """All cells beside each other: by fault, by cause, and the nines of each."""
    if len(cells) == 1:
        return
    shown = dict(zip(names, cells, strict=True))
    yield stacked(
        "faults",
        f"{_capital(words.minutes)}, by fault",
        f"Each cell's expected {words.down}, made up of what each kind of fault costs.",
        {label: _of_faults(cell.budget) for label, cell in shown.items()},
        axis=words.minutes,
        unit="minutes",
    )
    yield stacked(
        "causes",
        f"{_capital(words.minutes)}, by cause",
        "The same minutes by what the time was spent on, whatever the fault.",
        {label: _of_causes(cell.budget, TOTAL) for label, cell in shown.items()},
        axis=words.minutes,
        unit="minutes",
    )
    rows = [(label, nines(cell.budget.unavailability)) for label, cell in shown.items()]
    known = [
        (label, one.value, one.low, one.high)
        for label, one in rows
        if one.value is not None and math.isfinite(one.value)
    ]
    if known:
        yield Grid([dots("nines", "Nines", known, "count")])


def _cell(cell: CellBudget, said: Sequence[str], prefix: str, words: Words) -> Iterator[Block]:
    """One cell: a bar for each fault, made up of causes; the tables; the sentences."""
    budget = cell.budget
    parts = {name: _of_causes(budget, name) for name in _faults(budget)}
    if cell.index < MOST and any(value for own in parts.values() for value in own.values()):
        yield stacked(
            f"budget-{cell.index}",
            f"{_capital(words.minutes)} of each fault, by cause",
            f"{words.bars}, made up of what the time was spent on.",
            parts,
            axis=words.minutes,
            unit="minutes",
            of="fault",
        )
    yield by_fault(cell, f"{prefix}{words.minutes} by fault", words.each)
    yield by_cause(budget, f"{prefix}{words.minutes} by cause")
    yield from said


def _faults(budget: Budget) -> list[str]:
    return [name for name in budget.faults if name not in (FAULTS, TOTAL)]


def _of_faults(budget: Budget) -> Mapping[str, float]:
    return {name: _point(budget, name, ALL) for name in _faults(budget)}


def _of_causes(budget: Budget, fault: str) -> Mapping[str, float]:
    return {CAUSES.get(one, one): _point(budget, fault, one) for one in budget.causes}


def _point(budget: Budget, fault: str, cause: str) -> float:
    """Minutes a year; what chance makes less than nothing is nothing."""
    return max(0.0, budget.parts[fault, cause].value or 0.0) * MINUTES
