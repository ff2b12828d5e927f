"""What a study recorded: outcomes by cell and replication, their rows, their journals."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from hasim.journal import Journal, check_run_header, read
from hasim.measures import Measured, measure
from hasim.stored import StoredError
from hasim.study.execution.replication import file_stem, simulate_cell
from hasim.study.folder.errors import StoreError
from hasim.study.planning.outcomes import Outcome
from hasim.study.planning.study import Study
from hasim.version import __version__

if TYPE_CHECKING:
    from hasim.scenario.loader import Loaded

KEPT = 1000
"""So many replications stay read, about 150 KiB each: every table and figure asks for them."""


class Recorded:
    """The outcomes of a study, in memory or read back from its run folder."""

    def __init__(
        self, study: Study, *, loaded: Loaded | None = None, folder: Path | None = None
    ) -> None:
        self.study = study
        self.folder = folder
        self._loaded = loaded
        self._looked_at = set[tuple[int, int]]()
        self._kept: dict[int, dict[int, Measured]] = {}
        self._heads: dict[int, Self] = {}
        self.passed_over: dict[tuple[int, int], str] = {}
        """By cell and replication: what is missing in a kept journal that was not used."""

    @property
    def name(self) -> str:
        """The name of the scenario."""
        return self.study.name

    @property
    def seed(self) -> int:
        """The seed: together with a replication's number it fixes all chance."""
        return self.study.seed

    @property
    def cells(self) -> list[tuple[int, dict[str, Any]]]:
        """Number and varied settings of each cell that has an outcome."""
        has = self.study.outcomes.has
        return [(c.index, dict(c.varied)) for c in self.study.cells if has(c.index)]

    def head(self, count: int) -> Self:
        """The same of the first `count` cells alone, with a note that says so; itself if
        there are no more."""
        if count in self._heads:
            return self._heads[count]
        has, all_cells = self.study.outcomes.has, self.study.cells
        first = tuple(itertools.islice((c for c in all_cells if has(c.index)), count + 1))
        if len(first) <= count:
            return self
        note = f"The first {count:,} of {len(all_cells):,} cells; all are in metrics.parquet."
        study = dataclasses.replace(
            self.study, cells=first[:count], notes=(*self.study.notes, note)
        )
        made = type(self)(study, loaded=self._loaded, folder=self.folder)
        made._kept = self._kept
        self._heads[count] = made
        return made

    def measured(self, cell: int) -> dict[int, Measured]:
        """What was measured in each replication of a cell, by replication.

        Raises StoreError if the run folder holds something else.
        """
        kept = self._kept.get(cell)
        if kept is not None:
            return dict(kept)
        found = {
            outcome.replication: self.read(outcome)
            for outcome in self.study.of_cell(cell)
            if outcome.measured is not None
        }
        # Those of the first cells: whoever goes through all of them begins there again.
        if sum(map(len, self._kept.values())) + len(found) <= KEPT:
            self._kept[cell] = dict(found)
        return found

    def read(self, outcome: Outcome) -> Measured:
        """What was measured in an outcome that has something.

        Raises StoreError if the run folder holds something else.
        """
        try:
            return Measured.from_plain(outcome.measured or {})
        except StoredError as error:
            raise self._garbled(outcome, error) from None

    def rows(self, outcome: Outcome, table: str) -> list[dict[str, Any]]:
        """The rows of one table in an outcome, as they were stored."""
        place = (outcome.cell, outcome.replication)
        known = outcome.cell in self._kept or place in self._looked_at
        if outcome.measured and not known:
            self.read(outcome)
            self._looked_at.add(place)
        return [dict(row) for row in outcome.measured[table]] if outcome.measured else []

    def _garbled(self, outcome: Outcome, error: StoredError) -> StoreError:
        place = f"replication {outcome.replication} of cell {outcome.cell}"
        return StoreError(
            f"{self.folder or self.name}: the measures of {place} are not those of "
            f"hasim {__version__}: {error}"
        )

    def by_cell(self) -> list[tuple[int, dict[str, Any], dict[int, Measured]]]:
        """Number, varied settings and measured replications of each of `cells`."""
        return [(index, varied, self.measured(index)) for index, varied in self.cells]

    @property
    def violations(self) -> list[str]:
        """The invariants that were broken, one line each, if the study checked them."""
        return [
            f"cell {outcome.cell}, replication {outcome.replication}: {violation}"
            for outcome in (self.study.ordered() if self.study.outcomes.violations else ())
            for violation in outcome.violations
        ]

    def dual_primaries(self) -> tuple[float, int]:
        """Seconds with two masters that accepted writes, and how many replications had any.

        Where no invariant is broken, the fencing mode allows them.
        """
        found = [
            outcome.measured["service"]["dual_primary_s"]
            for outcome in self.study.ordered()
            if outcome.measured
        ]
        return sum(found), sum(seconds > 0 for seconds in found)

    # -- journals ------------------------------------------------------------------

    @property
    def loaded(self) -> Loaded:
        """The scenario; read again from the run folder if need be.

        Raises ScenarioError if a trace that it names is gone.
        """
        if self._loaded is None:
            from hasim.scenario.loader import load

            if self.folder is None:
                raise ValueError("neither a scenario nor a run folder is at hand")
            self._loaded = load(self.folder / "scenario.yaml")
        return self._loaded

    def journal(self, cell: int, replication: int) -> Journal:
        """The journal of one replication: the stored one, else the same simulated again.

        Of a stored one that was cut, `passed_over` says so. Raises LookupError if the study has
        no such cell or replication.
        """
        info = next((info for info in self.study.cells if info.index == cell), None)
        if info is None:
            raise LookupError(f"no cell {cell}; the run has {len(self.study.cells)}")
        stop = self.study.stops.get(cell)
        most = stop.replications if stop else self.study.most
        if not 0 <= replication < most:
            raise LookupError(f"no replication {replication}; there are {most}")
        if self.folder is not None:
            stored = self.folder / "journals" / f"{file_stem(info, replication)}.jsonl.gz"
            if stored.exists():
                journal = read(stored)
                check_run_header(journal.header)
                if not journal.cut:
                    return journal
                self.passed_over[cell, replication] = journal.cut
        return simulate_cell(self.loaded, cell, replication)

    def journal_of_incident(self, number: int) -> Journal:
        """The journal of the replication in which incident `number` (from 1) happened.

        Raises LookupError if there is no such incident, and StoreError if the
        replication, simulated again, is not the one that the run measured.
        """
        row = self.incident(number)
        journal = self.journal(row["cell"], row["replication"])
        self.check_incident(number, journal)
        return journal

    def check_incident(self, number: int, journal: Journal) -> None:
        """Raise StoreError unless incident `number` is in a journal simulated again."""
        row = self.incident(number)
        found = [{**incident} for incident in measure(journal).to_plain()["incidents"]]
        stored = {key: row[key] for key in found[0]} if found else {}
        if stored not in found:
            raise StoreError(
                f"{self.folder or self.name}: replication {row['replication']} of cell "
                f"{row['cell']}, simulated again, has no such incident: hasim or a trace has "
                f"changed since the run"
            )

    def incident(self, number: int) -> dict[str, Any]:
        """The row of incident `number` (from 1) as plain data.

        Raises LookupError, saying how many there are, if there is no such incident.
        """
        count = 0
        for outcome in self.study.ordered():
            rows = self.rows(outcome, "incidents")
            if 0 < number - count <= len(rows):
                place = {
                    "incident": number,
                    "cell": outcome.cell,
                    "replication": outcome.replication,
                }
                return {**place, **rows[number - count - 1]}
            count += len(rows)
        raise LookupError(f"no incident {number}; the run has {count}")
