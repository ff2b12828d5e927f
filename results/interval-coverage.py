"""How often hasim's intervals hold the truth: `python results/interval-coverage.py`.

Each row repeats a small study many times: replications are made up from a law whose mean or
quantile is known, `hasim.study.estimates.summary.interval` (which every table of hasim comes from)
estimates it, and the share of studies whose 95 % interval holds the truth is counted. Writes
results/statistics.md; `--studies 200` is quicker and coarser.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from hasim.measures import Measured
from hasim.measures.failovers import Failover
from hasim.measures.incidents import Incident
from hasim.measures.load import Latencies
from hasim.measures.quality import Mistake
from hasim.sketch import ACCURACY, sketch
from hasim.study.estimates.statistics import (
    FEW,
    Interval,
    order_statistics,
    proportion_interval,
    renewal_reward,
    t_interval,
)
from hasim.study.estimates.summary import Projection, interval, paired
from hasim.study.estimates.survival import Sample, cluster_draws
from hasim.units import HOUR, seconds

Floats = NDArray[np.float64]
Rng = np.random.Generator
BAND = (0.93, 0.97)
"""Where the coverage of an approximate 95 % interval has to lie."""
EXACT = 0.015
"""How far the coverage of an exact interval may be from its computed coverage."""
RARELY = 0.1
"""If fewer studies than this show two bounds, how often these cover is of no importance."""


# -- replications made up ---------------------------------------------------------------


def nothing() -> Measured:
    """A replication in which nothing happened: every field is zero or empty."""
    plain: dict[str, Any] = {
        "scenario": "made-up",
        "cell": {},
        "replication": 0,
        "seed": 0,
        "horizon_s": 1000.0,
    }
    hints = get_type_hints(Measured)
    for item in fields(Measured):
        if item.name not in plain and item.default is MISSING and item.default_factory is MISSING:
            part = hints[item.name]
            plain[item.name] = part(**dict.fromkeys((f.name for f in fields(part)), 0))
    return Measured(**plain)


NOTHING = nothing()
INCIDENT = Incident(
    **dict.fromkeys(Incident.__dataclass_fields__, None)
    | {"number": 1, "master": "a", "kind": "crash", "fault": 1, "faults": 1, "started_at_s": 0.0}
    | {"outcome": "detected", "partitions": 1}
)


FAILOVER = Failover(
    **dict.fromkeys(Failover.__dataclass_fields__, None) | {"promoted_at_s": 1.0, "partitions": 1}
)


MISTAKE = Mistake(**dict.fromkeys(Mistake.__dataclass_fields__, None))


def with_values(values: Floats) -> list[Measured]:
    """A replication for each value of a measure that a replication has one value of."""
    service = NOTHING.service
    return [
        replace(NOTHING, replication=i, service=replace(service, dual_primary_s=float(v)))
        for i, v in enumerate(values)
    ]


def with_incidents(
    times: Floats, seen: NDArray[np.bool_], of: NDArray[np.int64], n: int
) -> list[Measured]:
    """`n` replications with the incidents that are theirs: detected, or censored if not seen."""
    rows: list[list[Incident]] = [[] for _ in range(n)]
    for t, ok, run in zip(times.tolist(), seen.tolist(), of.tolist(), strict=True):
        made = (
            replace(INCIDENT, detection_s=t)
            if ok
            else replace(INCIDENT, censored_s=t, outcome="censored")
        )
        rows[run].append(made)
    return [replace(NOTHING, replication=i, incidents=tuple(r)) for i, r in enumerate(rows)]


def with_failovers(writes: Floats, of: NDArray[np.int64], n: int) -> list[Measured]:
    """`n` replications with failovers that each lost so many writes."""
    rows: list[list[Failover]] = [[] for _ in range(n)]
    for lost, run in zip(writes.tolist(), of.tolist(), strict=True):
        rows[run].append(replace(FAILOVER, writes_lost=lost))
    return [replace(NOTHING, replication=i, failovers=tuple(r)) for i, r in enumerate(rows)]


def with_downtimes(down_s: Floats, of: NDArray[np.int64], n: int) -> list[Measured]:
    """`n` replications of one master with faults that each brought service down for so long."""
    found = []
    for i in range(n):
        own = down_s[of == i]
        incidents = tuple(replace(INCIDENT, fault=k, detection_s=1.0) for k in range(len(own)))
        service = replace(NOTHING.service, down_s=float(own.sum()))
        master: Any = "a"
        row = replace(NOTHING, replication=i, incidents=incidents, service=service)
        found.append(replace(row, masters=(master,)))
    return found


def with_latencies(times: Floats, of: NDArray[np.int64]) -> list[Measured]:
    """Replications with the latencies that are theirs, in seconds."""
    found = []
    for i in range(int(of.max()) + 1):
        cells = sketch((times[of == i] * 1e9).astype(np.int64))
        row = Latencies(klass="ordinary", accuracy=ACCURACY, cells=cells)
        found.append(replace(NOTHING, replication=i, latencies=(row,)))
    return found


# -- laws with a known mean and known quantiles -------------------------------------------


@dataclass(frozen=True)
class Law:
    """A law of one observation."""

    name: str
    draw: Callable[[Rng, int], Floats]
    mean: float
    quantile: Callable[[float], float]


def lognormal(cv: float) -> Law:
    """Mean 1 and this coefficient of variation."""
    s = math.sqrt(math.log1p(cv**2))
    return Law(
        f"lognormal, cv {cv:g}",
        lambda rng, n: rng.lognormal(-s * s / 2, s, n),
        1.0,
        lambda p: math.exp(-s * s / 2 + s * float(special.ndtri(p))),
    )


NORMAL = Law(
    "normal", lambda rng, n: rng.normal(10, 2, n), 10.0, lambda p: 10 + 2 * float(special.ndtri(p))
)
EXPONENTIAL = Law(
    "exponential", lambda rng, n: rng.exponential(1, n), 1.0, lambda p: -math.log1p(-p)
)
UNIFORM = Law("uniform 4 to 6", lambda rng, n: rng.uniform(4, 6, n), 5.0, lambda p: 4 + 2 * p)
MOSTLY_ZERO = Law(
    "70 % zero, else exponential",
    lambda rng, n: rng.exponential(1, n) * (rng.random(n) < 0.3),
    0.3,
    lambda p: max(0.0, -math.log((1 - p) / 0.3)),
)


@dataclass(frozen=True)
class Clustered:
    """A law of the incidents of one replication: how many, and what they have in common."""

    name: str
    draw: Callable[[Rng, int], tuple[Floats, NDArray[np.int64]]]
    mean: float
    quantile: Callable[[float], float]


def poisson_sizes(rng: Rng, n: int, mean: float = 4) -> NDArray[np.int64]:
    """Incidents per replication, one at least; returns the replication of each."""
    return np.repeat(np.arange(n), 1 + rng.poisson(mean - 1, n))


def sparse_sizes(rng: Rng, n: int, mean: float) -> NDArray[np.int64]:
    """Events of replications most of which have none; returns the replication of each."""
    return np.repeat(np.arange(n), rng.poisson(mean, n))


def sparse(law: Law, mean: float) -> Clustered:
    """A few events in all replications together."""

    def draw(rng: Rng, n: int) -> tuple[Floats, NDArray[np.int64]]:
        of = sparse_sizes(rng, n, mean)
        return law.draw(rng, len(of)), of

    return Clustered(f"{law.name}, {mean:g} a replication", draw, law.mean, law.quantile)


def alone(law: Law, mean: float = 4) -> Clustered:
    """Several incidents in a replication that have nothing in common."""

    def draw(rng: Rng, n: int) -> tuple[Floats, NDArray[np.int64]]:
        of = poisson_sizes(rng, n, mean)
        return law.draw(rng, len(of)), of

    return Clustered(f"{law.name}, independent", draw, law.mean, law.quantile)


def frail(mean: float = 4, spread: float = 0.5) -> Clustered:
    """Exponential times that share a lognormal factor in a replication."""

    def draw(rng: Rng, n: int) -> tuple[Floats, NDArray[np.int64]]:
        of = poisson_sizes(rng, n, mean)
        return rng.lognormal(0, spread, n)[of] * rng.exponential(1, len(of)), of

    nodes, weights = np.polynomial.hermite_e.hermegauss(60)

    def quantile(p: float) -> float:
        def over(t: float) -> float:
            survivors = np.exp(-t / np.exp(spread * nodes))
            return float(weights @ survivors / weights.sum()) - (1 - p)

        return float(optimize.brentq(over, 1e-9, 1e3))

    return Clustered("exponential, shared factor", draw, math.exp(spread**2 / 2), quantile)


def same(law: Law, mean: float = 4) -> Clustered:
    """All incidents of a replication take equally long."""

    def draw(rng: Rng, n: int) -> tuple[Floats, NDArray[np.int64]]:
        of = poisson_sizes(rng, n, mean)
        return law.draw(rng, n)[of], of

    return Clustered(f"{law.name}, the same in a replication", draw, law.mean, law.quantile)


def heavy(law: Law) -> Clustered:
    """All equal in a replication, whose size is geometric: a few replications hold most."""

    def draw(rng: Rng, n: int) -> tuple[Floats, NDArray[np.int64]]:
        of = np.repeat(np.arange(n), rng.geometric(0.3, n))
        return law.draw(rng, n)[of], of

    return Clustered(f"{law.name}, the same, geometric sizes", draw, law.mean, law.quantile)


# -- cases ---------------------------------------------------------------------------------

Study = Callable[[Rng], Interval]
"""The interval of one made-up study."""


@dataclass(frozen=True)
class Case:
    """One row: `truth` is to be held; `computed` is the exact coverage where there is one.

    `required` says that the coverage has to lie in the band (or at the computed one).
    """

    measure: str
    law: str
    n: int
    study: Study
    truth: float
    computed: float | None = None
    required: bool = True

    @property
    def name(self) -> str:
        """What tells it from the other cases."""
        return f"{self.measure}; {self.law}; {self.n}"


@dataclass(frozen=True)
class Coverage:
    """How a case came out.

    In `hits` of `studies` the interval held the truth. `shown` studies had a value and two finite
    bounds, and `shown_hits` of these held it; `noted` were marked as few replications of a skewed
    measure.
    """

    case: Case
    method: str
    studies: int
    hits: int = 0
    shown: int = 0
    shown_hits: int = 0
    noted: int = 0

    @property
    def share(self) -> float:
        """The share of studies whose interval held the truth."""
        return self.hits / self.studies

    @property
    def judged(self) -> tuple[int, int]:
        """Hits and studies by which it is judged: those that show an interval, if enough do."""
        if self.case.computed is None and self.shown >= RARELY * self.studies:
            return self.shown_hits, self.shown
        return self.hits, self.studies

    @property
    def kept(self) -> bool:
        """Whether it lies where it has to."""
        hits, studies = self.judged
        if self.case.computed is not None:
            return abs(hits / studies - self.case.computed) <= EXACT
        # An interval without one of its bounds errs on one side alone, in 2.5 %.
        above = hits / studies <= BAND[1] or self.shown < RARELY * self.studies
        return hits / studies >= BAND[0] and above

    def refuted(self, level: float = 0.05) -> bool:
        """Whether a one-sided exact test refutes that it covers as often as it has to."""
        hits, studies = self.judged
        if self.case.computed is not None:
            return not self.kept
        few = stats.binomtest(hits, studies, BAND[0], "less").pvalue < level
        if self.shown < RARELY * self.studies:
            return bool(few)
        return bool(few or stats.binomtest(hits, studies, BAND[1], "greater").pvalue < level)


def cover(case: Case, studies: int) -> Coverage:
    """Repeat a study; the same numbers at each call."""
    hits = shown = shown_hits = noted = 0
    method = ""
    for number in range(studies):
        rng = np.random.default_rng([zlib.crc32(case.name.encode()), number])
        found = case.study(rng)
        hit = found.low <= case.truth <= found.high
        known = found.value is not None and found.needed is None
        both = known and math.isfinite(found.high - found.low)
        hits, shown, shown_hits = hits + hit, shown + both, shown_hits + (both and hit)
        noted += found.note == FEW
        method = found.method if both or not method else method
    return Coverage(case, method, studies, hits, shown, shown_hits, noted)


def estimated(
    measure: str, make: Callable[[Rng], Sequence[Measured]], projection: Projection = None
) -> Study:
    """The interval of a measure, as a table has it."""
    return lambda rng: interval(measure, make(rng), projection)


def mean_case(law: Law, n: int, required: bool = True) -> Case:
    """A measure with one value per replication: uptime, say."""
    study = estimated("dual_primary", lambda rng: with_values(law.draw(rng, n)))
    return Case("mean of replications", law.name, n, study, law.mean, required=required)


def pooled_case(measure: str, law: Clustered, n: int, required: bool = True) -> Case:
    """Incidents pooled over `n` replications."""

    def make(rng: Rng) -> list[Measured]:
        times, of = law.draw(rng, n)
        return with_incidents(times, np.ones(len(times), bool), of, n)

    name = measure.partition(".")[2]
    truth = law.mean if name == "mean" else law.quantile(float(name[1:]) / 100)
    case = Case(f"{name} of pooled incidents", law.name, n, estimated(measure, make), truth)
    return replace(case, required=required)


def censored_case(p: str, law: Law, n: int, cure: float, clusters: bool = False) -> Case:
    """Incidents that are cured after an exponential time, whether detected by then or not."""

    def make(rng: Rng) -> list[Measured]:
        of = poisson_sizes(rng, n) if clusters else np.arange(n)
        times, cures = law.draw(rng, len(of)), rng.exponential(cure, len(of))
        return with_incidents(np.minimum(times, cures), times <= cures, of, n)

    share = stats.expon(scale=cure).expect(lambda c: 1 - np.exp(-c)) if law is EXPONENTIAL else 0
    kind = "several a replication" if clusters else "one a replication"
    words = f"{law.name}, {1 - share:.0%} censored, {kind}"
    study = estimated(f"detection_time.{p}", make)
    return Case(f"{p}, censored", words, n, study, law.quantile(float(p[1:]) / 100))


def restricted_case(n: int) -> Case:
    """Censored times, none longer than can be seen: the mean is restricted in name only."""

    def make(rng: Rng) -> list[Measured]:
        of = poisson_sizes(rng, n)
        times, cures = rng.uniform(0, 1, len(of)), rng.uniform(0, 4, len(of))
        return with_incidents(np.minimum(times, cures), times <= cures, of, n)

    words = "uniform 0 to 1, 12 % censored, several a replication"
    return Case("mean, censored", words, n, estimated("detection_time.mean", make), 0.5)


def order_case(p: str, law: Law, n: int) -> Case:
    """One incident a replication, all seen: order statistics."""
    share = float(p[1:]) / 100

    def make(rng: Rng) -> list[Measured]:
        return with_incidents(law.draw(rng, n), np.ones(n, bool), np.arange(n), n)

    lower, upper = order_statistics(n, share)
    computed = float(stats.binom.cdf(upper - 1, n, share) - stats.binom.cdf(lower - 1, n, share))
    study = estimated(f"detection_time.{p}", make)
    return Case(f"{p}, one a replication", law.name, n, study, law.quantile(share), computed)


def share_case(p: float, n: int) -> Case:
    """One incident a replication, each detected with probability p: Clopper-Pearson."""

    def make(rng: Rng) -> list[Measured]:
        return with_incidents(np.ones(n), rng.random(n) < p, np.arange(n), n)

    held = [k for k in range(n + 1) if holds(k, n, p)]
    computed = float(stats.binom.pmf(held, n, p).sum())
    law = f"binomial, {p:.0%}"
    return Case("share, one a replication", law, n, estimated("detected", make), p, computed)


def holds(k: int, n: int, p: float) -> bool:
    """Whether the exact interval of k successes in n holds p."""
    found = proportion_interval(k, n)
    return found.low <= p <= found.high


def pooled_share_case(n: int, mean: float, a: float, b: float) -> Case:
    """Several incidents a replication, whose chance to be detected is its own."""

    def make(rng: Rng) -> list[Measured]:
        of = poisson_sizes(rng, n, mean)
        seen = rng.random(len(of)) < rng.beta(a, b, n)[of]
        return with_incidents(np.ones(len(of)), seen, of, n)

    law = f"binomial, chance beta({a:g}, {b:g})"
    return Case("share of pooled incidents", law, n, estimated("detected", make), a / (a + b))


def latency_case(p: str, n: int, each: int) -> Case:
    """Messages whose latencies share a lognormal factor in a replication."""
    law = frail()

    def make(rng: Rng) -> list[Measured]:
        of = np.repeat(np.arange(n), rng.poisson(each, n))
        times = rng.lognormal(0, 0.5, n)[of] * rng.exponential(1, len(of))
        return with_latencies(times, of)

    truth = law.quantile(float(p[1:]) / 100)
    words = f"exponential, shared factor, {each} messages each"
    return Case(f"latency {p}", words, n, estimated(f"latency.{p}", make), truth)


def sparse_rpo_case(n: int, mean: float) -> Case:
    """Failovers that lose writes, in few of the replications."""

    def make(rng: Rng) -> list[Measured]:
        of = sparse_sizes(rng, n, mean)
        return with_failovers(rng.exponential(10, len(of)), of, n)

    words = f"exponential, {mean:g} failovers a replication"
    return Case("writes lost by a failover", words, n, estimated("rpo.writes", make), 10.0)


def sparse_projected_case(n: int, mean: float) -> Case:
    """The uptime in the long run from faults that cost ten seconds and something more."""

    def make(rng: Rng) -> list[Measured]:
        of = sparse_sizes(rng, n, mean)
        return with_downtimes(10 + rng.exponential(30, len(of)), of, n)

    mtbf = 720 * HOUR
    truth = 1 - float(renewal_reward(40.0, seconds(mtbf)))
    words = f"10 + exponential, {mean:g} faults a replication"
    study = estimated("uptime.renewal_reward", make, (mtbf, mtbf))
    return Case("uptime by renewal reward", words, n, study, truth)


def mistakes_case(n: int, mean: float, spread: float = 0.0, required: bool = True) -> Case:
    """Mistakes of one master that is healthy for an hour in each replication.

    Poisson; `spread` is the coefficient of variation of the rate over replications.
    """

    def make(rng: Rng) -> list[Measured]:
        rates = np.full(n, mean)
        if spread:
            rates *= rng.gamma(spread**-2, spread**2, n)
        master: Any = SimpleNamespace(healthy_s=3600.0, mistaken_s=0.0)
        counts = rng.poisson(rates).tolist()
        return [
            replace(NOTHING, replication=i, masters=(master,), mistakes=(MISTAKE,) * count)
            for i, count in enumerate(counts)
        ]

    words = f"Poisson, {mean:g} a replication" + (", rate gamma" if spread else "")
    return Case("mistakes an hour", words, n, estimated("mistakes", make), mean, required=required)


def difference(measure: str, first: list[Measured], second: list[Measured]) -> Interval:
    """The paired difference of two cells."""
    found = paired(first, second, measure)
    low = -math.inf if found.low is None else found.low
    high = math.inf if found.high is None else found.high
    return Interval(found.value, low, high, found.n, found.method, note=found.note)


def paired_case(measure: str, shift: float, n: int, required: bool = True) -> Case:
    """Two cells that meet the same luck: what one has over the other."""

    def study(rng: Rng) -> Interval:
        of = poisson_sizes(rng, n)
        common = rng.exponential(1, len(of))
        seen = np.ones(len(of), bool)
        first = with_incidents(common + rng.uniform(0, 0.5, len(of)), seen, of, n)
        second = with_incidents(common + rng.uniform(0, 0.5, len(of)) + shift, seen, of, n)
        return difference(measure, first, second)

    name = measure.partition(".")[2]
    law = "exponential, common"
    return Case(f"difference of {name}", law, n, study, shift, required=required)


def censored_difference_case(n: int, cure: float) -> Case:
    """Two cells that meet the same faults, all cured after the same time; one detects later.

    The truth is the difference of the means up to the cure: uniform on 0 to 1, and five times that.
    """

    def study(rng: Rng) -> Interval:
        of = poisson_sizes(rng, n)
        phase = rng.uniform(0, 1, len(of))
        cells = [
            with_incidents(np.minimum(times, cure), times < cure, of, n)
            for times in (phase, 5 * phase)
        ]
        return difference("detection_time.mean", *cells)

    truth = cure - cure**2 / 10 - (cure - cure**2 / 2 if cure < 1 else 0.5)
    words = f"uniform, {1 - cure / 5:.0%} of the later censored"
    return Case("difference of mean, censored", words, n, study, truth)


def staggered_difference_case(n: int) -> Case:
    """The same, cured at moments of their own, the same in both cells."""

    def study(rng: Rng) -> Interval:
        of = poisson_sizes(rng, n)
        phase, cures = rng.uniform(0, 1, len(of)), rng.uniform(0, 8, len(of))
        cells = [
            with_incidents(np.minimum(times, cures), times <= cures, of, n)
            for times in (phase, 2 * phase)
        ]
        return difference("detection_time.mean", *cells)

    words = "uniform, cured by chance, 12 % of the later censored"
    return Case("difference of mean, censored", words, n, study, 0.5)


def cases() -> list[Case]:
    """All rows of the report, in its order."""
    found = [
        *(mean_case(NORMAL, n) for n in (5, 10, 20, 50)),
        *(mean_case(EXPONENTIAL, n) for n in (10, 20, 30, 100)),
        *(mean_case(lognormal(0.5), n) for n in (10, 20, 30)),
        *(mean_case(lognormal(1), n) for n in (50, 100)),
        *(mean_case(MOSTLY_ZERO, n) for n in (20, 50, 100)),
        *(pooled_case("detection_time.mean", alone(EXPONENTIAL), n) for n in (10, 20, 30)),
        *(pooled_case("detection_time.mean", same(EXPONENTIAL), n) for n in (30, 50)),
        *(pooled_case("detection_time.mean", frail(), n) for n in (30, 50)),
        pooled_case("detection_time.mean", heavy(EXPONENTIAL), 200),
    ]
    for n, mean in ((60, 0.05), (40, 0.1), (20, 0.2), (60, 0.2)):
        found += [
            pooled_case("detection_time.mean", sparse(EXPONENTIAL, mean), n),
            sparse_rpo_case(n, mean),
            sparse_projected_case(n, mean),
        ]
    for p in ("p50", "p95"):
        found += [pooled_case(f"detection_time.{p}", alone(UNIFORM), n) for n in (20, 30)]
        found += [pooled_case(f"detection_time.{p}", alone(EXPONENTIAL), n) for n in (20, 50)]
        found += [pooled_case(f"detection_time.{p}", frail(), n) for n in (20, 30, 50)]
        found += [pooled_case(f"detection_time.{p}", same(EXPONENTIAL), n) for n in (30, 100)]
    found += [
        pooled_case("detection_time.p95", heavy(EXPONENTIAL), 100),
        pooled_case("detection_time.p99", alone(EXPONENTIAL, 20), 40),
        pooled_case("detection_time.p99", alone(EXPONENTIAL, 8.2), 50),
        pooled_case("detection_time.p99", same(EXPONENTIAL, 8.2), 50),
        *(censored_case("p50", EXPONENTIAL, n, 3.0) for n in (20, 50, 100)),
        *(censored_case("p95", EXPONENTIAL, n, 6.0) for n in (100, 200)),
        *(censored_case("p50", EXPONENTIAL, n, 3.0, clusters=True) for n in (20, 50)),
        *(censored_case("p95", EXPONENTIAL, n, 6.0, clusters=True) for n in (30, 50)),
        *(restricted_case(n) for n in (20, 50)),
        *(pooled_share_case(n, 4, 9, 1) for n in (20, 30, 50)),
        pooled_share_case(30, 8, 6, 4),
        *(latency_case("p95", n, 200) for n in (20, 40)),
        latency_case("p50", 20, 200),
        *(paired_case(f"detection_time.{q}", 0.3, n) for q in ("mean", "p50") for n in (20, 40)),
        *(paired_case("detection_time.p95", 0.3, n) for n in (60, 80)),
        *(censored_difference_case(n, cure) for cure in (0.6, 1.0, 4.0) for n in (20, 40)),
        *(staggered_difference_case(n) for n in (20, 40)),
        *(mistakes_case(n, 1.0) for n in (20, 50)),
        *(mistakes_case(n, 2.0, 1.0) for n in (30, 50)),
    ]
    found += [
        *(order_case("p50", law, n) for law in (NORMAL, lognormal(2)) for n in (20, 100)),
        *(order_case("p95", law, n) for law in (EXPONENTIAL, UNIFORM) for n in (100, 200)),
        order_case("p99", EXPONENTIAL, 400),
        *(share_case(p, n) for p in (0.5, 0.9, 0.99) for n in (20, 100)),
    ]
    return found


def limits() -> list[Case]:
    """Where the intervals are off: few replications of very skewed laws, or few clusters."""
    return [
        *(mean_case(lognormal(1), n, False) for n in (10, 20, 30)),
        *(mean_case(lognormal(2), n, False) for n in (20, 50, 200)),
        mean_case(MOSTLY_ZERO, 10, False),
        pooled_case("detection_time.mean", frail(), 20, False),
        *(pooled_case("detection_time.mean", heavy(EXPONENTIAL), n, False) for n in (30, 100)),
        *(
            pooled_case("detection_time.mean", heavy(lognormal(1)), n, False)
            for n in (30, 100, 200)
        ),
        *(pooled_case(f"detection_time.{p}", frail(8), 8, False) for p in ("p50", "p95")),
        pooled_case("detection_time.p95", frail(20), 10, False),
        pooled_case("detection_time.p95", same(EXPONENTIAL), 50, False),
        paired_case("detection_time.p95", 0.3, 40, False),
        mistakes_case(20, 0.2, required=False),
        mistakes_case(40, 0.05, required=False),
    ]


# -- report --------------------------------------------------------------------------------

SLOW = ("several a replication", "p99 of pooled", "latency", "difference of p", "percentiles")
"""In the names of cases that take long, which are repeated a fifth as often."""

HEAD = """\
| estimate | interval | law | replications | studies | coverage | shown | coverage of those shown \
| computed | noted | within |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"""

TEXT = """\
# How often the intervals hold the truth

