"""How often masters have failed, until that is forgotten."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Failures:
    """How often a master was declared failed, and when last (nanoseconds)."""

    count: int
    last_ns: int

    def counted(self, now: int, timeout_ns: int) -> int:
        """How many count: all of them, until so long after the last one (0: for ever).

        Pacemaker's failure-timeout is measured from the last failure, and forgets all at once.
        """
        return 0 if timeout_ns and now >= self.last_ns + timeout_ns else self.count


def one_more(found: dict[str, Failures], now: int, master: str, timeout_ns: int) -> None:
    """A master is declared failed."""
    before = found.get(master)
    count = 0 if before is None else before.counted(now, timeout_ns)
    found[master] = Failures(count + 1, now)
