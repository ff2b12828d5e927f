"""How often an advice is wrong: `python results/advise.py` writes results/advise.md.

The procedure of `hasim advise` (`hasim.study.advising.procedure`) gets its replications from laws
instead of simulations, on a grid of eight intervals by five numbers of failed checks, so that the
best cell is known beforehand. Of 100 seeds in each of four worlds it is counted how often it is
wrong (the recommended cell breaks the limit, or is worse than the best one that keeps it by more
than the indifference), and how often it recommends nothing. `--slow` adds three seeds of a whole
simulated world, whose outages and false failovers are known in closed form. What is done is kept
(`results/.kept`): the same command goes on after a stop.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import itertools
import math
import os
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kept_work import KEPT, KeptWork

import hasim
from hasim.study.advising.procedure import decide
from hasim.study.advising.terms import Terms, terms_of
from hasim.units import SECOND, YEAR
from tests.study.rare.chains import Rhythm, by_bursts

INTERVALS_S = (0.5, 0.8, 1.3, 2.1, 3.4, 5.5, 8.8, 14.0)
FALLS = (1, 2, 3, 4, 5)
CELLS = [(interval, fall) for interval in INTERVALS_S for fall in FALLS]
HORIZON_S = 36_000.0
INCIDENTS = 8.0
"""Incidents of a replication, on average."""
LIMIT = "failovers.needless < 1000/y"
INDIFFERENCE = 0.05
TIMEOUT_S = 1.0
"""What each failed check after the first takes besides."""
MEDIAN_S, SPREAD = 2.0, 0.5
"""Of the time that a failover takes once a fault is declared: a lognormal law."""
CURED_S = 100.0
"""What lasts longer is over then, and was seen for so long only."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """How durations and needless failovers of a cell are distributed.

    A fault is declared after `fall` checks, of which the first comes at any phase of the interval
    and the others after half an interval and a timeout each. Of checks a share `lost` fails with
    nobody at fault; as many in a row as are asked for make a failover, `scale` times. `common` is
    the share of the variance of a failover's (logarithmic) time that all incidents of a replication
    have in common, `bursts` the coefficient of variation of the rate of needless failovers between
    replications.
    """

    name: str
    lost: float = 0.12
    scale: float = 1.0
    common: float = 0.0
    bursts: float = 0.0

    def rate(self, cell: int) -> float:
        """Needless failovers a year."""
        interval, fall = CELLS[cell]
        return self.scale * 3e6 * self.lost**fall / interval

    def p99(self, cell: int) -> float:
        """The 99th percentile of an outage, in seconds: the same in each world."""
        return p99_of(cell)


@functools.cache
def p99_of(cell: int) -> float:
    """The 99th percentile of an outage, in seconds."""
    interval, fall = CELLS[cell]
    phases = (np.arange(2000) + 0.5) / 2000

    def beyond(x: float) -> float:
        left = np.maximum(
            x - interval * (phases + 0.5 * (fall - 1)) - TIMEOUT_S * (fall - 1), 1e-12
        )
        return float(special.ndtr(-np.log(left / MEDIAN_S) / SPREAD).mean()) - 0.01

    return float(optimize.brentq(beyond, 0.01, 200.0))


class Made:
    """Replications of a world by a seed: phases and failover times are common to all cells."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.seed = seed
        self._known: dict[int, list[Any]] = {}
        self._drawn: list[tuple[Floats, Floats, float]] = []
        # Not the same in all cells: what is lost depends on when checks are sent.
        self._losses = [np.random.default_rng((seed, 1, cell)) for cell in range(len(CELLS))]

    def take(self, cells: Sequence[int], replications: int) -> None:
        """As `hasim.study.advising.sampling.Source`."""
        self._drawn += (self._draw(r) for r in range(len(self._drawn), replications))
        for cell in cells:
            known = self._known.setdefault(cell, [])
            bursty = np.array([drawn[2] for drawn in self._drawn[len(known) : replications]])
            expected = self.world.rate(cell) * bursty * HORIZON_S / (YEAR / SECOND)
            for needless in self._losses[cell].poisson(expected).tolist():
                known.append(self._run(cell, len(known), needless))

    def runs(self, cell: int, replications: int) -> list[Any]:
        """As `hasim.study.advising.sampling.Source`."""
        return self._known[cell][:replications]

    def _draw(self, replication: int) -> tuple[Floats, Floats, float]:
        """Phases of the checks, failover times, and how bad the network was."""
        world, chance = self.world, np.random.default_rng((self.seed, 0, replication))
        count = int(chance.poisson(INCIDENTS))
        shared, own = chance.standard_normal(), chance.standard_normal(count)
        z = math.sqrt(world.common) * shared + math.sqrt(1 - world.common) * own
        bursty = chance.gamma(1 / world.bursts**2, world.bursts**2) if world.bursts else 1.0
        return chance.random(count), MEDIAN_S * np.exp(SPREAD * z), float(bursty)

    def _run(self, cell: int, replication: int, needless: int) -> Any:
        interval, fall = CELLS[cell]
        phases, failovers, _ = self._drawn[replication]
        times = interval * (phases + 0.5 * (fall - 1)) + TIMEOUT_S * (fall - 1) + failovers
        incidents = [
            SimpleNamespace(outage_s=t, outage_censored_s=None)
            if t < CURED_S
            else SimpleNamespace(outage_s=None, outage_censored_s=CURED_S)
            for t in times.tolist()
        ]
        return SimpleNamespace(
            replication=replication,
            horizon_s=HORIZON_S,
            incidents=incidents,
            failovers=[SimpleNamespace(needless=True)] * needless,
        )


