"""The page of a capacity: whether today's load is carried, and how much is with masters down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hasim.report.html.dots import dots
from hasim.report.html.page import Block, Page, Section
from hasim.report.sheet import Paper
from hasim.study.capacity.capacity import Found


def capacity_page(found: Found, paper: Paper) -> Page:
    """The page; the answer stands first."""
    first, *others = (replace(sheet, caption="") for sheet in paper.sheets)
    titles = [sheet.caption for sheet in paper.sheets]
    sections = [
        Section(titles[0], [*_carried(found), first]),
        *(Section(title, [sheet]) for title, sheet in zip(titles[1:], others, strict=True)),
    ]
    return Page(paper.title, paper.headline, paper.said, sections, paper.notes)


def _carried(found: Found) -> Iterator[Block]:
    """A dot for the load that holds with so many down, a line to the one that breaks."""
    rows = [
        (f"{row.down.label} down", below, below, row.border.above or below)
        for row in found.carried
        if (below := row.border.below) is not None
    ]
    if not rows:
        return
    loads = found.loads
    rows.append(("today's load", loads.today, loads.today, loads.today))
    unit = "of the recorded load" if loads.recorded else "messages a second"
    about = (
        f"{unit.capitalize()}: the largest load that was shown to hold, and the line to the "
        f"smallest that was shown to break."
    )
    yield dots("carried", "Load that is carried", rows, "count", about)
