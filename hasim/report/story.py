"""A story: dated lines, of which those that only repeat themselves are drawn together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from hasim.units import seconds


@dataclass(frozen=True, slots=True)
class Line:
    """What `who` saw, said or did at `t_ns`.

    Lines with a `group` are evidence: between two lines without one, those of
    the same group become one line, in which ``{}`` stands for the summed
    `amount` with its `noun`.
    """

    t_ns: int
    who: str
    text: str
    group: str = ""
    amount: int = 1
    noun: str = ""
    last_ns: int | None = None

    def words(self, origin_ns: int) -> str:
        """The text, with the amount and, if it was repeated, the time of the last."""
        if not self.group:
            return self.text
        counted = f"{self.amount} {self.noun}" + ("" if self.amount == 1 else "s")
        text = self.text.replace("{}", counted, 1)
        if self.last_ns is None or self.last_ns == self.t_ns:
            return text
        return f"{text} (until {since(self.last_ns, origin_ns)})"


@dataclass(frozen=True)
class Story:
    """Title, lines in order of time, and what came of it; prints as text or through rich.

    Times are given since `origin_ns` and since the start of the run, in seconds.
    """

    title: str
    origin_ns: int
    lines: tuple[Line, ...]
    ending: str

    def rows(self) -> Iterator[tuple[str, str, str, str]]:
        """Time since the origin, time since the start of the run, who, what."""
        for line in self.lines:
            yield (
                since(line.t_ns, self.origin_ns),
                f"{seconds(line.t_ns):.3f} s",
                line.who,
                line.words(self.origin_ns),
            )

    def __str__(self) -> str:
        rows = list(self.rows())
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
        body = [
            f"  {offset:>{widths[0]}}  {at:>{widths[1]}}  {who:<{widths[2]}}  {what}"
            for offset, at, who, what in rows
        ]
        return "\n".join([self.title, *body, self.ending])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self.title, style="bold")
        grid = Table.grid(padding=(0, 2))
        grid.add_column(justify="right", no_wrap=True)
        grid.add_column(justify="right", no_wrap=True, style="dim")
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for offset, at, who, what in self.rows():
            style = "bold" if who == "truth" else ""
            grid.add_row(f"  {offset}", at, Text(who, style=style), Text(what))
        yield grid
        yield Text(self.ending)


def collapse(lines: list[Line]) -> tuple[Line, ...]:
    """Draw together the evidence of one group between two lines that are none."""
    out: list[Line] = []
    place: dict[str, int] = {}
    for line in lines:
        if not line.group:
            place.clear()
            out.append(line)
        elif line.group in place:
            first = out[place[line.group]]
            amount = first.amount + line.amount
            out[place[line.group]] = replace(first, amount=amount, last_ns=line.t_ns)
        else:
            place[line.group] = len(out)
            out.append(line)
    return tuple(out)


def since(t_ns: int, origin_ns: int) -> str:
    """A time since the origin: ``+1.234 s``."""
    return f"{seconds(t_ns - origin_ns):+.3f} s"
