"""The folder of a run: what was asked, what each replication gave, how it ended.

::

    manifest.json                    versions, seed, start, end, state, counts
    scenario.yaml                    the scenario, resolved: it loads to the same cells
    replications/cell-000.jsonl      one line per replication, appended as it finishes
    journals/, messages/             only when asked for

Everything is JSON, YAML or CSV; nothing is ever executed when a folder is read.
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from hasim.version import __version__

FORMAT = 1
LIBRARIES = ("numpy", "simpy", "pandas")
State = Literal["RUNNING", "COMPLETED", "INTERRUPTED", "FAILED"]


class StoreError(ValueError):
    """A run folder that cannot be written or read; the message names the file."""


@dataclass(frozen=True, slots=True)
class CellInfo:
    """One grid point: its number and what the user wrote for each varied setting."""

    index: int
    varied: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one replication of one cell gave.

    `measured` is the plain data of `hasim.measures.Measured`, None if the
    replication raised; `error` then says what. `violations` are the invariants
    that it broke, if they were checked. `wall_s` is how long it took.
    """

    cell: int
    replication: int
    wall_s: float
    measured: dict[str, Any] | None
    violations: tuple[str, ...] = ()
    error: str = ""


@dataclass
class Study:
    """What was asked and, by (cell, replication), what came out.

    `expect` holds measure -> limit as text; `projection` the mean time between
    failures and the period in nanoseconds, if uptime is projected; `notes` what
    a reader of the results must know.
    """

    name: str
    seed: int
    replications: int
    cells: tuple[CellInfo, ...]
    expect: dict[str, str] = field(default_factory=dict)
    projection: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()
    resolved: str = ""
    state: State = "RUNNING"
    checked: bool = False
    outcomes: dict[tuple[int, int], Outcome] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Take an outcome; the same one twice is the same as once."""
        self.outcomes[outcome.cell, outcome.replication] = outcome

    def ordered(self) -> Iterator[Outcome]:
        """The outcomes by cell, then replication, whatever the order they came in."""
        for key in sorted(self.outcomes):
            yield self.outcomes[key]

    def of_cell(self, cell: int) -> list[Outcome]:
        """The outcomes of one cell, by replication."""
        return [outcome for outcome in self.ordered() if outcome.cell == cell]


class RunFolder:
    """Writes one run. Each line is one `os.write`, so an interrupt cannot tear it."""

    def __init__(self, path: Path, study: Study) -> None:
        """Make the folder and write what is known at the start.

        Raises StoreError if there already is something in it, or it cannot be made.
        """
        self.path = path
        self._study = study
        self._files: dict[int, int] = {}
        self._manifest = _manifest(study)
        try:
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise StoreError(f"{path}: not empty; choose another folder for the run")
            (path / "replications").mkdir()
            (path / "scenario.yaml").write_text(study.resolved, encoding="utf-8")
            self._write_manifest()
        except OSError as error:
            raise StoreError(f"{path}: cannot write there: {error.strerror}") from None

    def append(self, outcome: Outcome) -> None:
        """Store one outcome."""
        if outcome.cell not in self._files:
            path = self.path / "replications" / f"cell-{outcome.cell:03}.jsonl"
            self._files[outcome.cell] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        plain = dataclasses.asdict(outcome)
        line = json.dumps(plain, separators=(",", ":"), ensure_ascii=False) + "\n"
        os.write(self._files[outcome.cell], line.encode())

    def finish(self) -> None:
        """Close the files and say in the manifest how the study ended."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()
        done = [outcome for outcome in self._study.ordered() if not outcome.error]
        self._manifest |= {
            "state": self._study.state,
            "ended": _now(),
            "replications_done": len(done),
            "violations": sum(len(outcome.violations) for outcome in done),
        }
        self._write_manifest()

    def _write_manifest(self) -> None:
        partial = self.path / "manifest.json.part"
        partial.write_text(json.dumps(self._manifest, indent=2) + "\n", encoding="utf-8")
        partial.replace(self.path / "manifest.json")


def default_folder(name: str, under: Path = Path("hasim-runs")) -> Path:
    """A folder for a new run that does not exist yet: ``hasim-runs/NAME-20250131T235959``."""
    stem = f"{name}-{datetime.now():%Y%m%dT%H%M%S}"
    path, number = under / stem, 1
    while path.exists():
        number += 1
        path = under / f"{stem}-{number}"
    return path


def open_run(path: Path) -> Study:
    """Read a run folder, finished or not.

    Raises StoreError, naming the file, if it is no run folder or something in
    it cannot be read. A torn last line, as a kill in the middle of a write leaves
    it, is passed over.
    """
    manifest = _read_manifest(path)
    try:
        study = Study(
            name=manifest["scenario"],
            seed=manifest["seed"],
            replications=manifest["replications"],
            cells=tuple(CellInfo(cell["index"], cell["varied"]) for cell in manifest["cells"]),
            expect=manifest["expect"],
            projection=tuple(manifest["projection"]) if manifest["projection"] else None,
            notes=tuple(manifest["notes"]),
            resolved=(path / "scenario.yaml").read_text(encoding="utf-8"),
            state=manifest["state"],
            checked=manifest["checked"],
        )
    except (KeyError, TypeError) as error:
        raise StoreError(f"{path / 'manifest.json'}: lacks or garbles {error}") from None
    except UnicodeDecodeError:
        raise StoreError(f"{path / 'scenario.yaml'}: is not a text file in UTF-8") from None
    except OSError as error:
        raise StoreError(f"{path / 'scenario.yaml'}: {error.strerror}") from None
    for file in sorted((path / "replications").glob("cell-*.jsonl")):
        for outcome in _read_outcomes(file):
            study.add(outcome)
    return study


def _read_manifest(path: Path) -> dict[str, Any]:
    file = path / "manifest.json"
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        what = "it has no manifest.json" if path.is_dir() else "it is no folder"
        what = what if path.exists() else "it does not exist"
        raise StoreError(f"{path}: no folder of a hasim run ({what})") from None
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise StoreError(f"{file}: not JSON: {error}") from None
    found = manifest.get("hasim_run") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise StoreError(f"{file}: expected a run of format {FORMAT}, got {found!r}")
    return dict(manifest)


def _read_outcomes(file: Path) -> Iterator[Outcome]:
    lines = file.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            plain = json.loads(line)
            yield Outcome(**{**plain, "violations": tuple(plain["violations"])})
        except (ValueError, TypeError, KeyError) as error:
            if number == len(lines):  # no newline behind it: torn
                return
            raise StoreError(f"{file}:{number}: not an outcome of a replication: {error}") from None


def _manifest(study: Study) -> dict[str, Any]:
    return {
        "hasim_run": FORMAT,
        "scenario": study.name,
        "state": "RUNNING",
        "started": _now(),
        "ended": None,
        "seed": study.seed,
        "replications": study.replications,
        "replications_done": 0,
        "violations": 0,
        "checked": study.checked,
        "cells": [{"index": cell.index, "varied": dict(cell.varied)} for cell in study.cells],
        "expect": study.expect,
        "projection": list(study.projection) if study.projection else None,
        "notes": list(study.notes),
        "versions": {
            "hasim": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in LIBRARIES},
        },
        "commit": _commit(),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _commit() -> str | None:
    """The commit of the checkout that hasim runs from, "+" if it was edited; None elsewhere."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    git = ["git", "-C", str(root)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True
        )
        edited = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return head.stdout.strip() + ("+" if edited.stdout.strip() else "")
