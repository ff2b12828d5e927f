"""The append-only record of a run: inputs, effects, events, truth; write and read.

On disk a journal is JSON Lines (gzip if the name ends in ``.gz``): a header
that holds the configuration of each observer (a control plane), then one line per
record. A record says whose it is, unless it is a truth, which is nobody's. Its body is named by
its class, so a journal can be read without this
program; nothing in it is ever executed.
"""

from __future__ import annotations

import functools
import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, cast, get_args

from hasim import events, truth
from hasim.settings.validation import nearest

FORMAT = 2
Lane = Literal["input", "effect", "event", "truth"]
Body = events.Input | events.Effect | events.Event | truth.Truth
BODIES: dict[str, type[Any]] = {
    cls.__name__: cls
    for union in (events.Input, events.Effect, events.Event, truth.Truth)
    for cls in get_args(union)
}
EVENT_TYPES = frozenset(get_args(events.Event))


def lane_of(output: events.Output) -> Lane:
    """The lane of what a control plane puts out."""
    return "event" if type(output) in EVENT_TYPES else "effect"


class JournalError(ValueError):
    """A journal that cannot be read; the message names file, line and what was expected."""


class Record(NamedTuple):
    """One thing that happened at `t_ns` (nanoseconds since the start of the run).

    `observer` is the name of the control plane whose input, effect or event it is; empty for
    a truth, which is nobody's.
    """

    t_ns: int
    lane: Lane
    body: Body
    observer: str = ""


new_record = tuple.__new__
"""``new_record(Record, (...))`` is ``Record(...)`` in half the time."""


@dataclass
class Journal:
    """The header (plain data) and the records in the order in which they happened."""

    header: dict[str, Any] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)

    def add(self, t_ns: int, lane: Lane, body: Body, observer: str = "") -> None:
        """Append one record."""
        self.records.append(new_record(Record, (t_ns, lane, body, observer)))

    def of(self, *kinds: type[Any]) -> Iterator[tuple[int, Any]]:
        """(time, body) of the records whose body is one of `kinds`, in order."""
        for record in self.records:
            if isinstance(record.body, kinds):
                yield record.t_ns, record.body

    @property
    def observers(self) -> tuple[str, ...]:
        """The names of the control planes whose records these are, as in the header."""
        return tuple(self.header.get("observers", ()))

    def observer(self, name: str | None = None) -> str:
        """The observer of this name; the first that the header names if none is given.

        Raises JournalError, naming those that there are, for any other.
        """
        known = self.observers
        if name is None and known:
            return known[0]
        if name in known:
            return name
        if name is None:
            raise JournalError("the header names no observer")
        raise JournalError(f"unknown observer {name!r}{nearest(name, known, otherwise='known')}")

    def seen_by(self, observer: str) -> Journal:
        """The records of one observer, and the truth; this journal itself if it has no other."""
        if self.observers == (observer,):
            return self
        return Journal(self.header, [r for r in self.records if r.observer in (observer, "")])

    @property
    def horizon_ns(self) -> int:
        """Length of the run in nanoseconds, from the header."""
        return int(self.header["horizon_ns"])


@functools.cache
def _adapter(name: str) -> Any:
    """pydantic's adapter of the body class with this name."""
    from pydantic import TypeAdapter

    return TypeAdapter(BODIES[name])


def to_line(record: Record, *, named: bool = True) -> str:
    """One line of JSON, without the newline; if it is not `named`, it does not say whose it is."""
    name = type(record.body).__name__
    body = _adapter(name).dump_json(record.body).decode()
    by = f'"observer":{json.dumps(record.observer)},' if named and record.observer else ""
    return f'{{"t":{record.t_ns},"{record.lane}":"{name}",{by}"body":{body}}}'


def write(journal: Journal, path: Path) -> None:
    """Write a journal; the file appears whole or not at all."""
    partial = path.with_name(path.name + ".part")
    with _open(partial, "wt", gzipped=path.suffix == ".gz") as out:
        out.write(json.dumps({"hasim_journal": FORMAT, **journal.header}) + "\n")
        out.writelines(to_line(record) + "\n" for record in journal.records)
    partial.replace(path)


def read(path: Path) -> Journal:
    """Read a journal. Raises JournalError with file and line for anything unexpected."""
    journal, number = Journal(), 0
    try:
        with _open(path, "rt", gzipped=path.suffix == ".gz") as lines:
            for number, line in enumerate(lines, 1):
                _read_line(journal, number, line)
    except (ValueError, KeyError, TypeError, OSError, EOFError, zlib.error) as error:
        what = f"not a line of a hasim journal: {_reason(error)}"
        if number <= 1 and not journal.header:
            what = f"not a hasim journal: {_reason(error)}"
        place = f"{path}:{number}" if number else str(path)
        raise JournalError(f"{place}: {what}") from None
    if not number:
        raise JournalError(f"{path}: empty; expected a hasim journal")
    return journal


def _reason(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, UnicodeDecodeError):
        return "no text in UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON: {error.msg} (column {error.colno})"
    if hasattr(error, "errors"):  # pydantic's, whose text has many lines
        bad = error.errors()[0]
        field = ".".join(str(part) for part in bad["loc"])
        return f"{field}: {bad['msg'][0].lower()}{bad['msg'][1:]}"
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(text.split())


def _read_line(journal: Journal, number: int, line: str) -> None:
    plain = json.loads(line)
    if number > 1 and not isinstance(plain, dict):
        raise ValueError("expected a mapping")
    if number == 1:
        if not isinstance(plain, dict) or plain.pop("hasim_journal", None) != FORMAT:
            raise ValueError(f'expected a header with "hasim_journal": {FORMAT}')
        journal.header = plain
        return
    lane = next((name for name in get_args(Lane) if name in plain), None)
    if lane is None:
        raise ValueError(f"expected one of {', '.join(get_args(Lane))}")
    if plain[lane] not in BODIES:
        raise ValueError(f"unknown record {plain[lane]!r}")
    if "t" not in plain or "body" not in plain:
        raise ValueError("expected t and body")
    body = _adapter(plain[lane]).validate_python(plain["body"])
    journal.add(int(plain["t"]), lane, body, str(plain.get("observer", "")))


def _open(path: Path, mode: str, *, gzipped: bool) -> IO[str]:
    if gzipped:
        # mtime 0: the same journal gives the same bytes.
        if "w" in mode:
            import io

            raw = gzip.GzipFile(filename="", fileobj=path.open("wb"), mode="wb", mtime=0)
            return io.TextIOWrapper(cast(IO[bytes], raw), encoding="utf-8")
        return cast(IO[str], gzip.open(path, mode, encoding="utf-8"))
    return cast(IO[str], path.open(mode, encoding="utf-8"))
