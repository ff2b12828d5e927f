"""Whom a pick leaves out: who is not eligible, and who has failed the message before."""

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


def hold(fleet: Fleet, avoid: Sequence[int], first: int) -> None:
    """Put the weights of the masters to avoid aside, from place `first` of the list on."""
    for place in range(first, len(avoid)):
        index = avoid[place]
        if fleet.weight[index] > 0.0:  # the list may name a master twice
            fleet.held[index] = fleet.weight[index]
            fleet.weight[index] = 0.0


def give_back(fleet: Fleet, avoid: Sequence[int], first: int) -> None:
    """Put them where they were."""
    for place in range(first, len(avoid)):
        index = avoid[place]
        if fleet.held[index] > 0.0:
            fleet.weight[index] = fleet.held[index]
            fleet.held[index] = 0.0


def chooser(pick: Pick) -> Callable[[Fleet, Request, Sequence[int]], int]:
    """A picker that can be told to avoid masters: choose(fleet, request, avoid).

    `avoid` are those that failed the message so far, in turn. One of them is picked only if
    there is no other, and the last one of them only if there is nobody else at all.
    """

    def choose(fleet: Fleet, request: Request, avoid: Sequence[int]) -> int:
        index, first = -1, 0
        while index < 0 and first < len(avoid):
            hold(fleet, avoid, first)
            index = pick(fleet, request)
            give_back(fleet, avoid, first)
            first = max(first + 1, len(avoid) - 1)
        return index if index >= 0 else pick(fleet, request)

    return choose
