"""A sheet in a terminal: colours where there are any, and no number cut in any width.

A sheet is laid out in one line a row if that fits, else with its intervals below its numbers,
else in several tables, by groups of columns, with what names the rows in each of them.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import itertools
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from hasim.report.sheet import Column, Field, Paper, Sheet
from hasim.report.visible import visible

PIPE_WIDTH = 160
"""Columns when the output is no terminal and COLUMNS is not set."""
NOTEBOOK_WIDTH = 115
"""Columns that Jupyter shows without breaking them."""
STYLES = {"": "", "good": "green", "bad": "bold red", "open": "yellow", "strong": "bold"}
_LEAST_NAME = 8
"""Columns that a row's name keeps where nothing fits."""
_LONGEST_LINE = 100
"""Columns of running text; longer lines are hard to read."""
_CONTINUED = " (continued)"
_UNSEEN = Console(file=io.StringIO(), width=PIPE_WIDTH, force_jupyter=False)
"""Where lines are counted."""


def console(file: IO[str] | None = None, *, width: int | None = None) -> Console:
    """A console for results: colours only on a terminal and never with NO_COLOR set."""
    out = sys.stdout if file is None else file
    if width is None and not out.isatty() and "COLUMNS" not in os.environ:
        width = PIPE_WIDTH
    return Console(
        file=out,
        width=width,
        highlight=False,
        markup=False,
        emoji=False,
        no_color=_no_color(),
        force_jupyter=False,
    )


def to_text(renderable: RenderableType, *, width: int = PIPE_WIDTH) -> str:
    """A renderable as plain text of at most `width` columns, without colour or trailing spaces."""
    out = io.StringIO()
    Console(
        file=out,
        width=width,
        color_system=None,
        highlight=False,
        markup=False,
        emoji=False,
        force_jupyter=False,  # in a notebook rich would show it there, and write nothing
    ).print(renderable)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


def printed_width() -> int:
    """The columns of what is printed from Python: the terminal's, or what a notebook has."""
    shell = sys.modules.get("IPython")
    if shell is not None and hasattr(shell.get_ipython(), "kernel"):
        return NOTEBOOK_WIDTH
    return console().width


@dataclass(frozen=True, slots=True)
class InTerminal:
    """A paper, for rich: its sheets, what belongs to none, and last the headline."""

    paper: Paper

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        paper = self.paper
        last = bool(paper.said or paper.notes or paper.headline)
        captions = [*(sheet.caption for sheet in paper.sheets[1:]), "" if not last else "last"]
        for sheet, following in zip(paper.sheets, captions, strict=False):
            yield from _LOOKS[sheet.look](sheet, options.max_width)
            yield from _sentences(sheet.said, sheet.notes)
            # A table that follows and has no caption begins with an empty line itself.
            if (sheet.said or sheet.notes or sheet.look == "entries") and following:
                yield Text("")
        yield from _sentences(paper.said, paper.notes)
        if paper.headline is not None:
            yield Text(visible(paper.headline.text), style=STYLES[paper.headline.mood])


def lines(sheet: Sheet, room: int) -> Iterator[RenderableType]:
    """The rows without headings; what is at the end is wrapped below itself."""
    if sheet.caption:
        yield Text(visible(sheet.caption), style="bold")
    grid = Table.grid(padding=(0, 2))
    for column in sheet.columns[:-1]:
        grid.add_column(justify=column.align, no_wrap=True)
    grid.add_column(overflow="fold")
    for row in sheet.fields():
        first, *rest = map(_one_line, row)
        grid.add_row(Text("  ").append_text(first), *rest)
    yield grid


def _one_line(field: Field) -> Text:
    return Text(visible(field.text), style=STYLES[field.mood])


def entries(sheet: Sheet, room: int) -> Iterator[Text]:
    """The rows one below the other, each with all that it holds, as long as its lines are."""
    if sheet.caption:
        yield Text(visible(sheet.caption), style="bold")
    for row in sheet.fields():
        pieces = [
            column.entry.format("\n".join(map(visible, _lines(field))))
            for field, column in zip(row, sheet.columns, strict=True)
            if field.text
        ]
        for place, line in enumerate("".join(pieces).split("\n")):
            first = " " * (6 if place else 2)
            later = " " * (8 if line.startswith("- ") or not place else 6)
            yield from map(Text, _wrapped(line, room, first, later))


