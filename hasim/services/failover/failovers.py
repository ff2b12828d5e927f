"""All failovers: by number, those under way, and those that left somebody to be told to stop."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from hasim.services.failover.failover import Failover

PER_TERM = 1_000_000
"""The numbers of a term begin with a multiple of this: no two failovers have the same, although a
control plane may have forgotten the last ones of the term before."""


class Failovers:
    """Failovers in their order, numbered from 1, and in each later term from some million on."""

    def __init__(self, known: Iterable[Failover] = (), last: int = 0) -> None:
        self.known = list(known)
        self._by_number = {failover.id: failover for failover in self.known}
        self.last = last
        """The number of the last one."""
        self.active = [failover for failover in self.known if failover.active]
        self._telling = {failover.id: failover for failover in self.known if failover.stale}

    def start(self, now: int, master: str, partitions: tuple[str, ...]) -> Failover:
        """A new one, with the next number."""
        self.last += 1
        failover = Failover(self.last, master, partitions, now)
        self.known.append(failover)
        self._by_number[failover.id] = failover
        self.active.append(failover)
        return failover

    def begin(self, term: int) -> None:
        """A term begins: further ones have numbers of that."""
        self.last = max(self.last, (term - 1) * PER_TERM)

    def end(self, failover: Failover) -> None:
        """It is in a state that it does not leave."""
        self.active.remove(failover)

    def get(self, number: int) -> Failover:
        """By its number. KeyError for an unknown one."""
        found = self._by_number.get(number)
        if found is None:
            raise KeyError(f"unknown failover {number}; there are {len(self.known)}")
        return found

    def needed(self, awaited: Collection[int]) -> list[Failover]:
        """Those that are under way, or of which somebody is told to stop or may yet answer."""
        kept = {failover.id for failover in self.active} | self._telling.keys() | set(awaited)
        return [failover for failover in self.known if failover.id in kept]

    def in_state(self, number: int, *states: str) -> Failover | None:
        """The failover if an answer for it is still awaited in a state; late ones are stale."""
        failover = self.get(number)
        return failover if failover.state in states else None

    def of(self, master: str) -> Failover | None:
        """The failover of a master that is under way."""
        return next((f for f in self.active if f.master == master), None)

    def telling(self) -> list[Failover]:
        """Those for which somebody is told to stop, oldest first."""
        return [self._telling[number] for number in sorted(self._telling)]

    def tell(self, failover: Failover) -> None:
        """Somebody is told to stop for its sake."""
        self._telling[failover.id] = failover

    def told(self, failover: Failover) -> None:
        """Nobody is any more."""
        self._telling.pop(failover.id, None)
