"""Overload that keeps itself alive after its cause has gone (a metastable failure).

Bronson, Aghayev, Charapko, Zhu, "Metastable failures in distributed systems", HotOS 2021. A system
stays down at a load if in over half of 20 replications under half of the messages of the last
fifth of an hour succeed. The border between loads at which it recovers and at which it stays down
is looked for with the cause and, of the same arrivals, without: what stays down without any cause
is merely overloaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from scipy import special

from hasim.simulation.settings import WorldSettings
from hasim.study.advising.simulated import Simulated
from hasim.study.capacity.carrying import first_load
from hasim.study.capacity.downs import Down
from hasim.study.capacity.loads import Loads
from hasim.study.capacity.parts import settled
from hasim.study.capacity.search import Border, border
from hasim.study.capacity.terms import MOST_LOADS, REPLICATIONS, CapacityTerms
from hasim.study.capacity.worlds import Cause, last_ns, with_cause
from hasim.units import SECOND

SURE = 0.025
"""The error of saying that over half (or under half) of all replications stay down."""


@dataclass(frozen=True)
class Outlived:
    """Where overload outlives its cause.

    `after` is the border with the cause, `alone` without it; `down` has, for each load that was
    looked at, in how many of the replications it stayed down after the cause and without it (None
    where that was not looked at).
    """

    cause: Cause
    after: Border
    alone: Border
    replications: int
    down: dict[float, tuple[int | None, int | None]] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Whether there is a load that stays down after the cause, and carries on without it."""
        return (
            self.after.above is not None
            and self.alone.below is not None
            and self.alone.below >= self.after.above
        )


def outlived(
    source: Simulated, world: WorldSettings, loads: Loads, cause: Cause, terms: CapacityTerms
) -> Outlived:
    """Look for both borders. Raises what `run_study` raises."""
    down: dict[float, tuple[int | None, int | None]] = {}

    def stays_down(load: float) -> bool | None:
        count = _count(source, loads, load, cause, terms)
        down[load] = (count, down.get(load, (None, None))[1])
        return shown(count, REPLICATIONS)

    def overloaded(load: float) -> bool | None:
        count = _count(source, loads, load, None, terms)
        down[load] = (down.get(load, (None, None))[0], count)
        return shown(count, REPLICATIONS)

    start = first_load(world, loads, Down("none", ()))
    after = border(stays_down, start, within=terms.within, most=MOST_LOADS)
    alone = Border(None, None)
    if after.above is not None:
        if overloaded(after.above) is False:
            alone = border(overloaded, after.above, within=terms.within, most=MOST_LOADS)
        else:
            alone = Border(None, after.above)
    return Outlived(cause, after, alone, REPLICATIONS, dict(sorted(down.items())))


def shown(count: int, replications: int) -> bool | None:
    """Whether over half of all replications would stay down, by the sign test; None: not shown.

    Of 20, 15 and more show that they would, 5 and fewer that they would not.
    """
    if sign_test(count, replications) <= SURE:
        return True
    return False if sign_test(replications - count, replications) <= SURE else None


def sign_test(count: int, replications: int) -> float:
    """The probability of so many or more heads of a fair coin."""
    return float(special.bdtrc(count - 1, replications, 0.5)) if count else 1.0


def _count(
    source: Simulated, loads: Loads, load: float, cause: Cause | None, terms: CapacityTerms
) -> int:
    """In how many of the replications under half of the last messages succeed."""
    (cell,) = source.add([with_cause(loads, load, cause, terms.long_ns)])
    source.take([cell], REPLICATIONS)
    start_s = last_ns(terms.long_ns) / SECOND
    pairs = [settled(run, start_s) for run in source.runs(cell, REPLICATIONS)]
    source.forget(cell)
    return sum(2 * in_time < messages for messages, in_time in pairs)