@functools.cache
def best_cell(world: World, limit: float) -> int:
    """The cell with the least outage among those that keep the limit."""
    kept = [cell for cell in range(len(CELLS)) if world.rate(cell) < limit]
    return min(kept, key=world.p99)


WORLDS = (
    World("independent"),
    World("incidents of a replication alike", common=0.5),
    World("false failovers in bursts", common=0.3, bursts=1.0),
)


def above_the_limit() -> World:
    """The first world, noisier: what was its best cell has a rate 15 % above the limit."""
    first = WORLDS[0]
    scale = 1.15 * 1000 / first.rate(best_cell(first, 1000.0))
    return World("best cell 15 % above the limit", scale=scale)


@dataclass(frozen=True)
class Trial:
    """What came out of one seed."""

    chosen: int | None
    wrong: bool
    total: int
    undecided: int


def terms() -> Terms:
    """What is asked for in every world."""
    return terms_of("outage.p99", [LIMIT], indifference=INDIFFERENCE)


def trial(job: tuple[World, int]) -> Trial:
    """One seed in one world."""
    world, seed = job
    wanted = terms()
    limit = wanted.limits[0].bound
    found = decide(range(len(CELLS)), wanted, Made(world, seed))
    allowed = (1 + INDIFFERENCE) * world.p99(best_cell(world, limit))
    chosen = found.chosen
    wrong = chosen is not None and (world.rate(chosen) >= limit or world.p99(chosen) > allowed)
    return Trial(chosen, wrong, found.total, len(found.undecided))


def row(world: World, trials: Sequence[Trial]) -> str:
    """A line of the table."""
    best = best_cell(world, terms().limits[0].bound)
    near = sum(
        world.rate(c) < 1000 and world.p99(c) <= (1 + INDIFFERENCE) * world.p99(best)
        for c in range(len(CELLS))
    )
    totals = sorted(t.total for t in trials)
    wrong = sum(t.wrong for t in trials)
    refused = sum(t.chosen is None for t in trials)
    interval, fall = CELLS[best]
    return (
        f"| {world.name} | {interval:g} s, {fall} | {world.p99(best):.2f} s | "
        f"{world.rate(best):.0f}/y | {near} | {len(trials)} | {wrong} | {refused} | "
        f"{totals[len(totals) // 20]:,}-{totals[-1 - len(totals) // 20]:,} | "
        f"{np.mean([t.undecided for t in trials]):.1f} |"
    )


