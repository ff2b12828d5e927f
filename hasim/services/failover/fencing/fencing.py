"""What fencing is: before somebody is promoted, whoever may accept writes shall have stopped."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Protocol

from hasim.events import Demote, LeaseAsked, OrderRefused, Output
from hasim.model import Status
from hasim.services.agenda import NEVER
from hasim.services.failover import lifecycle
from hasim.services.failover.failover import Failover
from hasim.services.failover.failovers import Failovers
from hasim.services.failover.known import Known
from hasim.settings import settings


@settings
class FencingSettings:
    """The base of each fencing's settings."""

    ONE_PRIMARY: ClassVar[bool] = True
    """Whether nobody else accepts writes once somebody is promoted: two are a breach then."""

    @property
    def one_primary(self) -> bool:
        """Whether, set like this, two primaries at a time are a breach."""
        return self.ONE_PRIMARY

    def problems(self) -> Iterator[tuple[str, str]]:
        """What does not fit together: (setting, message)."""
        yield from ()

    @property
    def longest_ns(self) -> int:
        """How long one effort takes at most (nanoseconds)."""
        return 0


class Fencing(Protocol):
    """Who must be off, and what is done about it; made of its settings, and what is known.

    Only owners of state are ever fenced: a master that owns nothing is marked down by the routing,
    and that is all. The base does nothing and knows of nothing under way; failovers are taken
    through it by `Fences`.
    """

    settings: Any
    USED: ClassVar[bool] = True
    """Whether anybody must be off before somebody is promoted."""
    ENOUGH: ClassVar[bool] = False
    """Whether one effort is enough, whatever becomes of it."""
    TELLS: ClassVar[bool] = False
    """Whether to strike a master is to tell it to stop, which its host may refuse."""
    DEPOSES: ClassVar[bool] = False
    """Whether a promotion by itself takes the role of whoever had it, heard of or not."""

    _known: Known
    _failovers: Failovers

    def meet(self, known: Known, failovers: Failovers) -> None:
        """What the orchestrator knows, and all its failovers; before anything else."""
        self._known, self._failovers = known, failovers

    def dangerous(self, failover: Failover) -> list[str]:
        """Whoever must be off before somebody is promoted, in the order in which to fence.

        Not the declared owner alone: also each candidate that was told to promote itself and
        has not said that it did not. Who is off by an operator's word is no danger.
        """
        writers = self._known.writers.of(failover.partitions) if self.USED else []
        return [master for master in writers if master not in self._known.off_by_word]

    def in_vain(self, master: str) -> list[Failover]:
        """The failovers that fence a master which is no danger any more."""
        fencing = [f for f in self._failovers.active if f.state == lifecycle.FENCING]
        waiting = [failover for failover in fencing if failover.fencing == master]
        return [failover for failover in waiting if master not in self.dangerous(failover)]

    def order(
        self, now: int, failover: Failover, master: str, again_ns: int, refused: str = ""
    ) -> list[Output]:
        """See to it that a master is off.

        Who is `spared` is not struck for what it was told by the way: it is told to stop that,
        again after `again_ns`. If its host has `refused` that already, since nobody listens there,
        it is no longer healthy, and that is told instead.
        """
        failover.fencing = master
        failover.fence_orders += 1
        if self.spared(master):
            failover.deadline_ns = now + again_ns
            if refused:
                return [OrderRefused(master, refused)]
            epochs = (self._known.writers.epoch(master, p) for p in failover.partitions)
            epoch = self._known.outbid(failover.partitions, 1 + max(epochs))
            told = Demote(failover.id, failover.partitions, master, epoch)
            return [self._known.orders.issue(told)]
        return self.strike(now, failover, master)

    def spared(self, master: str) -> bool:
        """Whether it owns something, and is declared healthy or nothing yet: nobody may strike it.

        A control plane that has just begun has no verdict; who has not answered it in time may be
        at work all the same. Once it is declared failed, it is struck.
        """
        known = self._known
        may_work = known.statuses[master] in (Status.HEALTHY, Status.UNKNOWN)
        return may_work and bool(known.owners.owned(master))

    @abstractmethod
    def strike(self, now: int, failover: Failover, master: str) -> list[Output]:
        """Do what makes it stop; the deadline of the failover is when to look again."""

    def over_ns(self, master: str) -> int:
        """When it is off without an answer of anybody (nanoseconds); `NEVER` if it never is."""
        return NEVER

    def proven(self, now: int, master: str) -> str:
        """Why it is off by now, without an answer of anybody; empty: it may not be."""
        return ""

    def exhausted(self, failover: Failover) -> bool:
        """Whether as many efforts have failed as may."""
        return False

    def pause_ns(self, failover: Failover) -> int:
        """How long to wait after a refusal (nanoseconds)."""
        return 0

    def under_way(self, now: int, master: str) -> bool:
        """Whether something was done about a master whose outcome is awaited."""
        return False

    def awaited(self, master: str) -> bool:
        """Whether an answer about it was awaited, in time or not."""
        return False

    def outstanding(self, master: str) -> bool:
        """Whether something may yet strike it, be it one that was given up."""
        return False

    def newest(self, master: str, order: int) -> bool:
        """Whether this is the number of the last order about a master."""
        return False

    def recall(self, now: int, failover: Failover) -> list[Output]:
        """Take back what is under way; there must be something `outstanding`."""
        return []

    def take_back(self, master: str) -> list[Output]:
        """Take back what was ordered by failovers that have given up."""
        return []

    def answered(self, master: str) -> None:
        """There is an answer, one way or the other: the next order is one of its own."""

    def begin(self, now: int) -> list[Output]:
        """A term begins: what was granted or ordered before, nobody knows."""
        return []

    def asked(self, now: int, item: LeaseAsked) -> bool:
        """A master asks for a lease: whether its last one had run out since it asked before."""
        return False

    def unsure(self, master: str) -> bool:
        """Whether a lease of it may have run out since it said what it accepts, unheard of."""
        return False

    def promoted_since(self, master: str) -> bool:
        """Whether a promotion that was ordered since it asked for a lease before was answered."""
        return False

    def grant(self, now: int, item: LeaseAsked) -> list[Output]:
        """The lease that it asked for, if it gets it."""
        return []

    def freeze(self) -> dict[str, Any]:
        """Its state as plain data."""
        return {}

    def thaw(self, data: dict[str, Any]) -> None:
        """Go on from frozen data."""
