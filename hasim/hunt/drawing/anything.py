"""Any setting that there is, with any value that it may have: of the settings' own description.

What is added to hasim is so drawn without being named here.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping
from typing import Any

from hasim.hunt.drawing.dice import Dice
from hasim.scenario.loader import from_data
from hasim.scenario.problems import ScenarioError
from hasim.study.planning.own_parts import KINDS
from hasim.study.reference import Described, described
from hasim.units import MILLISECOND, parse_duration

GROUPS = (
    *("detection", "failover", "balancing", "monitor", "accession", "leadership", "observer"),
    *("replication", "fencing_device", "promotion", "network", "traffic"),
)
"""What is set once for a world, or for a tier; masters, faults and operations are lists."""
LISTS = ("detection.evidence", "detection.fatal", "detection.counted", "failover.selection")
"""Choices of which there may be several."""
LAWS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "constant": lambda mean: {"mean": mean},
    "uniform": lambda mean: {"low": "0s", "high": mean},
    "exponential": lambda mean: {"mean": mean},
    "lognormal": lambda mean: {"mean": mean, "cv": 1.5},
    "weibull": lambda mean: {"mean": mean, "shape": 0.7},
}
NOT_DRAWN: Mapping[str, str] = {
    "trace": "stands in a file",
    "checks": "stands in a file",
    "schedule": "stands in a file",
    "matrix": "stands in a file",
    "standbys": "names of masters; any of them will do",
    "confirm-off": "an operator whose word is false makes two primaries, as stated",
    "auto": "how a file is written",
    "traffic.regions": "drawn with the traffic",
    "observer.region": "drawn with the observer",
    "observer.witnesses": "drawn with the observer",
    "monitor.alerts": "drawn with the monitor",
    "balancing.sessions": "memory only",
    "arrivals": "drawn with the traffic",
    "keys": "drawn with the traffic",
    "rtt": "drawn with the network",
    "bursts": "drawn with the network",
    "network.jitter": "drawn with the network",
    "needed": "measured, and changes nothing",
    "queues": "measured, and changes nothing",
}
"""Choices, and settings, that no world has from here, and why."""
SHORTEST_MS, LONGEST_MS = 50, 60_000
"""Durations that are drawn: shorter ones make endless events, longer ones are as good as never."""


def law(dice: Dice, mean: str) -> Any:
    """A duration of any law with about this mean."""
    name = dice.of(sorted(LAWS))
    return {"law": name, **LAWS[name](mean)}


def choices(path: str) -> tuple[str, ...]:
    """What can be chosen there, but for what is not drawn."""
    return _drawn(_every_of(_names())[path])


def _drawn(row: Described) -> tuple[str, ...]:
    return tuple(n for n in row.choices if not {n, f"{row.path}.{n}"} & {*NOT_DRAWN})


def of_fault(kind: str) -> Mapping[str, Described]:
    """The settings that only this kind of fault has, by their names."""
    return _of_fault(_names(), kind)


def rows() -> Mapping[str, Described]:
    """What can be drawn here, by its path."""
    return _rows_of(_names())


def _names() -> tuple[tuple[str, ...], ...]:
    """All that is known by name: users may register more."""
    return tuple(tuple(known) for known, _ in KINDS.values())


@functools.cache
def _every_of(names: tuple[tuple[str, ...], ...]) -> Mapping[str, Described]:
    return {row.path: row for row in described()}


@functools.cache
def _of_fault(names: tuple[tuple[str, ...], ...], kind: str) -> Mapping[str, Described]:
    prefix = f"faults.{kind}."
    every = _every_of(names)
    return {
        path.removeprefix(prefix): row for path, row in every.items() if path.startswith(prefix)
    }


@functools.cache
def _rows_of(names: tuple[tuple[str, ...], ...]) -> Mapping[str, Described]:
    return {
        row.path: row
        for row in _every_of(names).values()
        if row.path.partition(".")[0] in GROUPS
        and row.path not in NOT_DRAWN
        and not set(row.path.split(".")[1:]) & {*NOT_DRAWN}
        and not set(row.path.split(".")[1:-1]) & {*LAWS}
        and (row.kind or row.choices or row.default in ("true", "false"))
    }


def value(dice: Dice, row: Described) -> Any:
    """A value of a setting: one of its choices, or a number, now and then an extreme one."""
    if row.choices:
        if "exponential" in row.choices:
            return law(dice, dice.time(SHORTEST_MS, 3000))
        names = _drawn(row)
        many = row.path in LISTS or row.path.endswith("retry.on")
        return (dice.some(names) or [dice.of(names)]) if many else dice.of(names)
    if row.kind == "duration":
        return _duration(dice, row)
    if row.kind == "share":
        return dice.one("0%", "1%", "20%", "50%", "100%")
    if row.kind == "count":
        return dice.one(0, 1, 1, 2, 3, 5, 20)
    if row.kind == "factor":
        usual = float(row.default) if row.default not in ("", "off") else 1.0
        return usual * dice.one(0.01, 0.5, 0.9, 1.0, 1.1, 2.0, 100.0)
    if row.kind in ("size", "bandwidth"):
        suffix = "/s" if row.kind == "bandwidth" else ""
        return dice.one("1KiB", "100KiB", "10MiB", "2GiB") + suffix
    return dice.one(True, False)


def _duration(dice: Dice, row: Described) -> str:
    what = dice.one("near", "near", "any", "zero", "never")
    if what == "zero":
        return "0s"
    if what == "never":
        return "1h"
    usual = row.default if row.default not in ("", "off") else "1s"
    near_ms = parse_duration(usual) // MILLISECOND
    if what == "any" or not SHORTEST_MS <= near_ms <= LONGEST_MS:
        return dice.time(SHORTEST_MS, LONGEST_MS)
    return dice.time(max(SHORTEST_MS, near_ms / 5), near_ms * 5)


def scattered(dice: Dice, data: dict[str, Any], whose: dict[str, Any]) -> dict[str, Any]:
    """The same world with up to four settings of any kind; what cannot be is left out.

    `whose` is the part of the data that has them: the world itself, or a tier of it.
    """
    known = rows()
    of_tier = whose is not data
    paths = [
        path for path in known if not (of_tier and path.partition(".")[0] in ("network", "traffic"))
    ]
    chosen = [dice.of(paths) for _ in range(dice.one(1, 2, 3, 4))]
    drawn = [(path, value(dice, known[path])) for path in chosen]
    # Mostly all of them can be together; else one after the other is looked at.
    if not _fit(data, whose, drawn):
        for one in drawn:
            _fit(data, whose, [one])
    return data


def _fit(data: dict[str, Any], whose: dict[str, Any], drawn: list[tuple[str, Any]]) -> bool:
    """Put values into a part of a world, and take them out again if it is none any more."""
    before = copy.deepcopy(whose)
    for path, one in drawn:
        put(whose, path, copy.deepcopy(one))
    try:
        from_data(copy.deepcopy(data))
    except ScenarioError:
        whose.clear()
        whose.update(before)
        return False
    return True


def put(whose: dict[str, Any], path: str, drawn: Any) -> None:
    """Put a value where the path leads; a part that is chosen by name is chosen, too."""
    *groups, last = path.split(".")
    inside, walked = whose, list[str]()
    for place, name in enumerate(groups):
        walked.append(name)
        owner = rows().get(".".join(walked[:-1]))
        if owner is not None and name in owner.choices and place:
            if inside.get("kind") != name:
                inside.clear()
            inside["kind"] = name
            continue
        if not isinstance(inside.get(name), dict):
            inside[name] = {}
        inside = inside[name]
    inside[last] = drawn
