"""One input, tried under guard: how the command line ended, after how long, and with how much."""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from click.testing import CliRunner

from hasim.cli import main

MOST_S, MOST_BYTES = 10, 2**30
"""CPU seconds and bytes that an input may take."""
ENDS = (0, 1, 2, 3)
"""Exit codes of a command that came to an end: fine, failed, bad input, undecided."""


class OverTimeError(BaseException):
    """The input has taken all its time; no command catches it."""


@dataclass(frozen=True)
class Tried:
    """How a command ended: `code` is None if it was stopped."""

    args: tuple[str, ...]
    code: int | None
    seconds: float
    said: str

    @property
    def fault(self) -> str:
        """What is wrong with that, in a word; empty if nothing is."""
        if self.code is None:
            return "endless"
        if self.code not in ENDS or "Traceback" in self.said:
            return "traceback"
        if self.code == 2 and not self.said.strip():
            return "silent"
        if any(not (c.isprintable() or c in "\n\t") for c in self.said):
            return "raw character"
        return ""


def attempt(*args: object) -> Tried:
    """Run the command line in this process, stopped when it takes too much."""
    words, said, code = tuple(map(str, args)), "", None
    began = time.process_time()
    try:
        with _guarded():
            result = CliRunner().invoke(main, list(words))
        code, said = result.exit_code, result.output
        if code not in ENDS and result.exception is not None:
            said += f"\n{result.exception!r}"
    except OverTimeError:
        said = "stopped"
    return Tried(words, code, time.process_time() - began, said)


@contextmanager
def _guarded() -> Iterator[None]:
    """CPU time ends with an alarm, memory with a MemoryError, which is a traceback then."""

    def alarm(number: int, frame: FrameType | None) -> None:
        raise OverTimeError

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    before = signal.signal(signal.SIGPROF, alarm)
    resource.setrlimit(resource.RLIMIT_AS, (_size() + MOST_BYTES, hard))
    signal.setitimer(signal.ITIMER_PROF, MOST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGPROF, before)


def _size() -> int:
    """Bytes of address space that this process has by now."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def peak_mib() -> float:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
