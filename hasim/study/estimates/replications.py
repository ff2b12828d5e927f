"""The replications of one cell, with what was worked out of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar, cast

from hasim.measures import Measured

Runs = Sequence[Measured]
T = TypeVar("T")


class Replications(tuple[Measured, ...]):
    """Replications that remember: many measures are taken of the same durations and latencies."""

    _known: dict[Hashable, Any]

    @classmethod
    def of(cls, runs: Runs) -> Replications:
        """Replications in the same order; themselves if they remember already."""
        if isinstance(runs, Replications):
            return runs
        made = cls(runs)
        made._known = {}
        return made


def remembered(runs: Runs, key: Hashable, make: Callable[[Runs], T]) -> T:
    """What `make` makes of replications: once, if they are `Replications`.

    `key` tells it from all else that is made of replications, and what is made is not changed.
    """
    if not isinstance(runs, Replications):
        return make(runs)
    if key not in runs._known:
        runs._known[key] = make(runs)
    return cast(T, runs._known[key])
