"""The kinds of faults that strike the links of masters."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.settings import duration, settings, share
from hasim.simulation.settings.faults.fault import Cure, Ends, Fault, Masters, Reach


@settings
class NetworkPartition(Fault):
    """The network drops what goes to or comes from a master."""

    kind: Literal["partition"]
    scope: Ends = "all"
    """Between the master and everybody, only its clients, or only the monitor (control plane)."""
    direction: Literal["both", "to", "from"] = "both"
    """What is dropped: both ways, only to the master, or only from it."""

    @property
    def impairing(self) -> bool:
        """If clients are cut off."""
        return self.scope in ("all", "clients")

    @property
    def cuts_clients(self) -> bool:
        """If it is between them and the master."""
        return self.impairing

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """Drop their packets."""
        to, from_ = self.direction in ("both", "to"), self.direction in ("both", "from")
        return reach.on_links(masters, ends=self.scope, to=to, from_=from_, drops=True)


@settings
class PacketLoss(Fault):
    """The links of a master lose packets."""

    kind: Literal["packet-loss"]
    loss: Annotated[float, share("Probability that a packet is lost, each way.")] = 0.2

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """Lose a share of their packets, beside other causes."""
        return reach.on_links(masters, loss=self.loss)


@settings
class LatencySpike(Fault):
    """The links of a master become slower."""

    kind: Literal["latency-spike"]
    extra_ns: Annotated[int, duration("Added to each crossing.", above=0)] = 300_000_000

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """Delay their packets."""
        return reach.on_links(masters, extra_ns=self.extra_ns)


@settings
class LinkFault(Fault):
    """The links between two places (or masters) are cut, lose packets or are slow.

    Of a place all who stand there are struck: masters, clients, the control plane.
    """

    kind: Literal["link"]
    other: str | tuple[str, ...] = "all"
    """Who is at the other end: a master, a place (`zone:b`), several, `clients`, `observers`, or
    `all`."""
    direction: Literal["both", "to", "from"] = "both"
    """Both ways, only what goes to the target, or only what comes from it."""
    loss: Annotated[float, share("Probability that a packet is lost.")] = 0.0
    extra_ns: Annotated[
        int, duration("Added to each crossing. With neither this nor loss, nothing passes.")
    ] = 0

    @property
    def cuts(self) -> bool:
        """Whether nothing passes."""
        return not (self.loss or self.extra_ns)

    @property
    def cuts_off(self) -> str | tuple[str, ...]:
        """The other end, if nothing passes."""
        return self.other if self.cuts else ()

    def strike(self, reach: Reach, masters: Masters, lasting_ns: int) -> Cure:
        """Do it to every link between the two ends."""
        return reach.between(
            self.target,
            self.other,
            to=self.direction in ("both", "to"),
            from_=self.direction in ("both", "from"),
            drops=self.cuts,
            extra_ns=self.extra_ns,
            loss=self.loss,
        )
