"""Traces that came along with the work, from a machine whose files are not at hand here."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from hasim import stored
from hasim.simulation.settings.recordings import FILE_KEYS

TRACE_KEYS = (*FILE_KEYS, "file")
"""The settings that name a file: traces, and the points of a study."""
_SENT: dict[Path, tuple[bytes, str]] = {}


def trace_names(value: Any, key: str = "") -> Iterator[str]:
    """The path of every trace in the plain data of a scenario, also of those it varies."""
    if isinstance(value, dict) and key != "where":  # whose keys are columns of a trace
        for name, part in value.items():
            yield from trace_names(part, name.rpartition(".")[2])
    elif isinstance(value, list):
        for part in value:
            yield from trace_names(part, key)
    elif isinstance(value, str) and key in TRACE_KEYS:
        yield value


def contents(names: Iterable[str]) -> dict[str, bytes]:
    """What is in the files, by name; raises OSError if one cannot be read."""
    return {name: Path(name).read_bytes() for name in dict.fromkeys(names)}


def use(traces: Mapping[str, bytes]) -> None:
    """From now on, let these contents stand for the files of these names in this process."""
    for name, content in traces.items():
        before = _SENT.get(Path(name))
        if before is None or before[0] is not content:
            _SENT[Path(name)] = (content, hashlib.blake2b(content).hexdigest())


def state_of(path: Path) -> tuple[Any, ...]:
    """What changes when a trace does. Raises OSError if there is no such regular file."""
    if path in _SENT:
        return (_SENT[path][1],)
    stat = stored.check_regular(path)
    return (stat.st_mtime_ns, stat.st_size)


def opened(path: Path) -> IO[bytes]:
    """A trace as it is, also one that was sent. Raises OSError."""
    if path in _SENT:
        return io.BytesIO(_SENT[path][0])
    return path.open("rb")


def digest_of(path: Path) -> str:
    """A digest of what is in a trace, wherever it lies. Raises OSError."""
    if path in _SENT:
        return _SENT[path][1]
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
