"""A run folder read back, finished or not."""

from __future__ import annotations

from pathlib import Path

from hasim.settings.validation import SettingsError
from hasim.study.folder.errors import StoreError
from hasim.study.folder.lines import read_cells, read_outcomes
from hasim.study.folder.manifest import options_in, read_manifest, replications_in
from hasim.study.planning.stopping import Stop
from hasim.study.planning.study import Options, Study


def open_run(path: Path) -> Study:
    """Read a run folder, finished or not.

    Raises StoreError, naming the file, if it is no run folder or something in
    it cannot be read. A torn last line, as a kill in the middle of a write leaves
    it, is passed over.
    """
    manifest = read_manifest(path)
    try:
        study = Study(
            name=manifest["scenario"],
            seed=manifest["seed"],
            replications=replications_in(manifest),
            cells=tuple(sorted(read_cells(path), key=lambda cell: cell.index)),
            expect=manifest["expect"],
            baseline=manifest["baseline"],
            projection=tuple(manifest["projection"]) if manifest["projection"] else None,
            notes=tuple(manifest["notes"]),
            resolved=(path / "scenario.yaml").read_text(encoding="utf-8"),
            state=manifest["state"],
            options=options_in(manifest),
            base=manifest["base"],
            stops={int(c): Stop(**stop) for c, stop in manifest["stops"].items()},
        )
    except (KeyError, TypeError, AttributeError, SettingsError) as error:
        raise StoreError(f"{path / 'manifest.json'}: lacks or garbles {error}") from None
    except UnicodeDecodeError:
        raise StoreError(f"{path / 'scenario.yaml'}: is not a text file in UTF-8") from None
    except OSError as error:
        raise StoreError(f"{path / 'scenario.yaml'}: {error.strerror}") from None
    named = {cell.index: cell for cell in study.cells}
    study.outcomes.read = lambda index: read_outcomes(path, named[index])
    for cell in study.cells:
        stop = study.stops.get(cell.index)
        for outcome in read_outcomes(path, cell):
            if outcome.replication < (stop.replications if stop else study.most):
                study.add(outcome)
    return study


def options_of(path: Path) -> Options:
    """What the run in a folder does with each replication. Raises StoreError like `open_run`."""
    try:
        return options_in(read_manifest(path))
    except (KeyError, TypeError) as error:
        raise StoreError(f"{path / 'manifest.json'}: lacks or garbles {error}") from None
