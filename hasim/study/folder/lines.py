"""The lines of a run folder: the cells that were begun, and an outcome for each replication.

Each line is a row of JSON that ends in a checksum of it and of the cell that it belongs to: a
value that was changed, or a row that was put elsewhere, is not believed.
"""

from __future__ import annotations

import codecs
import contextlib
import dataclasses
import json
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from hasim import stored
from hasim.stored import StoredError
from hasim.study.folder.errors import StoreError
from hasim.study.planning.outcomes import CellInfo, Outcome

CELLS = "cells.jsonl"
T = TypeVar("T")
_SUM = ',"sum":"'
_TAIL = len(_SUM) + stored.DIGEST + len('"}')
"""Bytes from the checksum's name to the end of a line."""
_HEAD = b'{"cell":'
"""How every row begins."""


def outcome_file(cell: CellInfo) -> str:
    """Where the outcomes of a cell stand in the folder; cells of the same world share a file."""
    return f"replications/{cell.stem}.jsonl"


def cell_line(cell: CellInfo) -> str:
    """A cell as a line of JSON."""
    return _line({"cell": cell.index, "varied": dict(cell.varied), "key": cell.key}, CELLS)


def outcome_line(outcome: Outcome, cell: CellInfo) -> str:
    """An outcome of a cell as a line of JSON."""
    # What was measured is plain already: of an outcome's own fields alone a mapping is made.
    row = {field.name: getattr(outcome, field.name) for field in dataclasses.fields(outcome)}
    return _line(row, cell.key)


def _line(row: dict[str, Any], whose: str) -> str:
    body = json.dumps(row, separators=(",", ":"), ensure_ascii=False)[:-1]
    return f'{body}{_SUM}{_checksum(body.encode(), whose)}"}}\n'


def _checksum(body: bytes, whose: str) -> str:
    return stored.digest(whose.encode(), body)


def read_cells(path: Path) -> Iterator[CellInfo]:
    """The cells that are known, as they were begun. Raises StoreError if they cannot be read."""

    def make(row: dict[str, Any]) -> CellInfo:
        index, varied, key = (row[name] for name in ("cell", "varied", "key"))
        if not _whole(index):
            raise StoredError("expected a whole number from 0 on", "cell")
        if not isinstance(varied, dict):
            raise StoredError("expected a mapping", "varied")
        if not isinstance(key, str) or set(key) - set("0123456789abcdef"):
            raise StoredError("expected hexadecimal digits", "key")
        return CellInfo(index, varied, key)

    file = path / CELLS
    try:
        yield from _read(file, make, "a cell", CELLS)
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from None


def read_outcomes(path: Path, cell: CellInfo) -> Iterator[Outcome]:
    """What is stored of a cell; the last row of a replication counts.

    Raises StoreError if a row is none, or not of this cell, or a replication that was finished is
    there again.
    """
    finished: set[int] = set()

    def make(row: dict[str, Any]) -> Outcome:
        outcome = _outcome(row)
        if outcome.replication in finished:
            raise StoredError(f"{outcome.replication} is there twice", "replication")
        if not outcome.error:
            finished.add(outcome.replication)
        return outcome.of(cell)

    file = path / outcome_file(cell)
    try:
        with contextlib.suppress(FileNotFoundError):
            yield from _read(file, make, "an outcome of a replication", cell.key)
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from None


def _outcome(row: dict[str, Any]) -> Outcome:
    """Raises StoredError for what no replication gives."""
    for name in ("cell", "replication"):
        if not _whole(row[name]):
            raise StoredError("expected a whole number from 0 on", name)
    wall_s, measured, violations, error = (
        row[name] for name in ("wall_s", "measured", "violations", "error")
    )
    if not isinstance(wall_s, int | float) or not 0 <= wall_s < math.inf:
        raise StoredError("expected seconds, not negative", "wall_s")
    if not isinstance(error, str):
        raise StoredError("expected text", "error")
    if not isinstance(measured, dict) and (measured is not None or not error):
        raise StoredError("expected a mapping", "measured")
    if not isinstance(violations, list) or not all(isinstance(one, str) for one in violations):
        raise StoredError("expected a list of texts", "violations")
    return Outcome(**{**row, "violations": tuple(violations)})


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _read(file: Path, make: Callable[[dict[str, Any]], T], what: str, whose: str) -> Iterator[T]:
    """What `make` makes of each row; a torn last line is passed over."""
    with stored.opened(file) as whole:
        try:
            for number, line in stored.lines(whole):
                if line.strip() and (row := _row(line, what, whose, number)) is not None:
                    try:
                        made = make(row)
                    except StoredError as error:
                        raise StoredError(error.message, error.field, number) from None
                    except (KeyError, TypeError) as error:
                        text = f"not {what}: {error}"
                        raise StoredError(text, line=number) from None
                    yield made
        except StoredError as error:
            at = f"{file}:{error.line}" if error.line is not None else f"{file}"
            said = ": ".join(filter(None, (error.field, error.message)))
            raise StoreError(f"{at}: {said}") from None


def _row(line: bytes, what: str, whose: str, number: int) -> dict[str, Any] | None:
    """The row in a line; None if its end is missing. Raises StoredError for what is no row."""
    text = line.rstrip(b"\r\n")
    torn = text == line and _begun(text)
    try:
        row = json.loads(text)
        if not isinstance(row, dict):
            raise ValueError("expected a mapping")
    except (ValueError, RecursionError) as error:
        if torn:
            return None
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise StoredError(f"not {what}: {reason}", line=number) from None
    if row.pop("sum", None) is None or not text[-_TAIL:].startswith(_SUM.encode()):
        raise StoredError(f"not {what}: it has no checksum", line=number)
    if text[-_TAIL + len(_SUM) : -2] != _checksum(text[:-_TAIL], whose).encode():
        raise StoredError(
            "was changed after it had been written, or is of another cell: its checksum is "
            "another one",
            line=number,
        )
    return row


def _begun(text: bytes) -> bool:
    """Whether a line may be the beginning of a row, and is not something else that was put there.

    A row is UTF-8, which may be cut within a character, and has no control characters.
    """
    head = text[: len(_HEAD)]
    try:
        codecs.getincrementaldecoder("utf-8")().decode(text)
    except UnicodeDecodeError:
        return False
    return head == _HEAD[: len(head)] and not any(byte < ord(" ") for byte in text)


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
    except (ValueError, RecursionError):
        os.ftruncate(file, size - len(last))
    else:
        os.write(file, b"\n")
