"""Self-fencing by leases: who cannot renew its lease stops by itself, and that is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from hasim.events import GrantLease, LeaseAsked, Output
from hasim.services.failover import lifecycle
from hasim.services.failover.failover import Failover
from hasim.services.failover.fencing.fencing import Fencing, FencingSettings
from hasim.services.frozen import freeze, thaw
from hasim.settings import duration, settings
from hasim.units import SECOND, format_duration


@settings
class LeaseFencingSettings(FencingSettings):
    """How long a lease lasts, how often it is renewed, and who sees to it that it is kept."""

    ttl_ns: Annotated[
        int,
        duration(
            "A lease lasts so long from the moment in which it was asked for.",
            source="Patroni ttl (30 s)",
            above=0,
        ),
    ] = 30 * SECOND
    renew_ns: Annotated[
        int,
        duration(
            "Each master asks for its lease anew this often.",
            source="Patroni loop_wait (10 s)",
            above=0,
        ),
    ] = 10 * SECOND
    margin_ns: Annotated[
        int,
        duration(
            "Waited for beyond the end of a lease: clocks run apart by no more in that time.",
            source="Patroni's safety_margin (5 s) serves the same; here clocks agree",
        ),
    ] = 0
    watchdog: bool = True
    """Whether a watchdog resets a host whose process hangs when its lease runs out (Patroni's
    watchdog mode). Without it, such a process accepts writes after its return until it looks at
    its lease."""

    ONE_PRIMARY: ClassVar[bool] = True

    def problems(self) -> Iterator[tuple[str, str]]:
        """A lease that is over before it is renewed is none."""
        if self.renew_ns >= self.ttl_ns:
            yield "renew", f"must be shorter than ttl, {format_duration(self.ttl_ns)}"

    @property
    def one_primary(self) -> bool:
        """Only if nobody can sleep through the end of its lease."""
        return self.watchdog

    @property
    def longest_ns(self) -> int:
        """A whole lease."""
        return self.ttl_ns + self.margin_ns


class LeaseFencing(Fencing):
    """Who may accept writes holds a lease, and stops by itself when that runs out.

    A master counts from the moment in which it asked, this service from the moment in which it
    granted, which is later: what is over here is over there. Whoever is to be fenced is granted
    none any more, and somebody else is promoted when its last one is over; nobody is powered
    off by order. If this service is silent, nobody has a lease before long, and nobody accepts
    writes. (Gray and Cheriton 1989; Patroni's leader key; Chubby's sessions.)
    """

    settings: LeaseFencingSettings

    def __init__(self, settings: LeaseFencingSettings) -> None:
        self.settings = settings
        self.granted_ns: dict[str, int] = {}
        self.lapses: dict[str, int] = {}
        """By master, how often a lease of it has run out, as it says itself."""
        self.issued: dict[str, int] = {}
        """By master, the number of the last order that was given when it asked for a lease last."""
        self._since_ns = 0

    def strike(self, now: int, failover: Failover, master: str) -> list[Output]:
        """Wait for the end of the lease; meanwhile there is no other."""
        failover.deadline_ns = max(now, self._over_ns(master))
        return []

    def proven(self, now: int, master: str) -> str:
        """Its lease is over."""
        if self.spared(master) or now < self._over_ns(master):
            return ""
        return f"the lease of {master} is over"

    def begin(self, now: int) -> list[Output]:
        """Whoever acted before may have granted leases to everybody until now."""
        self._since_ns = now
        self.granted_ns.clear()
        self.lapses.clear()
        self.issued.clear()
        return []

    def asked(self, now: int, item: LeaseAsked) -> bool:
        """Whether a lease has run out since it asked before, so that it accepts nothing.

        Questions overtake each other: one that was sent before a lapse that is known says nothing.
        """
        before = self.lapses.get(item.master, 0 if not self._since_ns else item.lapses)
        self.lapses[item.master] = max(before, item.lapses)
        return item.lapses > before

    def unsure(self, master: str) -> bool:
        """In a term that has not heard of its leases yet."""
        return bool(self._since_ns) and master not in self.lapses

    def promoted_since(self, master: str) -> bool:
        """Then its lease may have run out before that, and it accepts what it was promoted for."""
        open_ = {order.number for order in self._known.orders.open}
        told = (told.get(master, 0) for told in self._known.writers.told.values())
        return any(self.issued.get(master, 0) < order not in open_ for order in told)

    def grant(self, now: int, item: LeaseAsked) -> list[Output]:
        """A lease from now on, unless it is being fenced."""
        self.issued[item.master] = self._known.orders.issued
        if any(
            failover.state == lifecycle.FENCING
            and failover.fencing == item.master
            and not self.spared(item.master)
            for failover in self._failovers.active
        ):
            return []
        self.granted_ns[item.master] = now
        return [GrantLease(item.master, item.number, self._known.orders.term)]

    def freeze(self) -> dict[str, Any]:
        """What was granted, and what they have said."""
        return {
            "granted_ns": freeze(self.granted_ns),
            "lapses": freeze(self.lapses),
            "issued": freeze(self.issued),
            "since_ns": self._since_ns,
        }

    def thaw(self, data: dict[str, Any]) -> None:
        """Go on from frozen data; a term that begins forgets them."""
        self.granted_ns = thaw(dict[str, int], data["granted_ns"])
        self.lapses = thaw(dict[str, int], data["lapses"])
        self.issued = thaw(dict[str, int], data["issued"])
        self._since_ns = data["since_ns"]

    def _over_ns(self, master: str) -> int:
        """When its last lease is over, by the clock here (nanoseconds)."""
        granted_ns = self.granted_ns.get(master, self._since_ns)
        return granted_ns + self.settings.ttl_ns + self.settings.margin_ns
