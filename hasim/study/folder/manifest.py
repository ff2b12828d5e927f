"""The manifest of a run folder: what was asked, which program made it, how it ended."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hasim.scenario.replications import Sequential
from hasim.settings import plain
from hasim.settings.validation import from_plain
from hasim.study.execution.program import named, this_program
from hasim.study.folder.errors import FormatError, StoreError
from hasim.study.planning.study import Options, Study

NAME = "manifest.json"
FORMAT = 4
"""What is written and read. Format 1 named the cells by their numbers, 2 had them in its manifest,
and 3 did not say which sources had made it."""


def manifest_of(study: Study) -> dict[str, Any]:
    """The manifest of a study that begins now."""
    return {
        "hasim_run": FORMAT,
        "scenario": study.name,
        "state": "RUNNING",
        "started": now(),
        "ended": None,
        "seed": study.seed,
        "replications": plain(study.replications),
        "replications_done": 0,
        "violations": 0,
        **dataclasses.asdict(study.options),
        "base": study.base,
        "cells": len(study.cells),
        "plan": study.plan,
        "stops": {},
        "expect": study.expect,
        "baseline": study.baseline,
        "projection": list(study.projection) if study.projection else None,
        "notes": list(study.notes),
        **this_program(),
        "continued": [],
    }


def now() -> str:
    """The time of day, as it stands in a manifest."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of the run in a folder.

    Raises StoreError if there is none, FormatError if it is of another format.
    """
    manifest = manifest_in(path)
    found = manifest["hasim_run"]
    if found != FORMAT:
        writer = f"{named(manifest)}, which wrote it," if named(manifest) else "what wrote it"
        raise FormatError(
            f"{path / NAME}: a run of format {found!r}, of which this hasim reads {FORMAT} alone; "
            f"{writer} can read it"
        )
    return manifest


def manifest_in(path: Path) -> dict[str, Any]:
    """The manifest of a run of whatever format. Raises StoreError if there is none."""
    file = path / NAME
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
    if not isinstance(manifest, dict) or "hasim_run" not in manifest:
        raise StoreError(f"{file}: not the manifest of a hasim run (it has no hasim_run)")
    return manifest


def options_in(manifest: Mapping[str, Any]) -> Options:
    """What a run does with each replication. Raises KeyError if the manifest lacks it."""
    names = [field.name for field in dataclasses.fields(Options)]
    return Options(**{name: bool(manifest[name]) for name in names})


def replications_in(manifest: Mapping[str, Any]) -> int | Sequential:
    """How many replications each cell has. Raises KeyError, or SettingsError if it is garbled."""
    written = manifest["replications"]
    return from_plain(Sequential, written) if isinstance(written, dict) else int(written)
