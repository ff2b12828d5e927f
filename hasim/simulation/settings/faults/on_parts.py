"""The kinds of faults that strike a part of a master: disk, workers, what it says of itself."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.settings import duration, settings
from hasim.simulation.settings.faults.fault import Cure, Masters, Reach
from hasim.simulation.settings.faults.overlapping import Counted, Listed
from hasim.units import MILLISECOND, SECOND


@settings
class DiskStall(Counted):
    """Writes hang: owned messages do not go on, and keep their workers; reads and checks do."""

    kind: Literal["disk-stall"]

    @property
    def impairing(self) -> bool:
        """It serves no writes."""
        return True

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """One more reason not to write."""
        return self.count(masters, "disks")


@settings
class ReplicationLag(Listed):
    """Copies at the target fall behind by so much more: a replica that cannot keep up.

    It impairs nobody; what it costs shows if the replica is promoted.
    """

    kind: Literal["replication-lag"]
    extra_ns: Annotated[int, duration("Added to the lag of its copies.", above=0)] = 30 * SECOND

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """One more cause of lag."""
        return self.list_(masters, "lags", self.extra_ns)


@settings
class Deadlock(Counted):
    """No worker goes on. A shallow health endpoint and heartbeats have threads of their own."""

    kind: Literal["deadlock"]

    @property
    def impairing(self) -> bool:
        """It does not serve."""
        return True

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """One more reason to stand still."""
        return self.count(masters, "deadlocks")


@settings
class LyingHealth(Counted):
    """Health checks pass while the host is on, whatever else is wrong with the master.

    As where something before it answers them. It impairs nobody; another fault beside it does.
    """

    kind: Literal["lying-health"]

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """One more reason to say that all is well."""
        return self.count(masters, "lies")


@settings
class AddedDelay(Listed):
    """Whatever a worker begins takes longer by a stated time, and still does after the cure."""

    kind: Literal["added-delay"]
    extra_ns: Annotated[int, duration("Added to the service of each.", above=0)] = 100 * MILLISECOND

    def impairs(self, masters: Masters) -> bool:
        """If it doubles the mean service time of one of them: half the speed."""
        return any(self.extra_ns >= master.mean_ns for master in masters)

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """One more delay."""
        return self.list_(masters, "delays", self.extra_ns)
