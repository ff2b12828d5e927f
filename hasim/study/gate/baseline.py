"""The baseline file: what each replication gave, so that a candidate can be compared in pairs.

JSON, one line per list, so that its changes can be reviewed in a version control system.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hasim.study.folder.errors import StoreError
from hasim.study.gate.fingerprint import Fingerprint

FORMAT = 1


class BaselineError(StoreError):
    """A baseline that cannot be read or written; the message names the file."""


class NoBaselineError(LookupError):
    """There is nothing to compare with; the message says why."""


@dataclass(frozen=True, slots=True)
class BaselineCell:
    """One cell: values by measure and replication, fingerprints and speeds by replication.

    `environment` is the hash of its world, `settings` those of the control plane.
    """

    environment: str
    settings: Mapping[str, Any]
    values: Mapping[str, tuple[float | None, ...]]
    fingerprints: tuple[Fingerprint, ...]
    speeds: tuple[float, ...]

    @property
    def replications(self) -> int:
        """How many replications it holds."""
        return len(self.fingerprints)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The baseline of a suite, by the names of its cells, and the versions that made it."""

    suite: str
    versions: Mapping[str, str]
    cells: Mapping[str, BaselineCell]


def write_baseline(baseline: Baseline, path: str | Path) -> None:
    """Write the file; it appears whole or not at all. Raises BaselineError."""
    path = Path(path)
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text("".join(_lines(_plain(baseline))) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise BaselineError(f"{path}: cannot write there: {error.strerror}") from None


def read_baseline(path: str | Path) -> Baseline:
    """Read the file.

    Raises NoBaselineError if there is none, or one of another format, and BaselineError,
    naming the file, if it is no baseline at all.
    """
    path = Path(path)
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NoBaselineError(f"{path}: no such file") from None
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise BaselineError(f"{path}: not JSON: {error}") from None
    if not isinstance(plain, dict) or "hasim_baseline" not in plain:
        raise BaselineError(f"{path}: no baseline of hasim bench")
    if plain["hasim_baseline"] != FORMAT:
        found = plain["hasim_baseline"]
        raise NoBaselineError(f"{path}: of format {found!r}, this version writes {FORMAT}")
    try:
        cells = {name: _cell(cell) for name, cell in plain["cells"].items()}
        return Baseline(plain["suite"], plain["versions"], cells)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BaselineError(f"{path}: lacks or garbles {error}") from None


def _plain(baseline: Baseline) -> dict[str, Any]:
    return {
        "hasim_baseline": FORMAT,
        "suite": baseline.suite,
        "versions": dict(baseline.versions),
        "cells": {
            name: {
                "environment": cell.environment,
                "settings": dict(cell.settings),
                "values": {measure: list(row) for measure, row in cell.values.items()},
                "fingerprints": [one.to_plain() for one in cell.fingerprints],
                "speeds": [round(speed, 3) for speed in cell.speeds],
            }
            for name, cell in baseline.cells.items()
        },
    }


def _cell(plain: dict[str, Any]) -> BaselineCell:
    fingerprints = tuple(Fingerprint(**one) for one in plain["fingerprints"])
    values = {measure: tuple(map(_number, row)) for measure, row in plain["values"].items()}
    speeds = tuple(map(float, plain["speeds"]))
    if any(len(row) != len(fingerprints) for row in (*values.values(), speeds)):
        raise ValueError("a list that is as long as the others")
    return BaselineCell(plain["environment"], plain["settings"], values, fingerprints, speeds)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _lines(value: Any, indent: str = "") -> Iterator[str]:
    """JSON in which a list of numbers, or a mapping of plain values, takes one line."""
    inner = indent + " "
    if isinstance(value, dict) and any(isinstance(part, dict | list) for part in value.values()):
        yield "{"
        for place, (key, part) in enumerate(value.items()):
            yield f"{',' if place else ''}\n{inner}{json.dumps(key, ensure_ascii=False)}: "
            yield from _lines(part, inner)
        yield f"\n{indent}}}"
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        yield "["
        for place, part in enumerate(value):
            yield f"{',' if place else ''}\n{inner}{_compact(part)}"
        yield f"\n{indent}]"
    else:
        yield _compact(value)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
