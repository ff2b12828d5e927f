"""Journals on disk: appended while a run goes on, so that a kill loses only the last records."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from hasim import stored
from hasim.journal import FORMAT, Journal, end_line, to_line

BATCH = 256
"""Records that are written at a time; so many, at most, does a kill lose, and what was being done.

In an archive each batch ends on a byte of its own, and is readable as soon as it is there.
"""


class Appended:
    """Writes a journal to a file as it grows: its header, its records, its end.

    `keep_up` writes what is due. The bytes are those of a journal that was written at once.
    """

    def __init__(self, path: Path, journal: Journal) -> None:
        """Begin with the header, which is complete by then. Raises OSError."""
        self._journal, self._records = journal, journal.records
        self._written, self._sum = 0, hashlib.blake2b(digest_size=stored.DIGEST // 2)
        self.due = BATCH
        """`keep_up` has something to do when the journal has so many records."""
        self._raw = path.open("wb")
        self._archive: gzip.GzipFile | None = None
        if path.suffix == ".gz":  # mtime 0: the same journal gives the same bytes
            self._archive = gzip.GzipFile(
                filename="", fileobj=self._raw, mode="wb", compresslevel=6, mtime=0
            )
        self._file = cast(IO[bytes], self._archive or self._raw)
        self._write(json.dumps({"hasim_journal": FORMAT, **journal.header}) + "\n")
        self._flush()
        journal.appended = self

    def keep_up(self) -> None:
        """Write the batches that are full. Raises OSError."""
        while len(self._records) >= self.due:
            self._batch(self.due)
            self.due += BATCH

    def finish(self) -> None:
        """Write the rest, and that it was all; close the file. Raises OSError."""
        self.keep_up()
        self._batch(len(self._records))
        self._file.write(end_line(self._written, self._sum.hexdigest()))
        self.close()

    def close(self) -> None:
        """Close the file as it is; nothing is written any more."""
        self.due, self._journal.appended = sys.maxsize, None
        try:
            if self._archive is not None:
                self._archive.close()
        finally:
            self._raw.close()

    def _batch(self, end: int) -> None:
        lines = [to_line(record) + "\n" for record in self._records[self._written : end]]
        self._written = end
        self._write("".join(lines))
        self._flush()

    def _write(self, text: str) -> None:
        data = text.encode()
        self._sum.update(data)
        self._file.write(data)

    def _flush(self) -> None:
        if self._archive is not None:
            self._archive.flush(zlib.Z_SYNC_FLUSH)
        self._raw.flush()


@contextlib.contextmanager
def appended_to(path: Path | None, journal: Journal) -> Iterator[None]:
    """What the journal becomes meanwhile is appended to a file, if one is named.

    Raises OSError. If what goes on there raises, the file ends where it was.
    """
    appended = Appended(path, journal) if path is not None else None
    try:
        yield
        if appended is not None:
            appended.finish()
    finally:
        if appended is not None:
            appended.close()


def write(journal: Journal, path: Path) -> None:
    """Write a journal that is complete; the file appears whole or not at all. Raises OSError."""
    partial = path.with_name(f".part-{path.name}")
    with appended_to(partial, journal):
        pass
    partial.replace(path)
