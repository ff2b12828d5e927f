"""The capacity of a scenario: what it carries with masters down, and after an overload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hasim.scenario.loader import Loaded
from hasim.study.advising.simulated import Simulated, Tell
from hasim.study.capacity.carrying import Carried, carried
from hasim.study.capacity.downs import Down
from hasim.study.capacity.loads import Loads, loads_of
from hasim.study.capacity.outliving import Outlived, outlived
from hasim.study.capacity.terms import CapacityTerms
from hasim.study.capacity.worlds import Cause

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True)
class Found:
    """What was found; `outlived` is None if it was not asked for."""

    loads: Loads
    terms: CapacityTerms
    carried: tuple[Carried, ...]
    outlived: Outlived | None


def find_capacity(
    loaded: Loaded,
    terms: CapacityTerms,
    downs: Sequence[Down],
    cause: Cause | None,
    folder: Path,
    *,
    jobs: int | None = None,
    dask: str | Client | None = None,
    progress: Tell | None = None,
) -> Found:
    """Find it; replications are kept in a run folder. Raises what `run_study` raises."""
    world = loaded.scenario.world()
    loads = loads_of(world)
    source = Simulated(loaded, [], folder, windows=True, jobs=jobs, dask=dask, progress=progress)
    rows = [carried(source, world, loads, down, terms) for down in downs]
    after = None if cause is None else outlived(source, world, loads, cause, terms)
    return Found(loads, terms, tuple(rows), after)
