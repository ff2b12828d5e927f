"""The append-only record of a run: inputs, effects, events, truth; write and read.

On disk a journal is JSON Lines (gzip if the name ends in ``.gz``): a header that holds the
configuration of each observer (a control plane), then one line per record, then how many there
are, with a digest of all lines before. One without that last line was cut, or is still being
written (`hasim.appended`), and is read as far as it goes. A record says whose it is, unless it is
a truth, which is nobody's. Its body is named by its class, so a journal can be read without this
program; nothing in it is ever executed.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import IO, Annotated, Any, Literal, NamedTuple, Protocol, cast, get_args

from hasim import events, stored, truth
from hasim.model import Cluster
from hasim.settings import ANY, count
from hasim.settings.validation import nearest

FORMAT = 6
Time = Annotated[int, count("Nanoseconds, or a number of ours.", least=0, most=ANY)]
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

    `observer` is the name of the control plane whose input, effect or event it is. A truth is
    nobody's; if there are several tiers, it has the name of the one that it is about, if any.
    """

    t_ns: int
    lane: Lane
    body: Body
    observer: str = ""


new_record = tuple.__new__
"""``new_record(Record, (...))`` is ``Record(...)`` in half the time."""


class Keeper(Protocol):
    """Whoever writes a journal to disk while it grows."""

    due: int
    """So many records must there be before there is something to write."""

    def keep_up(self) -> None:
        """Write what is due."""
        ...


@dataclass
class Journal:
    """The header (plain data) and the records in the order in which they happened."""

    header: dict[str, Any] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    cut: str = field(default="", compare=False)
    """What is missing at the end of a file that was read; empty if nothing is."""
    appended: Keeper | None = field(default=None, compare=False, repr=False)
    """Who writes it to disk meanwhile, if anybody does."""

    def add(self, t_ns: int, lane: Lane, body: Body, observer: str = "") -> None:
        """Append one record."""
        self.records.append(new_record(Record, (t_ns, lane, body, observer)))
        self.keep_up()

    def keep_up(self) -> None:
        """Have it written as far as it is, if that is due."""
        if self.appended is not None and len(self.records) >= self.appended.due:
            self.appended.keep_up()

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
        of = [r for r in self.records if r.observer == observer or r.lane == "truth"]
        return Journal(self.header, of)

    @property
    def masters(self) -> tuple[str, ...]:
        """The ids of the masters, in their order. JournalError if the header does not have them."""
        try:
            return tuple(master["id"] for master in self.header["cluster"]["masters"])
        except (KeyError, TypeError):
            raise JournalError("the header does not describe a cluster") from None

    @property
    def tiers(self) -> tuple[str, ...]:
        """The names of the tiers, if there are several."""
        return tuple(self.header.get("tiers", ()))

    def of_tier(self, name: str) -> Journal:
        """One of several tiers as if it were alone: what is about it, and its observers' records.

        Raises JournalError if there is no such tier.
        """
        if name not in self.tiers:
            raise JournalError(f"unknown tier {name!r}{nearest(name, self.tiers)}")
        about = self.header["tiers"][name]
        masters = {master["id"] for master in about["cluster"]["masters"]}
        others = [own["cluster"]["masters"] for own in self.header["tiers"].values()]
        foreign = {master["id"] for own in others for master in own} - masters
        header = {
            key: value for key, value in self.header.items() if key not in ("tiers", "needed")
        }
        whose = {name, *about["observers"]}
        found = []
        for record in self.records:
            if record.observer in whose:
                found.append(record)
            elif not record.observer and (kept := _without(record, foreign)) is not None:
                found.append(kept)
        return Journal({**header, **about}, found)

    def tier_of(self, master: str) -> str:
        """The tier that a master belongs to; empty if there is only one, or no such master."""
        for tier in self.tiers:
            masters = self.header["tiers"][tier]["cluster"]["masters"]
            if master in [one["id"] for one in masters]:
                return tier
        return ""

    @property
    def horizon_ns(self) -> int:
        """Length of the run in nanoseconds, from the header. Raises JournalError without one."""
        if "horizon_ns" not in self.header:
            raise JournalError("the header has no horizon_ns")
        return int(self.header["horizon_ns"])


