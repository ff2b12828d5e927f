"""Where runs are kept: folders for new ones, and old ones moved aside."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from hasim.stored import StoredError
from hasim.study.folder.errors import StoreError
from hasim.study.folder.lock import Lock, LockedError
from hasim.study.folder.manifest import NAME, began_at, manifest_in

RUNS = Path("hasim-runs")
"""Where runs are kept, unless somebody says where."""


def new_folder(name: str, under: Path = RUNS) -> Path:
    """A new folder for a new run: ``hasim-runs/NAME-20250131T235959``.

    It is made at once, so that of two runs that begin in the same second each gets its own.
    Raises StoreError if it cannot be made.
    """
    when = datetime.now()
    try:
        under.mkdir(parents=True, exist_ok=True)
        while True:
            path = _free(under, name, when)
            try:
                path.mkdir()
            except FileExistsError:
                continue  # somebody else was quicker
            return path
    except OSError as error:
        raise StoreError(f"{under}: cannot write there: {error.strerror}") from None


def _free(under: Path, name: str, when: datetime) -> Path:
    stem = f"{name}-{when:%Y%m%dT%H%M%S}"
    path, number = under / stem, 1
    while path.exists():
        number += 1
        path = under / f"{stem}-{number}"
    return path


def set_aside(path: Path) -> Path | None:
    """Move the run in a folder beside it, under its name and the time when it began.

    None if there is no run. Raises StoreError if it cannot be read or moved, or another process
    works in it.
    """
    if not (path / NAME).exists():
        return None
    try:
        began = began_at(manifest_in(path).get("started"))
    except StoredError as error:
        raise StoreError(f"{path / NAME}: {error}") from None
    lock = locked(path)
    try:
        return path.rename(_free(path.parent, path.name, began))
    except OSError as error:
        raise StoreError(f"{path}: cannot be moved: {error.strerror}") from None
    finally:
        lock.release()


def locked(path: Path) -> Lock:
    """The lock on a folder that is there; raises StoreError."""
    try:
        return Lock(path)
    except LockedError as error:
        raise StoreError(
            f"{path}: {error} is working on this run; wait until it has ended"
        ) from None
    except OSError as error:
        raise StoreError(f"{path}: cannot write there: {error.strerror}") from None