# -- the whole world -------------------------------------------------------------

FULL = Rhythm(rtt=0.01, timeout=0.3, interval=1.0, fast=0.4, fall=2)
FULL_INTERVALS_S, FULL_FALLS = (1.0, 3.0), (2, 3, 4, 5)
FULL_BURSTS = (0.0005, 0.4)
"""Share and mean duration (seconds) of bursts in which everything is lost."""
FULL_LIMIT = 40.0
"""False failovers a year."""
FULL_REST_S = 0.13
"""From a declaration on: the order, the promotion, the redirection; the same in all cells."""


def full_world(seed: int) -> dict[str, Any]:
    """An owner that loses its power twenty times in ten minutes, and a standby."""
    share, mean_s = FULL_BURSTS
    cuts = [
        {"law": "uniform", "low": f"{30 * k + 1}s", "high": f"{30 * k + 11}s"} for k in range(20)
    ]
    return {
        "name": "advice-of-a-world",
        "horizon": "10m",
        "seed": seed,
        "masters": [{"id": "a"}, {"id": "b", "priority": 2, "standby": True}],
        "network": {
            "rtt": "10ms",
            "local_rtt": "10ms",
            "bursts": {"share": f"{100 * share}%", "mean": f"{mean_s}s"},
        },
        "traffic": {"arrivals": {"rate": "0.2/s"}, "owned": "100%", "timeout": "1s"},
        "faults": [{"kind": "power-off", "target": "owner-of:p1", "at": cuts, "for": "12s"}],
        "detection": {
            "evidence": ["probe"],
            "interval": "3s",
            "fast_interval": f"{FULL.fast}s",
            "timeout": f"{FULL.timeout}s",
            "fall": 5,
        },
        "failover": {"fencing": "none"},
    }


def full_truth() -> dict[str, tuple[float, float]]:
    """By label: the 99th percentile of an outage (seconds), and false failovers a year."""
    found = {}
    for interval, fall in itertools.product(FULL_INTERVALS_S, FULL_FALLS):
        own = dataclasses.replace(FULL, interval=interval, fall=fall)
        checks_s = own.timeout + (fall - 1) * (own.fast + own.timeout)
        p99 = 0.99 * (interval + own.rtt) + checks_s + FULL_REST_S
        found[f"interval={interval:g}s, fall={fall}"] = p99, by_bursts(own, 0.0, *FULL_BURSTS)
    return found


def full_trial(seed: int) -> dict[str, Any]:
    """What `hasim advise` says of the whole world, and how long it took."""
    began = time.perf_counter()
    advice = hasim.advise(
        full_world(seed),
        minimise="outage.p99",
        limits=[f"failovers.mistaken < {FULL_LIMIT:g}/y"],
        vary={
            "detection.interval": "|".join(f"{i:g}s" for i in FULL_INTERVALS_S),
            "detection.fall": "|".join(map(str, FULL_FALLS)),
        },
        out=KEPT / f"advice-of-a-world-{seed}",
        progress=None,
    )
    standings = {advice.labels[cell]: text for cell, text in advice.standings.items()}
    return {"standings": standings, "took_s": time.perf_counter() - began}


def full_row(seed: int, found: dict[str, Any]) -> str:
    """A line of the second table."""
    truth = full_truth()
    kept = {name: p99 for name, (p99, rate) in truth.items() if rate < FULL_LIMIT}
    best = min(kept, key=lambda name: kept[name])
    chosen = next((n for n, text in found["standings"].items() if text == "recommended"), None)
    right = chosen in kept and kept[chosen] <= (1 + INDIFFERENCE) * kept[best]
    verdict = "refused" if chosen is None else "right" if right else "wrong"
    return (
        f"| {seed} | {best} | {kept[best]:.2f} s | {truth[best][1]:.3g}/y | {chosen or '-'} | "
        f"{verdict} | {found['took_s'] / 60:.1f} min |"
    )


