"""From eligibility to a pick: eligibility -> effective weights -> picker."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hasim.services.balancing.fleet import Fleet, Request

Pick = Callable[[Fleet, Request], int]
"""The index of a master whose weight is above zero, or -1 if there is none."""


def effective_weights(eligible: Sequence[bool], base_weight: Sequence[float]) -> list[float]:
    """Each master's weight at present: as configured, and 0 for one that is not eligible.

    Whatever else keeps messages from a master, or gives it fewer, comes in here.
    """
    return [weight if may else 0.0 for may, weight in zip(eligible, base_weight, strict=True)]


def chooser(pick: Pick) -> Callable[[Fleet, Request, int], int]:
    """A picker that can be told to avoid a master: choose(fleet, request, avoid).

    `avoid` (-1: none) is picked only if there is no other.
    """

    def choose(fleet: Fleet, request: Request, avoid: int) -> int:
        if avoid < 0 or fleet.weight[avoid] == 0.0:
            return pick(fleet, request)
        weight = fleet.weight[avoid]
        fleet.weight[avoid] = 0.0
        index = pick(fleet, request)
        fleet.weight[avoid] = weight
        return index if index >= 0 else pick(fleet, request)

    return choose
