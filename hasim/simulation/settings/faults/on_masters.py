"""The kinds of faults that strike masters themselves."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.settings import duration, settings, share
from hasim.simulation.settings.faults.fault import Cure, Masters, Reach
from hasim.simulation.settings.faults.overlapping import Counted, Listed


@settings
class Crash(Counted):
    """The process dies: connections are refused, the queue and the work in service are lost."""

    kind: Literal["crash"]
    announced: bool = False
    """Whether it is a clean stop: the last heartbeat says that the master leaves (keepalived: an
    advertisement of priority 0), and a detector that minds need not wait for its silence."""

    @property
    def impairing(self) -> bool:
        """It does not serve."""
        return True

    @property
    def strength(self) -> str:
        """Whether it was announced."""
        return "announced" if self.announced else ""

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """One more crash."""
        for master in masters if self.announced else ():
            master.farewell()
        return self.count(masters, "crashes")


@settings
class PowerOff(Counted):
    """The host is off: silence, the queue and the work in service are lost."""

    kind: Literal["power-off"]

    @property
    def impairing(self) -> bool:
        """It does not serve."""
        return True

    @property
    def cuts_clients(self) -> bool:
        """A host that is off resets nothing."""
        return True

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """One more reason to be off."""
        return self.count(masters, "offs")


@settings
class RegionOutage(Counted):
    """Every master of a region loses power at once; the target is `region:NAME` or `random`."""

    kind: Literal["region-outage"]

    @property
    def impairing(self) -> bool:
        """None of them serves."""
        return True

    @property
    def cuts_clients(self) -> bool:
        """A host that is off resets nothing."""
        return True

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """One more reason to be off, for each."""
        return self.count(masters, "offs")


@settings
class Hang(Counted):
    """The process accepts and never answers; its work goes on after the cure."""

    kind: Literal["hang"]

    @property
    def impairing(self) -> bool:
        """It does not serve."""
        return True

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """One more hang."""
        return self.count(masters, "hangs")


@settings
class Slow(Listed):
    """Everything takes longer: the speed factor falls."""

    kind: Literal["slow"]
    speed: Annotated[float, share("The speed that is left.")] = 0.1

    @property
    def impairing(self) -> bool:
        """At half the speed or less."""
        return self.speed <= 0.5

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """One more factor of their speed."""
        return self.list_(masters, "speeds", self.speed)


@settings
class ErrorRate(Listed):
    """A share of the messages (and deep probes) is answered with an error."""

    kind: Literal["error-rate"]
    rate: Annotated[float, share("The share of answers that are errors.")] = 0.5
    takes_ns: Annotated[
        int | None,
        duration("How long a worker is busy with one that fails; else as long as with any other."),
    ] = None

    @property
    def impairing(self) -> bool:
        """At one error in ten answers or more."""
        return self.rate >= 0.1

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """One more cause of errors."""
        cure = self.list_(masters, "error_rates", self.rate)
        if self.takes_ns is None:
            return cure
        cure_time = self.list_(masters, "error_times", self.takes_ns)

        def both() -> None:
            cure()
            cure_time()

        return both
