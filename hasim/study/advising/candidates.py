"""The settings that an advice chooses from: those that are varied, or a usual choice of them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from hasim.measures.catalogue import find
from hasim.scenario.loader import Loaded, from_data
from hasim.scenario.problems import ScenarioError
from hasim.scenario.ranges import values_of
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.detection.detectors.threshold import ThresholdSettings
from hasim.services.detection.registry import DETECTORS, PRESETS, SOURCES
from hasim.services.detection.settings import DetectionSettings
from hasim.services.failover.selection.rules import RULES
from hasim.simulation.settings import WorldSettings
from hasim.study.advising.terms import AdviceError
from hasim.units import format_duration

Point = dict[str, Any]
"""Dotted path to value, as a user writes them; what is not named is as the scenario has it."""
WORLD = ("faults", "network", "repair", "operations", "horizon", "warm_up", "data_plane", "probes")
"""What befalls a system, or how it is simulated: nobody chooses it."""
MOST = 500
"""Settings that are tried at most."""


@dataclass(frozen=True)
class Candidates:
    """The points that are tried, and which of them is today's setting."""

    loaded: Loaded
    points: tuple[Point, ...]
    today: int


def candidates(
    loaded: Loaded, vary: Sequence[tuple[str, str]] = (), measures: Sequence[str] = ()
) -> Candidates:
    """What `vary` says (path, values as written), else the scenario's `vary:`, else usual ones.

    Usual are the rhythm and the patience of today's detection in all combinations, and `others`,
    one by one. Today's setting, the scenario as it stands, is always among them. Raises
    AdviceError, and ScenarioError for a setting that cannot be.
    """
    bare = without_study(loaded)
    if vary:
        points = list(_crossing(_axes(vary)))
    elif loaded.data.get("vary"):
        points = [dict(cell.varied) for cell in loaded.cells]
    else:
        today = loaded.scenario.world()
        points = list(_possible(bare, _crossing(_usual(today))))
        points += _possible(bare, others(today, measures))
    for path in dict.fromkeys(path for point in points for path in point):
        if path.partition(".")[0] in WORLD or path.startswith("traffic.arrivals"):
            raise AdviceError(
                f"{path} is of the world, not a setting that one chooses: say which settings to "
                "try, such as --vary detection.interval=1s..30s:log5"
            )
    if len(points) > MOST:
        raise AdviceError(f"{len(points):,} settings are to be tried; the most is {MOST}")
    plan = study_of(loaded, points, 1)
    world = loaded.scenario.world()
    same = [cell.index for cell in plan.cells if cell.world == world]
    if same:
        return Candidates(loaded, tuple(points), same[0])
    return Candidates(loaded, (*points, {}), len(points))


def without_study(loaded: Loaded) -> dict[str, Any]:
    """The scenario as plain data without what is varied, expected and compared."""
    return {k: v for k, v in loaded.data.items() if k not in ("vary", "expect", "baseline")}


def study_of(loaded: Loaded, points: Sequence[Point], replications: int) -> Loaded:
    """A study of some points. Raises ScenarioError if one of them cannot be."""
    data = copy.deepcopy(without_study(loaded))
    data |= {"vary": {"points": copy.deepcopy(list(points))}, "replications": replications}
    return from_data(data, source=loaded.source)


def scenario_of(loaded: Loaded, point: Point) -> str:
    """The scenario with a point's settings in place, as YAML."""
    return from_data(without_study(loaded), point.items(), source=loaded.source).resolved()


def _axes(vary: Sequence[tuple[str, str]]) -> dict[str, list[Any]]:
    axes: dict[str, list[Any]] = {}
    for path, text in vary:
        if path in axes:
            raise AdviceError(f"--vary {path}: is given twice")
        try:
            axes[path] = values_of(text)
        except ValueError as error:
            raise AdviceError(f"--vary {path}: {error}") from None
    return axes


def _crossing(axes: Mapping[str, list[Any]]) -> Iterator[Point]:
    """All combinations."""
    for values in product(*axes.values()):
        yield dict(zip(axes, values, strict=True))


def _usual(world: WorldSettings) -> dict[str, list[Any]]:
    """Axes around today's detection: how often is checked, how many failures count, by what."""
    if world.tiers:
        raise AdviceError("say which settings to try, such as --vary tiers.db.detection.fall=1..4")
    own, axes = world.detection, dict[str, list[Any]]()
    if own.probes is not None:
        each = own.probes.interval_ns
        axes["detection.interval"] = _around(each, (0.1, 0.25, 0.5, 1, 2))
    if own.heartbeat_ns:
        axes["detection.heartbeat_interval"] = _around(own.heartbeat_ns, (0.25, 0.5, 1, 2))
    if isinstance(own.detector, ThresholdSettings):
        axes["detection.fall"] = list(dict.fromkeys(sorted((1, 2, 3, 4, own.detector.fall))))
    axes["detection.evidence"] = [_evidence(own), _evidence(own, messages=True)]
    if axes["detection.evidence"][0] == axes["detection.evidence"][1]:
        axes["detection.evidence"][1] = _evidence(own, messages=False)
    if not all(axes["detection.evidence"]):
        del axes["detection.evidence"]
    return axes


def _around(value_ns: int, factors: Sequence[float]) -> list[str]:
    return [format_duration(round(value_ns * factor)) for factor in factors]


def _evidence(own: DetectionSettings, messages: bool | None = None) -> list[str]:
    """The names of the evidence, with or without messages; as it is for None."""
    names = [SOURCES.name_of(type(source)) for source in own.evidence]
    if messages is None:
        return names
    others = [name for name in names if name != "messages"]
    return [*others, "messages"] if messages else others


def others(world: WorldSettings, measures: Sequence[str] = ()) -> Iterator[Point]:
    """What else there is, one change at a time, at its defaults: some of it no scenario can have.

    Detectors (by heartbeats, where they go by nothing else), presets of detection, rules by which a
    backup is selected; algorithms of balancing, where one of the measures is of load.
    """
    beats = _evidence(world.detection)
    beats = beats if "heartbeat" in beats else ["heartbeat", *(n for n in beats if n != "probe")]
    for name in DETECTORS.names():
        if name != DETECTORS.name_of(type(world.detection.detector)):
            yield {"detection.detector": name}
            yield {"detection.detector": name, "detection.evidence": beats}
    for name in PRESETS.names():
        yield {"detection": {"preset": name}}
    if not world.stateless:
        for rule in RULES.names():
            yield {"failover.selection": [rule]}
    if any(find(measure).load for measure in measures):
        for name in ALGORITHMS:
            yield {"balancing.algorithm": name}


def _possible(data: Mapping[str, Any], points: Iterable[Point]) -> Iterator[Point]:
    """The points that a scenario can have (no timeout longer than its interval), none twice."""
    seen: list[WorldSettings] = []
    for point in points:
        try:
            world = from_data(data, point.items()).scenario.world()
        except ScenarioError:
            continue
        if world not in seen:
            seen.append(world)
            yield point
