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
