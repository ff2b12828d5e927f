"""What a hunt has met: worlds, coverage, broken invariants, or the schedule that costs most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hasim.hunt.costly import Costly
from hasim.hunt.coverage import possible
from hasim.hunt.drawing import kinds
from hasim.hunt.running import Ran
from hasim.hunt.search import State
from hasim.hunt.telling import meaning, story
from hasim.oracle.objectives import shown
from hasim.report.finding import Finding
from hasim.report.sheet import Column, Paper, Sheet, Value


@dataclass(frozen=True)
class Find:
    """A broken invariant: the smallest world that breaks it, and the file that holds that."""

    ran: Ran
    path: str

    @property
    def invariant(self) -> str:
        """Its name."""
        return self.ran.broken[0]

    @property
    def faults(self) -> int:
        """How many faults and operations the smallest world has."""
        return len(self.ran.data.get("faults", ())) + len(self.ran.data.get("operations", ()))


@dataclass(frozen=True)
class Hunted(Finding):
    """Random worlds: how many, what they reached, what they broke."""

    state: State
    finds: Sequence[Find] = ()

    @property
    def broken(self) -> bool:
        """Whether any invariant was broken."""
        return bool(self.state.broken)

    def paper(self, *, brief: bool = False) -> Paper:
        """Coverage, then the finds with their stories."""
        said = [self._worlds()]
        for find in self.finds:
            said += [
                "",
                *(str(breach) for breach in find.ran.breaches[:1]),
                meaning(find.invariant),
            ]
            said += [f"  {line}" for line in story(find.ran)]
            said.append(f"Shown again by: hasim run {find.path} --check")
        if not self.broken:
            said.append("No invariant was broken.")
        sheets = [self._coverage()]
        if self.state.broken:
            rows: list[list[Value]] = [[name, n] for name, n in sorted(self.state.broken.items())]
            sheets.append(Sheet([Column("broken"), Column("worlds", align="right")], rows))
        return Paper(sheets, said=[line for line in said if line])

    def _worlds(self) -> str:
        state = self.state
        return (
            f"{state.number:,} worlds ({state.mutants:,} changed from earlier ones), "
            f"{state.faults:,} faults, {state.years:.3g} simulated years, seed {state.seed}, "
            f"{state.seconds:,.0f} s."
        )

    def _coverage(self) -> Sheet:
        of, reached = possible(kinds()), self.state.groups()
        rows: list[list[Value]] = [
            [name, reached.get(name, 0), of.get(name)] for name in sorted(set(of) | set(reached))
        ]
        columns = [
            Column("reached"),
            Column("different", align="right"),
            Column("possible", align="right"),
        ]
        return Sheet(columns, rows)

    def tidy(self) -> Sheet:
        """A row for each feature that was reached."""
        rows: list[list[Value]] = [
            [*feature.split(": ", 1), n] for feature, n in sorted(self.state.reached.items())
        ]
        return Sheet([Column("group"), Column("what"), Column("worlds")], rows)

    def plain(self) -> Mapping[str, Any]:
        """Counts, coverage and finds."""
        state = self.state
        return {
            "seed": state.seed,
            "worlds": state.number,
            "changed": state.mutants,
            "faults": state.faults,
            "simulated_years": state.years,
            "seconds": state.seconds,
            "reached": dict(sorted(state.reached.items())),
            "broken": dict(sorted(state.broken.items())),
            "finds": [
                {
                    "invariant": find.invariant,
                    "breaches": [str(breach) for breach in find.ran.breaches],
                    "scenario": find.path,
                    "faults": find.faults,
                    "story": story(find.ran),
                }
                for find in self.finds
            ],
        }


@dataclass(frozen=True)
class Costliest(Finding):
    """The schedule of faults that costs most, of those that were tried."""

    search: Costly
    ran: Ran | None
    path: str

    def paper(self, *, brief: bool = False) -> Paper:
        """The schedule, and what it costs."""
        tried, name = self.search.number, self.search.objective
        worst = shown(name, self.search.worst)
        said = [f"{tried:,} schedules tried; the worst costs {worst} ({name})."]
        if self.ran is None or self.ran.journal is None:
            return Paper([], said=said)
        rows: list[list[Value]] = [
            [one["kind"], one.get("target", ""), one["at"], one["for"], _rest(one)]
            for one in self.ran.data.get("faults", ())
        ]
        names = ("fault", "target", "at", "for", "more")
        said += [f"Shown again by: hasim run {self.path}"]
        return Paper([Sheet([Column(name) for name in names], rows)], said=said)

    def plain(self) -> Mapping[str, Any]:
        """The schedule as data."""
        faults = [] if self.ran is None else self.ran.data.get("faults", [])
        return {
            "objective": self.search.objective,
            "tried": self.search.number,
            "cost": self.search.worst,
            "faults": faults,
            "scenario": self.path,
        }


def _rest(fault: Mapping[str, Any]) -> str:
    shown = {k: v for k, v in fault.items() if k not in ("kind", "target", "at", "for")}
    return ", ".join(f"{name}: {value}" for name, value in shown.items())
