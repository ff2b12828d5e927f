"""A story: dated lines, of which those that only repeat themselves are drawn together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hasim.report.finding import Finding
from hasim.report.forms.json_text import records
from hasim.report.sheet import Column, Field, Paper, Sheet, Value
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
class Story(Finding):
    """Title, lines in order of time, and what came of it.

    Times are given since `origin_ns` and since the start of the run, in seconds.
    """

    title: str
    origin_ns: int
    lines: tuple[Line, ...]
    ending: str
    why: tuple[str, ...] = ()
    """Why it was declared then and not earlier, or never: sentences."""

    def paper(self, *, brief: bool = False) -> Paper:
        """A row for each line; what really happened stands out."""
        return Paper([self.tidy()])

    def tidy(self) -> Sheet:
        """Time since the origin, time since the start of the run, who, what."""
        columns = [
            Column("since then", "since_s", align="right"),
            Column("at", "at_s", align="right"),
            Column("who"),
            Column("what"),
        ]
        rows: list[list[Value]] = [
            [
                Field(since(line.t_ns, self.origin_ns), value=seconds(line.t_ns - self.origin_ns)),
                Field(f"{seconds(line.t_ns):.3f} s", value=seconds(line.t_ns)),
                Field(line.who, mood="strong" if line.who == "truth" else ""),
                line.words(self.origin_ns),
            ]
            for line in self.lines
        ]
        return Sheet(columns, rows, self.title, said=[self.ending, *self.why], look="lines")

    def plain(self) -> dict[str, Any]:
        """The story as plain data, times in seconds."""
        return {
            "title": self.title,
            "origin_s": seconds(self.origin_ns),
            "lines": records(self.tidy()),
            "ending": self.ending,
            "why": list(self.why),
        }


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
