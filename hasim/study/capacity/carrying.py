"""The largest load at which the limits hold with some masters down."""

from __future__ import annotations

from dataclasses import dataclass, field

from hasim.simulation.settings import WorldSettings
from hasim.study.advising.limits import Kept, Standing, kept_limits, standing_of
from hasim.study.advising.simulated import Simulated
from hasim.study.capacity.downs import Down, nominal_per_s
from hasim.study.capacity.loads import Loads, rounded
from hasim.study.capacity.parts import nothing_answered, since
from hasim.study.capacity.search import Border, border
from hasim.study.capacity.terms import GROWTH, LOOKS, MOST_LOADS, CapacityTerms
from hasim.study.capacity.worlds import steady_ns, with_down
from hasim.units import SECOND


@dataclass(frozen=True)
class Looked:
    """A load after its last look: whether the limits hold, and in how many replications."""

    standing: Standing
    replications: int
    limits: tuple[Kept, ...]


@dataclass(frozen=True)
class Carried:
    """What is carried with some masters down: the border, and each load that was looked at."""

    down: Down
    border: Border
    looked: dict[float, Looked] = field(default_factory=dict)

    @property
    def replications(self) -> int:
        """Of all loads together."""
        return sum(one.replications for one in self.looked.values())

    @property
    def broken(self) -> str:
        """The limits that break first, at the smallest load that is not carried."""
        above = self.border.above
        kept = self.looked[above].limits if above is not None else ()
        return ", ".join(k.limit.measure for k in kept if k.standing == "infeasible")


def carried(
    source: Simulated, world: WorldSettings, loads: Loads, down: Down, terms: CapacityTerms
) -> Carried:
    """Look for the border. Raises what `run_study` raises."""
    found = Carried(down, Border(None, None))

    def breaks(load: float) -> bool | None:
        (cell,) = source.add([with_down(loads, load, down, terms.horizon_ns)])
        looked = found.looked[load] = _look(source, cell, terms)
        return {"feasible": False, "infeasible": True, "undecided": None}[looked.standing]

    start = first_load(world, loads, down)
    at = border(breaks, start, within=terms.within, most=MOST_LOADS)
    return Carried(down, at, found.looked)


def first_load(world: WorldSettings, loads: Loads, down: Down) -> float:
    """Where a search begins: today's load, as far as the masters that are left could do it."""
    if loads.recorded:
        return loads.today
    left = [m for m in world.chain[0].masters if m.id not in down.masters and not m.absent]
    most = sum(map(nominal_per_s, left))
    return rounded(min(max(loads.today, most / 4), most))


def _look(source: Simulated, cell: int, terms: CapacityTerms) -> Looked:
    start_s = steady_ns(terms.horizon_ns) / SECOND
    level, replications = 1 - 2 * terms.share_of_error, terms.first
    for look in range(LOOKS):
        source.take([cell], replications)
        runs = [since(run, start_s) for run in source.runs(cell, replications)]
        kept = kept_limits(terms.limits, runs, level)
        standing = "infeasible" if nothing_answered(runs) else standing_of(kept)
        if standing != "undecided" or look == LOOKS - 1:
            break
        replications *= GROWTH
    source.forget(cell)
    return Looked(standing, replications, kept)
