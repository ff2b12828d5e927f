"""The rate of false declarations by messages, probes and heartbeats together: by splitting.

A cycle runs from the first bad crossing of a master that was quiet until it is quiet again. Quiet
states come from a plain run, for each kind of crossing some; the first bad crossing is forced, and
weighted by its probability. From then on a path goes on with crossings that are not bad; at each of
them it might have been bad, of which one is kept, in proportion to its probability and its promise
(see `promise`): it stands for all of them. Of those kept, as many as before are drawn in
proportion to weight and promise, and go on, with one loss more (fixed effort; Garvels, The
splitting method in rare event simulation, 2000). Weights are divided by what they were drawn in
proportion to, so that the estimate is without bias whatever is promised. Nothing is tilted: where a
row of failures is decided seconds after they were lost, ratios of likelihood have no variance to
speak of.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hasim.study.rare.falsely.carried import Moment
from hasim.study.rare.falsely.exchange import Exchange
from hasim.study.rare.falsely.promise import Promise
from hasim.study.rare.falsely.splitting import Sampled
from hasim.study.rare.falsely.surroundings import Surroundings
from hasim.units import SECOND, seconds

PROMISES = ((1.0, 0.5), (0.85, 0.35))
"""What losses and gaps count in the promise, by the first method and by the second."""
KEPT = 30
"""Quiet states of each kind of crossing."""
LEAST_CROSSINGS, MOST_CROSSINGS = 1600, 20_000
"""Of messages, and of all, in the plain run."""
MOST_LEVELS = 60
NEGLIGIBLE = 0.003
"""Two levels in a row that bring less than this share of all are the last ones."""
MOST_STEPS = 20_000
"""Crossings of one path on one level; a cycle that has not ended then is none."""


@dataclass(frozen=True)
class Calm:
    """Quiet states by kind of crossing, and how many of that kind there are per second."""

    moments: dict[int, list[Moment]]
    per_s: dict[int, float]


@dataclass(frozen=True)
class Kept:
    """A crossing that is to be bad: where, with what weight, and the logarithm of its promise."""

    moment: Moment
    weight: float
    promise: float


def sampled(
    around: Surroundings, effort: int, draws: np.random.Generator
) -> tuple[Sampled, Sampled]:
    """One replicate by each of two methods, with so many paths on a level."""
    exchange = Exchange(around, draws)
    calm = calm_of(exchange, draws)
    if not calm.moments:
        return Sampled(math.nan, ()), Sampled(math.nan, ())
    one, other = (
        split(exchange, calm, Promise(around, losses, gaps), effort, draws)
        for losses, gaps in PROMISES
    )
    return one, other


def calm_of(exchange: Exchange, draws: np.random.Generator) -> Calm:
    """Run plainly until things have settled, and then for a time that is stated beforehand."""
    around = exchange.around
    sources = around.tier.detection.evidence
    slowest_ns = max([around.beat_ns, *(source.period_ns for source in sources)], default=0)
    rate_per_s = 2.0 * getattr(around.tier.traffic.arrivals, "rate_per_s", 0.0)
    asked_per_s = sum(SECOND / s.period_ns for s in sources if s.period_ns) * len(around.workers)
    plain_ns = int(LEAST_CROSSINGS / rate_per_s * SECOND)
    plain_ns = max(plain_ns, KEPT * slowest_ns // len(around.targets))
    plain_ns = min(plain_ns, int(MOST_CROSSINGS / (rate_per_s + asked_per_s) * SECOND))
    _run_until(exchange, exchange.now + plain_ns // 2 + 2 * slowest_ns)
    began_ns = exchange.now
    found: dict[int, list[Moment]] = defaultdict(list)
    count: dict[int, int] = defaultdict(int)
    while exchange.now < began_ns + plain_ns:
        kind, master, _ = exchange.crossing
        if master in around.targets and exchange.quiet(master):
            count[kind] += 1
            # Each as likely to be kept as any other (reservoir sampling).
            if len(found[kind]) < KEPT:
                found[kind].append(exchange.here())
            elif (place := int(draws.random() * count[kind])) < KEPT:
                found[kind][place] = exchange.here()
        _plain(exchange)
    passed_s = seconds(exchange.now - began_ns)
    return Calm(dict(found), {kind: number / passed_s for kind, number in count.items()})


def _run_until(exchange: Exchange, end_ns: int) -> None:
    exchange.run()
    while exchange.now < end_ns:
        _plain(exchange)


def _plain(exchange: Exchange) -> None:
    exchange.suffer(exchange.pick(exchange.fates())[0])
    exchange.forget()
    exchange.run()


def split(
    exchange: Exchange, calm: Calm, promise: Promise, effort: int, draws: np.random.Generator
) -> Sampled:
    """One replicate, with so many paths on each level."""
    walk, hits = _Walk(exchange, promise, draws), list[float]()
    each = effort // len(calm.moments)
    pool: list[Kept] = []
    for kind, moments in calm.moments.items():
        places = draws.choice(len(moments), each)
        pool += [Kept(moments[place], calm.per_s[kind] / each, 0.0) for place in places]
    small = 0
    for level in range(MOST_LEVELS):
        found, brought = list[Kept](), list[float]()
        for kept in pool if not level else _drawn(pool, effort, draws):
            one = walk.on(kept, brought, first=not level)
            if one is not None:
                found.append(one)
        hits += brought
        small = small + 1 if hits and sum(brought) < NEGLIGIBLE * sum(hits) else 0
        pool = found
        if not pool or small == 2:
            break
    return Sampled(sum(hits), tuple(hits))


@dataclass(frozen=True)
class _Walk:
    exchange: Exchange
    promise: Promise
    draws: np.random.Generator

    def on(self, kept: Kept, hits: list[float], *, first: bool) -> Kept | None:
        """With a bad crossing, and good ones after it, until all is quiet or somebody is declared.

        Returns one of the crossings that might have been bad.
        """
        exchange, draws, master = self.exchange, self.draws, kept.moment.target
        exchange.put(kept.moment)
        fates = [fate for fate in exchange.fates() if fate.bad]
        if not fates:
            return None
        fate, chance = exchange.pick(fates)
        # Only the first bad crossing was not weighed when it was kept.
        weight = kept.weight * chance if first else kept.weight
        exchange.suffer(fate)
        chosen, whole, best = None, 0.0, -math.inf
        for _ in range(MOST_STEPS):
            if not exchange.run():
                hits.append(weight)
                break
            exchange.forget()
            if exchange.quiet(master):
                break
            fates = exchange.fates()
            bad = sum(fate.chance for fate in fates if fate.bad)
            if bad > 0.0:
                promised = self.promise.of(exchange, master, exchange.loss_of(*exchange.crossing))
                # Shares of the whole in proportion to exp(promised), without overflow.
                if promised > best:
                    whole, best = whole * math.exp(best - promised), promised
                share = weight * bad * math.exp(promised - best)
                whole += share
                if draws.random() * whole < share:
                    chosen = exchange.here(), promised
            if bad >= 1.0:
                break
            exchange.suffer(exchange.pick(fates, bad=False)[0])
            weight *= 1.0 - bad
        if chosen is None:
            return None
        moment, promised = chosen
        return Kept(moment, whole * math.exp(best - promised), promised)


def _drawn(pool: Sequence[Kept], effort: int, draws: np.random.Generator) -> list[Kept]:
    """As many as wanted, in proportion to weight and promise (systematic resampling)."""
    best = max(kept.promise for kept in pool)
    shares = np.array([kept.weight * math.exp(kept.promise - best) for kept in pool])
    whole = float(shares.sum())
    places = (draws.random() + np.arange(effort)) * (whole / effort)
    chosen = np.minimum(np.searchsorted(np.cumsum(shares), places, side="right"), len(pool) - 1)
    return [
        Kept(
            pool[place].moment,
            whole / effort * math.exp(best - pool[place].promise),
            pool[place].promise,
        )
        for place in chosen.tolist()
    ]
