"""A whole random world, as the data of a scenario file: what users could have written.

So a world can be validated, mutated, shrunk and stored like any other scenario.
"""

from __future__ import annotations

import typing
from typing import Any

from hasim.hunt.drawing.anything import scattered
from hasim.hunt.drawing.control import control, detection, fencing
from hasim.hunt.drawing.dice import Dice
from hasim.hunt.drawing.schedule import faults, latest_ms, operations
from hasim.hunt.drawing.swarm import Swarm, swarm
from hasim.hunt.drawing.topology import masters, network, traffic
from hasim.scenario.loader import Loaded, from_data
from hasim.scenario.problems import ScenarioError
from hasim.settings import members_of
from hasim.settings.reading import field_hint
from hasim.simulation.settings.faults import AnyFault, Fault
from hasim.units import MILLISECOND, parse_duration

Data = dict[str, Any]
HORIZONS = (*["20s"] * 8, *["30s"] * 6, *["40s"] * 4, "2m")
"""Many short worlds meet more in the same time than few long ones; what must be over within the
sum of all time-outs shows in a long one alone."""
TRIES = 40
"""So many draws of one world may be refused as no valid scenario."""


def kinds() -> dict[str, type[Fault]]:
    """Every kind of fault that there is, by name."""
    return {typing.get_args(field_hint(cls, "kind"))[0]: cls for cls in members_of(AnyFault)}


def draw(seed: int, number: int) -> tuple[Data, Loaded]:
    """The world of this number; what was drawn and is no valid scenario is drawn anew."""
    for again in range(TRIES):
        data = _drawn(Dice(f"{seed}/{number}/{again}"), f"hunt-{seed}-{number}")
        try:
            return data, from_data(data)
        except ScenarioError as error:
            last = error
    raise last


def _drawn(dice: Dice, name: str) -> Data:
    known = kinds()
    may = swarm(dice, known)
    count = dice.one(1, 2, 2, 3, 3, 3, 4, 5)
    cluster, horizon = masters(dice, may, count), dice.of(HORIZONS)
    data: Data = {
        "name": name,
        "horizon": horizon,
        "replications": 1,
        "seed": dice.count(1, 10**6),
        "include_messages": True,
        # For a few messages a second nothing is compiled; both planes give the same.
        "data_plane": "reference",
        "masters": cluster,
        "network": network(dice, may),
        "traffic": traffic(dice, may, sorted({m["region"] for m in cluster})),
        "faults": faults(dice, may, known, cluster, latest_ms(horizon)),
    }
    if "operations" in may:
        end_ms = parse_duration(horizon) // MILLISECOND
        data["operations"] = operations(dice, cluster, data["faults"], end_ms)
    own = control(dice, may, cluster[0]["region"])
    if "tiers" in may:
        _behind_another(dice, may, data, own)
    else:
        data |= own
    whose = data["tiers"][-1] if "tiers" in data else data
    if "preset" not in whose["failover"] and dice.happens(0.4):
        # Each way of fencing goes wrong by itself, so that half of the worlds have another one.
        own = fencing(dice, may.including("other-fencing"), tight="tight-timeouts" in may)
        whose["failover"]["fencing"] = own
    if "anything" in may:
        scattered(dice, data, whose)
    return data


def _behind_another(dice: Dice, may: Swarm, data: Data, own: Data) -> None:
    """The masters are the second of two tiers: those of the first one ask them."""
    front = masters(dice, may.without("standbys", "absent"), dice.one(1, 2))
    for master in front:
        master["id"] = master["id"].replace("m", "f")
        if master.get("health") in ("deep", "write") and dice.happens(0.5):
            master["health_asks"] = True
    wanted = {name: data["traffic"].pop(name) for name in ("owned",)}
    data["traffic"]["owned"] = "0%"
    asks = {"timeout": dice.one("300ms", "1s"), "deadline": dice.one("1s", "3s")}
    data["tiers"] = [
        {"name": "front", "masters": front, "detection": detection(dice, may)},
        {"name": "back", "requests": wanted | asks, "masters": data.pop("masters"), **own},
    ]
