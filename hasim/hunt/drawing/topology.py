"""Masters, network and clients of a random world."""

from __future__ import annotations

from typing import Any

from hasim.hunt.drawing.dice import Dice
from hasim.hunt.drawing.swarm import Swarm

CAUSES = ("refused", "reset", "error", "timeout", "rejected", "not_owner", "connect_timeout")


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
            "service": dice.one(
                "20ms",
                {"law": "exponential", "mean": dice.one("5ms", "40ms")},
                {"law": "lognormal", "mean": "30ms", "cv": 1.2},
            ),
        }
        if "deep-health" in may:
            one["health"] = dice.one("shallow", "deep", "tcp")
        if "large-state" in may:
            one["state"] = {"size": dice.one("1MiB", "256MiB", "2GiB")}
        if number > 1 and "standbys" in may and dice.happens(0.4):
            one["standby"] = True
        elif number > 1 and "absent" in may and dice.happens(0.3):
            one["absent"] = True
        found.append(one)
    return found


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
    return made


def traffic(dice: Dice, may: Swarm, regions: list[str]) -> dict[str, Any]:
    """Few messages: enough to see what becomes of them, and to be evidence."""
    made: dict[str, Any] = {
        "arrivals": {"law": "poisson", "rate": dice.one("1/s", "2/s", "4/s", "8/s")},
        "owned": "0%" if "stateless" in may else dice.one("20%", "50%", "100%"),
        "timeout": dice.one("300ms", "1s", "1s", "3s"),
        "deadline": dice.one("1s", "5s", "20s"),
    }
    if dice.happens(0.3):
        made["regions"] = dice.one(regions, ["here", "there"], ["nowhere"])
    if "retries" in may:
        made["retry"] = retry = layer(dice)
        if dice.happens(0.3):
            retry["inner"] = layer(dice)
        if dice.happens(0.4):
            retry |= {"budget": dice.one("0%", "20%"), "reserve": dice.one(1.0, 10.0)}
    if "hedging" in may:
        made["hedge"] = {"after": dice.time(20, 500), "budget": dice.one("10%", "100%")}
    if "holding" in may:
        made["hold"] = {"most": dice.one(1, 50), "for": dice.time(300, 20_000)}
    if "clients" in may:
        made["clients"] = {"number": dice.one(1, 5, 30)}
        dns = dice.happens(0.5)
        if dns:
            made["clients"]["dns"] = {"ttl": dice.time(300, 30_000)}
        if not dns or dice.happens(0.5):
            made["clients"]["connections"] = {"validate": dice.one(True, False)}
    return made


def layer(dice: Dice) -> dict[str, Any]:
    """A layer of retries."""
    made: dict[str, Any] = {
        "attempts": dice.one(2, 2, 3, 5),
        "backoff": dice.one("0s", "50ms", "500ms"),
        "master": dice.one("another", "another", "same", "same-then-another"),
    }
    if dice.happens(0.3):
        made["on"] = dice.some(CAUSES, 0.7) or ["timeout"]
    return made
