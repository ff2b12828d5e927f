"""What faults reach of a world, and how they begin and end there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.traps import Traps
from hasim.simulation.network import LinkFault, Network, master_endpoint
from hasim.simulation.settings.faults import AnyFault, Crash
from hasim.simulation.settings.faults.fault import Cure, Ends, Masters
from hasim.truth import FaultCured, FaultStarted, Truth


@dataclass(frozen=True)
class Scene:
    """The parts that a fault can strike, and whom it tells of it.

    `gateways` and `observers` are endpoints; `owner_of` gives the owner of a partition in
    truth; `changed` is called when links are not what they were (masters tell by themselves).
    """

    masters: dict[str, SimMaster]
    network: Network
    gateways: frozenset[str]
    observers: frozenset[str]
    owner_of: Callable[[str], str]
    traps: Traps
    changed: Callable[[], None]
    record: Callable[[Truth], None]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    """The numbers of faults, in the order in which they begin."""

    def begin(self, fault: AnyFault, masters: Masters, detail: str | None = None) -> Cure:
        """A fault begins now, and is journaled; the returned cure ends it.

        `detail` is its strength, if that is not to be told as the fault has it.
        """
        number = next(self.numbers)
        ids = tuple(master.id for master in masters)
        told = fault.strength if detail is None else detail
        self.record(FaultStarted(number, fault.kind, ids, fault.impairing, told))
        heal = fault.strike(self, masters)

        def cure() -> None:
            self.record(FaultCured(number))
            heal()

        return cure

    def crash(self, master: str, detail: str) -> Cure:
        """A crash as a consequence of another fault."""
        return self.begin(Crash(kind="crash"), [self.masters[master]], detail)

    def on_links(
        self,
        masters: Masters,
        *,
        ends: Ends = "all",
        to: bool = True,
        from_: bool = True,
        drops: bool = False,
        extra_ns: int = 0,
        loss: float = 0.0,
    ) -> Cure:
        """The links of masters are struck, as `LinkFault` says."""
        others = {"all": None, "clients": self.gateways, "monitor": self.observers}[ends]
        faults = [
            LinkFault(master_endpoint(m.id), others, to, from_, drops, extra_ns, loss)
            for m in masters
        ]
        self.network.begin(*faults)
        self.changed()

        def heal() -> None:
            self.network.end(*faults)
            self.changed()

        return heal
