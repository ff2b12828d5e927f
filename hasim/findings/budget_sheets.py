"""The budget of a year's unavailability as sheets: by fault, by cause, and every part of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hasim.findings.budget_words import CAUSES, OF, WAITING, words_of
from hasim.findings.summary import plain_verdict
from hasim.report.cells import labels, text
from hasim.report.format import estimate_text, percent, seconds, significant
from hasim.report.sheet import Column, Field, Sheet, Value, finite, plain_estimate
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.expectations import Verdict
from hasim.study.estimates.statistics import Interval
from hasim.study.rare.analysis import CellBudget
from hasim.study.rare.combine import difference, scaled
from hasim.study.rare.estimate import ALL, FAULTS, OVERLAP, QUIET, TOTAL, Budget
from hasim.study.rare.falsely import FalseFailovers
from hasim.study.rare.rates import FaultClass
from hasim.units import HOUR, MINUTE, SECOND, YEAR

MINUTES = YEAR / MINUTE
SECONDS = YEAR / SECOND
CROWDED = 0.3
"""Faults in a window from which on they are not called rare: (Lambda W)^3 / 6 is half a percent."""
MATTERS = 0.01
"""What is left out is worth a word on how to have it, from this share of the whole on."""


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


# -- for programs -----------------------------------------------------------------------


def rows(cells: Sequence[CellBudget]) -> Iterator[dict[str, Any]]:
    """One row per cell, fault and cause; as on paper, only overlap may be negative."""
    for cell in cells:
        whole = cell.budget.unavailability.value
        for (fault, cause), found in cell.budget.parts.items():
            part = _least(fault, found)
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


def tidy(cells: Sequence[CellBudget]) -> Sheet:
    """One row per cell, fault and cause, in full precision."""
    found = list(rows(cells))
    return Sheet([Column(name) for name in found[0]], [list(row.values()) for row in found])


def plain_cell(measure: str, cell: CellBudget, judged: Sequence[Verdict]) -> dict[str, Any]:
    """A cell as plain data; the share itself is under the name of the measure."""
    budget = cell.budget
    share = measure.partition(".")[0]
    columns = ("fault", "cause", "unavailability", "low", "high", "minutes_per_year",
               "minutes_low", "minutes_high", "share", "n", "method")  # fmt: skip
    found: dict[str, Any] = {
        "cell": cell.index,
        "varied": dict(cell.varied),
        "faults": [_plain_class(one, budget) for one in cell.classes],
        "parts": [{column: row[column] for column in columns} for row in rows([cell])],
        share: plain_estimate(estimate_of(share, "ratio", budget.uptime)),
        "nines": plain_estimate(estimate_of("nines", "count", nines(budget.unavailability))),
        "faults_per_window": budget.crowd,
        "left_out": budget.left_out,
        "more_than_first": None
        if cell.more is None
        else plain_estimate(estimate_of("difference", "ratio", cell.more)),
        "clients_wait": {
            kept: plain_estimate(estimate_of(f"clients_wait.{kept}", "ratio", part))
            for kept, part in cell.waiting.items()
        },
        "quiet_s": budget.quiet_s,
        "false_failovers": budget.mistakes,
        "not_excluded": finite(budget.floor),
    }
    if cell.plain is not None:
        gap = difference(cell.plain, budget.seen)
        found["crude"] = {
            "simulated_s": cell.plain_s,
            "unavailability": plain_estimate(estimate_of("crude", "ratio", cell.plain)),
            "difference": plain_estimate(estimate_of("difference", "ratio", gap)),
        }
    if cell.false is not None:
        found["false_failovers_rare"] = _plain_false(cell.false, cell.false_down)
    found["verdicts"] = [plain_verdict(verdict) for verdict in judged]
    return found


def _plain_false(false: FalseFailovers, down: Interval | None) -> dict[str, Any]:
    def plain(name: str, unit: str, found: Interval | None) -> Any:
        return None if found is None else plain_estimate(estimate_of(name, unit, found))

    return {
        "per_year": plain("failovers.mistaken", "per_year", false.told),
        "by_tilting": plain("failovers.mistaken", "per_year", false.check),
        "declarations": false.hits,
        "heaviest": false.heaviest,
        "refused": false.refused,
        "noise": false.noise,
        "down_s": plain("down", "s", down),
    }


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


# -- for people -------------------------------------------------------------------------


def sheets(
    measure: str, cells: Sequence[CellBudget], verdicts: Sequence[Sequence[Verdict]]
) -> Iterator[Sheet]:
    """What a person is shown of each cell: by fault, then by cause, and what it comes to."""
    names = labels([(cell.index, cell.varied) for cell in cells])
    for cell, label, judged in zip(cells, names, verdicts, strict=True):
        prefix = f"{label}: " if len(cells) > 1 else ""
        words = words_of(measure)
        minutes = f"{prefix}{words.minutes}"
        yield by_fault(cell, f"{minutes} by fault", words.each)
        yield by_cause(cell.budget, f"{minutes} by cause", list(remarks(measure, cell, judged)))


def compared(cells: Sequence[CellBudget]) -> Iterator[Sheet]:
    """What faults cost more or less than in the first cell, in runs that are paired."""
    names = labels([(cell.index, cell.varied) for cell in cells])
    rows: list[list[Value]] = []
    for cell, label in zip(cells, names, strict=True):
        if cell.more is None:
            continue
        low, high = cell.more.low, cell.more.high
        verdict = "more" if low > 0 else "less" if high < 0 else "undecided"
        rows.append([label, _bounded(scaled(cell.more, MINUTES)), verdict])
    if rows:
        columns = [Column("cell"), Column("minutes a year", align="right"), Column("")]
        said = (
            "The same faults at the same moments in both, so that chance cancels; false failovers "
            "without a fault are not in it."
        )
        yield Sheet(columns, rows, f"what faults cost more than with {names[0]}", [said])


def by_fault(cell: CellBudget, caption: str, each: str = words_of("uptime").each) -> Sheet:
    """How often each fault strikes, what one costs, and what they cost in a year."""
    budget = cell.budget
    numbers = ("a year", "of each", "lasts", each, "minutes a year", "share")
    rows: list[list[Value]] = []
    for one in cell.classes:
        rate = scaled(one.rate.per_s, SECONDS)
        down = estimate_of("down", "s", _not_negative(budget.down_s[one.name]))
        lasts = Field(seconds(one.kind.mean_s), value=one.kind.mean_s)
        rows.append([one.name, _bounded(rate), one.whose, lasts, down, *_cost(budget, one.name)])
    nothing = Field("", value=None)
    rows += [
        [name, *[nothing] * 4, *_cost(budget, name)] for name in (OVERLAP, FAULTS, QUIET, TOTAL)
    ]
    return Sheet([Column("fault"), *(Column(n, align="right") for n in numbers)], rows, caption)


def by_cause(budget: Budget, caption: str, said: Sequence[str] = ()) -> Sheet:
    """Minutes a year of each cause, by fault and in all."""
    names = [name for name in budget.faults if name != FAULTS]
    rows: list[list[Value]] = []
    for cause in (*budget.causes, ALL):
        parts = [budget.parts[name, cause] for name in names]
        if cause != ALL and not any(part.value or part.high for part in parts):
            continue
        *points, total = map(_least, names, parts)
        rows.append([
            CAUSES.get(cause, cause),
            *(_minutes(part, budget, bounds=False) for part in points),
            _minutes(total, budget),
            _share(total.value or 0.0, budget.unavailability.value),
        ])  # fmt: skip
    columns = [Column("cause"), *(Column(name, align="right") for name in (*names, "share"))]
    return Sheet(columns, rows, caption, said)


def _cost(budget: Budget, fault: str) -> list[Value]:
    shown, whole = _least(fault, budget.parts[fault, ALL]), budget.unavailability.value
    return [_minutes(shown, budget), _share(shown.value or 0.0, whole)]


def _least(fault: str, part: Interval) -> Interval:
    return part if fault == OVERLAP else _not_negative(part)


def _not_negative(part: Interval) -> Interval:
    """Nothing costs less than nothing: an estimate below that is chance, and shown as 0.

    Only faults that overlap can save time: downtime that two of them share is counted once.
    """
    value = None if part.value is None else max(0.0, part.value)
    return replace(part, value=value, low=max(0.0, part.low), high=max(0.0, part.high))


def _minutes(part: Interval, budget: Budget, *, bounds: bool = True) -> Field:
    """Minutes a year, with as many decimals as give the total four significant digits."""
    whole = abs(budget.unavailability.value or 0.0) * MINUTES
    decimals = min(9, max(0, 3 - math.floor(math.log10(whole)))) if whole else 3

    def shown(share: float) -> str:
        if not share or not math.isfinite(share):
            return significant(share)
        text = f"{share * MINUTES:.{decimals}f}"
        return text if float(text) else text.lstrip("-")

    minutes = scaled(part, MINUTES)
    value = {name: getattr(minutes, name) for name in ("value", "low", "high", "n")}
    point = shown(part.value or 0.0)
    if not bounds or part.low == part.high:
        return Field(point, value=value)
    return _with_interval(point, shown(part.low), shown(part.high), value)


def _share(value: float, whole: float | None) -> Field:
    if not whole:
        return Field("-", value=None)
    small = abs(value / whole) < 5e-4 and value
    return Field("< 0.1 %" if small else f"{100 * value / whole:.1f} %", value=value / whole)


def _bounded(interval: Interval) -> Field:
    """``2.60 [2.53, 2.68]``; the number alone if it is known."""
    value = {name: getattr(interval, name) for name in ("value", "low", "high", "n")}
    if interval.value is None:
        return Field("-", value=None)
    point, low, high = map(significant, (interval.value, interval.low, interval.high))
    if interval.low == interval.high:
        return Field(point, value=value)
    return _with_interval(point, low, high, value)


def _with_interval(point: str, low: str, high: str, value: Mapping[str, Any]) -> Field:
    below = f"{low} to {high}" if low.startswith("-") else f"{low}-{high}"
    return Field(f"{point} [{low}, {high}]", (point, below), value)


def remarks(measure: str, cell: CellBudget, judged: Sequence[Verdict]) -> Iterator[str]:
    """What the numbers come to, and what they rest on, in sentences."""
    budget = cell.budget
    uptime = estimate_text(estimate_of("uptime", "ratio", budget.uptime))
    reached = _bounded(nines(budget.unavailability)).text
    serves = cell.stateless and measure.startswith("uptime") and measure != "uptime.k_of_n"
    of = "the tier serves" if serves else OF[measure]
    yield f"{words_of(measure).name} ({of}) {uptime}: {reached} nines."
    for verdict in judged:
        yield f"Expected {verdict.text}: {verdict.verdict}; {verdict.by_how_much}."
    if cell.waiting:
        yield _waiting_remark(cell.waiting)
    if cell.false is not None and cell.false.told is not None:
        yield _false_remark(cell, cell.false.told)
    elif budget.quiet_s:
        yield _quiet_remark(budget)
    if cell.false is not None and cell.false.refused:
        yield f"False failovers without waiting for them: no number; {cell.false.refused}."
    fitted = {one.rate.origin: None for one in cell.classes if one.rate.per_s.method != "given"}
    if fitted:
        yield f"Rates: {'; '.join(fitted)}. How long faults last is the scenario's (for)."
    if cell.fence_fails is not None:
        yield (
            f"Half of the runs with one fault have the first order to the fencing device fail; "
            f"they count {percent(cell.fence_fails)}."
        )
    many = {1: "two", 2: "three", 3: "four", 4: "five"}[budget.most]
    matters = budget.left_out > MATTERS * (budget.unavailability.value or 0.0)
    costs = {2: "; --triples says what three cost", 3: "; --quadruples says what four cost"}
    asked = costs.get(budget.most, "") if matters else ""
    yield (
        f"Left out: {many} or more faults at a time, of the order of "
        f"{significant(budget.left_out * SECONDS, 2)} s a year "
        f"({significant(budget.crowd, 2)} faults in a window{asked})."
    )
    if (budget.parts[OVERLAP, ALL].value or 0.0) < 0.0:
        yield "Overlap is below 0: downtime that two faults share is counted once."
    if budget.crowd > CROWDED:
        yield "Faults are not rare here: a plain simulation (--crude, hasim run) says more."
    if cell.plain is not None:
        gap = difference(cell.plain, budget.seen)
        yield (
            f"Crude: {_bounded(scaled(cell.plain, MINUTES)).text} minutes a year in "
            f"{seconds(cell.plain_s)} of plain simulation, "
            f"{_bounded(scaled(gap, MINUTES)).text} more than the budget; after a failover it "
            f"leaves the partitions where they are."
        )


def _false_remark(cell: CellBudget, rate: Interval) -> str:
    """How many false failovers there are a year, on what that rests, and what one costs."""
    assert cell.false is not None
    found = (
        f"False failovers: {_bounded(rate).text} a year of the whole scenario, given "
        f"{cell.false.noise} ({cell.false.hits:,} declarations by splitting; by tilting: "
        f"{_bounded(cell.false.check or rate).text})."
    )
    if cell.false_down is None:
        return found
    cost = estimate_text(estimate_of("down", "s", cell.false_down))
    return f"{found} One costs {cost}."


def _waiting_remark(waiting: Mapping[str, Interval]) -> str:
    """For how long clients send to the old master beside the downtime, and what keeps them."""
    whole = _bounded(scaled(waiting[ALL], MINUTES)).text
    parts = ", ".join(
        f"{words} {significant((waiting[kept].value or 0.0) * MINUTES)}"
        for kept, words in WAITING.items()
    )
    return (
        f"Beside that, clients send to a master after it has been replaced for {whole} "
        f"client-minutes a year: {parts}."
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


def about(header: Mapping[str, Any]) -> str:
    """What all numbers rest on."""
    asked = (("three", header["triples"]), ("four", header["quadruples"]))
    more = "".join(f", {count} with {word}" for word, count in asked if count)
    return (
        f"Seed {header['seed']}; {header['runs']} runs with one fault of each kind, "
        f"{header['pairs']} with two{more}. Intervals are 95 %; a year has 365.25 days. Each "
        f"fault meets the partitions at home: where the scenario puts them."
    )
