"""The lines of a run folder: the cells that were begun, and an outcome for each replication."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from hasim.study.folder.errors import StoreError
from hasim.study.planning.outcomes import CellInfo, Outcome

CELLS = "cells.jsonl"
T = TypeVar("T")


def outcome_file(cell: CellInfo) -> str:
    """Where the outcomes of a cell stand in the folder; cells of the same world share a file."""
    return f"replications/{cell.stem}.jsonl"


def cell_line(cell: CellInfo) -> str:
    """A cell as a line of JSON."""
    return _line({"cell": cell.index, "varied": dict(cell.varied), "key": cell.key})


def outcome_line(outcome: Outcome) -> str:
    """An outcome as a line of JSON."""
    return _line(dataclasses.asdict(outcome))


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n"


def read_cells(path: Path) -> Iterator[CellInfo]:
    """The cells that are known, as they were begun. Raises StoreError if they cannot be read."""

    def make(row: dict[str, Any]) -> CellInfo:
        return CellInfo(int(row["cell"]), dict(row["varied"]), str(row["key"]))

    file = path / CELLS
    try:
        yield from _read(file, make, "a cell")
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from None


def read_outcomes(path: Path, cell: CellInfo) -> Iterator[Outcome]:
    """What is stored of a cell. Raises StoreError if a line is garbled."""

    def make(row: dict[str, Any]) -> Outcome:
        return Outcome(**{**row, "violations": tuple(row["violations"])}).of(cell)

    with contextlib.suppress(FileNotFoundError):
        yield from _read(path / outcome_file(cell), make, "an outcome of a replication")


def _read(file: Path, make: Callable[[dict[str, Any]], T], what: str) -> Iterator[T]:
    """What `make` makes of each line of JSON; a torn last line is passed over."""
    lines = file.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            yield make(json.loads(line))
        except (ValueError, TypeError, KeyError) as error:
            if number == len(lines):  # no newline behind it: torn
                return
            raise StoreError(f"{file}:{number}: not {what}: {error}") from None


def mend(file: int) -> None:
    """Cut off the torn last line that a kill in the middle of a write has left.

    A line that lacks nothing but its end is completed: it has been read as an outcome.
    """
    size = os.fstat(file).st_size
    os.lseek(file, 0, os.SEEK_SET)
    with os.fdopen(os.dup(file), "rb") as whole:
        last = whole.read().rpartition(b"\n")[2]
    if not last:
        return
    try:
        json.loads(last)
    except ValueError:
        os.ftruncate(file, size - len(last))
    else:
        os.write(file, b"\n")
