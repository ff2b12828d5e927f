"""Replications by simulation, kept in a run folder: nothing is done twice, even after a kill."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hasim.measures import Measured
from hasim.scenario.loader import Loaded
from hasim.study.advising.candidates import Point, study_of
from hasim.study.execution.runner import Progress, run_study

if TYPE_CHECKING:
    from distributed import Client

Tell = Callable[[int, int], None]


class Simulated:
    """The points of a scenario as a `Source`, by their numbers; all with the scenario's seed.

    Without `windows`, what only measures of load need is not kept in memory.
    """

    def __init__(
        self,
        loaded: Loaded,
        points: Sequence[Point],
        folder: Path,
        *,
        windows: bool,
        jobs: int | None = None,
        dask: str | Client | None = None,
        progress: Tell | None = None,
    ) -> None:
        self.points = list(points)
        self._loaded = loaded
        self._folder = folder
        self._slim = not windows
        self._jobs = jobs
        self._dask = dask
        self._progress = progress
        self._known: dict[int, list[Measured]] = {}
        self._done = 0

    def add(self, points: Sequence[Point]) -> list[int]:
        """More points; their numbers."""
        first = len(self.points)
        self.points += points
        return list(range(first, len(self.points)))

    def take(self, cells: Sequence[int], replications: int) -> None:
        """Simulate what is missing. Raises what `run_study` raises."""
        short = [c for c in cells if len(self._known.get(c, ())) < replications]
        if not short:
            return
        plan = study_of(self._loaded, [self.points[c] for c in short], replications)
        study = run_study(
            plan,
            jobs=self._jobs,
            dask=self._dask,
            out=self._folder,
            progress=self._told(len(short)),
        )
        for place, cell in enumerate(short):
            known = self._known.setdefault(cell, [])
            outcomes = study.of_cell(place)[len(known) :]
            known += (self._kept(Measured.from_plain(o.measured or {})) for o in outcomes)
        self._done += len(short) * replications

    def runs(self, cell: int, replications: int) -> Sequence[Measured]:
        """The first so many replications of a cell."""
        return self._known[cell][:replications]

    def known(self, cell: int) -> int:
        """How many replications of a cell there are."""
        return len(self._known.get(cell, ()))

    def forget(self, cell: int) -> None:
        """The replications of a cell are needed no more."""
        self._known.pop(cell, None)

    def _kept(self, run: Measured) -> Measured:
        if not self._slim:
            return run
        return dataclasses.replace(run, latencies=(), blocks=(), windows=(), transients=())

    def _told(self, cells: int) -> Callable[[Progress], None] | None:
        tell, before = self._progress, self._done
        if tell is None:
            return None
        return lambda step: tell(before + step.done, before + step.total)
