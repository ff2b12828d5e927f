"""What goes wrong in a random world, when and for how long, and what operators do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hasim.hunt.drawing.anything import choices, law, of_fault, value
from hasim.hunt.drawing.dice import Dice
from hasim.hunt.drawing.swarm import Swarm
from hasim.simulation.settings.faults import Fault
from hasim.units import MILLISECOND, parse_duration

LATEST_MS = 25_000
"""Faults begin by then, so that most runs have a quiet end."""
LATEST_PART = 0.6
"""In short runs they begin within this part of them, for the same reason."""
STRENGTH: Mapping[str, Callable[[Dice], dict[str, Any]]] = {
    "slow": lambda dice: {"speed": dice.one("1%", "10%", "50%", "70%")},
    "error-rate": lambda dice: {"rate": dice.one("20%", "50%", "100%")},
    "packet-loss": lambda dice: {"loss": dice.one("20%", "90%", "100%")},
    "latency-spike": lambda dice: {"extra": dice.time(50, 5000)},
    "added-delay": lambda dice: {"extra": dice.time(50, 5000)},
    "observer-slow": lambda dice: {"by": dice.time(50, 8000)},
    "partition": lambda dice: {
        "scope": dice.one("all", "clients", "monitor"),
        "direction": dice.one("both", "to", "from"),
    },
    "observer-partition": lambda dice: {"direction": dice.one("both", "to", "from")},
}
COMMON = ("region", "zone", "rack", "host")
ANYTIME = (
    *("declare-failed", "declare-healthy", "check", "fail-over"),
    *("acknowledge", "switchover"),
)
STEPS: Mapping[str, Mapping[str, str]] = {
    "in service": {"drain": "draining", "maintenance": "in maintenance", "remove": "absent"},
    "draining": {"undrain": "in service"},
    "in maintenance": {"end-maintenance": "in service"},
    "absent": {"add": "in service"},
}
"""What an operator may do with a master in a state, and the state that it is in then."""


DOWN = ("crash", "power-off", "hang", "deadlock", "partition")
"""What takes a master out of service for as long as it lasts."""
RESTARTS = ("observer-crash", "gateway-crash")
MEETS = (
    *("transfer-failure", "backup-dies", "lost-answers", "doubled-answers", "replication-lag"),
    *RESTARTS,
)
"""What is met by a failover that is under way, and by hardly anything else."""
AFTER_MS = (0, 50, 500, 1000, 2000, 3000, 5000, 8000)


def latest_ms(horizon: str) -> int:
    """When the last fault of a run begins, at the latest."""
    return min(LATEST_MS, round(LATEST_PART * parse_duration(horizon) / MILLISECOND))


def faults(
    dice: Dice,
    may: Swarm,
    known: Mapping[str, type[Fault]],
    cluster: list[dict[str, Any]],
    latest: int = LATEST_MS,
) -> list[dict[str, Any]]:
    """Up to six, often close after each other: what one begins the next one meets half done.

    None begins after the `latest` moment (ms).
    """
    if dice.happens(0.4):
        return _met_under_way(dice, may, known, cluster, latest)
    found: list[dict[str, Any]] = []
    near_ms: int | None = None
    for _ in range(dice.one(1, 2, 3, 4, 6)):
        kind = dice.of(may.kinds)
        if near_ms is not None and dice.happens(0.6):
            at_ms = min(latest, near_ms + dice.one(0, 1, 50, 500, 1000, 3000, 6000))
        else:
            at_ms = dice.count(1, latest // 1000) * 1000 + dice.one(0, 0, 1, 250, 777)
        near_ms = at_ms
        one = _fault(dice, may, known, cluster, kind) | {"at": f"{at_ms}ms"}
        if "renewals" in may and dice.happens(0.5):
            _again_and_again(dice, one, places="places" in may and known[kind].STRIKES == "masters")
        found.append(one)
    return found


def _met_under_way(
    dice: Dice,
    may: Swarm,
    known: Mapping[str, type[Fault]],
    cluster: list[dict[str, Any]],
    latest: int,
) -> list[dict[str, Any]]:
    """A master is out of service for long, and what is done about that meets something else."""
    at_ms = dice.count(3, max(3, latest // 2000)) * 1000 + dice.one(0, 250, 777)
    first = _fault(dice, may, known, cluster, dice.of(DOWN))
    found = [first | {"at": f"{at_ms}ms", "for": dice.time(6000, 25_000)}]
    for _ in range(dice.one(1, 1, 2, 3)):
        at_ms = min(latest, at_ms + dice.of(AFTER_MS))
        met = dice.happens(0.5)
        kind = dice.of(MEETS) if met else dice.of(may.kinds)
        one = _fault(dice, may, known, cluster, kind) | {"at": f"{at_ms}ms"}
        if met and kind in RESTARTS:
            one["for"] = dice.time(50, 5000)
        elif met:  # until the failover has come so far, and whoever is chosen
            one["for"] = dice.time(2000, 20_000)
            if known[kind].STRIKES == "masters" and dice.happens(0.5):
                one["target"] = "all"
        found.append(one)
    return found


def _fault(
    dice: Dice,
    may: Swarm,
    known: Mapping[str, type[Fault]],
    cluster: list[dict[str, Any]],
    kind: str,
) -> dict[str, Any]:
    """One of a kind: whom it strikes, for how long, how strongly."""
    names = [master["id"] for master in cluster]
    one: dict[str, Any] = {"kind": kind, "for": dice.time(1, 20_000)}
    target = _target(dice, kind, known[kind], names, owned="stateless" not in may)
    if target:
        one["target"] = target
    if kind in STRENGTH:
        one |= STRENGTH[kind](dice)
    for name, row in of_fault(kind).items():
        if name != "other" and name not in one and dice.happens(0.5):
            one[name] = value(dice, row)
    if "other" in of_fault(kind):
        one["other"] = dice.one("all", *names)
    return one


def _again_and_again(dice: Dice, one: dict[str, Any], *, places: bool) -> None:
    """Not at a given time, but by a law; at each master by itself, or at whole places of them."""
    del one["at"]
    one["every"], one["for"] = law(dice, dice.time(2000, 30_000)), law(dice, dice.time(100, 8000))
    if "target" in one and dice.happens(0.5):
        one["target"] = "each"
        if places and dice.happens(0.5):
            one["common"] = {dice.of(COMMON): dice.one("20%", "50%")}
    if dice.happens(0.2):
        one["from"] = "declaration"


def _target(dice: Dice, name: str, kind: type[Fault], names: list[str], *, owned: bool) -> str:
    """Whom it strikes; empty if a kind has no target of that sort."""
    if kind.strikes_masters is not Fault.strikes_masters:
        return ""
    if name == "region-outage":
        return "random"
    if kind.STRIKES != "masters":
        return dice.one("random", "all")
    return dice.one(*names, *names, "random", "all", *["owner-of:p1"] * owned)


def operations(
    dice: Dice, cluster: list[dict[str, Any]], struck: list[dict[str, Any]], end_ms: int
) -> list[dict[str, Any]]:
    """What operators may do before the end (ms), whether it makes sense or not.

    Now and then one calls off what is done about a fault of those that strike.
    """
    timed = [parse_duration(fault["at"]) // MILLISECOND for fault in struck if "at" in fault]
    if timed and dice.happens(0.3):
        at_ms = dice.of(timed) + dice.count(500, 8000)
        if at_ms < end_ms:
            return [{"at": f"{at_ms}ms", "do": "roll-back", "failover": dice.one(1, 1, 2)}]
    found: list[dict[str, Any]] = []
    state = {m["id"]: "absent" if m.get("absent") else "in service" for m in cluster}
    at_ms = 1000
    for _ in range(dice.count(1, 5)):
        at_ms += dice.count(1, 15_000)
        if at_ms >= end_ms:
            break
        begun = sorted(name for name, is_in in state.items() if is_in != "in service")
        if begun and dice.happens(0.4):  # what was begun is ended
            master = dice.of(begun)
            do = dice.of([*STEPS[state[master]]])
        else:
            master = dice.of(sorted(state))
            do = dice.one(*ANYTIME, *STEPS[state[master]], "roll-back", "switch-algorithm")
        one: dict[str, Any] = {"at": f"{at_ms}ms", "do": do}
        if do == "roll-back":
            one["failover"] = dice.one(1, 1, 2)
        elif do == "switch-algorithm":
            one["algorithm"] = dice.of(choices("operations.switch-algorithm.algorithm"))
        elif do == "switchover":
            what = ("partition", "p1") if dice.happens(0.3) else ("master", master)
            one |= {what[0]: what[1], "to": dice.of(sorted(state))}
        else:
            one["master"] = master
            state[master] = STEPS[state[master]].get(do, state[master])
        found.append(one)
    return found
