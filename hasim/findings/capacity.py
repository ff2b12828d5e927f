"""A capacity as a finding: what is carried with masters down, and when overload stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hasim.findings.capacity_texts import headline, notes, said
from hasim.report.finding import Finding
from hasim.report.format import percent
from hasim.report.sheet import Column, Field, Mood, Paper, Sheet, Value
from hasim.study.capacity.capacity import Found
from hasim.study.capacity.carrying import Carried
from hasim.study.capacity.search import Border

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CARRIED = "What is carried"
STAYS = "When an overload stays after its cause has gone"


@dataclass(frozen=True)
class Capacity(Finding):
    """The largest loads that keep the limits, and the border of overload that keeps itself alive.

    ``capacity.found.carried`` has a row for each number of masters down, each with its
    ``border.below`` (the largest load shown to hold) and ``border.above`` (the smallest load shown
    to break): messages a second, or multiples of a recorded load.
    """

    name: str
    seed: int
    found: Found

    @property
    def carries_today(self) -> bool:
        """Whether today's load is carried in all cases, and no overload would stay at it."""
        return headline(self.found).mood == "good"

    def paper(self, *, brief: bool = False) -> Paper:
        """What is carried, where overload stays, what follows, and what that rests on."""
        sheets = [self._carried()]
        if self.found.outlived is not None:
            sheets.append(self._outlived())
        return Paper(
            sheets,
            said=list(said(self.found)),
            notes=[*notes(self.found), f"Seed {self.seed}."],
            headline=headline(self.found),
            title=f"Capacity: {self.name}",
        )

    def tidy(self) -> Sheet:
        """A row for each border."""
        columns = [Column(n) for n in ("what", "down", "holds", "breaks", "replications")]
        rows: list[Sequence[Value]] = [
            ["carried", row.down.label, row.border.below, row.border.above, row.replications]
            for row in self.found.carried
        ]
        rows += [[*row, None] for row in self._borders()]
        return Sheet(columns, rows)

    def plain(self) -> dict[str, Any]:
        """All of it as plain data."""
        found, outlived = self.found, self.found.outlived
        plain: dict[str, Any] = {
            "scenario": self.name,
            "seed": self.seed,
            "for": [str(limit) for limit in found.terms.limits],
            "unit": "recorded" if found.loads.recorded else "per_s",
            "today": found.loads.today,
            "carried": [
                {
                    "down": row.down.label,
                    "masters": list(row.down.masters),
                    **_plain(row.border),
                    "breaks_first": row.broken or None,
                    "loads": [
                        {"load": load, "standing": one.standing, "replications": one.replications}
                        for load, one in sorted(row.looked.items())
                    ],
                }
                for row in found.carried
            ],
        }
        if outlived is not None:
            plain["outlived"] = {
                "cause": outlived.cause.text,
                "found": outlived.found,
                "after_cause": _plain(outlived.after),
                "without_cause": _plain(outlived.alone),
                "replications": outlived.replications,
                "stayed_down": [
                    {"load": load, "after_cause": with_, "without_cause": without}
                    for load, (with_, without) in outlived.down.items()
                ],
            }
        return plain

    def page(self) -> str:
        """The capacity as one HTML file: whether today's load is carried, what is, the tables.

        Raises `hasim.report.html.library.NoLibraryError` without the extra ``report``.
        """
        from hasim.findings.capacity_page import capacity_page
        from hasim.report.html.page import html_page

        return html_page(capacity_page(self.found, self.paper()))

    def figure(self) -> Figure:
        """What is carried, a bar for each number of masters down, and today's load."""
        from hasim.report.capacity import Bar, capacity_plot

        bars = [Bar(_down(row), row.border.below, row.border.above) for row in self.found.carried]
        outlived = self.found.outlived
        if outlived is not None and outlived.found:
            bars.append(Bar("recovers after its cause", outlived.after.below, outlived.after.above))
        today = None if self.found.loads.recorded else self.found.loads.today
        unit = "of the recorded load" if self.found.loads.recorded else "messages a second"
        return capacity_plot(bars, today, unit, [str(limit) for limit in self.found.terms.limits])

    def _carried(self) -> Sheet:
        none = self.found.carried[0].border.below
        rows: list[Sequence[Value]] = []
        for row in self.found.carried:
            below = row.border.below
            share = below / none if below and none else None
            rows.append(
                [
                    _down(row),
                    self._load(below, "good" if self._enough(below) else "bad"),
                    self._load(row.border.above),
                    Field("-" if share is None else percent(share), value=share),
                    row.broken or "-",
                    row.replications,
                ]
            )
        columns = [
            Column("masters\ndown", "down"),
            Column("holds\nup to", "holds", align="right"),
            Column("breaks\nfrom", "breaks", align="right"),
            Column("of the\nfirst row", "share", align="right"),
            Column("breaks first"),
            Column("replications", align="right"),
        ]
        return Sheet(columns, rows, caption=CARRIED)

    def _outlived(self) -> Sheet:
        rows: list[Sequence[Value]] = [
            [down, self._load(below), self._load(above), self._count(down, below), counted]
            for _, down, below, above in self._borders()
            for counted in [self._count(down, above)]
        ]
        columns = [
            Column("after"),
            Column("recovers\nup to", "holds", align="right"),
            Column("stays down\nfrom", "breaks", align="right"),
            Column("stayed down\nbelow", "down_below", align="right"),
            Column("stayed down\nabove", "down_above", align="right"),
        ]
        return Sheet(columns, rows, caption=STAYS)

    def _borders(self) -> Iterator[tuple[str, str, float | None, float | None]]:
        """What, after what, and the border between recovery and staying down."""
        outlived = self.found.outlived
        if outlived is not None:
            after, alone = outlived.after, outlived.alone
            yield "outlived", outlived.cause.text, after.below, after.above
            yield "outlived", "no cause at all", alone.below, alone.above

    def _count(self, after: str, load: float | None) -> Field:
        outlived = self.found.outlived
        assert outlived is not None, "there are borders"
        counts = outlived.down.get(load or 0.0, (None, None))
        count = counts[0 if after == outlived.cause.text else 1]
        if count is None:
            return Field("-", value=None)
        return Field(f"{count} of {outlived.replications}", value=count)

    def _load(self, load: float | None, mood: Mood = "") -> Field:
        if load is None:
            return Field("-", value=None)
        return Field(self.found.loads.named(load), value=load, mood=mood)

    def _enough(self, load: float | None) -> bool:
        return load is not None and load >= self.found.loads.today


def _down(row: Carried) -> str:
    """The label; what stands behind it, where that is no number."""
    return row.down.label


def _plain(at: Border) -> dict[str, Any]:
    return {"holds": at.below, "breaks": at.above, "undecided": list(at.undecided)}