def _wrapped(line: str, room: int, first: str, later: str) -> list[str]:
    return textwrap.wrap(
        line,
        max(min(room, _LONGEST_LINE), len(later) + 20),
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def tables(sheet: Sheet, room: int) -> Iterator[Table]:
    """The sheet as one table in `room` columns, or as several if it takes as many."""
    beside = _Grid(sheet, stacked=False)
    if not sheet.stacked and beside.natural_width <= room:
        yield beside.table(beside.all, beside.natural, sheet.caption)
        return
    grids = [_Grid(sheet, stacked=True)]
    if sheet.names > 1:
        grids.append(_Grid(_folded(sheet), stacked=True))
    grouped = any(column.group for column in sheet.columns)
    fitting = [
        grid
        for grid in grids
        if grid.natural_width <= room or (not grouped and grid.fits(grid.all, room))
    ]
    if not fitting:
        yield from grids[-1].cut(sheet.caption, room)
        return
    best = min(fitting, key=lambda grid: grid.height(grid.shrunk(grid.all, room)))
    yield best.table(best.all, best.shrunk(best.all, room), sheet.caption)


def _folded(sheet: Sheet) -> Sheet:
    """The same with all that says what a row is of in one column, below each other."""
    heads, fields = sheet.columns[: sheet.names], sheet.fields()
    rows = [
        [
            Field("", tuple(line for name in row[: sheet.names] for line in _lines(name))),
            *row[sheet.names :],
        ]
        for row in fields
    ]
    name = Column(",\n".join(column.name.removesuffix(",") for column in heads))
    return dataclasses.replace(
        sheet, columns=[name, *sheet.columns[sheet.names :]], rows=rows, names=1
    )


class _Grid:
    """The texts of a sheet's columns, and how wide they are."""

    def __init__(self, sheet: Sheet, *, stacked: bool) -> None:
        self.all = range(len(sheet.columns))
        self._sheet = sheet
        self._heads = [_heading(column, stacked=stacked) for column in sheet.columns]
        self._rows = [
            [_text(f, c, stacked=stacked) for f, c in zip(row, sheet.columns, strict=True)]
            for row in sheet.fields()
        ]
        self.natural = [max(map(_longest_line, texts)) for texts in self._columns()]
        self.least = [
            max(
                _longest_word(head),
                *(_longest_line(t) if c.align == "right" else _longest_word(t) for t in texts),
                0,
            )
            for c, (head, *texts) in zip(sheet.columns, self._columns(), strict=True)
        ]

    @property
    def natural_width(self) -> int:
        """What a table takes in which no line is broken."""
        return sum(self.natural) + _between(len(self.natural))

    def _columns(self) -> Iterator[list[Text]]:
        for place, head in enumerate(self._heads):
            yield [head, *(row[place] for row in self._rows)]

    def fits(self, places: Sequence[int], room: int) -> bool:
        """Whether the columns fit if texts are wrapped between words, and numbers not at all."""
        return sum(self.least[place] for place in places) + _between(len(places)) <= room

    def height(self, widths: Sequence[int]) -> int:
        """The lines that all rows take in columns of these widths."""
        wrap = functools.partial(Text.wrap, console=_UNSEEN)
        return sum(
            max(len(wrap(text, width=width)) for text, width in zip(row, widths, strict=True))
            for row in (self._heads, *self._rows)
        )

    def shrunk(self, places: Sequence[int], room: int) -> list[int]:
        """The widths of columns in a room, the widest taken from first, numbers never."""
        widths = [self.natural[place] for place in places]
        least = [self.least[place] for place in places]
        broken = [
            width if self._sheet.columns[place].align == "right" else min(_LEAST_NAME, width)
            for place, width in zip(places, least, strict=True)
        ]
        for floor in (least, broken):
            excess = sum(widths) + _between(len(places)) - room
            while excess > 0:
                spare = [w if w > f else 0 for w, f in zip(widths, floor, strict=True)]
                if not any(spare):
                    break
                widths[spare.index(max(spare))] -= 1
                excess -= 1
        return widths

    def cut(self, caption: str, room: int) -> Iterator[Table]:
        """As few tables as fit, by groups of columns, each with what names the rows."""
        columns = self._sheet.columns
        names, rest = self.all[: self._sheet.names], self.all[self._sheet.names :]
        for group, members in itertools.groupby(rest, lambda place: columns[place].group):
            told = ": ".join(filter(None, (caption, group)))
            left = list(members)
            while left:
                count = len(left)
                while count > 1 and not self.fits([*names, *left[:count]], room):
                    count -= 1
                places = [*names, *left[:count]]
                yield self.table(places, self.shrunk(places, room), told)
                told = f"{told.removesuffix(_CONTINUED)}{_CONTINUED}".strip()
                left = left[count:]

    def table(self, places: Sequence[int], widths: Sequence[int], caption: str) -> Table:
        """The table of some columns, of given widths."""
        made = Table(
            box=box.SIMPLE_HEAD,
            title=Text(visible(caption), style="bold") if caption else None,
            title_justify="left",
            title_style="",
            padding=(0, 1),
            collapse_padding=True,
            pad_edge=False,
        )
        for place, width in zip(places, widths, strict=True):
            align = self._sheet.columns[place].align
            made.add_column(self._heads[place], justify=align, width=width, overflow="fold")
        for row in self._rows:
            made.add_row(*(row[place] for place in places))
        return made


_LOOKS: Mapping[str, Callable[[Sheet, int], Iterator[RenderableType]]] = {
    "table": tables,
    "entries": entries,
    "lines": lines,
}


def _between(columns: int) -> int:
    """What a table takes beside its columns: its edges, and two spaces between columns."""
    return 2 * columns


def _heading(column: Column, *, stacked: bool) -> Text:
    name = column.name if stacked else column.heading
    return Text("\n".join(map(visible, name.split("\n"))), justify=column.align)


def _text(field: Field, column: Column, *, stacked: bool) -> Text:
    """A field as rich shows it: what stands below a number is dim, and its mood is at the end."""
    lines = [visible(line) for line in (_lines(field) if stacked else (field.text,))]
    shown = Text(lines[0], style="" if lines[1:] else STYLES[field.mood], justify=column.align)
    below = "dim" if column.align == "right" else ""
    for place, line in enumerate(lines[1:], 2):
        style = STYLES[field.mood] if place == len(lines) and field.mood else below
        shown.append(f"\n{line}", style=style)
    return shown


def _lines(field: Field) -> tuple[str, ...]:
    return field.lines or (field.text,)


def _longest_line(text: Text) -> int:
    return max(map(cell_len, text.plain.split("\n")))


def _longest_word(text: Text) -> int:
    return max(map(cell_len, text.plain.split()), default=0)


def _sentences(said: Sequence[str], notes: Sequence[str]) -> Iterator[Text]:
    yield from (Text(visible(line)) for line in said)
    yield from (Text(visible(line), style="dim") for line in notes)


def _no_color() -> bool:
    return bool(os.environ.get("NO_COLOR"))
