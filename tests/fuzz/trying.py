"""Inputs by number: each is the same whenever it is tried, whatever was tried before."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.guard import Tried
from tests.fuzz.kinds import KINDS

ORDER = [kind for kind, (_, share) in KINDS.items() for _ in range(share)]


def kind_of(number: int) -> str:
    """The kind of an input: the kinds take turns, by their shares."""
    return ORDER[number * 7 % len(ORDER)]


def tried(number: int, made: Path) -> list[Tried]:
    """All that comes of an input on the commands that take it."""
    use, _ = KINDS[kind_of(number)]
    return use(made, random.Random(f"fuzz {number}"))


@dataclass
class Tally:
    """What came of the inputs of a kind."""

    inputs: int = 0
    commands: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    slowest_s: float = 0.0
    slowest: str = ""
    faults: list[str] = field(default_factory=list)

    def add(self, number: int, found: list[Tried]) -> None:
        """Count what came of an input."""
        self.inputs += 1
        for one in found:
            self.commands += 1
            self.codes[str(one.code)] = self.codes.get(str(one.code), 0) + 1
            if one.seconds > self.slowest_s:
                self.slowest_s, self.slowest = one.seconds, f"{number}: {one.args[0]}"
            if one.fault:
                last = one.said.strip().splitlines()[-1:] or [""]
                self.faults.append(f"{number}: {one.fault}: {' '.join(one.args)[:160]}: {last[0]}")
