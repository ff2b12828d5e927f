"""Two estimates of the rate of false declarations: by splitting, and by tilting the noise.

A cycle runs from the first bad crossing in a quiet state until the state is quiet again. Quiet
states come from a plain run. The first bad crossing is forced, and weighted by its probability;
then

- *splitting* (fixed effort; Garvels, The splitting method in rare event simulation, 2000): whenever
  a state has one more bad crossing in a row, it goes on both ways, with the next one bad and with
  it good, each weighted by its probability; of those that came so far, as many as before are
  drawn in proportion to their weights;
- *tilting* (importance sampling; Asmussen, Glynn, Stochastic Simulation, 2007, chapter 5): each
  further crossing is bad with probability one half at least, and the path weighs its likelihood
  ratio.

Both give, without bias, the mean number of declarations per quiet crossing; times quiet crossings
per time that is the rate. A second declaration within a cycle is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hasim.study.rare.falsely.watching import Moment, Watching
from hasim.units import seconds

TILTED = 0.5
"""The least probability of a bad crossing, and of a good one, when tilted."""
MOST_LEVELS = 400
"""So many bad crossings in a row declare nobody: whatever it goes by, it is not these."""
NEGLIGIBLE = 1e-6
"""Of the declarations seen: what is left cannot come to more than its weight, and is left out."""
MOST_STEPS = 4000
"""Crossings of one path within one level; a cycle that has not ended then is none."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """What one replicate found: declarations per second, and the weights of those it saw."""

    rate_per_s: float
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Quiet:
    """Quiet crossings of a plain run, some of them, and how many there were per second."""

    moments: Sequence[Moment]
    per_s: float


def quiet_of(watching: Watching, warm_up: int, crossings: int, kept: int) -> Quiet:
    """Run plainly for so many crossings after so many, and keep some quiet ones, evenly."""
    for _ in range(warm_up):
        _plain(watching)
    began_ns, found, count = watching.now, [], 0
    every = max(1, crossings // kept)
    for number in range(crossings):
        if watching.quiet:
            count += 1
            if number % every == 0:
                found.append(watching.here())
        _plain(watching)
    return Quiet(found, count / seconds(watching.now - began_ns))


def _plain(watching: Watching) -> None:
    watching.suffer(watching.pick(watching.fates())[0])
    watching.run()
    watching.declared = False
    while not watching.run():
        watching.declared = False


def split(watching: Watching, quiet: Quiet, effort: int, draws: np.random.Generator) -> Sampled:
    """One replicate by splitting, with so many states on each level."""
    hits: list[float] = []
    starts = draws.choice(len(quiet.moments), effort)
    pool: list[tuple[Moment | None, float]] = []
    for place in starts:
        watching.put(quiet.moments[place])
        fate, chance = watching.pick_bad()
        if fate is not None:
            watching.suffer(fate)
            pool.append(_onward(watching, chance / effort, hits))
    for _ in range(MOST_LEVELS):
        alive = [(moment, weight) for moment, weight in pool if moment is not None]
        if sum(weight for _, weight in alive) <= NEGLIGIBLE * sum(hits):
            break
        pool = []
        for moment, weight in _resampled(alive, effort, draws):
            pool += _both_ways(watching, moment, weight, hits)
    return Sampled(sum(hits) * quiet.per_s, tuple(hits))


def _onward(watching: Watching, weight: float, hits: list[float]) -> tuple[Moment | None, float]:
    """After a bad crossing: the next crossing, or a declaration, which is noted."""
    if watching.run():
        return watching.here(), weight
    hits.append(weight)
    return None, weight


def _both_ways(
    watching: Watching, moment: Moment, weight: float, hits: list[float]
) -> list[tuple[Moment | None, float]]:
    """From one crossing: with a bad end; and a good one until it comes as far or is quiet."""
    found: list[tuple[Moment | None, float]] = []
    watching.put(moment)
    fates = watching.fates()
    bad = sum(fate.chance for fate in fates if fate.bad)
    if bad > 0.0:
        watching.suffer(watching.pick(fates, bad=True)[0])
        found.append(_onward(watching, weight * bad, hits))
    if bad < 1.0:
        watching.put(moment)
        watching.suffer(watching.pick(fates, bad=False)[0])
        for _ in range(MOST_STEPS):
            if not watching.run():
                hits.append(weight * (1.0 - bad))
                break
            if watching.quiet:
                break
            if watching.bad_in_row > moment.bad_in_row:
                found.append((watching.here(), weight * (1.0 - bad)))
                break
            watching.suffer(watching.pick(watching.fates())[0])
    return found


def _resampled(
    alive: Sequence[tuple[Moment, float]], effort: int, draws: np.random.Generator
) -> list[tuple[Moment, float]]:
    """As many as wanted, in proportion to their weights (systematic resampling)."""
    weights = np.array([weight for _, weight in alive])
    whole = float(weights.sum())
    places = (draws.random() + np.arange(effort)) * (whole / effort)
    chosen = np.minimum(np.searchsorted(np.cumsum(weights), places, side="right"), len(alive) - 1)
    return [(alive[place][0], whole / effort) for place in chosen.tolist()]


def tilt(watching: Watching, quiet: Quiet, paths: int, draws: np.random.Generator) -> Sampled:
    """One replicate by tilting, of so many cycles."""
    hits: list[float] = []
    for place in draws.choice(len(quiet.moments), paths):
        watching.put(quiet.moments[place])
        fate, weight = watching.pick_bad()
        if fate is None:
            continue
        watching.suffer(fate)
        for _ in range(MOST_STEPS):
            if not watching.run():
                hits.append(weight / paths)
                break
            if watching.quiet:
                break
            fates = watching.fates()
            bad = sum(fate.chance for fate in fates if fate.bad)
            tilted = max(bad, TILTED) if bad > 0.0 else 0.0
            if draws.random() < tilted:
                watching.suffer(watching.pick(fates, bad=True)[0])
                weight *= bad / tilted
            else:
                watching.suffer(watching.pick(fates, bad=False)[0])
                weight *= (1.0 - bad) / (1.0 - tilted)
    return Sampled(sum(hits) * quiet.per_s, tuple(hits))