def _without(record: Record, foreign: set[str]) -> Record | None:
    """A truth about all tiers without the masters that are `foreign`; None if it has no others."""
    body = record.body
    if not isinstance(body, truth.FaultStarted) or foreign.isdisjoint(body.masters):
        return record
    own = tuple(master for master in body.masters if master not in foreign)
    return record._replace(body=replace(body, masters=own)) if own else None


@functools.cache
def _adapter(name: str) -> Any:
    """pydantic's adapter of the body class with this name."""
    from pydantic import TypeAdapter

    return TypeAdapter(BODIES[name])


def to_line(record: Record, *, named: bool = True) -> str:
    """One line of JSON, without the newline; if it is not `named`, it does not say whose it is."""
    name = type(record.body).__name__
    body = _adapter(name).dump_json(record.body).decode()
    whose = "tier" if record.lane == "truth" else "observer"
    by = f'"{whose}":{json.dumps(record.observer)},' if named and record.observer else ""
    return f'{{"t":{record.t_ns},"{record.lane}":"{name}",{by}"body":{body}}}'


def end_line(records: int, digest: str) -> bytes:
    """The last line of a journal, with its end."""
    return f'{{"end":{records},"digest":"{digest}"}}\n'.encode()


def read(path: Path) -> Journal:
    """Read a journal. Raises JournalError with file and line for anything unexpected.

    One whose end is missing, as after a kill, on a full disk or while it is written, is read up to
    there; `Journal.cut` then says so.
    """
    journal, number, reading = Journal(), 0, _Reading()
    try:
        with _opened(path) as file:
            for number, line in _lines(file, journal):
                if number == 1:
                    _read_header(journal, line)
                    reading.sum.update(line)
                elif reading.over:
                    raise ValueError("it goes on after its end")
                elif line.endswith(b"\n") or _is_whole(line):
                    reading.take(journal, line)
                else:
                    journal.cut = f"line {number}, the last, is cut"
    except _UNREADABLE as error:
        what = f"not a line of a hasim journal: {_reason(error)}"
        if number <= 1 and not journal.header:
            what = f"not a hasim journal: {_reason(error)}"
        place = f"{path}:{number}" if number else str(path)
        raise JournalError(f"{place}: {what}") from None
    if not number:
        raise JournalError(f"{path}: empty; expected a hasim journal")
    if not reading.over:
        why = journal.cut or f"its end is missing after line {number}"
        journal.cut = f"{path}: {why}: {_how_far(journal)}"
    return journal


def _how_far(journal: Journal) -> str:
    """Up to where a journal was read."""
    at_ns = journal.records[-1].t_ns if journal.records else 0
    of = f" of {journal.horizon_ns / 1e9:,.9g}" if "horizon_ns" in journal.header else ""
    return f"{len(journal.records):,} records were read, up to {at_ns / 1e9:,.9g}{of} s"


class _Reading:
    """What was read so far: the digest of its lines, and whether its end was among them."""

    def __init__(self) -> None:
        self.sum = hashlib.blake2b(digest_size=stored.DIGEST // 2)
        self.over = False

    def take(self, journal: Journal, line: bytes) -> None:
        """The next line: a record, or the end. Raises ValueError for what is neither."""
        if not line.startswith(b'{"end"'):
            _read_line(journal, line)
            self.sum.update(line)
        elif line.rstrip(b"\n") + b"\n" != end_line(len(journal.records), self.sum.hexdigest()):
            raise ValueError(
                f"end: it was changed after it had been written: {len(journal.records):,} records "
                "were read, and their number or their digest is another one"
            )
        else:
            self.over = True


_UNREADABLE = (ValueError, KeyError, TypeError, OSError, EOFError, zlib.error, RecursionError)


def _lines(file: IO[bytes], journal: Journal) -> Iterator[tuple[int, bytes]]:
    """The lines of a journal, up to where its archive ends."""
    number = 0
    try:
        for number, line in stored.lines(file):
            yield number, line
    except EOFError:  # an archive without its end
        if not number:
            raise
        journal.cut = f"its archive ends after line {number}"


def _is_whole(line: bytes) -> bool:
    """Whether a line lacks nothing but its end."""
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _reason(error: BaseException) -> str:
    """What went wrong, in one line."""
    if isinstance(error, stored.StoredError):
        return ": ".join(filter(None, (error.field, error.message)))
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "no text in UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON: {error.msg} (column {error.colno})"
    if hasattr(error, "errors"):  # pydantic's, whose text has many lines
        bad = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in bad["loc"])
        return f"{field}: {bad['msg'][0].lower()}{bad['msg'][1:]}"
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(text.split())


