"""The baseline file: what each replication gave, so that a candidate can be compared in pairs.

JSON, one line per list, so that its changes can be reviewed in a version control system.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hasim import stored
from hasim.measures.catalogue import MEASURES
from hasim.study.folder.errors import StoreError
from hasim.study.gate.fingerprint import Fingerprint

FORMAT = 1
LARGEST = 1e15
"""A larger value of any measure is none: seconds of thirty million years."""


class BaselineError(StoreError):
    """A baseline that cannot be read or written; the message names the file."""


class NoBaselineError(LookupError):
    """There is nothing to compare with; the message says why."""


@dataclass(frozen=True, slots=True)
class BaselineCell:
    """One cell: values by measure and replication, fingerprints and speeds by replication.

    `environment` is the hash of its world, `settings` those of the control plane.
    """

    __pydantic_config__ = stored.STRICT
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

    __pydantic_config__ = stored.STRICT
    suite: str
    versions: Mapping[str, str]
    cells: Mapping[str, BaselineCell]


def write_baseline(baseline: Baseline, path: str | Path) -> None:
    """Write the file; it appears whole or not at all. Raises BaselineError."""
    path = Path(path)
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        written = {"hasim_baseline": FORMAT, **stored.sealed(_plain(baseline))}
        partial.write_text("".join(_lines(written)) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise BaselineError(f"{path}: cannot write there: {error.strerror}") from None


def read_baseline(path: str | Path) -> Baseline:
    """Read the file.

    Raises NoBaselineError if there is none, or one of another format, and BaselineError,
    naming the file and the field, if it is no baseline, or not what was written.
    """
    path = Path(path)
    try:
        plain = stored.plain(stored.content(path))
        if not isinstance(plain, dict) or "hasim_baseline" not in plain:
            raise BaselineError(f"{path}: no baseline of hasim bench")
        found = plain.pop("hasim_baseline")
        if found != FORMAT or isinstance(found, bool):
            raise NoBaselineError(f"{path}: of format {found!r:.20}, this version writes {FORMAT}")
        # Those of earlier versions have no digest.
        rest = stored.unsealed(plain, needed=False)
        baseline = stored.of_form(Baseline, rest)
        for name, cell in baseline.cells.items():
            _check(f"cells.{name}", cell)
    except FileNotFoundError:
        raise NoBaselineError(f"{path}: no such file") from None
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read: {error.strerror}") from None
    except stored.StoredError as error:
        raise BaselineError(f"{path}: {error}") from None
    return baseline


def _check(where: str, cell: BaselineCell) -> None:
    """Raise StoredError for lists of different lengths, and for values that cannot be."""
    if not cell.replications:
        raise stored.StoredError("has no replication", field=f"{where}.fingerprints")
    for field, row in (*cell.values.items(), ("", cell.speeds)):
        place = f"{where}.values.{field}" if field else f"{where}.speeds"
        if len(row) != cell.replications:
            text = f"has {len(row)} values, expected {cell.replications}, one for a replication"
            raise stored.StoredError(text, field=place)
        least, most = _range(field)
        for number, value in enumerate(row):
            if value is not None and not least <= value <= most:
                text = f"expected {least:g} to {most:g}, got {value:g}"
                raise stored.StoredError(text, field=f"{place}.{number}")


def _range(measure: str) -> tuple[float, float]:
    """Between what a value of a measure, or a speed, can lie; those of others' own measures."""
    known = MEASURES.get(measure)
    if known is not None and known.unit == "ratio":
        return 0.0, 1.0 + 1e-9  # what rounding leaves
    return (-LARGEST if measure and known is None else 0.0), LARGEST


def _plain(baseline: Baseline) -> dict[str, Any]:
    return {
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
