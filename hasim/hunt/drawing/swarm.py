"""Which features a random world may have: not all at once.

Swarm testing (Groce et al., ISSTA 2012): each world leaves out about half of the features. What
only shows when another feature is absent, or when few of them share the world, is met so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hasim.hunt.drawing.dice import Dice

FEATURES = (
    *("loss", "jitter", "bursts", "regions", "stateless", "standbys", "absent", "large-state"),
    *("retries", "hedging", "clients", "holding", "guards", "deep-health", "messages-evidence"),
    *("other-detectors", "other-balancing", "operations", "witnesses", "memory-loss", "majority"),
    *(
        "other-fencing",
        "sick-device",
        "slow-promotion",
        "lag-limit",
        "failback",
        "policy",
        "extremes",
    ),
    *("flapping", "heartbeats", "tight-timeouts", "places", "unlike", "keys", "renewals"),
    *("presets", "leadership", "anything", "tiers", "other-failover", "waiting-writes"),
)


@dataclass(frozen=True)
class Swarm:
    """The features and the kinds of faults that a world may have."""

    features: frozenset[str]
    kinds: tuple[str, ...]

    def __contains__(self, feature: str) -> bool:
        """Whether a world may have a feature."""
        return feature in self.features

    def including(self, *features: str) -> Swarm:
        """The same with some features."""
        return Swarm(self.features | {*features}, self.kinds)

    def without(self, *features: str) -> Swarm:
        """The same without some features."""
        return Swarm(self.features - {*features}, self.kinds)


def swarm(dice: Dice, kinds: Iterable[str]) -> Swarm:
    """Draw a swarm: each feature with a probability that is itself drawn for the world."""
    likely = dice.one(0.15, 0.3, 0.5)
    chosen = frozenset(dice.some(FEATURES, likely))
    every = sorted(kinds)
    some = dice.some(every, dice.one(0.15, 0.4, 0.8))
    return Swarm(chosen, tuple(some) or (dice.of(every),))
