"""Another world from one that reached something new: a small change of it."""

from __future__ import annotations

import copy
from typing import Any

from hasim.hunt.drawing import Data, kinds
from hasim.hunt.drawing.control import control
from hasim.hunt.drawing.dice import Dice
from hasim.hunt.drawing.schedule import faults
from hasim.hunt.drawing.swarm import Swarm, swarm
from hasim.units import MILLISECOND, parse_duration

SHIFTS_MS = (-3000, -1000, -250, -50, -1, 1, 50, 250, 1000, 3000)


def mutated(data: Data, dice: Dice, *, settings: bool = True) -> Data:
    """A copy in which one to three things are different; it may be no valid scenario.

    Without `settings` the schedule alone is changed.
    """
    found = copy.deepcopy(data)
    ways = [_seed, _shift, _shift, _longer, _more, _more, _fewer, *[_setting] * (2 * settings)]
    for _ in range(dice.one(1, 1, 2, 3)):
        dice.of(ways)(found, dice)
    return found


def _seed(data: Data, dice: Dice) -> None:
    data["seed"] = dice.count(1, 10**6)


def _shift(data: Data, dice: Dice) -> None:
    """A fault, or an operation, comes a bit earlier or later."""
    timed = [*data.get("faults", ()), *data.get("operations", ())]
    if timed:
        one = dice.of(timed)
        at_ms = parse_duration(one["at"]) // MILLISECOND + dice.of(SHIFTS_MS)
        one["at"] = f"{max(0, at_ms)}ms"


def _longer(data: Data, dice: Dice) -> None:
    """A fault lasts longer, or shorter."""
    if data["faults"]:
        dice.of(data["faults"])["for"] = dice.time(1, 20_000)


def _more(data: Data, dice: Dice) -> None:
    """One more fault, close to one that there is."""
    new = dice.of(faults(dice, _everything(dice), kinds(), data.get("masters", [])))
    if data["faults"]:
        near_ms = parse_duration(dice.of(data["faults"])["at"]) // MILLISECOND
        new["at"] = f"{max(0, near_ms + dice.of((0, *SHIFTS_MS)))}ms"
    data["faults"].append(new)


def _fewer(data: Data, dice: Dice) -> None:
    if len(data["faults"]) > 1:
        data["faults"].remove(dice.of(data["faults"]))


def _setting(data: Data, dice: Dice) -> None:
    """A group of settings, or one of them, is drawn anew."""
    fresh = control(dice, _everything(dice), data["masters"][0].get("region", "local"))
    name = dice.of(sorted(fresh))
    new: Any = fresh[name]
    if dice.happens(0.5) and isinstance(data.get(name), dict) and isinstance(new, dict):
        key = dice.of(sorted(new))
        data[name][key] = new[key]
    else:
        data[name] = new


def _everything(dice: Dice) -> Swarm:
    return swarm(dice, kinds())
