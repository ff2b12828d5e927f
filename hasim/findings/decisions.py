"""What follows from a table of several cells, in sentences; and what does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from hasim.measures.catalogue import find
from hasim.report.cells import Cell, labels
from hasim.report.format import estimate_text, number
from hasim.report.titles import title
from hasim.study.comparing.best import Best, best_by
from hasim.study.comparing.compare import MEASURES
from hasim.study.estimates.replications import Replications

if TYPE_CHECKING:
    from hasim.measures import Measured
    from hasim.study.estimates.estimate import Estimate

CRITERIA = ("outage.mean", "uptime", "success")
"""What cells are ranked by unless something else is asked for: the first of which all cells have
an estimate, and which tells any of them apart."""
NAMED = 4
"""So many cells are named in a sentence; of more, their number."""
INDIFFERENCE = 0.05
"""A gain of less than this share of what is lost is hardly one, as to `hasim advise`."""


def decisions(
    cells: Sequence[Cell],
    estimates: Sequence[Mapping[str, Estimate]],
    measured: Callable[[int], Sequence[Measured]],
    measures: Sequence[str],
    best: str | None = None,
) -> list[str]:
    """What follows from the estimates of several cells, and what does not; empty for one cell.

    `best` is the measure that decides. What the best cell costs is looked for in `measures` and in
    all that are compared (mistakes and lost writes among them). Raises LookupError for an unknown
    measure, ValueError for a neutral one.
    """
    if len(cells) < 2:
        return []
    by_cell = {index: found for (index, _), found in zip(cells, estimates, strict=True)}
    runs = {index: Replications.of(measured(index)) for index, _ in cells}
    names = dict(zip(by_cell, labels(cells), strict=True))
    ranked = _ranked((best,) if best else CRITERIA, by_cell, runs)
    if ranked is None:
        wanted = f"by {title(best)} " if best else ""
        return [f"Nothing follows {wanted}about which is best: too little was observed."]
    looked = dict.fromkeys((*measures, *MEASURES))
    others = [m for m in looked if m != ranked.measure and not find(m).neutral]
    costs = list(_costs(ranked, others, by_cell, runs, names))
    hardly = _hardly(ranked, by_cell)
    if costs and hardly:
        return [f"{hardly}: {names[ranked.cell]}; what that costs: {'; '.join(costs)}."]
    return [_best(ranked, names), *_costs_said(ranked, costs)]


def chosen(
    cells: Sequence[Cell],
    estimates: Sequence[Mapping[str, Estimate]],
    measured: Callable[[int], Sequence[Measured]],
    best: str | None = None,
) -> Best | None:
    """The best cell with what is behind it, as `decisions` tells it; None if nothing follows.

    Raises LookupError for an unknown measure, ValueError for a neutral one.
    """
    by_cell = {index: found for (index, _), found in zip(cells, estimates, strict=True)}
    runs = {index: Replications.of(measured(index)) for index, _ in cells}
    return _ranked((best,) if best else CRITERIA, by_cell, runs)


def _ranked(
    criteria: Sequence[str],
    estimates: Mapping[int, Mapping[str, Estimate]],
    runs: Mapping[int, Sequence[Measured]],
) -> Best | None:
    found = [one for m in criteria if (one := best_by(m, estimates, runs)) is not None]
    complete = [one for one in found if not one.unknown]
    decided = [one for one in complete if one.decided]
    return next(iter([*decided, *complete, *found]), None)


def _best(ranked: Best, names: Mapping[int, str]) -> str:
    """Which is best, or that none is."""
    by, value = title(ranked.measure), estimate_text(ranked.estimate)
    if not ranked.decided:
        count = len(ranked.alike) + 1
        return f"By {by} the data tell none of {count} apart: no choice follows from it."
    text = f"Best by {by}: {names[ranked.cell]}: {value}"
    nearest, difference = ranked.behind[0]
    if ranked.alike:
        text += f"; not told apart from it: {_listed(ranked.alike, names)}"
    else:
        gap = number(abs(difference.value or 0.0), difference.unit)
        text += f"; next is {names[nearest]}, {_worse(ranked.measure, gap, difference.unit)}"
    if ranked.unknown:
        text += f"; not known of {_listed(ranked.unknown, names)}"
    return text + "."


def _hardly(ranked: Best, estimates: Mapping[int, Mapping[str, Estimate]]) -> str:
    """That the best cell is hardly better than the next one; empty if it is."""
    if not ranked.decided or ranked.alike:
        return ""
    nearest, difference = ranked.behind[0]
    about, value = find(ranked.measure), estimates[nearest][ranked.measure].value or 0.0
    lost = 1.0 - value if about.better == "more" and about.unit == "ratio" else abs(value)
    gain = abs(difference.value or 0.0)
    if not lost or gain >= INDIFFERENCE * lost:
        return ""
    gap = number(gain, difference.unit)
    missing = "what is missing" if about.better == "more" else "the next one's"
    share = f"{100 * gain / lost:.2g} % of {missing}"
    words = _worse(ranked.measure, gap, difference.unit).rpartition(" ")[0]
    return f"Hardly better by {title(ranked.measure)}, by {words} ({share})"


def _costs(
    ranked: Best,
    measures: Sequence[str],
    estimates: Mapping[int, Mapping[str, Estimate]],
    runs: Mapping[int, Sequence[Measured]],
    names: Mapping[int, str],
) -> Iterator[str]:
    """In what the best cell is surely worse than another one."""
    if not ranked.decided:
        return
    for measure in measures:
        rival = best_by(measure, estimates, runs)
        lost = dict(rival.behind).get(ranked.cell) if rival else None
        if rival is not None and lost is not None:
            gap = number(abs(lost.value or 0.0), lost.unit)
            words = _worse(measure, gap, lost.unit)
            yield f"{title(measure)}, {words} than with {names[rival.cell]}"


def _costs_said(ranked: Best, costs: Sequence[str]) -> Iterator[str]:
    """What the best cell costs, in a sentence; nothing where no cell is best."""
    if not ranked.decided:
        return
    if costs:
        yield f"What it costs: {'; '.join(costs)}."
    else:
        yield (
            "By no other measure, mistakes and lost writes included, is it surely worse than "
            "another."
        )


def _worse(measure: str, gap: str, unit: str) -> str:
    """``1.2 s more``, ``0.3 percentage points less``."""
    if unit == "ratio":
        gap = gap.replace(" %", " percentage points")
    return f"{gap} {'less' if find(measure).better == 'more' else 'more'}"


def _listed(cells: Sequence[int], names: Mapping[int, str]) -> str:
    if len(cells) > NAMED:
        return f"{len(cells)} others"
    return "; ".join(names[cell] for cell in cells)
