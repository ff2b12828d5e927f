"""What can be measured, set and checked, as findings: derived from the definitions."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hasim.measures.catalogue import MEASURES
from hasim.measures.catalogue.definition import Measure, Unit
from hasim.oracle.invariant import Invariant
from hasim.report.finding import Finding
from hasim.report.sheet import Column, Field, Paper, Sheet, Value
from hasim.report.titles import blocks
from hasim.study.reference import Described

UNITS: dict[Unit, str] = {
    "s": "s",
    "ratio": "share",
    "per_hour": "per hour",
    "per_year": "per year",
    "count": "number",
}
NEUTRAL = (
    "A change of a neutral measure may be the price or the fruit of better service: a comparison "
    "only says that it has changed; the gate calls the other way worse."
)


def matching(words: Sequence[str], texts: Iterable[str]) -> bool:
    """Whether every word is in one of the texts, whatever its case."""
    whole = "\n".join(texts).casefold()
    return all(word.casefold() in whole for word in words)


# -- settings ---------------------------------------------------------------------------

SETTING_COLUMNS = (
    Column("setting", code=True, entry="{}"),
    Column("default", code=True, entry=" = {}"),
    Column("kind", entry="  ({})"),
    Column("meaning"),
    Column("choices"),
    Column("source", entry="\nSource: {}"),
)


@dataclass(frozen=True)
class Settings(Finding):
    """Settings with their meaning, kind, range, choices, default and source."""

    described: Sequence[Described]

    def about(self, words: Sequence[str]) -> Settings:
        """Those alone that say each of some words, in their path, meaning or choices."""
        return Settings(
            [
                one
                for one in self.described
                if matching(words, (one.path, one.meaning, *one.choices, *one.about))
            ]
        )

    def paper(self, *, brief: bool = False) -> Paper:
        """A sheet for each group of settings."""
        groups = itertools.groupby(self.described, lambda one: one.service)
        return Paper(
            [
                Sheet(SETTING_COLUMNS, [_setting(one) for one in group], name, look="entries")
                for name, group in groups
            ]
        )

    def tidy(self) -> Sheet:
        """A row for each setting."""
        rows: list[list[Value]] = [
            [
                *(one.service, one.path, one.default, one.kind, one.range),
                *(one.meaning, ", ".join(one.choices), one.source),
            ]
            for one in self.described
        ]
        names = ("group", "setting", "default", "kind", "range", "meaning", "choices", "source")
        return Sheet([Column(name) for name in names], rows)

    def plain(self) -> list[dict[str, Any]]:
        """All that is known of each."""
        return [one.plain() for one in self.described]


def _setting(one: Described) -> list[Value]:
    kind = ", ".join(filter(None, (one.kind, one.range)))
    return [one.path, one.default, kind, one.meaning, _choices(one), one.source]


def _choices(one: Described) -> Field:
    if not any(one.about):
        names = ", ".join(one.choices)
        return Field(names, (f"One of: {names}",))
    width = max(map(len, one.choices))
    pairs = list(zip(one.choices, one.about, strict=True))
    return Field(
        " ".join(f"{choice}: {about}" for choice, about in pairs),
        tuple(f"- {choice:{width}}  {about}" for choice, about in pairs),
    )


# -- measures ---------------------------------------------------------------------------

MEASURE_COLUMNS = (
    Column("measure", code=True, entry="{}"),
    Column("unit", entry=": {}"),
    Column("better", entry=", better {}"),
    Column("meaning"),
)


@dataclass(frozen=True)
class Measures(Finding):
    """Measures with their unit, which way is better, and what they mean."""

    names: Sequence[str]

    def about(self, words: Sequence[str]) -> Measures:
        """Those alone that say each of some words, in their name or meaning."""
        return Measures([name for name in self.names if matching(words, _texts(MEASURES[name]))])

    def paper(self, *, brief: bool = False) -> Paper:
        """A sheet for each block; measures that differ in their statistic share a row."""
        return Paper(
            [
                Sheet(MEASURE_COLUMNS, list(_families(members)), block, look="entries")
                for block, members in blocks(self.names).items()
            ],
            notes=[NEUTRAL],
        )

    def tidy(self) -> Sheet:
        """A row for each measure."""
        return Sheet(
            [Column(name) for name in ("block", "measure", "unit", "better", "meaning", "source")],
            [
                [one.block, one.name, UNITS[one.unit], _better(one), _meaning(one), one.source]
                for one in map(MEASURES.__getitem__, self.names)
            ],
        )

    def plain(self) -> list[dict[str, Any]]:
        """All that the record of each says, its estimator by name."""
        return [
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
            for one in map(MEASURES.__getitem__, self.names)
        ]


def _families(names: Iterable[str]) -> Iterator[list[Value]]:
    """A row for measures that differ in their statistic alone: ``outage.{mean,p50,p95,p99}``."""
    listed = map(MEASURES.__getitem__, names)
    for _, group in itertools.groupby(listed, lambda one: (one.family, one.meaning)):
        first, *others = group
        name = first.name
        if others:
            own = (one.name.partition(".")[2] for one in (first, *others))
            name = f"{first.family}.{{{','.join(own)}}}"
        yield [name, UNITS[first.unit], _better(first), _sourced(first)]


def _better(one: Measure) -> str:
    """``more`` or ``less``, and whether it is neutral."""
    return f"{one.better} (neutral)" if one.neutral else one.better


def _meaning(one: Measure) -> str:
    return " ".join(filter(None, (one.meaning, one.detail)))


def _sourced(one: Measure) -> Field:
    meaning = _meaning(one)
    if not one.source:
        return Field(meaning)
    return Field(f"{meaning} ({one.source})", (meaning, f"Source: {one.source}"))


def _texts(one: Measure) -> tuple[str, ...]:
    return (one.name, one.title, one.meaning, one.detail)


# -- invariants --------------------------------------------------------------------------

INVARIANT_COLUMNS = (
    Column("invariant", code=True, entry="{}"),
    Column("meaning"),
    Column("otherwise", entry="\nOtherwise: {}"),
)


@dataclass(frozen=True)
class Invariants(Finding):
    """Invariants with what each means, and what it means if one is broken."""

    known: Sequence[Invariant]

    def about(self, words: Sequence[str]) -> Invariants:
        """Those alone that say each of some words."""
        return Invariants(
            [one for one in self.known if matching(words, (one.name, one.meaning, one.breach))]
        )

    def paper(self, *, brief: bool = False) -> Paper:
        """One sheet, none without an invariant."""
        rows: list[list[Value]] = [[one.name, one.meaning, one.breach] for one in self.known]
        return Paper([Sheet(INVARIANT_COLUMNS, rows, look="entries")] if rows else [])

    def tidy(self) -> Sheet:
        """A row for each invariant."""
        rows: list[list[Value]] = [
            [one.each, one.name, one.meaning, one.breach] for one in self.known
        ]
        names = ("looked_at_for_each", "invariant", "meaning", "otherwise")
        return Sheet([Column(name) for name in names], rows)

    def plain(self) -> list[dict[str, Any]]:
        """All that is said of each."""
        return [
            {
                "invariant": one.name,
                "meaning": one.meaning,
                "otherwise": one.breach,
                "looked_at_for_each": one.each,
            }
            for one in self.known
        ]