`python results/interval-coverage.py` writes this file.

Every row repeats a small study: replications are made up from a law whose mean or quantile is
known, and the estimate comes from `hasim.study.estimates.summary.interval`, as every table of hasim
does.
*Coverage* is the share of studies whose 95 % interval held the truth, with its own 95 % interval
(Clopper-Pearson). *Shown* is the share of studies whose interval has two bounds: where the data
give only one, the table shows `inf` for the other, and a dash where there are too few
observations. An approximate interval has to cover in 93 to 97 % *of those shown*, so that what is
seen is not a lucky choice; if it is shown in less than a tenth of the studies, all of them,
one-sided ones included, have to cover in 93 % at least. An exact one has to cover within 1.5
points of its *computed* coverage, which follows from the binomial law and is not 95 %, since
ranks and counts are whole numbers. *Noted* is the share of studies below whose table stands:
few replications of a skewed measure.

{cases}

{kept} of these {all} rows are within; the next table has those that are known to fall short.

## Where they fall short

With few replications of a very skewed law, or few large clusters, no method covers: the sample
does not show the tail that the mean hangs on. More replications do. Where the sample is skewed the
program says so below the table (*noted*); a sample that happens to miss the tail looks harmless and
is not noted, so that a missing note is no proof. The difference of two p95 of few pairs rests on
one or two incidents, and its interval is too wide rather than too narrow.

