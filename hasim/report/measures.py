"""The catalogue of measures as it is read: in a terminal, in the README, by programs."""

from __future__ import annotations

import itertools
import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from hasim.measures.catalogue import MEASURES
from hasim.measures.catalogue.definition import Measure, Unit
from hasim.report.titles import blocks

UNITS: dict[Unit, str] = {"s": "s", "ratio": "share", "per_hour": "per hour", "count": "number"}
NEUTRAL = (
    "A change of a neutral measure may be the price or the fruit of better service: a comparison "
    "only says that it has changed; the gate calls the other way worse."
)
COLUMNS = 80


@dataclass(frozen=True)
class Row:
    """Measures that differ in their statistic alone: ``outage.{mean,p50,p95,p99}``."""

    measures: tuple[Measure, ...]

    @property
    def names(self) -> str:
        """The name, or the family with the statistics in braces."""
        first = self.measures[0]
        if len(self.measures) == 1:
            return first.name
        return f"{first.family}.{{{','.join(one.statistic for one in self.measures)}}}"

    @property
    def unit(self) -> str:
        """In words."""
        return UNITS[self.measures[0].unit]

    @property
    def better(self) -> str:
        """``more`` or ``less``, and whether it is neutral."""
        first = self.measures[0]
        return f"{first.better} (neutral)" if first.neutral else first.better

    @property
    def text(self) -> str:
        """The meaning, and what else a reader must know."""
        first = self.measures[0]
        return " ".join(filter(None, (first.meaning, first.detail)))

    @property
    def source(self) -> str:
        """Where the definition comes from."""
        return self.measures[0].source


def rows(names: list[str] | None = None) -> Iterator[Row]:
    """The measures of these names, or all, in the order of the catalogue."""
    listed = [MEASURES[name] for name in (MEASURES if names is None else names)]
    for _, group in itertools.groupby(listed, lambda one: (one.family, one.meaning)):
        yield Row(tuple(group))


def as_text() -> str:
    """By block; what a measure is called, its unit, which way is better, and what it means."""
    lines: list[str] = []
    for block, names in blocks(MEASURES).items():
        lines += [*[""] * bool(lines), block]
        for row in rows(names):
            lines.append(f"  {row.names}: {row.unit}, better {row.better}")
            source = f"Source: {row.source}" if row.source else ""
            for text in filter(None, (row.text, source)):
                lines += textwrap.wrap(
                    text, COLUMNS, initial_indent=" " * 6, subsequent_indent=" " * 6
                )
    return "\n".join([*lines, "", *textwrap.wrap(NEUTRAL, COLUMNS)]) + "\n"


def as_markdown() -> str:
    """A table, as in the README."""
    lines = ["| measure | unit | better | meaning |", "| --- | --- | --- | --- |"]
    for row in rows():
        meaning = row.text + (f" ({row.source})" if row.source else "")
        lines.append(f"| `{row.names}` | {row.unit} | {row.better} | {meaning} |")
    return "\n".join([*lines, "", NEUTRAL]) + "\n"


def as_json() -> str:
    """Every measure with all that its record says, its estimator by name."""
    plain = [
        {
            "measure": one.name,
            "title": one.title,
            "unit": one.unit,
            "meaning": one.description,
            "detail": one.detail,
            "source": one.source,
            "block": one.block,
            "better": one.better,
            "neutral": one.neutral,
            "estimator": type(one.estimator).__name__,
            "rests_on": one.rests_on,
            "load": one.load,
            "shown_in": sorted(one.views),
        }
        for one in MEASURES.values()
    ]
    return json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
