"""The worlds that are run: so much load, with masters down, or with a cause that goes away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hasim.scenario.loader import Loaded
from hasim.settings import plain
from hasim.simulation.laws import longest_ns
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.faults import Fault
from hasim.study.advising.candidates import Point
from hasim.study.capacity.downs import Down
from hasim.study.capacity.loads import Loads
from hasim.units import MINUTE, SECOND, format_duration

DOWN_AT, STEADY_AT = 0.1, 0.5
"""When masters go down, and from when on load counts, as shares of the horizon."""
LAST = 0.8
"""The last fifth of the horizon shows whether an overload has outlived its cause."""
CAUSE_AT_NS = 3 * MINUTE
GRID_NS = 10 * SECOND
"""The windows of the traffic's roll-up: parts of a run begin with one."""
Kind = Literal["hang", "crash", "power-off"]


@dataclass(frozen=True)
class Cause:
    """Faults that are over by half of the horizon, as a user writes them, and in words."""

    faults: tuple[dict[str, Any], ...]
    text: str


def with_down(loads: Loads, load: float, down: Down, horizon_ns: int) -> Point:
    """So much load, with masters that are powered off early on and stay down."""
    faults = []
    if down.masters:
        at = format_duration(_on_grid(DOWN_AT, horizon_ns))
        faults = [
            {
                "kind": "power-off",
                "target": list(down.masters),
                "at": at,
                "for": format_duration(horizon_ns),
            }
        ]
    return _point(loads, load, faults, horizon_ns, steady_ns(horizon_ns))


def with_cause(loads: Loads, load: float, cause: Cause | None, horizon_ns: int) -> Point:
    """So much load, with a cause of overload that goes away, or without."""
    faults = list(cause.faults) if cause is not None else []
    return _point(loads, load, faults, horizon_ns, last_ns(horizon_ns))


def steady_ns(horizon_ns: int) -> int:
    """From when on the load with masters down counts."""
    return _on_grid(STEADY_AT, horizon_ns)


def last_ns(horizon_ns: int) -> int:
    """From when on an overload has outlived its cause."""
    return _on_grid(LAST, horizon_ns)


def cause_of(loaded: Loaded, horizon_ns: int, kind: Kind | None, lasting_ns: int) -> Cause:
    """The scenario's faults that go away, unless a kind is asked for.

    They strike at stated times and are over by half of the horizon. Without any, all masters hang
    for a while, as behind a network that is down (Bronson and others, HotOS 2021); where caches are
    cold after a crash, they crash.
    """
    world = loaded.scenario.world()
    own = [
        fault for fault in world.faults if _ends_ns(fault) is not None and _over(fault, horizon_ns)
    ]
    if own and kind is None:
        return Cause(tuple(_written(f) for f in own), "; ".join(map(_told, own)))
    chosen = kind or _adverse(world)
    fault = {
        "kind": chosen,
        "target": "all",
        "at": format_duration(CAUSE_AT_NS),
        "for": format_duration(lasting_ns),
    }
    return Cause((fault,), f"{chosen} of all masters for {format_duration(lasting_ns)}")


def _adverse(world: WorldSettings) -> Kind:
    cold = any(master.cold_start is not None for master in world.all_masters)
    return "crash" if cold else "hang"


def _point(
    loads: Loads, load: float, faults: Sequence[dict[str, Any]], horizon_ns: int, since_ns: int
) -> Point:
    return {
        **loads.settings(load),
        "faults": list(faults),
        "horizon": format_duration(horizon_ns),
        "warm_up": format_duration(since_ns),
    }


def _on_grid(share: float, horizon_ns: int) -> int:
    """A share of the horizon, up to the next window."""
    return -(-round(share * horizon_ns) // GRID_NS) * GRID_NS


def _ends_ns(fault: Fault) -> int | None:
    """When a fault is over for good; None if it comes again, or lasts from a declaration on."""
    if not fault.at or fault.from_ != "start":
        return None
    return max(map(longest_ns, fault.at)) + longest_ns(fault.for_)


def _over(fault: Fault, horizon_ns: int) -> bool:
    ends_ns = _ends_ns(fault)
    return ends_ns is not None and ends_ns <= horizon_ns // 2


def _written(fault: Fault) -> dict[str, Any]:
    return dict(plain(fault))


def _told(fault: Fault) -> str:
    target = fault.target if isinstance(fault.target, str) else ", ".join(fault.target)
    lasting = format_duration(longest_ns(fault.for_))
    return f"{getattr(fault, 'kind', 'fault')} of {target} for {lasting}"
