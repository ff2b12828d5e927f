"""What is no mistake in a scenario, but may not be what was meant."""

from __future__ import annotations

from collections.abc import Iterable

from hasim.services.balancing.registry import ALGORITHMS
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.operations import Switch


def remarks_on(worlds: Iterable[WorldSettings]) -> list[str]:
    """A sentence for each thing that is set and has no effect in some of these worlds."""
    inert = {name: None for world in worlds for name in _without_slow_start(world)}
    if not inert:
        return []
    names = " and ".join(inert)
    return [
        f"balancing.slow_start has no effect with {names}: a master that is back gets the messages "
        "of its keys at once, since otherwise keys would move."
    ]


def _without_slow_start(world: WorldSettings) -> list[str]:
    if world.balancing.slow_start is None:
        return []
    switched = [item.algorithm for item in world.operations if isinstance(item, Switch)]
    used = [world.balancing.algorithm, *switched]
    return [name for name in used if ALGORITHMS[name].slow_start == "none"]
