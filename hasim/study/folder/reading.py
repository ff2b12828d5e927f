"""A run folder read back, finished or not."""

from __future__ import annotations

from pathlib import Path

from hasim.study.folder.errors import StoreError
from hasim.study.folder.lines import CELLS, read_cells, read_outcomes
from hasim.study.folder.manifest import NAME, read_manifest, read_scenario
from hasim.study.planning.outcomes import CellInfo
from hasim.study.planning.study import Options, Study


def open_run(path: Path) -> Study:
    """Read a run folder, finished or not.

    Raises StoreError, naming the file, if it is no run folder or something in
    it is not what was written. A torn last line, as a kill in the middle of a write leaves
    it, is passed over.
    """
    manifest = read_manifest(path)
    study = Study(
        name=manifest.scenario,
        seed=manifest.seed,
        replications=manifest.rule(),
        cells=_cells(path),
        expect=manifest.expect,
        baseline=manifest.baseline,
        projection=manifest.projection,
        notes=manifest.notes,
        resolved=read_scenario(path, manifest),
        state=manifest.state,
        options=manifest.options,
        base=manifest.base,
        stops={_number(path, cell): stop for cell, stop in manifest.stops.items()},
    )
    named = {cell.index: cell for cell in study.cells}
    study.outcomes.read = lambda index: read_outcomes(path, named[index])
    for cell in study.cells:
        stop = study.stops.get(cell.index)
        for outcome in read_outcomes(path, cell):
            if outcome.replication < (stop.replications if stop else study.most):
                study.add(outcome)
    return study


def _cells(path: Path) -> tuple[CellInfo, ...]:
    """The cells in order, each once. Raises StoreError."""
    found: dict[int, CellInfo] = {}
    for cell in read_cells(path):
        if cell.index in found:
            raise StoreError(f"{path / CELLS}: cell {cell.index} is there twice")
        found[cell.index] = cell
    return tuple(found[index] for index in sorted(found))


def _number(path: Path, cell: str) -> int:
    if not cell.isdecimal():
        raise StoreError(f"{path / NAME}: stops: expected the number of a cell")
    return int(cell)


def options_of(path: Path) -> Options:
    """What the run in a folder does with each replication. Raises StoreError like `open_run`."""
    manifest = read_manifest(path)
    read_scenario(path, manifest, settle=True)
    return manifest.options
