"""What faults reach of a world, and how they begin and end there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hasim.simulation.clients.gateway import SimGateway
from hasim.simulation.clients.rerouting import Rerouting
from hasim.simulation.control.driver import Driver
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.traps import Traps
from hasim.simulation.network import LinkFault, Network, master_endpoint, observer_endpoint
from hasim.simulation.settings.faults import AnyFault, Crash, Fault
from hasim.simulation.settings.faults.fault import Cure, Ends, Masters, Named, Pool
from hasim.simulation.settings.places import is_place, lies_in
from hasim.truth import FaultCured, FaultStarted, Truth

OWNER_OF = "owner-of:"


@dataclass(frozen=True)
class Scene:
    """The parts that a fault can strike, and whom it tells of it.

    `endpoints` are those of all gateways, `gateways` those of clients alone; `observers` are
    endpoints. `owner_of` gives the owner of a partition in truth; `changed` is called when links
    are not what they were (masters tell by themselves).
    """

    masters: dict[str, SimMaster]
    network: Network
    endpoints: frozenset[str]
    gateways: dict[str, SimGateway]
    rerouting: Rerouting
    observers: frozenset[str]
    owner_of: Callable[[str], str]
    traps: Traps
    drivers: Sequence[Driver]
    changed: Callable[[], None]
    record: Callable[[Truth], None]
    now: Callable[[], int]
    later: Callable[[int, Callable[[], None]], None]
    """Calls something after so many nanoseconds, when faults begin and end."""
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    """The numbers of faults, in the order in which they begin."""

    def pool(self, fault: Fault) -> Mapping[str, Named]:
        """Among whom its target is, by name."""
        pools: dict[Pool, Mapping[str, Named]] = {
            "masters": self.masters,
            "gateways": self.gateways,
            "observers": {driver.id: driver for driver in self.drivers},
        }
        return pools[fault.STRIKES]

    def begin(
        self, fault: AnyFault, struck: Sequence[Any], lasting_ns: int, detail: str | None = None
    ) -> Cure:
        """A fault begins now, and is journaled; the returned cure ends it.

        `detail` is its strength, if that is not to be told as the fault has it.
        """
        number = next(self.numbers)
        ids = tuple(one.id for one in struck)
        told = fault.strength if detail is None else detail
        masters, others = (ids, ()) if fault.STRIKES == "masters" else ((), ids)
        if not fault.strikes_masters:
            masters, others = (), tuple(driver.observer for driver in self.drivers)
        impairs = fault.impairs(struck) or self._holds_clients(fault.cuts_off)
        self.record(FaultStarted(number, fault.kind, masters, impairs, told, others))
        heal = fault.strike(self, struck, lasting_ns)

        since_ns = self.now()

        def cure() -> None:
            self.record(FaultCured(number))
            if fault.cuts_clients and self.network.settings.retransmit_ns:
                # Before they are healed, so that nobody sees them up in between.
                self._retransmit(struck, self.now() - since_ns)
            heal()

        return cure

    def _retransmit(self, masters: Masters, lasted_ns: int) -> None:
        """Clients' connections are silent until the next retransmission.

        The first packet was lost when the fault began, so that the retransmissions come after 1,
        3, 7, ... timeouts.
        """
        first_ns = self.network.settings.retransmit_ns
        waited_ns = first_ns
        while waited_ns < lasted_ns:
            waited_ns = 2 * waited_ns + first_ns
        silent_ns = waited_ns - lasted_ns
        if silent_ns:
            self.later(silent_ns, self.on_links(masters, ends="clients", holds_ns=silent_ns))

    def kill_observer(self, observer: str) -> Cure:
        """The process of a control plane dies; a new one starts at the cure."""
        driver = self._driver(observer)
        driver.kill()
        return driver.revive

    def stall_observer(self, observer: str) -> Cure:
        """One control plane stands still; at the cure it hears what it has missed."""
        driver = self._driver(observer)
        driver.stall()
        return driver.resume

    def _driver(self, observer: str) -> Driver:
        return next(driver for driver in self.drivers if driver.id == observer)

    def on_observers(
        self,
        observers: Sequence[Named],
        *,
        to: bool = True,
        from_: bool = True,
        drops: bool = False,
        extra_ns: int = 0,
    ) -> Cure:
        """The links of control planes are struck, as `LinkFault` says."""
        ends = [observer_endpoint(observer.id) for observer in observers]
        return self._on(LinkFault(end, None, to, from_, drops, extra_ns) for end in ends)

    def on_answers(self, observers: Sequence[Named], *, again_ns: int = 0) -> Cure:
        """Answers to control planes are lost, or come once more after so many nanoseconds."""
        struck = [self._driver(observer.id).answers for observer in observers]
        for answers in struck:
            answers.strike(again_ns)

        def cure() -> None:
            for answers in struck:
                answers.heal(again_ns)

        return cure

    def kill_gateway(self, gateway: str) -> Cure:
        """The process of a gateway dies; a new one starts at the cure."""
        self.rerouting.kill(gateway)
        return lambda: self.rerouting.start(gateway)

    def crash(self, master: str, detail: str) -> Cure:
        """A crash as a consequence of another fault."""
        return self.begin(Crash(kind="crash"), [self.masters[master]], 0, detail)

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
        holds_ns: int = 0,
    ) -> Cure:
        """The links of masters are struck, as `LinkFault` says."""
        others = {"all": None, "clients": self.endpoints, "monitor": self.observers}[ends]
        held_ns = self.now() + holds_ns if holds_ns else 0
        return self._on(
            LinkFault(
                master_endpoint(m.id), others, to, from_, drops, extra_ns, loss, held_ns, holds_ns
            )
            for m in masters
        )

    def between(
        self,
        one: str | tuple[str, ...],
        other: str | tuple[str, ...],
        *,
        to: bool = True,
        from_: bool = True,
        drops: bool = False,
        extra_ns: int = 0,
        loss: float = 0.0,
    ) -> Cure:
        """The links between two ends are struck, as `LinkFault` says."""
        others = frozenset(self._endpoints(other))
        return self._on(
            [
                LinkFault(end, others - {end}, to, from_, drops, extra_ns, loss)
                for end in self._endpoints(one)
            ]
        )

    def _holds_clients(self, end: str | tuple[str, ...]) -> bool:
        """Whether at least half of the clients' sites are at an end of links."""
        if not end:
            return False
        clients = {gateway.endpoint for gateway in self.gateways.values()}
        return 2 * len(clients.intersection(self._endpoints(end))) >= len(clients)

    def _endpoints(self, end: str | tuple[str, ...]) -> list[str]:
        """The endpoints that an end of links names, each once, in their order."""
        names = (end,) if isinstance(end, str) else end
        return [e for e in self.network.places if any(self._is_at(e, name) for name in names)]

    def _is_at(self, endpoint: str, name: str) -> bool:
        if is_place(name):
            return lies_in(self.network.places[endpoint], name)
        if name == "clients":
            return any(gateway.endpoint == endpoint for gateway in self.gateways.values())
        if name == "observers":
            return endpoint in self.observers
        if name.startswith(OWNER_OF):
            name = self.owner_of(name.removeprefix(OWNER_OF))
        return name == "all" or endpoint == master_endpoint(name)

    def _on(self, struck: Iterable[LinkFault]) -> Cure:
        faults = list(struck)
        self.network.begin(*faults)
        self.changed()

        def heal() -> None:
            self.network.end(*faults)
            self.changed()

        return heal

    def stall_observers(self) -> Cure:
        """All control planes stand still."""
        for driver in self.drivers:
            driver.stall()

        def heal() -> None:
            for driver in self.drivers:
                driver.resume()

        return heal
