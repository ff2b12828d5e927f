"""Work for the executor that is simple enough to predict, importable in a worker process."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from hasim.measures import Measured
from hasim.scenario.replications import Sequential
from hasim.simulation.settings import MasterSettings, WorldSettings
from hasim.study.planning.outcomes import Outcome
from hasim.units import SECOND
from tests.study.runs import run

WORLD = WorldSettings(
    masters=(MasterSettings(id="a"), MasterSettings(id="b", priority=2)), horizon_ns=20 * SECOND
)


@dataclass(frozen=True)
class Squares:
    """measured: the square of the replication plus the cell; slow on request."""

    nap_s: float = 0.0

    def __call__(self, cell: int, replication: int) -> Outcome:
        time.sleep(self.nap_s)
        return Outcome(cell, replication, self.nap_s, {"value": cell + replication**2})


@dataclass(frozen=True)
class Pids:
    def __call__(self, cell: int, replication: int) -> int:
        return os.getpid()


@dataclass(frozen=True)
class Deadly:
    """Squares, but the process is killed at `task` as often as `times` says, and each time told."""

    folder: str
    task: tuple[int, int]
    times: int

    def __call__(self, cell: int, replication: int) -> Outcome:
        deaths = Path(self.folder) / "deaths"
        if (cell, replication) == self.task:
            before = deaths.read_text() if deaths.exists() else ""
            if len(before) < self.times:
                deaths.write_text(before + "+")
                os.kill(os.getpid(), signal.SIGKILL)
        return Squares()(cell, replication)


@dataclass(frozen=True)
class Cell:
    index: int
    varied: dict[str, Any]

    @property
    def world(self) -> WorldSettings:
        return replace(WORLD, horizon_ns=(20 + self.index) * SECOND)


@dataclass(frozen=True)
class Loaded:
    """As much of a loaded scenario as the runner looks at."""

    cells: tuple[Cell, ...]
    replications: int | Sequential = 4
    seed: int = 7
    expect: tuple[Any, ...] = ()
    name: str = "standin"
    projection: Any = None

    @property
    def scenario(self) -> SimpleNamespace:
        return SimpleNamespace(
            name=self.name,
            seed=self.seed,
            replications=self.replications,
            expect=self.expect,
            projection=self.projection,
            baseline={},
            world=lambda: WORLD,
        )

    @property
    def data(self) -> dict[str, Any]:
        return {"vary": [cell.varied for cell in self.cells]}

    def sample(self) -> range:
        return range(len(self.cells))

    def traces(self) -> list[str]:
        return []

    def resolved(self) -> str:
        return f"name: {self.name}\nseed: {self.seed}\n"


TWO_CELLS = Loaded((Cell(0, {"detection.fall": 2}), Cell(1, {"detection.fall": 3})))


@dataclass(frozen=True)
class Synthetic:
    """Work that measures made-up detection times: the higher the cell, the more they vary."""

    def run(self, cell: int, replication: int) -> Measured:
        wide = 1.5 * (cell + 1)
        detection_s = 5.0 + np.random.default_rng([cell, replication]).uniform(-wide, wide)
        return run(replication, [detection_s] if replication % 2 else [])

    def __call__(self, cell: int, replication: int) -> Outcome:
        return Outcome(cell, replication, 0.0, self.run(cell, replication).to_plain())


def script(name: str) -> ModuleType:
    """A script of `results` as a module."""
    path = Path(__file__).parents[2] / "results" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    if str(path.parent) not in sys.path:  # scripts have parts in common
        sys.path.append(str(path.parent))
    spec.loader.exec_module(module)
    return module
