"""JSON Lines as a table: an object in each line, its keys the names of the columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hasim.scenario.tables.content import content_of
from hasim.scenario.tables.dialect import Dialect
from hasim.scenario.tables.errors import Broken, TraceError, meant, refuse
from hasim.scenario.tables.table import Table


def is_json_lines(path: Path) -> bool:
    """Whether a file begins with an object of JSON. Raises TraceError if it is no text."""
    return content_of(path, json_lines=True).lstrip().startswith(b"{")


def names_of(path: Path) -> list[str]:
    """The keys of all objects, in the order in which they come. Raises TraceError."""
    return list(dict.fromkeys(key for _, row in _rows(path) for key in row))


def read_json_lines(path: Path, wanted: Mapping[str, str]) -> Table:
    """The `wanted` columns (setting: key); a key that an object lacks is empty there.

    Raises TraceError for a line that is no object, and for a key that no object has.
    """
    rows = _rows(path)
    names = names_of(path)
    missing = [
        (setting, f"{path.name} has no key {name!r}{meant(name, names) or ''}")
        for setting, name in wanted.items()
        if name not in names
    ]
    if missing:
        raise TraceError(path, settings=missing)
    columns = {
        setting: pa.array([_text(row.get(name)) for _, row in rows], pa.string())
        for setting, name in wanted.items()
    }
    lines = np.array([line for line, _ in rows], dtype=np.int64)
    dialect = Dialect("comma", tuple(names), None, 1, len(names))
    return Table(path, dialect, dict(wanted), columns, np.arange(len(rows)), lambda: lines)


def _rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Each object with its line."""
    found: list[tuple[int, dict[str, Any]]] = []
    broken: list[Broken] = []
    for line, text in enumerate(content_of(path, json_lines=True).decode().splitlines(), 1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except RecursionError:
            broken.append((line, "", "is nested too deeply"))
            continue
        except ValueError as error:
            broken.append((line, "", f"is no JSON: {str(error).split(':')[0].lower()}"))
            continue
        if isinstance(row, dict):
            found.append((line, row))
        else:
            broken.append((line, "", "is no object of JSON, expected {...}"))
    refuse(path, broken)
    if not found:
        raise TraceError(path, settings=[("", f"{path.name} has no object of JSON")])
    return found


def _text(value: Any) -> str:
    """A value as a cell of a table has it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
