"""What clients do for themselves: retries that a budget cut, moves after routing, time held."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.measures.facts import Facts
from hasim.truth import ClientRollup
from hasim.units import seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRow:
    """The clients of one gateway, over the whole run.

    `retries_cut` were wanted and not allowed by the budget. `follows` counts how often a client
    that keeps a name or a connection sent to another master than before, after the routing table
    had changed: `follow_s` is the time since then, summed over them, `follow_most_s` the longest.
    `held` counts the attempts that waited while nobody might take them, and then were sent.
    """

    gateway: str
    retries_cut: int
    follows: int
    follow_s: float
    follow_most_s: float
    held: int
    held_s: float
    held_most_s: float


def clients_of(facts: Facts) -> list[ClientRow]:
    """The gateways of which there is something to tell."""
    return [
        ClientRow(
            gateway=body.gateway,
            retries_cut=body.retries_cut,
            follows=body.follows,
            follow_s=seconds(body.follow_ns),
            follow_most_s=seconds(body.follow_most_ns),
            held=body.held,
            held_s=seconds(body.held_ns),
            held_most_s=seconds(body.held_most_ns),
        )
        for _, body in facts.records.of(ClientRollup)
    ]
