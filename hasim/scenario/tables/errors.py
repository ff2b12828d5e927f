"""What is wrong with a table, by line of the file or by setting of the scenario."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

SHOWN = 10
"""So many broken lines of one file are told; the others are counted."""
Broken = tuple[int, str, str]
"""A line of the file, the column, and what is wrong there."""


class TraceError(ValueError):
    """A file that cannot be used as it is asked for.

    `lines` holds (line, column, message) of what is wrong in the file,
    `settings` (name of the setting, message) of what the scenario asks for in vain.
    """

    def __init__(
        self,
        file: Path,
        lines: Sequence[Broken] = (),
        settings: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.file = file
        self.lines = list(lines)
        self.settings = list(settings)
        super().__init__(f"{file}: {self.lines or self.settings}")


def refuse(file: Path, broken: Sequence[Broken]) -> None:
    """Raise TraceError for the broken lines, the first `SHOWN` of them, if there are any."""
    told = list(broken[:SHOWN])
    if len(broken) > SHOWN:
        line, column, _ = broken[SHOWN]
        rest = len(broken) - SHOWN
        told.append((line, column, f"and {rest} more broken lines from here on"))
    if told:
        raise TraceError(file, lines=told)


def meant(word: str, names: Iterable[str]) -> str:
    """``; did you mean X?`` for a name in the file that the user could have meant, else empty.

    Names that are not near are the content of the file, and are not shown.
    """
    known = {name.lower(): name for name in names if name.isprintable() and 0 < len(name) <= 60}
    near = difflib.get_close_matches(word.lower(), known, n=1)
    if not near and len(word) >= 3:
        near = [name for name in known if word.lower() in name][:1]
    return f"; did you mean {known[near[0]]}?" if near else ""


def printable(name: str) -> str:
    """A name with nothing in it that a terminal would obey."""
    return name if name.isprintable() else ascii(name)[1:-1]
