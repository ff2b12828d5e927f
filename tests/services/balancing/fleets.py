"""Fleets for tests of pickers, without a service around them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.balancing.tables import members_of
from hasim.services.gateway.avoiding import effective_weights

NAMES = "abcdefghijklmnopqrstuvwxyz"


def fleet(algorithm: str, masters: int, **columns: Any) -> Fleet:
    """Masters of weight 1 and one worker, all eligible, unless a column says otherwise.

    What is no column is a setting.
    """
    settings = BalancingSettings(
        **{name: columns.pop(name) for name in list(columns) if name not in Fleet._fields}
    )
    known, base = ALGORITHMS[algorithm], list(columns.get("base_weight", [1.0] * masters))
    eligible = list(columns.get("eligible", [True] * masters))
    names = [f"master-{number}" for number in range(masters)]
    made = {
        "eligible": eligible,
        "member": [True] * masters,
        "available": list(columns.get("available", eligible)),
        "weight": effective_weights(eligible, base),
        "held": [0.0] * masters,
        "base_weight": base,
        "table": known.build(members_of(names, base), eligible, settings) if known.build else (),
        "counts": [0] * known.counts(masters, settings),
        "values": [0.0] * known.values(masters, settings),
        "settings": settings,
    }
    for name in ("in_flight", "tier", "region", "rtt"):
        made[name] = [0] * masters
    return Fleet(**{"workers": [1] * masters, **made, **columns})


def request(*draws: float, **more: Any) -> Request:
    """An ordinary attempt at time 0 with these uniforms."""
    given = {"now": 0, "vip": False, "hash": 0, "has_key": False, **more}
    return Request(draws=draws, **given)


def pick(algorithm: str, of: Fleet, *draws: float, **more: Any) -> int:
    """One pick."""
    return ALGORITHMS[algorithm].pick(of, request(*draws, **more))


def letters(algorithm: str, of: Fleet, picks: int) -> str:
    """The masters picked one after another, as letters."""
    return "".join(NAMES[pick(algorithm, of)] for _ in range(picks))


def shares(algorithm: str, of: Fleet, by: list[int], steps: int = 1000) -> dict[int, float]:
    """The share of picks by a property of the masters, over an even grid of the first uniform."""
    counts = Counter(by[pick(algorithm, of, (k + 0.5) / steps, 0.5)] for k in range(steps))
    return {key: count / steps for key, count in counts.items()}
