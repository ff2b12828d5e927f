"""Fencing by the owner itself: it is told to step down, and counted as stopped after a while."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from hasim.events import Demote, Output
from hasim.services.agenda import NEVER
from hasim.services.failover.failover import Failover
from hasim.services.failover.fencing.lease import LeaseFencing, LeaseFencingSettings
from hasim.services.frozen import freeze, thaw
from hasim.settings import duration, settings
from hasim.units import SECOND


@settings
class StepDownSettings(LeaseFencingSettings):
    """As for leases; with the time that an owner has to step down by order."""

    ttl_ns: Annotated[
        int,
        duration(
            "An owner that has not heard of the control plane for so long stops by itself.",
            source="pg_auto_failover network_partition_timeout (20 s)",
            above=0,
        ),
    ] = 20 * SECOND
    renew_ns: Annotated[
        int,
        duration(
            "Each master talks to the control plane this often.",
            source="pg_auto_failover PG_AUTOCTL_KEEPER_SLEEP_TIME (1 s)",
            above=0,
        ),
    ] = 1 * SECOND
    watchdog: bool = False
    """Whether a watchdog resets a host whose process hangs when its time runs out."""
    wait_ns: Annotated[
        int,
        duration(
            "An owner that was told to step down, and does not say that it has, counts as stopped "
            "after this.",
            source="pg_auto_failover primary_demote_timeout (30 s)",
            above=0,
        ),
    ] = 30 * SECOND

    @property
    def longest_ns(self) -> int:
        """The time to step down, or that in which it stops by itself."""
        return max(self.wait_ns, super().longest_ns)


class StepDown(LeaseFencing):
    """The owner is told to step down; it says that it has, or its time to do so is over.

    An owner that hears nothing of this service stops by itself, which takes `ttl`; so long is
    waited for at least. (pg_auto_failover: draining, then demote_timeout.)
    """

    settings: StepDownSettings
    TELLS: ClassVar[bool] = True

    def __init__(self, settings: StepDownSettings) -> None:
        super().__init__(settings)
        self.told_ns: dict[str, int] = {}
        """By master, when it was first told by the failover that tells it last."""

    def strike(self, now: int, failover: Failover, master: str) -> list[Output]:
        """Tell it, and again as often as it talks to this service."""
        if failover.fence_orders == 1 or master not in self.told_ns:
            self.told_ns[master] = now
        again_ns = now + self.settings.renew_ns
        failover.deadline_ns = max(now, min(again_ns, self.over_ns(master)))
        epochs = (self._known.writers.epoch(master, p) for p in failover.partitions)
        epoch = self._known.outbid(failover.partitions, 1 + max(epochs))
        told = Demote(failover.id, failover.partitions, master, epoch)
        return [self._known.orders.issue(told)]

    def over_ns(self, master: str) -> int:
        """When it has had its time, and none of its lease is left; `NEVER` if it was not told."""
        told_ns = self.told_ns.get(master)
        if told_ns is None:
            return NEVER
        return max(self._over_ns(master), told_ns + self.settings.wait_ns)

    def proven(self, now: int, master: str) -> str:
        """It has had its time."""
        if now < self.over_ns(master):
            return ""
        why = super().proven(now, master)
        return f"{master} has had its time to step down" if why else ""

    def pause_ns(self, failover: Failover) -> int:
        """Whoever answers that it cannot is asked again as often as it talks to this service."""
        return self.settings.renew_ns

    def begin(self, now: int) -> list[Output]:
        """A term begins: nobody was told by this one."""
        self.told_ns.clear()
        return super().begin(now)

    def freeze(self) -> dict[str, Any]:
        """With whom was told."""
        return {**super().freeze(), "told_ns": freeze(self.told_ns)}

    def thaw(self, data: dict[str, Any]) -> None:
        """Go on from frozen data."""
        super().thaw(data)
        self.told_ns = thaw(dict[str, int], data["told_ns"])
