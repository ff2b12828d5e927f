"""How much is simulated for a budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hasim.scenario.replications import Sequential
from hasim.units import HOUR

if TYPE_CHECKING:
    from hasim.scenario.loader import Loaded


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much is simulated of each cell.

    Runs with one fault for each kind, runs with two, with three, with four; the time without
    faults, and that of the plain simulation, in nanoseconds.
    """

    singles: int
    pairs: int
    quiet_ns: int
    plain_ns: int = 0
    triples: int = 0
    quadruples: int = 0

    @property
    def most(self) -> int:
        """How many faults at a time there are runs with."""
        return 4 if self.quadruples else 3 if self.triples else 2


def amounts_of(
    loaded: Loaded,
    *,
    pairs: int | None = None,
    quiet_ns: int | None = None,
    plain_ns: int = 0,
    triples: int = 0,
    quadruples: int = 0,
) -> Amounts:
    """As many runs of each sort as the scenario has replications, and as many quiet hours.

    None with three or four faults, unless they are asked for.
    """
    rule = loaded.scenario.replications
    count = rule.at_least if isinstance(rule, Sequential) else rule
    return Amounts(
        singles=count,
        pairs=count if pairs is None else pairs,
        quiet_ns=count * HOUR if quiet_ns is None else quiet_ns,
        plain_ns=plain_ns,
        triples=triples,
        quadruples=quadruples,
    )
