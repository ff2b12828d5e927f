"""Masters, network and clients of a random world."""

from __future__ import annotations

from typing import Any

from hasim.hunt.drawing.anything import choices, law
from hasim.hunt.drawing.dice import Dice
from hasim.hunt.drawing.swarm import Swarm


def masters(dice: Dice, may: Swarm, count: int) -> list[dict[str, Any]]:
    """m1, m2, ...: each like the others, or different in something."""
    found = []
    for number in range(1, count + 1):
        one: dict[str, Any] = {
            "id": f"m{number}",
            "region": dice.one("here", "there") if "regions" in may else "here",
            "priority": dice.one(1, number),
            "workers": dice.one(1, 2, 8),
            "queue": dice.one(0, 5, 200, 200) if "extremes" in may else 200,
            "service": dice.one("20ms", law(dice, dice.one("5ms", "40ms"))),
        }
        if "places" in may:
            one |= {"zone": dice.one("z1", "z2"), "rack": dice.one("r1", "r2")}
            one |= {"host": dice.one("h1", "h2", "h3")} if dice.happens(0.5) else {}
        if "deep-health" in may:
            one["health"] = dice.of(choices("masters.health"))
        if "large-state" in may:
            one["state"] = {"size": dice.one("1MiB", "256MiB", "2GiB")}
        if "unlike" in may:
            one |= unlike(dice)
        if number > 1 and "standbys" in may and dice.happens(0.4):
            one["standby"] = True
        elif number > 1 and "absent" in may and dice.happens(0.3):
            one["absent"] = True
        found.append(one)
    return found


def unlike(dice: Dice) -> dict[str, Any]:
    """What may be special about a master, seldom."""
    return dice.one(
        {"weight": dice.one(0.1, 1.0, 10.0)},
        {"capacity": dice.one(0.5, 2.0)},
        {"cold_start": {"factor": dice.one(2.0, 10.0), "for": dice.time(100, 10_000)}},
        {"health_work": law(dice, dice.time(1, 500))},
        {"promotion_rule": dice.of(choices("masters.promotion_rule"))},
        {"promotion_rule": dice.of(choices("masters.promotion_rule"))},
        {"state": {"size": dice.one("0B", "64MiB"), "write": dice.one("0B", "1MiB")}},
    )


def network(dice: Dice, may: Swarm) -> dict[str, Any]:
    """Latency, and what may be wrong with it."""
    made: dict[str, Any] = {"rtt": dice.one("0s", "2ms", "40ms", "150ms")}
    if "loss" in may:
        made["loss"] = dice.one("0.1%", "2%", "20%")
    if "jitter" in may:
        made["jitter"] = {"law": "lognormal", "cv": dice.one(0.2, 1.0)}
    if "bursts" in may:
        made["bursts"] = {"share": dice.one("1%", "20%"), "mean": dice.time(20, 3000)}
    if dice.happens(0.2):
        made["retransmit"] = "200ms"
    if "places" in may:
        made["near"] = {"zone": dice.one("0s", "1ms"), "rack": dice.one("0s", "100us")}
    return made


def traffic(dice: Dice, may: Swarm, regions: list[str]) -> dict[str, Any]:
    """Few messages: enough to see what becomes of them, and to be evidence."""
    made: dict[str, Any] = {
        "arrivals": arrivals(dice),
        "owned": "0%" if "stateless" in may else dice.one("20%", "50%", "100%"),
        "timeout": dice.one("300ms", "1s", "1s", "3s"),
        "deadline": dice.one("1s", "5s", "20s"),
    }
    if dice.happens(0.3):
        made["regions"] = dice.one(regions, ["here", "there"], ["nowhere"])
    if "retries" in may:
        made["retry"] = retry = layer(dice)
        if dice.happens(0.2):
            retry["preset"] = dice.of(choices("traffic.retry.preset"))
            for name in dice.some(sorted({*retry} - {"preset"}), 0.7):
                del retry[name]
        if dice.happens(0.3):
            retry["inner"] = layer(dice)
        if dice.happens(0.4):
            retry |= {"budget": dice.one("0%", "20%"), "reserve": dice.one(1.0, 10.0)}
    if "hedging" in may:
        made["hedge"] = {"after": dice.time(20, 500), "budget": dice.one("10%", "100%")}
    if "holding" in may:
        made["hold"] = {"most": dice.one(1, 50), "for": dice.time(300, 20_000)}
    if "keys" in may:
        keys = {"number": dice.one(1, 10, 1000), "active": dice.one("1s", "30m")}
        made["keys"] = {**keys, "law": dice.one("uniform", "zipf")}
        made |= {"vip": dice.one("0%", "20%"), "client_errors": dice.one("0%", "5%")}
    if "clients" in may:
        made["clients"] = {"number": dice.one(1, 5, 30)}
        dns = dice.happens(0.5)
        if dns:
            made["clients"]["dns"] = {"ttl": dice.time(300, 30_000)}
        if not dns or dice.happens(0.5):
            made["clients"]["connections"] = {"validate": dice.one(True, False)}
    return made


def arrivals(dice: Dice) -> dict[str, Any]:
    """A few messages a second, mostly at random."""
    rate = dice.one("1/s", "2/s", "4/s", "8/s")
    if dice.happens(0.9):
        return {"law": "poisson", "rate": rate}
    curve = {"law": "curve", "rates": [rate, "1/s", "0.5/s"], "period": dice.one("10s", "40s")}
    return dice.one({"law": "constant", "rate": rate}, curve)


def layer(dice: Dice) -> dict[str, Any]:
    """A layer of retries."""
    made: dict[str, Any] = {
        "attempts": dice.one(2, 2, 3, 5),
        "backoff": dice.one("0s", "50ms", "500ms"),
        "master": dice.one("another", dice.of(choices("traffic.retry.master"))),
    }
    if dice.happens(0.3):
        made["on"] = dice.some(choices("traffic.retry.on"), 0.7) or ["timeout"]
    return made
