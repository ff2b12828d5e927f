"""One replication: a world, run from its start to its horizon, as a journal."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import Any

from hasim.journal import Journal
from hasim.services.frozen import freeze
from hasim.settings import plain
from hasim.simulation.clients.rollup import record_messages, roll_up
from hasim.simulation.clients.samples import schedule_samples
from hasim.simulation.operations import schedule_operations
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import WorldSettings
from hasim.simulation.world import World, observers_of
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
) -> Journal:
    """Run one replication and return its journal.

    The same settings, recorded inputs, seed and replication give the same journal.
    `messages` adds a record of every single message. `first_fence_fails` is the outcome of the
    first order to the fencing device, where it is not to be left to chance (stratified runs).
    """
    with collector_paused():
        world = World(
            settings, recorded, seed=seed, replication=replication, keep_messages=messages
        )
        world.device.first_fails = first_fence_fails
        world.journal.header = _header(world, scenario, cell or {})
        begin(world)
        world.messages.run(settings.horizon_ns)
        world.settle()
        conclude(world, messages=messages)
        return world.give_journal()


def begin(world: World) -> None:
    """Put on the clock what comes from outside, and start the control planes."""
    settings = world.settings
    world.changes.changed()
    world.injector.schedule(settings.faults, settings.horizon_ns)
    schedule_operations(world.env, settings.operations, world.feed)
    operations_ns = [operation.at_ns for operation in settings.operations]
    schedule_samples(world.env, operations_ns, settings.horizon_ns, world.messages, world.record)
    world.start()


def conclude(world: World, *, messages: bool) -> None:
    """Journal what the traffic came to; every single message as well, if asked for."""
    masters, now = list(world.masters), world.env.now
    roll_up(world.messages, masters, world.partitions, now, world.record)
    if messages:
        found, regions = world.messages.results(), list(world.gateways)
        record_messages(found, masters, world.partitions.names, regions, now, world.record)


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


def _header(world: World, scenario: str, cell: dict[str, Any]) -> dict[str, Any]:
    settings = world.settings
    configuration = {
        "detection": plain(settings.detection),
        "failover": plain(settings.failover),
        "balancing": plain(settings.balancing),
        "monitor": plain(settings.monitor),
    }
    return {
        "scenario": scenario,
        "cell": cell,
        "replication": world.replication,
        "seed": world.seed,
        "horizon_ns": settings.horizon_ns,
        "cluster": freeze(world.cluster),
        "observers": {
            name: {
                "site": site,
                "settings": configuration,
                "late_window_ns": settings.detection.late_window_ns,
            }
            for name, site in observers_of(settings).items()
        },
        "traffic": {
            "timeout_ns": settings.traffic.timeout_ns,
            "deadline_ns": settings.traffic.deadline_ns,
        },
        "hasim": __version__,
    }
