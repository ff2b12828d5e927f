"""Small worlds for tests."""

from __future__ import annotations

from typing import Any

from hasim.events import Effect
from hasim.journal import Journal
from hasim.simulation.clients.results import Results
from hasim.simulation.laws import Constant, Exponential, Law
from hasim.simulation.recorded import Recorded
from hasim.simulation.run import begin, simulate
from hasim.simulation.settings import (
    FixedRtt,
    MasterSettings,
    NetworkSettings,
    PoissonArrivals,
    TrafficSettings,
    WorldSettings,
)
from hasim.simulation.world import World
from hasim.units import MILLISECOND, SECOND

NO_LATENCY = NetworkSettings(rtt=FixedRtt(rtt_ns=0), local_rtt_ns=0)


def masters(count: int, *, service: Law | None = None, **more: Any) -> tuple[MasterSettings, ...]:
    """m1, m2, ... with priorities 1, 2, ..."""
    law = service or Exponential(mean_ns=20 * MILLISECOND)
    return tuple(
        MasterSettings(id=f"m{i}", priority=i, service=law, **more) for i in range(1, count + 1)
    )


def world(horizon_s: float, count: int = 3, **more: Any) -> WorldSettings:
    """A world of `count` masters at one site."""
    more.setdefault("masters", masters(count))
    return WorldSettings(horizon_ns=round(horizon_s * SECOND), **more)


def traffic(rate: float, **more: Any) -> TrafficSettings:
    """Poisson traffic."""
    return TrafficSettings(arrivals=PoissonArrivals(rate_per_s=rate), **more)


def after(time_s: float) -> tuple[Constant, ...]:
    """A fixed time for `at`."""
    return (Constant(mean_ns=round(time_s * SECOND)),)


def lasting(time_s: float) -> Constant:
    """A fixed duration."""
    return Constant(mean_ns=round(time_s * SECOND))


def run(settings: WorldSettings, seed: int = 1, replication: int = 0, **more: Any) -> Journal:
    """One replication."""
    return simulate(settings, Recorded(), seed=seed, replication=replication, **more)


def build(settings: WorldSettings, seed: int = 1, replication: int = 0, **more: Any) -> World:
    """A world that has not started."""
    return World(settings, Recorded(), seed=seed, replication=replication, **more)


def results(settings: WorldSettings, seed: int = 1, replication: int = 0) -> list[Results]:
    """How every message of one replication ended, as arrays: of each tier, clients first.

    What would take most of the time of many messages, a record of each, is left out.
    """
    made = build(settings, seed, replication, keep_messages=True)
    begin(made)
    made.messages.run(settings.horizon_ns)
    return [tier.messages.results() for tier in made.tiers]


def order(made: World, effect: Effect) -> None:
    """The only observer orders something that no service has decided."""
    (observer,) = made.observers.values()
    observer.commands.perform(effect)
