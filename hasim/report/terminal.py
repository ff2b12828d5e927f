"""Tables for the terminal: the summary of a study, the verdicts, and what the numbers are."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from hasim.report.cells import Cell, heading, labels
from hasim.report.format import DASH, estimate_parts, estimate_text
from hasim.report.titles import DEFAULT, blocks, title
from hasim.study.estimates.estimate import Estimate

PIPE_WIDTH = 160
"""Columns when the output is no terminal and COLUMNS is not set."""
_VERDICT_STYLES = {"pass": "green", "fail": "bold red", "undecided": "yellow"}
Summary = Mapping[str, Estimate]


class Verdict(Protocol):
    """What the verdict table needs to know of a verdict on one expectation."""

    @property
    def measure(self) -> str:
        """The measure, as in ``expect:``."""
        ...

    @property
    def text(self) -> str:
        """The limit as written: ``< 5s``."""
        ...

    @property
    def verdict(self) -> str:
        """``pass``, ``fail`` or ``undecided``."""
        ...

    @property
    def estimate(self) -> Estimate | None:
        """What was measured."""
        ...

    @property
    def by_how_much(self) -> str:
        """The distance between limit and estimate, in words."""
        ...


def console(file: IO[str] | None = None, *, width: int | None = None) -> Console:
    """A console for results: colours only on a terminal and never with NO_COLOR set."""
    out = sys.stdout if file is None else file
    if width is None and not out.isatty() and "COLUMNS" not in os.environ:
        width = PIPE_WIDTH
    return Console(file=out, width=width, highlight=False, no_color=_no_color())


def to_text(renderable: RenderableType, *, width: int = PIPE_WIDTH) -> str:
    """A renderable as plain text of at most `width` columns, without colour or trailing spaces."""
    out = io.StringIO()
    Console(file=out, width=width, color_system=None, highlight=False).print(renderable)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


@dataclass(frozen=True)
class SummaryTable:
    """One row per cell; one wide table if it fits, else a block for each group of measures."""

    cells: Sequence[Cell]
    summaries: Sequence[Summary]
    measures: Sequence[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = self._table(self.measures)
        if _fits(console, options, wide):
            yield wide
            return
        for name, members in blocks(self.measures).items():
            caption = name
            for part in self._parts(console, options, members):
                yield self._table(part, caption)
                caption = f"{name} (continued)"

    def _parts(
        self, console: Console, options: ConsoleOptions, members: Sequence[str]
    ) -> Iterable[Sequence[str]]:
        """The members in as few tables as fit, at least one column in each."""
        rest = list(members)
        while rest:
            count = len(rest)
            while count > 1 and not _fits(console, options, self._table(rest[:count])):
                count -= 1
            yield rest[:count]
            rest = rest[count:]

    def _table(self, measures: Sequence[str], caption: str = "") -> Table:
        table = plain_table(caption)
        # Rows have two lines anyway, so labels and headings may use both.
        table.add_column(heading(self.cells).replace(", ", ",\n"), overflow="fold")
        for measure in measures:
            name, _, part = title(measure).rpartition(" ")
            table.add_column(f"{name}\n{part}".strip(), justify="right", no_wrap=True)
        for label, summary in zip(labels(self.cells), self.summaries, strict=True):
            fields = (field(summary.get(measure)) for measure in measures)
            table.add_row(label.replace(", ", ",\n"), *fields)
        return table


def summary_table(
    cells: Sequence[Cell], summaries: Sequence[Summary], measures: Sequence[str] = DEFAULT
) -> SummaryTable:
    """The summaries (one per cell, in the cells' order), each estimate over its 95 % interval.

    Measures that no summary has are left out.
    """
    shown = [m for m in measures if any(m in summary for summary in summaries)]
    return SummaryTable(cells, summaries, shown)


def verdict_table(cells: Sequence[Cell], verdicts: Sequence[Sequence[Verdict]]) -> RenderableType:
    """The verdicts on the expectations (one sequence per cell): limit, estimate, by how much."""
    table = plain_table("expectations")
    if len(cells) > 1:
        table.add_column(heading(cells), overflow="fold")
    for name in ("measure", "limit", "estimate", "verdict", "by how much"):
        table.add_column(name, overflow="fold")
    for label, row in zip(labels(cells), verdicts, strict=True):
        for one in row:
            estimate = "" if one.estimate is None else estimate_text(one.estimate)
            word = Text(one.verdict, style=_VERDICT_STYLES.get(one.verdict, ""))
            fields = (one.measure, one.text, estimate, word, one.by_how_much)
            table.add_row(*((label, *fields) if len(cells) > 1 else fields))
    return table


def footer(
    cells: Sequence[Cell],
    summaries: Sequence[Summary],
    measures: Sequence[str] = DEFAULT,
    *,
    seed: int,
    replications: int | tuple[int, int],
    note: str = "",
) -> RenderableType:
    """What the numbers rest on: kinds of interval, incidents, seed; marks explained if used.

    `replications` is how many each cell has, or the fewest and the most.
    """
    if isinstance(replications, tuple):
        fewest, most = replications
        runs = f"{fewest:,} to {_plural(most, 'replication')}"
    else:
        runs = _plural(replications, "replication")
    lines = [f"Seed {seed}, {runs} of {_plural(len(cells), 'cell')}{_incidents(summaries)}."]
    shown = [s[m] for m in measures for s in summaries if m in s]
    methods: dict[str, dict[str, None]] = {}
    for estimate in shown:
        if estimate.value is not None and estimate.low is not None:
            methods.setdefault(estimate.method, {})[title(estimate.measure)] = None
    if methods:
        kinds = "; ".join(f"{', '.join(names)}: {kind}" for kind, names in methods.items())
        lines.append(f"Below each estimate its 95 % confidence interval ({kinds}).")
    texts = [estimate_text(estimate) for estimate in shown]
    if any("needs" in text for text in texts):
        lines.append("-: too few observations; below it, how many there are of how many it takes.")
    if any(text.startswith("> ") for text in texts):
        lines.append("> x: too many were never over in time; with 95 % confidence it exceeds x.")
    if any("inf" in text for text in texts):
        lines.append("inf: the data give no bound (too few, or some never over in time).")
    if note:
        lines.append(note)
    return Group(*(Text(line, style="dim") for line in lines))


def _incidents(summaries: Sequence[Summary]) -> str:
    """How many incidents the detection measures rest on, per cell."""
    # Not of `detected`: a share pooled over replications counts the replications.
    counts = [s["detection_time.p50"].n for s in summaries if "detection_time.p50" in s]
    if not counts:
        return ""
    if min(counts) == max(counts):
        return f", {_plural(counts[0], 'incident')} in each"
    return f", {min(counts)} to {max(counts)} incidents in each"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def plain_table(caption: str) -> Table:
    """An empty table in the house's look."""
    return Table(
        box=box.SIMPLE_HEAD,
        title=caption or None,
        title_justify="left",
        title_style="bold",
        padding=(0, 1),
        collapse_padding=True,
        pad_edge=False,
    )


def field(estimate: Estimate | None) -> Text:
    """The point above its interval, or a dash above what is missing; narrow on purpose."""
    if estimate is None:
        return Text("")
    point, low, high = estimate_parts(estimate)
    # A hyphen beside a minus sign would be hard to read.
    below = f"{low} to {high}" if low.startswith("-") else f"{low}-{high}" if low else ""
    if point == DASH and estimate.needed is not None:
        below = f"{estimate.n} of {estimate.needed}"
    field = Text(point, justify="right")
    return field.append("\n").append(below, style="dim") if below else field


def _fits(console: Console, options: ConsoleOptions, table: Table) -> bool:
    """Whether no column has to be cut or folded in the width at hand."""
    return Measurement.get(console, options.update(max_width=10_000), table).maximum <= (
        options.max_width
    )


def _no_color() -> bool:
    return bool(os.environ.get("NO_COLOR"))
