"""Files that a program has written and that are read back: whole, of a stated form, or refused.

A file that lies is told by its place: `StoredError` has the line, the field and what was expected,
without what stands there. Nothing is waited for or read without an end: what is no regular file,
is larger than it can be, or has a line that never ends, is refused.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import select
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from stat import S_ISDIR, S_ISFIFO, S_ISREG
from typing import IO, Any, TypeVar, cast

C = TypeVar("C")
MOST_BYTES = 2**28
"""A larger file that has to be read at once is refused: what is made of it takes several times
as much memory."""
LONGEST_LINE = 2**27
"""Bytes of a line; the largest outcomes of a replication have some megabytes."""
STRICT: Any = {"extra": "forbid", "strict": True, "allow_inf_nan": False}
"""The pydantic configuration of a form: no other fields, no conversions, finite numbers."""
OPEN: Any = {**STRICT, "extra": "ignore"}
"""The same for a form that may have other fields."""
PATIENCE_S = 5.0
"""How long somebody who writes to a pipe is waited for."""
_PIECE = 2**20
DIGEST = 16
"""Hexadecimal digits of a digest."""


class StoredError(ValueError):
    """A file that is not what was written. The message has the line and the field, if any."""

    def __init__(self, message: str, field: str = "", line: int | None = None) -> None:
        self.message, self.field, self.line = message, field, line
        at = f"line {line}" if line is not None else ""
        super().__init__(": ".join(filter(None, (at, field, message))))


def check_regular(path: Path, *, pipes: bool = False) -> os.stat_result:
    """The state of a file. Raises OSError, with the reason in words, if it is no regular file.

    With `pipes`, a named pipe will do (``<(command)`` in a shell).
    """
    try:
        state = path.stat()
    except ValueError:  # with a null byte, or half of a surrogate pair
        raise OSError(errno.EINVAL, "no file can have this name", str(path)) from None
    if S_ISREG(state.st_mode) or (pipes and S_ISFIFO(state.st_mode)):
        return state
    if S_ISDIR(state.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    raise OSError(errno.EINVAL, "it is no regular file (a pipe or a device)", str(path))


def opened(path: Path, *, pipes: bool = False) -> IO[bytes]:
    """A file to be read; somebody who writes to a pipe is waited for `PATIENCE_S`.

    Raises OSError, also if nobody does.
    """
    if not S_ISFIFO(check_regular(path, pipes=pipes).st_mode):
        return path.open("rb")
    # To open a pipe in the usual way waits without end.
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not select.select([file], [], [], PATIENCE_S)[0]:
        os.close(file)
        raise OSError(errno.EAGAIN, "it is a pipe that nobody writes to", str(path))
    os.set_blocking(file, True)
    return os.fdopen(file, "rb")


def content(path: Path, *, most: int = MOST_BYTES, pipes: bool = False) -> bytes:
    """All that is in a file. Raises OSError, or StoredError if it has more than `most` bytes."""
    with opened(path, pipes=pipes) as file:
        found = up_to(file, most + 1)
    if len(found) > most:
        raise StoredError(f"has more than {_size(most)}")
    return found


def up_to(file: IO[bytes], most: int) -> bytes:
    """What is in a file, of a longer one the first `most` bytes.

    Piece by piece: to ask a file for a gigabyte makes room for one, whatever is in it.
    """
    found = bytearray()
    while len(found) < most and (more := file.read(min(_PIECE, most - len(found)))):
        found += more
    return bytes(found)


def lines(file: IO[bytes], longest: int | None = None) -> Iterator[tuple[int, bytes]]:
    """(number from 1 on, line with its end). The last may have no end: it was cut.

    Raises StoredError for a line that is longer than `longest` bytes (None: `LONGEST_LINE`).
    """
    longest = LONGEST_LINE if longest is None else longest
    number = 0
    while line := file.readline(longest + 1):
        number += 1
        if len(line) > longest:
            raise StoredError(f"has more than {_size(longest)}", line=number)
        yield number, line


def text(found: bytes) -> str:
    """What is in a file as text. Raises StoredError if it is not in UTF-8."""
    try:
        return found.decode()
    except UnicodeDecodeError as error:
        line = found[: error.start].count(b"\n") + 1
        raise StoredError("not a text file in UTF-8", line=line) from None


def plain(found: bytes | str) -> Any:
    """Plain data from JSON; raises StoredError for what no JSON has: NaN, infinity, a key twice."""
    try:
        data = json.loads(
            text(found) if isinstance(found, bytes) else found, object_pairs_hook=_once
        )
        _check_finite(data, ())
    except json.JSONDecodeError as error:
        raise StoredError(
            f"not JSON: {error.msg} (column {error.colno})", line=error.lineno
        ) from None
    except RecursionError:
        raise StoredError("is nested too deeply") from None
    except StoredError:
        raise
    except ValueError:  # a whole number of thousands of digits
        raise StoredError("has a number that is too large") from None
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise StoredError("is given twice", field=_dotted((twice,)))
    return found


def _check_finite(data: Any, where: tuple[str | int, ...]) -> None:
    """Raise StoredError for a number that is none, with its place."""
    if isinstance(data, float) and not math.isfinite(data):
        raise StoredError(f"expected a finite number, got {data}", field=_dotted(where))
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            _check_finite(value, (*where, key))


def of_form(cls: type[C], data: Any) -> C:
    """Plain data as an object of a class whose fields it has; raises StoredError for the first
    field that is missing, unknown, or of another type or range."""
    from pydantic_core import to_json

    # By way of JSON, in which a list will do for a tuple and nothing else is converted.
    try:
        text: bytes | str = to_json(data, inf_nan_mode="constants")
    except ValueError:  # half of a surrogate pair, or nested deeper than it goes
        text = json.dumps(data)
    return written_as(cls, text)


def written_as(cls: type[C], found: bytes | str) -> C:
    """The same of JSON as it is written."""
    from pydantic import ValidationError

    try:
        made: C = _adapter(cast(Any, cls)).validate_json(found, strict=True)
        return made
    except ValidationError as error:
        bad = error.errors(include_url=False, include_input=False)[0]
        raise StoredError(_words(bad), field=_dotted(bad["loc"])) from None


def as_plain(made: Any) -> Any:
    """An object of a dataclass as plain data: what `dataclasses.asdict` gives, many times faster.

    Fields that hold another type than they name are taken as they are.
    """
    return _adapter(cast(Any, type(made))).dump_python(made, warnings=False)


@cache
def _adapter(cls: type[Any]) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(cls)


def _dotted(where: tuple[str | int, ...]) -> str:
    return ".".join(printable(str(part)) for part in where)


def printable(text: str) -> str:
    """The text, or its escapes if something in it would act instead of being seen."""
    return text if text.isprintable() else ascii(text)[1:-1]


def _words(bad: Any) -> str:
    """What pydantic says, in the words of other messages."""
    known = {
        "missing": "is missing",
        "unexpected_keyword_argument": "unknown field",
    }
    if bad["type"] in known:
        return known[bad["type"]]
    said = str(bad["msg"])
    for before, after in (("Input should be ", "expected "), ("Value error, ", "")):
        said = said.replace(before, after)
    return f"{said[:1].lower()}{said[1:]}"


def digest(*parts: bytes) -> str:
    """`DIGEST` hexadecimal digits that differ if anything differs."""
    made = hashlib.blake2b(digest_size=DIGEST // 2)
    for part in parts:
        made.update(len(part).to_bytes(8, "big") + part)
    return made.hexdigest()


def sealed(data: dict[str, Any]) -> dict[str, Any]:
    """Plain data with a digest of all of it as its last field."""
    return {**data, "digest": _digest_of(data)}


def unsealed(data: dict[str, Any], *, needed: bool = True) -> dict[str, Any]:
    """The plain data of `sealed`; raises StoredError if it has been changed since.

    Without a digest, it is refused if one is `needed`, and else taken as it is.
    """
    rest = {name: value for name, value in data.items() if name != "digest"}
    if "digest" not in data and not needed:
        return rest
    if data.get("digest") != _digest_of(rest):
        raise StoredError("was changed after it had been written: its digest is another one")
    return rest


def _digest_of(data: dict[str, Any]) -> str:
    try:
        return digest(json.dumps(data, sort_keys=True, separators=(",", ":")).encode())
    except RecursionError:
        raise StoredError("is nested too deeply") from None


def _size(number: int) -> str:
    return f"{number // 2**20} MiB" if number >= 2**20 else f"{number} bytes"
