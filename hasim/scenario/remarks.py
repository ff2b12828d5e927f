"""What is no mistake in a scenario, but may not be what was meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hasim.scenario.rhythms import rhythm_remarks
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.detection.settings import DetectionSettings
from hasim.simulation.clients.compiled.availability import refusal
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.operations import Switch


def remarks_on(worlds: Sequence[WorldSettings], paths: Iterable[str]) -> list[str]:
    """A sentence for each thing that is set and has no effect in some of these worlds.

    `paths` are the settings that are written down: ``detection.fall``.
    """
    worlds = [tier for world in worlds for tier in world.apart]
    slow = dict.fromkeys(text for world in worlds for text in rhythm_remarks(world))
    idle = [*_slow_start(worlds), *_beside_no_part(worlds, paths)]
    return [*idle, *slow, *uncompiled(worlds, "run")]


def uncompiled(worlds: Iterable[WorldSettings], verb: str) -> list[str]:
    """The sentence that messages cannot be compiled here, if they shall be; `verb`: run, ran."""
    if not refusal() or all(world.data_plane != "compiled" for world in worlds):
        return []
    return [
        f"{refusal()}: messages {verb} on the reference data plane, which gives the same results "
        "and is slower."
    ]


def _slow_start(worlds: Sequence[WorldSettings]) -> Iterator[str]:
    inert = {name: None for world in worlds for name in _without_slow_start(world)}
    if inert:
        names = " and ".join(inert)
        yield (
            f"balancing.slow_start has no effect with {names}: a master that is back gets the "
            "messages of its keys at once, since otherwise keys would move."
        )


def _beside_no_part(worlds: Sequence[WorldSettings], paths: Iterable[str]) -> Iterator[str]:
    """Settings beside the parts of detection whose part no world has."""
    beside = DetectionSettings.names_beside()
    for path in dict.fromkeys(paths):
        name = path.removeprefix("detection.")
        if name == path or name not in beside:
            continue
        if not any(world.detection.has_setting(name) for world in worlds):
            kinds = " or ".join(beside[name])
            yield f"{path} has no effect: it is a setting of {kinds}, which is not chosen."


def _without_slow_start(world: WorldSettings) -> list[str]:
    if world.balancing.slow_start is None:
        return []
    switched = [item.algorithm for item in world.operations if isinstance(item, Switch)]
    used = [world.balancing.algorithm, *switched]
    return [name for name in used if ALGORITHMS[name].slow_start == "none"]
