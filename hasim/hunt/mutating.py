"""Another world from one that reached something new: a small change of it."""

from __future__ import annotations

import copy
from typing import Any

from hasim.hunt.drawing import Data, kinds
from hasim.hunt.drawing.anything import scattered
from hasim.hunt.drawing.control import control
from hasim.hunt.drawing.dice import Dice
from hasim.hunt.drawing.schedule import faults, latest_ms
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
    timed = [one for one in (*data["faults"], *data.get("operations", ())) if "at" in one]
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
    latest = latest_ms(data["horizon"])
    new = dice.of(faults(dice, _everything(dice), kinds(), whole(data)["masters"], latest))
    timed = [one for one in data["faults"] if "at" in one]
    if timed and "at" in new:
        near_ms = parse_duration(dice.of(timed)["at"]) // MILLISECOND
        new["at"] = f"{max(0, near_ms + dice.of((0, *SHIFTS_MS)))}ms"
    data["faults"].append(new)


def _fewer(data: Data, dice: Dice) -> None:
    if len(data["faults"]) > 1:
        data["faults"].remove(dice.of(data["faults"]))


def _setting(data: Data, dice: Dice) -> None:
    """A group of settings, or one of them, is drawn anew; or any setting that there is."""
    own = whole(data)
    if dice.happens(0.3):
        scattered(dice, data, own)
        return
    fresh = control(dice, _everything(dice), own["masters"][0].get("region", "local"))
    name = dice.of(sorted(fresh))
    new: Any = fresh[name]
    if dice.happens(0.5) and isinstance(own.get(name), dict) and isinstance(new, dict):
        key = dice.of(sorted(new))
        own[name][key] = new[key]
    else:
        own[name] = new


def whole(data: Data) -> Data:
    """What has masters, and the settings of who looks after them: the world, or its last tier."""
    found: Data = data["tiers"][-1] if data.get("tiers") else data
    return found


def _everything(dice: Dice) -> Swarm:
    return swarm(dice, kinds())
