"""What there is to say of scenario files: which come with hasim, and whether one is valid."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hasim.report.finding import Finding
from hasim.report.sheet import Column, Field, Paper, Sheet, Value
from hasim.scenario.loader import Loaded
from hasim.scenario.problems import Problem
from hasim.scenario.replications import Sequential
from hasim.settings import plain


@dataclass(frozen=True)
class Shipped(Finding):
    """The scenarios that come with hasim, by name."""

    paths: Mapping[str, Path]

    def paper(self, *, brief: bool = False) -> Paper:
        """Each with what its opening comment begins to say."""
        rows: list[Sequence[Value]] = [[name, opening(path)] for name, path in self.paths.items()]
        return Paper([Sheet([Column("scenario", code=True), Column("what it shows")], rows)])

    def plain(self) -> list[dict[str, str]]:
        """Name, what it shows, and where it is."""
        return [
            {"scenario": name, "shows": opening(path), "path": str(path)}
            for name, path in self.paths.items()
        ]


def opening(path: Path) -> str:
    """The first sentence of the comment that a scenario file opens with."""
    words: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        words += line.lstrip("#").split()
    return re.split(r"(?<=[a-z])[.:;] ", " ".join(words), maxsplit=1)[0].rstrip(".")


@dataclass(frozen=True)
class Validity(Finding):
    """Whether a scenario is valid: what it comes to, or all that is wrong with it."""

    source: str
    loaded: Loaded | None = None
    problems: Sequence[Problem] = ()

    def paper(self, *, brief: bool = False) -> Paper:
        """One sentence, and what is wrong or without effect."""
        if self.loaded is None:
            wrong = len(self.problems)
            text = f"{self.source}: not valid: {wrong} problem{'' if wrong == 1 else 's'}"
            return Paper([self.tidy()], headline=Field(text, mood="bad"))
        cells = len(self.loaded.cells)
        text = f"{self.source}: valid: {cells:,} cell{'' if cells == 1 else 's'}, {self._each()}"
        notes = () if brief else self.loaded.remarks()
        return Paper([], notes=notes, headline=Field(text))

    def _each(self) -> str:
        assert self.loaded is not None
        rule = self.loaded.scenario.replications
        least, most = (
            (rule.at_least, rule.at_most) if isinstance(rule, Sequential) else (rule, rule)
        )
        count = f"{most:,}" if least == most else f"{least:,} to {most:,}"
        return f"{count} replication{'' if most == 1 else 's'} each"

    def tidy(self) -> Sheet:
        """A row for each problem; none if it is valid."""
        columns = [
            Column("file"),
            Column("line", align="right"),
            Column("field", code=True),
            Column("message"),
        ]
        return Sheet(columns, [[p.file, p.line, p.field, p.message] for p in self.problems])

    def plain(self) -> dict[str, Any]:
        """What a program asks: is it valid, what is wrong where, how much is it?"""
        found: dict[str, Any] = {
            "source": self.source,
            "valid": self.loaded is not None,
            "problems": [
                {"file": p.file, "line": p.line, "field": p.field, "message": p.message}
                for p in self.problems
            ],
        }
        if self.loaded is not None:
            scenario = self.loaded.scenario
            found |= {
                "scenario": scenario.name,
                "seed": scenario.seed,
                "cells": len(self.loaded.cells),
                "replications": plain(scenario.replications),
                "traces": self.loaded.traces(),
                "remarks": self.loaded.remarks(),
            }
        return found
