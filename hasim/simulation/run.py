"""One replication: a world, run from its start to its horizon, as a journal."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hasim.appended import appended_to
from hasim.journal import Journal
from hasim.services.frozen import freeze
from hasim.settings import plain
from hasim.simulation.clients.rollup import record_messages, roll_up
from hasim.simulation.clients.samples import schedule_samples
from hasim.simulation.operations import schedule_operations
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.traffic import RequestSettings
from hasim.simulation.tier import Tier
from hasim.simulation.world import World
from hasim.truth import QueueRollup
from hasim.version import __version__


def simulate(
    settings: WorldSettings,
    recorded: Recorded,
    *,
    seed: int,
    replication: int,
    scenario: str = "",
    cell: dict[str, Any] | None = None,
    messages: bool = False,
    first_fence_fails: bool | None = None,
    keep: Path | None = None,
) -> Journal:
    """Run one replication and return its journal.

    The same settings, recorded inputs, seed and replication give the same journal.
    `messages` adds a record of every single message. `first_fence_fails` is the outcome of the
    first order to the fencing device, where it is not to be left to chance (stratified runs).
    `keep` is a file to which the journal is appended while the run goes on; raises OSError if it
    cannot be written.
    """
    with collector_paused():
        world = World(
            settings, recorded, seed=seed, replication=replication, keep_messages=messages
        )
        world.front.device.first_fails = first_fence_fails
        world.journal.header = header_of(world, scenario, cell or {})
        with appended_to(keep, world.journal):
            begin(world)
            world.messages.run(settings.horizon_ns)
            world.settle()
            conclude(world, messages=messages)
        return world.give_journal()


def begin(world: World) -> None:
    """Put on the clock what comes from outside, and start the control planes."""
    settings = world.settings
    for master in world.masters.values():
        master.waits.counted = settings.queues == "counted"
    world.changes.changed()
    world.injector.schedule(settings.faults, settings.horizon_ns)
    schedule_operations(world.env, settings.operations, world.feed)
    operations_ns = [operation.at_ns for operation in settings.operations]
    front, horizon_ns = world.front, settings.horizon_ns
    schedule_samples(world.env, operations_ns, horizon_ns, front.messages, front.record)
    world.start()


def conclude(world: World, *, messages: bool) -> None:
    """Journal what the traffic came to; every single message as well, if asked for."""
    now = world.env.now
    for tier in world.tiers:
        masters, gateways = list(tier.masters), list(tier.gateways)
        roll_up(tier.messages, masters, gateways, tier.partitions, now, tier.record)
        for master in tier.masters.values() if world.settings.queues == "counted" else ():
            tier.record(QueueRollup(master.id, *master.waits.found(now)))
        if messages:
            found = tier.messages.results()
            record_messages(found, masters, tier.partitions.names, gateways, now, tier.record)


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """No search for cycles meanwhile: the records of a run form none, and it takes 15 %.

    May be nested: who has the journal measured as well does so around both, since the
    search would begin with all of the journal when it is let loose.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def header_of(world: World, scenario: str, cell: dict[str, Any]) -> dict[str, Any]:
    """The header of a world's journal."""
    header = {
        "scenario": scenario,
        "cell": cell,
        "replication": world.replication,
        "seed": world.seed,
        "horizon_ns": world.settings.horizon_ns,
        **_about(world.front),
        "hasim": __version__,
    }
    if len(world.tiers) > 1:
        # The whole has what the first tier has, and every observer.
        tiers = {tier.name: _about(tier) for tier in world.tiers}
        observers = {n: o for about in tiers.values() for n, o in about["observers"].items()}
        header |= {"observers": observers, "tiers": tiers}
    return header


def _about(tier: Tier) -> dict[str, Any]:
    """What a header says of a tier."""
    settings = tier.settings
    configuration = {
        "detection": plain(settings.detection),
        "failover": plain(settings.failover),
        "balancing": plain(settings.balancing),
        "monitor": plain(settings.monitor),
        "accession": plain(settings.accession),
        "leadership": plain(settings.leadership),
    }
    return {
        "cluster": freeze(tier.cluster),
        "observers": {
            name: {
                "site": site,
                "settings": configuration,
                "seed": tier.chance_of(name),
                "acts": tier.acts(name),
                "late_window_ns": settings.detection.late_window_ns,
                "recovery_ns": settings.detection.recovery_ns,
                "one_primary": settings.failover.fencing.one_primary,
            }
            for name, site in tier.sites.items()
        },
        "traffic": {
            "timeout_ns": settings.requests.timeout_ns,
            "deadline_ns": settings.requests.deadline_ns,
        },
        "requests": _requests(settings.requests),
        **({"needed": settings.needed} if settings.needed != 1 else {}),
    }


def _requests(asked: RequestSettings) -> dict[str, Any]:
    """What a header says of how requests are sent, for whoever looks whether it was kept.

    `keeps`: clients go by names and connections of earlier ones. `elsewhere`: a retry goes to
    another master.
    """
    retry = asked.retry
    layers = [retry, *([retry.inner] if retry.inner is not None else [])]
    return {
        "attempts": retry.total,
        "hedged": asked.hedge.on,
        "budget": retry.budget,
        "reserve": retry.reserve,
        "hedges": {"budget": asked.hedge.budget, "reserve": asked.hedge.reserve},
        "keeps": asked.clients is not None,
        "elsewhere": all(layer.master == "another" for layer in layers) and not asked.hedge.on,
    }
