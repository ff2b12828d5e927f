"""One process at a time in a folder.

The lock is the operating system's: it ends with the process that holds it, kill -9
included, so that no stale lock is ever left behind. The file itself stays.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

NAME = ".lock"


class LockedError(OSError):
    """Somebody else holds the lock; the message names the process, if it could be read."""


class Lock:
    """The lock on a folder, from creation to `release`.

    Raises LockedError if another process holds it, OSError if the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _acquire(self._file)
        except (BlockingIOError, PermissionError):
            os.lseek(self._file, 1, os.SEEK_SET)
            holder = os.read(self._file, 100).decode(errors="replace").strip()
            os.close(self._file)
            raise LockedError(holder or "another process") from None
        except OSError:  # a file system without locks
            os.close(self._file)
            raise
        # The first byte is what Windows locks, and then lets nobody read.
        os.ftruncate(self._file, 0)
        os.write(self._file, f" process {os.getpid()} on {_host()}\n".encode())

    def release(self) -> None:
        """Let others in; harmless if done already."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _host() -> str:
    import platform

    return platform.node() or "this machine"


def _acquire(file: int) -> None:
    """Take the lock or raise OSError at once."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
