"""The kinds of faults that strike control planes, and are no noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from hasim.settings import duration, settings
from hasim.simulation.settings.faults.fault import Cure, Fault, Named, Pool, Reach


@settings
class _OnObservers(Fault):
    """It strikes control planes."""

    STRIKES: ClassVar[Pool] = "observers"

    target: str | tuple[str, ...] = "random"
    """A control plane (`observer`, or the name of its tier), several, `random` (one of them),
    `each` (every one has a schedule of its own), or `all` (all of them together)."""


@settings
class ObserverCrash(_OnObservers):
    """A control plane is killed; at the cure a new process takes its place.

    It remembers what `observer.remembers` says, asks masters and gateways what has become of them,
    and goes on under another term.
    """

    kind: Literal["observer-crash"]

    def strike(self, reach: Reach, masters: Sequence[Named], lasting_ns: int) -> Cure:
        """Kill them."""
        return _all([reach.kill_observer(observer.id) for observer in masters])


@settings
class ObserverHang(_OnObservers):
    """A control plane is stopped, as its machine may be: it hears and does nothing.

    At the cure it goes on where it stood, and is told at once what has come meanwhile.
    """

    kind: Literal["observer-hang"]

    def strike(self, reach: Reach, masters: Sequence[Named], lasting_ns: int) -> Cure:
        """Stop them."""
        return _all([reach.stall_observer(observer.id) for observer in masters])


@settings
class ObserverPartition(_OnObservers):
    """The network drops what goes to or comes from a control plane; the power switch is reached."""

    kind: Literal["observer-partition"]
    direction: Literal["both", "to", "from"] = "both"
    """What is dropped: both ways, only to the control plane, or only from it."""

    def strike(self, reach: Reach, masters: Sequence[Named], lasting_ns: int) -> Cure:
        """Cut them off."""
        to, from_ = self.direction in ("both", "to"), self.direction in ("both", "from")
        return reach.on_observers(masters, to=to, from_=from_, drops=True)


@settings
class ObserverSlow(_OnObservers):
    """A control plane is slow to hear: everything that is told to it comes late."""

    kind: Literal["observer-slow"]
    by_ns: Annotated[int, duration("So much later.", above=0)] = 400_000_000

    def strike(self, reach: Reach, masters: Sequence[Named], lasting_ns: int) -> Cure:
        """Delay what they hear."""
        return reach.on_observers(masters, from_=False, extra_ns=self.by_ns)


def _all(cures: Sequence[Cure]) -> Cure:
    def cure() -> None:
        for each in cures:
            each()

    return cure