FULL_HEAD = (
    "| seed | best cell | its p99 | its rate | recommended | verdict | clock |\n"
    "|---:|---|---:|---:|---|---|---:|"
)

FULL_PAGE = """
## In the whole world

`--slow`: three seeds of an owner that loses its power twenty times in ten minutes, behind a network
with bursts, on a grid of {cells}. How long an outage lasts follows from the phase of the checks;
how often the healthy owner is declared failed, from the chain of (failures in a row, weather) in
`tests/study/rare/chains.py`; `hasim advise` sees neither, and estimates the rates by splitting.
Limit: fewer than {limit:g} a year.

{head}
{rows}
"""


HEAD = (
    "| world | best cell | its p99 | its rate | near | seeds | wrong | refused | "
    "replications of all cells, 90 % | undecided |\n"
    "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"
)


PAGE = """\
# How often an advice is wrong

`python results/advise.py`: the procedure of `hasim advise` gets replications from laws whose best
cell is known, on a grid of {intervals} intervals by {falls} numbers of failed checks. Minimised:
`outage.p99`; limit: `{limit}`; indifference 5 %, error 5 %. *Wrong*: the recommended cell breaks
the limit, or is more than 5 % worse than the best cell that keeps it. *Near*: cells within 5 % of
the best, itself included. At most 9 of 100 may be wrong (5 %, and what chance adds to it), and at
most 10 refused. As many replications as the last look may have would be {all:,} in all cells.

{head}
{rows}

In the last world what was the best cell of the first breaks the limit by 15 %, and the race is
among what is left.
"""


def page(rows: Iterable[str], full: Sequence[str]) -> str:
    """The whole page."""
    text = PAGE.format(
        intervals=len(INTERVALS_S),
        falls=len(FALLS),
        limit=LIMIT,
        all=len(CELLS) * terms().most,
        head=HEAD,
        rows="\n".join(rows),
    )
    if not full:
        return text
    cells = f"{len(FULL_INTERVALS_S)} intervals by {len(FULL_FALLS)} numbers of failed checks"
    return text + FULL_PAGE.format(
        cells=cells, limit=FULL_LIMIT, head=FULL_HEAD, rows="\n".join(full)
    )


def tell(row: str) -> str:
    """Say it at once."""
    sys.stdout.write(f"{row}\n")
    sys.stdout.flush()
    return row


def main() -> None:
    """Write the page."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    options.add_argument("--seeds", type=int, default=100)
    options.add_argument("--jobs", type=int, default=os.cpu_count())
    options.add_argument("--slow", action="store_true", help="three seeds of a whole world, too")
    options.add_argument("--only-slow", action="store_true", help="these alone, and no page")
    given = options.parse_args()
    rows, kept = [], KeptWork(__file__)
    with ProcessPoolExecutor(given.jobs) as pool:
        for world in () if given.only_slow else (*WORLDS, above_the_limit()):

            def some(first: int, world: World = world) -> list[Any]:
                jobs = [(world, seed) for seed in range(first, min(first + 10, given.seeds))]
                return [dataclasses.astuple(t) for t in pool.map(trial, jobs, chunksize=1)]

            trials = [
                Trial(*fields)
                for first in range(0, given.seeds, 10)
                for fields in kept(
                    f"{world.name} {first} {given.seeds}", functools.partial(some, first)
                )
            ]
            rows.append(tell(row(world, trials)))
    full = []
    if given.slow or given.only_slow:
        for seed in (1, 2, 3):
            found = kept(f"whole world {seed}", functools.partial(full_trial, seed))
            full.append(tell(full_row(seed, found)))
    if not given.only_slow:
        text = page(rows, full)
        Path(__file__).with_name("advise.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
