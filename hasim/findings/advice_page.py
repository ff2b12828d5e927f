"""The page of an advice: the verdict, the front, what was tried, what else would help."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from hasim.measures.catalogue import find
from hasim.report.html.dots import dots
from hasim.report.html.fronts import pareto_chart
from hasim.report.html.page import Block, Chart, Grid, Page, Section
from hasim.report.pareto import Spot
from hasim.report.sheet import Paper
from hasim.report.titles import title
from hasim.study.estimates.estimate import Estimate

MOST = 40
"""Settings that a figure of one measure shows: the first of the table."""
Limits = tuple[float | None, float | None]


def advice_page(
    paper: Paper,
    spots: Sequence[Spot],
    axes_of: tuple[str, str] | None,
    limits: Limits,
    tried: Mapping[str, Mapping[str, Estimate]],
) -> Page:
    """The page; what was decided stands first, and what it rests on last.

    `spots` are the settings in the plane of two measures (`axes_of`, None without noise), of which
    each may have a limit; `tried` are the estimates of each setting, in the order of the table.
    """
    table, *others = paper.sheets
    sections = [
        Section("What it costs", list(_front(spots, axes_of, limits))),
        Section("What was tried", [table, *_measures(tried)]),
        *(Section(sheet.caption, [sheet]) for sheet in others),
    ]
    kept = [section for section in sections if section.blocks]
    return Page(paper.title, paper.headline, paper.said, kept, paper.notes)


def _front(
    spots: Sequence[Spot], axes_of: tuple[str, str] | None, limits: Limits
) -> Iterator[Block]:
    if axes_of is None:
        yield (
            "The scenario states no noise (loss in bursts, stalls), so nothing is known of false "
            "failovers: a setting that notices sooner looks as if it were free."
        )
        return
    chart = pareto_chart(spots, axes_of, limits)
    if chart.columns["setting"]:
        yield chart


def _measures(tried: Mapping[str, Mapping[str, Estimate]]) -> Iterator[Block]:
    """A figure of each measure."""
    shown = dict(islice(tried.items(), MOST))
    charts: list[Chart] = []
    for measure in next(iter(shown.values()), {}):
        found = [(name, own[measure]) for name, own in shown.items()]
        rows = [
            (name, one.value, one.low, one.high)
            for name, one in found
            if one.value is not None and not math.isnan(one.value)
        ]
        if rows:
            name = f"estimate-{measure.replace('.', '-')}"
            charts.append(dots(name, title(measure).capitalize(), rows, find(measure).unit))
    if charts:
        yield Grid(charts)
