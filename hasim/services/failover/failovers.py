"""All failovers: by number, those under way, and those that moved something away from a master."""

from __future__ import annotations

from collections.abc import Iterable

from hasim.services.failover.failover import Failover
from hasim.services.failover.lifecycle import COMPLETED


class Failovers:
    """Failovers in their order, numbered from 1."""

    def __init__(self, known: Iterable[Failover] = ()) -> None:
        self.known = list(known)
        self.active = [failover for failover in self.known if failover.active]
        self._completed: dict[str, list[Failover]] = {}
        for failover in self.known:
            self._note(failover)

    def start(self, now: int, master: str, partitions: tuple[str, ...]) -> Failover:
        """A new one, with the next number; `master` itself has been tried."""
        failover = Failover(len(self.known) + 1, master, partitions, now, tried=[master])
        self.known.append(failover)
        self.active.append(failover)
        return failover

    def end(self, failover: Failover) -> None:
        """It is in a state that it does not leave."""
        self.active.remove(failover)
        self._note(failover)

    def get(self, number: int) -> Failover:
        """By its number. KeyError for an unknown one."""
        if not 1 <= number <= len(self.known):
            raise KeyError(f"unknown failover {number}; there are {len(self.known)}")
        return self.known[number - 1]

    def in_state(self, number: int, state: str) -> Failover | None:
        """The failover if an answer for it is still awaited in `state`; late answers are stale."""
        failover = self.get(number)
        return failover if failover.state == state else None

    def completed(self, master: str) -> list[Failover]:
        """Those that moved what `master` owned to somebody else."""
        return self._completed.get(master, [])

    def _note(self, failover: Failover) -> None:
        if failover.state == COMPLETED:
            self._completed.setdefault(failover.master, []).append(failover)
