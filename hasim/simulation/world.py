"""One simulated world: its tiers, what they share, and the faults that strike them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hasim.events import Input
from hasim.journal import Journal
from hasim.simulation.changes import Changes
from hasim.simulation.clients.compiled.availability import available, refusal
from hasim.simulation.clients.plane import DataPlane
from hasim.simulation.clock import FAULT, Call, Clock
from hasim.simulation.control.driver import Driver
from hasim.simulation.control.observer import Observer
from hasim.simulation.faults.injector import Injector
from hasim.simulation.faults.scene import Scene
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.masters.traps import Traps
from hasim.simulation.network import (
    Network,
    gateway_endpoint,
    master_endpoint,
    observer_endpoint,
)
from hasim.simulation.recorded import Recorded
from hasim.simulation.recorder import Recorder
from hasim.simulation.service import with_recorded_service
from hasim.simulation.settings import TierSettings, WorldSettings
from hasim.simulation.settings.operations import Switch
from hasim.simulation.settings.places import Place, place_named, place_of
from hasim.simulation.surroundings import Surroundings
from hasim.simulation.tier import Tier


class World:
    """Builds the parts of one replication and wires them together; does nothing by itself."""

    def __init__(
        self,
        settings: WorldSettings,
        recorded: Recorded,
        *,
        seed: int,
        replication: int,
        keep_messages: bool = False,
    ) -> None:
        self.settings = settings = with_recorded_service(settings, recorded)
        self.recorded = recorded
        self.seed = seed
        self.replication = replication
        self.env = Clock()
        self.journal = Journal()
        self.record = Recorder(self.env, self.journal).record
        self.changes = Changes()
        self.traps = Traps()
        self.network = Network(
            settings.network, recorded, _places(settings), seed=seed, replication=replication
        )
        self.tiers = self._tiers(keep_messages=keep_messages)
        self.injector = self._injector()
        if any(fault.from_ == "declaration" for fault in settings.faults):
            for driver in self.drivers.values():
                driver.listener = self.injector.declared.hear

    def give_journal(self) -> Journal:
        """The journal, of which the world keeps nothing.

        The parts of a world refer to each other in circles: whatever they hold stays in
        memory, and is searched through, until the collector of cycles comes by.
        """
        given = Journal(self.journal.header, self.journal.records)
        self.journal.header, self.journal.records = {}, []
        return given

    # -- building ----------------------------------------------------------------

    def _tiers(self, *, keep_messages: bool) -> list[Tier]:
        """The tiers in their order; built from the last one on, as each makes use of the next."""
        around = Surroundings(
            self.settings,
            self.recorded,
            self.seed,
            self.replication,
            self.env,
            self.journal,
            self.changes,
            self.traps,
            self.network,
            _runs_compiled(self.settings),
            keep_messages,
        )
        chain = self.settings.chain
        found: list[Tier] = []
        for place in reversed(range(len(chain))):
            made = Tier(
                around,
                chain[place],
                _clients(self.settings, place),
                observers_of(chain[place]),
                place=place,
                first=1 + sum(len(tier.owners) for tier in chain[:place]),
                behind=found[0] if found else None,
            )
            found.insert(0, made)
        for tier in found:
            tier.follow_changes()
        return found

    def _injector(self) -> Injector:
        scene = Scene(
            self.masters,
            self.network,
            frozenset(g.endpoint for tier in self.tiers for g in tier.gateways.values()),
            self.front.gateways,
            self.front.rerouting,
            frozenset(observer.post.endpoint for observer in self.observers.values()),
            self._owner_of,
            self.traps,
            list(self.drivers.values()),
            self.changes.changed,
            self.record,
            lambda: self.env.now,
            self._later,
        )
        return Injector(
            self.env,
            scene,
            self.settings.repair,
            self.recorded,
            seed=self.seed,
            replication=self.replication,
        )

    def _later(self, delay_ns: int, then: Callable[[], None]) -> None:
        Call(self.env, delay_ns, FAULT, lambda _: then())

    def _owner_of(self, partition: str) -> str:
        tier = next(tier for tier in self.tiers if partition in tier.partitions.names)
        return tier.partitions.owner_of(partition)

    # -- all tiers -----------------------------------------------------------------

    @property
    def masters(self) -> dict[str, SimMaster]:
        """The masters of all tiers."""
        return _joined(tier.masters for tier in self.tiers)

    @property
    def drivers(self) -> dict[str, Driver]:
        """The drivers of all control planes, by the observer's name."""
        return _joined(tier.drivers for tier in self.tiers)

    @property
    def observers(self) -> dict[str, Observer]:
        """The observers of all tiers."""
        return _joined(tier.observers for tier in self.tiers)

    @property
    def front(self) -> Tier:
        """The tier that clients talk to."""
        return self.tiers[0]

    @property
    def messages(self) -> DataPlane:
        """The messages of clients; whoever runs them runs the requests between tiers as well."""
        return self.front.messages

    def start(self) -> None:
        """Start every control plane, and the masters' heartbeats if somebody listens to them."""
        for tier in self.tiers:
            tier.start()

    def settle(self) -> None:
        """Bring every control plane up to date, at the end of a run."""
        for driver in self.drivers.values():
            driver.settle()

    def feed(self, item: Input) -> None:
        """An operator tells something to every control plane that it concerns."""
        master = getattr(item, "to", getattr(item, "master", None))
        for tier in self.tiers:
            if master is None or master in tier.masters:
                tier.feed(item)


def _joined(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: part for of_tier in parts for name, part in of_tier.items()}


def observers_of(tier: TierSettings) -> dict[str, str]:
    """The observers of a tier by name, and the site of each; the first acts, others only watch."""
    sites = (tier.observer.region or tier.masters[0].region, *tier.observer.witnesses)
    return dict(zip(tier.observer_names, sites, strict=True))


def _clients(settings: WorldSettings, place: int) -> dict[str, str]:
    """The gateways of a tier by name, and their endpoints: of clients, or of the tier before."""
    if not place:
        return {region: gateway_endpoint(region) for region in settings.client_regions}
    return {m.id: master_endpoint(m.id) for m in settings.chain[place - 1].masters}


def _runs_compiled(settings: WorldSettings) -> bool:
    """Whether messages run on the compiled plane: it can, and has every algorithm in use."""
    used = [tier.balancing.algorithm for tier in settings.chain]
    used += [o.algorithm for o in settings.operations if isinstance(o, Switch)]
    return settings.data_plane == "compiled" and all(map(available, used)) and not refusal()


def _places(settings: WorldSettings) -> dict[str, Place]:
    """The place of every endpoint."""
    places = {master_endpoint(m.id): place_of(m) for m in settings.all_masters}
    places.update({gateway_endpoint(r): place_named(r) for r in settings.client_regions})
    for tier in settings.chain:
        for observer, site in observers_of(tier).items():
            places[observer_endpoint(observer)] = place_named(site)
    return places