@dataclass(frozen=True)
class Described:
    """What a header says of an observer: where it stands, and how its control plane is set."""

    __pydantic_config__ = stored.OPEN
    site: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    late_window_ns: Time = 0


@dataclass(frozen=True)
class Header:
    """The forms of what a header may say; it may say more."""

    __pydantic_config__ = stored.OPEN
    horizon_ns: Time = 0
    observers: dict[str, Described] = field(default_factory=dict)
    cluster: Cluster | None = None
    traffic: dict[str, Time] = field(default_factory=dict)
    scenario: str = ""
    cell: dict[str, Any] = field(default_factory=dict)
    replication: Time = 0
    seed: Time = 0
    hasim: str = ""


def check_run_header(header: dict[str, Any]) -> None:
    """Raise JournalError if a header lacks anything that a run puts there."""
    missing = [item.name for item in fields(Header) if item.name not in header]
    if missing:
        raise JournalError(f"the header lacks {', '.join(missing)}")


def _read_header(journal: Journal, line: bytes) -> None:
    plain = stored.plain(line)
    if not isinstance(plain, dict) or plain.pop("hasim_journal", None) != FORMAT:
        raise ValueError(f'expected a header with "hasim_journal": {FORMAT}')
    stored.of_form(Header, plain)
    journal.header = plain


def _read_line(journal: Journal, line: bytes) -> None:
    plain = json.loads(line, parse_constant=_refuse_constant)
    if not isinstance(plain, dict):
        raise ValueError("expected a mapping")
    lane = next((name for name in get_args(Lane) if name in plain), None)
    if lane is None:
        raise ValueError(f"expected one of {', '.join(get_args(Lane))}")
    if not isinstance(plain[lane], str) or plain[lane] not in BODIES:
        raise ValueError(f"unknown record {plain[lane]!r:.60}")
    if "t" not in plain or "body" not in plain:
        raise ValueError("expected t and body")
    t_ns, observer = plain["t"], plain.get("tier" if lane == "truth" else "observer", "")
    if not isinstance(t_ns, int) or isinstance(t_ns, bool) or not 0 <= t_ns < 2**63:
        raise ValueError("t: expected nanoseconds from 0 on")
    if not isinstance(observer, str):
        raise ValueError(f"{'tier' if lane == 'truth' else 'observer'}: expected a name")
    if journal.records and t_ns < journal.records[-1].t_ns:
        raise ValueError("t: time runs back")
    # By way of JSON, in which a list will do for a tuple, and a text for no number.
    body = _adapter(plain[lane]).validate_json(json.dumps(plain["body"]), strict=True)
    journal.add(t_ns, lane, body, observer)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def is_journal(path: Path) -> bool:
    """Whether a file can be read, and begins as a journal does."""
    try:
        with _opened(path) as file:
            return file.read(40).lstrip().startswith(b'{"hasim_journal"')
    except (stored.StoredError, OSError, EOFError, zlib.error):
        return False


def _opened(path: Path) -> IO[bytes]:
    file = stored.opened(path)
    return cast(IO[bytes], gzip.GzipFile(fileobj=file)) if path.suffix == ".gz" else file
