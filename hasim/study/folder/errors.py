"""What can be wrong with a run folder, and the way on."""

from __future__ import annotations

import errno
from pathlib import Path

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
"""What a disk says that takes nothing more."""
WAYS_ON = (
    "Begin anew with --fresh (in Python fresh=True), which moves the old run aside, "
    "or choose another folder."
)


class StoreError(ValueError):
    """A run folder that cannot be written or read; the message names the file."""


class FormatError(StoreError):
    """A run folder of another format; the message says which hasim can read it."""


class OtherRunError(StoreError):
    """A run folder of another world or seed: no replication could be taken over."""


class FullError(StoreError):
    """A run folder on a disk that takes nothing more; what was finished before is kept."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"{path}: cannot write there: {why}. What was finished before is kept; when there is "
            f"room: hasim resume {path}"
        )
