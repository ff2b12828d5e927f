"""All failovers: by number, those under way, and those that left somebody to be told to stop."""

from __future__ import annotations

from collections.abc import Iterable

from hasim.services.failover.failover import Failover


class Failovers:
    """Failovers in their order, numbered from 1."""

    def __init__(self, known: Iterable[Failover] = ()) -> None:
        self.known = list(known)
        self.active = [failover for failover in self.known if failover.active]
        self._telling = {failover.id: failover for failover in self.known if failover.stale}

    def start(self, now: int, master: str, partitions: tuple[str, ...]) -> Failover:
        """A new one, with the next number."""
        failover = Failover(len(self.known) + 1, master, partitions, now)
        self.known.append(failover)
        self.active.append(failover)
        return failover

    def end(self, failover: Failover) -> None:
        """It is in a state that it does not leave."""
        self.active.remove(failover)

    def get(self, number: int) -> Failover:
        """By its number. KeyError for an unknown one."""
        if not 1 <= number <= len(self.known):
            raise KeyError(f"unknown failover {number}; there are {len(self.known)}")
        return self.known[number - 1]

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