{limits}

{limits_kept} of these {limits_all} rows are within.

## What the plain methods would do

The same studies with Student's t, with the percentiles of the cluster bootstrap, and with
Greenwood's symmetric interval of the Kaplan-Meier share, which is why hasim does not use them.

{plain}
"""


def row(found: Coverage) -> str:
    """A row of the table: the coverage with its own (Clopper-Pearson) interval."""
    case = found.case
    fields = (
        case.measure,
        found.method.removesuffix(", all equal"),
        case.law,
        f"{case.n}",
        f"{found.studies:,}",
        share_text(found.hits, found.studies),
        f"{found.shown / found.studies:.0%}",
        share_text(found.shown_hits, found.shown),
        "" if case.computed is None else f"{case.computed:.1%}",
        f"{found.noted / found.studies:.0%}" if found.noted else "",
        "yes" if found.kept else "no",
    )
    return "| " + " | ".join(fields) + " |"


def share_text(hits: int, studies: int) -> str:
    """A share with its interval; empty if there are no studies."""
    if not studies:
        return ""
    own = proportion_interval(hits, studies)
    return f"{hits / studies:.1%} [{own.low:.1%}, {own.high:.1%}]"


def table(found: Sequence[Coverage]) -> str:
    """The rows under their heading."""
    return "\n".join([HEAD, *map(row, found)])


def plain_methods() -> list[Case]:
    """The methods that were replaced, on the same laws."""

    def student(law: Law, n: int) -> Case:
        def study(rng: Rng) -> Interval:
            return t_interval(law.draw(rng, n))

        return Case("mean of replications", law.name, n, study, law.mean, required=False)

    def percentiles(law: Clustered, p: float, n: int) -> Case:
        def study(rng: Rng) -> Interval:
            times, of = law.draw(rng, n)
            sample = Sample.of(times, np.ones(len(times), bool), of)
            drawn = sample.resample(cluster_draws(n), lambda w: sample.quantiles(w, p))
            low, high = np.quantile(drawn, [0.025, 0.975])
            return Interval(0.0, float(low), float(high), n, "bootstrap percentiles")

        words = f"p{p * 100:g} of pooled incidents"
        return Case(words, law.name, n, study, law.quantile(p), required=False)

    def greenwood(p: float, n: int, cure: float) -> Case:
        def study(rng: Rng) -> Interval:
            times, cures = rng.exponential(1, n), rng.exponential(cure, n)
            sample = Sample.of(np.minimum(times, cures), times <= cures)
            shares = 1 - sample.survival(np.ones((1, n)))[0]
            errors = 1.959964 * np.sqrt(shares * (1 - shares) / sample.effective_sizes())
            begun, over = shares + errors > p, shares - errors >= p
            low = sample.times[begun.argmax()] if begun.any() else math.inf
            high = sample.times[over.argmax()] if over.any() else math.inf
            return Interval(0.0, float(low), float(high), n, "Greenwood")

        words = f"exponential, {1 / (1 + cure):.0%} censored, one a replication"
        return Case(f"p{p * 100:g}, censored", words, n, study, -math.log(1 - p), required=False)

    return [
        *(student(law, n) for law in (EXPONENTIAL, lognormal(1), MOSTLY_ZERO) for n in (20, 50)),
        *(percentiles(frail(), p, n) for p in (0.5, 0.95) for n in (20, 50)),
        *(greenwood(p, n, cure) for p, n, cure in ((0.5, 20, 3), (0.5, 100, 3), (0.95, 100, 6))),
    ]


def covered(number: int, studies: int) -> tuple[str, int, int, int, int, int]:
    """One row by its number, without its case, which cannot be sent between processes."""
    case = every_case()[number]
    found = cover(case, repeats(case, studies))
    return found.method, found.studies, found.hits, found.shown, found.shown_hits, found.noted


def repeats(case: Case, studies: int) -> int:
    """How many studies: one that resamples censored times, say, is repeated less often."""
    slow = any(word in case.name for word in SLOW) and not case.measure.startswith("mean")
    return max(1, studies // 5) if slow else studies


def every_case() -> list[Case]:
    """All rows of the three tables."""
    return [*cases(), *limits(), *plain_methods()]


def main() -> None:
    """Repeat every study and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=5000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    every = every_case()
    with ProcessPoolExecutor(options.jobs) as pool:
        rows = list(pool.map(covered, range(len(every)), [options.studies] * len(every)))
    found = [Coverage(case, *row) for case, row in zip(every, rows, strict=True)]
    first, second = len(cases()), len(cases()) + len(limits())
    text = TEXT.format(
        cases=table(found[:first]),
        limits=table(found[first:second]),
        plain=table(found[second:]),
        kept=sum(one.kept for one in found[:first]),
        all=first,
        limits_kept=sum(one.kept for one in found[first:second]),
        limits_all=second - first,
    )
    Path(__file__).with_name("statistics.md").write_text(text, encoding="utf-8")
    beyond = [row(one) for one in found[:first] if not one.kept]
    sys.stdout.write("\n".join(beyond or ["All rows are within."]) + "\n")


if __name__ == "__main__":
    main()
