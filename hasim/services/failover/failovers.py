"""All failovers: by number, those under way, and those that left somebody to be told to stop."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable

from hasim.services.agenda import NEVER
from hasim.services.failover.failover import Failover
from hasim.services.failover.lifecycle import PROMOTED
from hasim.services.failover.orders import Orders

PER_TERM = 1_000_000
"""The numbers of a term begin with a multiple of this: no two failovers have the same, although a
control plane may have forgotten the last ones of the term before."""
KEPT = 1000
"""So many failovers that have ended are kept, with their audit trail; of those before, what is to
be known went out with their audit records."""


class Failovers:
    """Failovers in their order, numbered from 1, and in each later term from some million on."""

    def __init__(self, known: Iterable[Failover] = (), last: int = 0) -> None:
        self._by_number = {failover.id: failover for failover in known}
        self.last = last
        """The number of the last one."""
        every = self._by_number.values()
        self.active = [failover for failover in every if failover.active]
        self._ended = deque(failover.id for failover in every if not failover.active)
        self._telling = {failover.id: failover for failover in every if failover.stale}

    def start(self, now: int, master: str, partitions: tuple[str, ...]) -> Failover:
        """A new one, with the next number."""
        self.last += 1
        failover = Failover(self.last, master, partitions, now)
        self._by_number[failover.id] = failover
        self.active.append(failover)
        return failover

    def begin(self, term: int) -> None:
        """A term begins: further ones have numbers of that."""
        self.last = max(self.last, (term - 1) * PER_TERM)

    def end(self, failover: Failover, orders: Orders) -> list[int]:
        """It is in a state that it does not leave; the numbers of those that are kept no longer.

        The oldest go, unless somebody is told to stop for their sake or may yet answer an order.
        """
        self.active.remove(failover)
        self._ended.append(failover.id)
        return self._forget(orders.concern) if len(self._ended) > KEPT else []

    def _forget(self, awaited: Collection[int]) -> list[int]:
        gone: list[int] = []
        for _ in range(len(self._ended) - KEPT):
            number = self._ended.popleft()
            if number in self._telling or number in awaited:
                self._ended.append(number)
            else:
                del self._by_number[number]
                gone.append(number)
        return gone

    def get(self, number: int) -> Failover:
        """By its number. KeyError for an unknown one."""
        found = self._by_number.get(number)
        if found is None:
            raise KeyError(f"unknown failover {number}; there are {len(self._by_number)}")
        return found

    def needed(self, awaited: Collection[int]) -> list[Failover]:
        """Those that are under way, or of which somebody is told to stop or may yet answer."""
        kept = {failover.id for failover in self.active} | self._telling.keys() | set(awaited)
        return [failover for failover in self._by_number.values() if failover.id in kept]

    def in_state(self, number: int, *states: str) -> Failover | None:
        """The failover if an answer for it is still awaited in a state; late ones are stale."""
        failover = self.get(number)
        return failover if failover.state in states else None

    def of(self, master: str) -> Failover | None:
        """The failover of a master that is under way."""
        return next((f for f in self.active if f.master == master), None)

    def promoted(self, partitions: Collection[str]) -> list[Failover]:
        """Those under way that have promoted somebody for any of these partitions."""
        done = [f for f in self.active if f.state in PROMOTED]
        return [f for f in done if not set(partitions).isdisjoint(f.partitions)]

    def telling(self) -> list[Failover]:
        """Those for which somebody is told to stop, oldest first."""
        return [self._telling[number] for number in sorted(self._telling)]

    def told_next_ns(self) -> int:
        """When the first of those is told again (nanoseconds); `NEVER` if none is."""
        if not self._telling:
            return NEVER
        times_ns = (failover.tell_ns for failover in self._telling.values())
        return min((at for at in times_ns if at is not None), default=NEVER)

    def tell(self, failover: Failover) -> None:
        """Somebody is told to stop for its sake."""
        self._telling[failover.id] = failover

    def told(self, failover: Failover) -> None:
        """Nobody is any more."""
        self._telling.pop(failover.id, None)
