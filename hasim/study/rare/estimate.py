"""Unavailability in the long run from short runs with no fault, one fault and two faults.

Faults come from independent processes, each of which waits a time of mean 1/r after a
cure, then strikes for a time of mean m: in the long run it strikes at the intensity
lambda = r / (1 + r m). With D_a the mean downtime that a fault of process a brings
about when all else is well, and E_ab(g) what a fault of b, begun g after one of a, adds
to (or, for downtimes that overlap, takes from) the downtimes of both alone,

    U = u_0 + sum_a lambda_a D_a + sum_ab lambda_a lambda_b int_0^W E_ab(g) dg + O((Lambda W)^3)

where u_0 is the share of downtime without any fault (false failovers), W a time after
which the first fault has left no trace, and Lambda the sum of the intensities. A process
does not strike while its own fault lasts: such pairs add nothing. The integral is W times
the mean of E at a uniformly distributed moment of the window, with pairs drawn in
proportion to lambda_a lambda_b. What is left out needs three faults within one
window; with runs of three (or four), their terms are added likewise (what they add to all that
fewer of them do, over all windows), and what is left out needs one more.

That is the expansion of a stationary mean in the factorial moments of the driving
point process (Reiman, Simon, "Open queueing systems in light traffic", Mathematics of
Operations Research 14, 1989, for Poisson processes; Blaszczyszyn, "Factorial-moment
expansion for stochastic systems", Stochastic Processes and their Applications 56, 1995, for
others). Its first order, with one kind of fault, is the renewal-reward theorem (Ross,
Stochastic Processes, 1996, 3.6).

Nothing here knows where the runs come from: hasim's worlds, or any other sampler.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hasim.measures.causes import CAUSES
from hasim.study.estimates.statistics import (
    LEVEL,
    Floats,
    Interval,
    jackknife_interval,
    mean_interval,
    rate_interval,
    unknown,
)
from hasim.study.rare.combine import exactly, product, scaled, total

OVERLAP, FAULTS, QUIET, TOTAL = "overlap", "all faults", "no fault", "total"
"""The rows of a budget beside the kinds of faults: what pairs of faults add to (or share of)
the downtimes of each, the sum up to here, what is down without a fault, and the sum of all."""
ALL = "all"
"""The cause that stands for all of them together."""
MISTAKEN = "mistaken"
"""The cause of downtime that false failovers bring about."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: `processes` independent processes of the same rate.

    `rate_per_s` counts faults of one process per second in which it is not active, with its
    interval if it was fitted; `mean_s` is how long a fault lasts on average (seconds).
    """

    name: str
    processes: int
    rate_per_s: Interval
    mean_s: float

    @property
    def intensity(self) -> Interval:
        """Faults per second in the long run, of all its processes together."""
        rate = self.rate_per_s
        value, low, high = (self._at(r or 0.0) for r in (rate.value, rate.low, rate.high))
        return Interval(value, low, high, rate.n, rate.method)

    def _at(self, rate_per_s: float) -> float:
        return self.processes * rate_per_s / (1 + rate_per_s * self.mean_s)


@dataclass(frozen=True, slots=True)
class Run:
    """A run with one fault, or without any: seconds down by cause, out of `span_s`.

    `open_end` says that service was down when the run ended, so that the downtime is cut
    short. `failovers_s` are the durations of the failovers in it; `followed_s` the seconds, summed
    over clients, that `hasim.study.rare.waiting.KEPT` has (none: nobody followed). Of a fault
    that may end in several ways, so that each was simulated by itself, `outcome` says which one
    this was and `chance` how likely it is.
    """

    down_s: tuple[float, ...]
    span_s: float
    open_end: bool = False
    failovers_s: tuple[float, ...] = ()
    mistakes: int = 0
    outcome: int = 0
    chance: float = 1.0
    followed_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """A run with two faults beside the runs with either of them alone; or one with more.

    `excess_s` is, by cause, the downtime with both less the downtimes with either, all over
    the same `span_s`; `weight` the length of the window in which the second began at a
    uniformly distributed moment (or, if pairs were chosen by some importance, that length times
    the mean importance over its own), in seconds. Of more faults it is what they add to the
    downtimes of any fewer of them, and the weight has all windows. A pair that cannot be (the
    second fault of a process during its first) has an excess of zero and no span.
    """

    excess_s: tuple[float, ...]
    weight: float
    span_s: float
    open_end: bool = False


@dataclass(frozen=True)
class Budget:
    """The unavailability (a share of time) by fault and cause.

    `parts` has, by (fault, cause), its estimate: faults are the names of the kinds, then
    `OVERLAP`, `FAULTS`, `QUIET` and `TOTAL`; causes those of `causes`, and `ALL`. `down_s` has
    the mean downtime of one fault of each kind (seconds). `crowd` is Lambda W: the mean number
    of faults in a window; `tried` how often two, three, ... at a time were simulated. `quiet_s` is
    the simulated time without faults, `mistakes` the false failovers seen in it, `floor` the upper
    bound of what they may cost that rests on none having been seen (0 if some were).
    """

    kinds: tuple[Kind, ...]
    causes: tuple[str, ...]
    parts: Mapping[tuple[str, str], Interval]
    down_s: Mapping[str, Interval]
    crowd: float
    tried: Mapping[int, int]
    quiet_s: float
    mistakes: int
    floor: float
    level: float = LEVEL

    @property
    def faults(self) -> tuple[str, ...]:
        """The names of its rows, in order."""
        return (*(kind.name for kind in self.kinds), OVERLAP, FAULTS, QUIET, TOTAL)

    @property
    def unavailability(self) -> Interval:
        """The share of time in which service is down."""
        return self.parts[TOTAL, ALL]

    @property
    def uptime(self) -> Interval:
        """One minus the unavailability; bounds beyond 0 and 1 would say nothing."""
        u = self.unavailability
        low, high = max(0.0, 1 - u.high), min(1.0, 1 - u.low)
        return Interval(1 - (u.value or 0.0), low, high, u.n, u.method)

    @property
    def seen(self) -> Interval:
        """The unavailability without what quiet runs that saw no false failover cannot exclude."""
        return self.parts[FAULTS if self.floor else TOTAL, ALL]

    @property
    def most(self) -> int:
        """How many faults at a time were tried."""
        return max((order for order, count in self.tried.items() if count), default=1)

    @property
    def left_out(self) -> float:
        """The order of what was left out: the probability of more faults in a window than tried.

        (Lambda W)^3 / 3! for three; (Lambda W)^2 / 2 if there were no pairs.
        """
        return self.crowd ** (self.most + 1) / math.factorial(self.most + 1)


def estimate(
    kinds: Sequence[Kind],
    singles: Mapping[str, Sequence[Run]],
    pairs: Sequence[Pair] = (),
    quiet: Sequence[Run] = (),
    *,
    more: Mapping[int, Sequence[Pair]] | None = None,
    window_s: Mapping[str, float] | None = None,
    mistaken: Interval | None = None,
    causes: Sequence[str] = CAUSES,
    level: float = LEVEL,
) -> Budget:
    """The budget from independent runs.

    `singles` has the runs with one fault by the name of its kind; `pairs` draw the first and the
    second fault in proportion to the intensities, `more` has those of three and more; without
    `quiet` runs, service is taken never to be down without a fault. `window_s` is the mean window
    by the first fault's kind (default: as long as the fault lasts). `mistaken` is the share of time
    that false failovers cost, where that is known better than the quiet runs can tell.
    """
    windows = window_s or {kind.name: kind.mean_s for kind in kinds}
    base = _shares(quiet, len(causes))
    costs = {kind.name: costs_of(singles[kind.name], base, level) for kind in kinds}
    known = mistaken is not None or not quiet or _lost_by_mistake(quiet, causes)
    floor = 0.0 if known else _floor(singles, quiet, level)
    several = {2: pairs, **(more or {})}
    rows = {
        **{k.name: [product(k.intensity, cost) for cost in costs[k.name]] for k in kinds},
        OVERLAP: _overlaps(kinds, pairs, base, level),
    }
    for order, found in (more or {}).items():
        added = _overlaps(kinds, found, (-1) ** order * base, level, order)
        if found:
            rows[OVERLAP] = [total(both) for both in zip(rows[OVERLAP], added, strict=True)]
    rows[FAULTS] = [
        _of_faults(kinds, [costs[kind.name][i] for kind in kinds], overlap)
        for i, overlap in enumerate(rows[OVERLAP])
    ]
    rows[QUIET] = _quiet(quiet, causes, floor, level)
    if mistaken is not None and MISTAKEN in causes:
        place = list(causes).index(MISTAKEN)
        others = [part for i, part in enumerate(rows[QUIET][:-1]) if i != place]
        rows[QUIET][place], rows[QUIET][-1] = mistaken, total([*others, mistaken])
    rows[TOTAL] = [total(both) for both in zip(rows[FAULTS], rows[QUIET], strict=True)]
    columns = (*causes, ALL)
    return Budget(
        kinds=tuple(kinds),
        causes=tuple(causes),
        parts={
            (fault, cause): part
            for fault, row in rows.items()
            for cause, part in zip(columns, row, strict=True)
        },
        down_s={name: own[-1] for name, own in costs.items()},
        crowd=sum((kind.intensity.value or 0.0) * windows[kind.name] for kind in kinds),
        tried={order: len(found) for order, found in several.items()},
        quiet_s=sum(run.span_s for run in quiet),
        mistakes=sum(run.mistakes for run in quiet),
        floor=floor,
        level=level,
    )


def _with_all(by_cause: Sequence[Sequence[float]]) -> Floats:
    """One row per run: a column for each cause, then their sum."""
    table = np.array(by_cause, dtype=np.float64)
    return np.column_stack([table, table.sum(axis=1)])


def _shares(quiet: Sequence[Run], causes: int) -> Floats:
    """The share of time down without a fault, by cause, then of all."""
    if not quiet:
        return np.zeros(causes + 1)
    shares: Floats = _with_all([run.down_s for run in quiet]).sum(axis=0)
    return shares / sum(run.span_s for run in quiet)


def costs_of(runs: Sequence[Run], base: Floats, level: float) -> list[Interval]:
    """Mean seconds down per fault by cause, then of all; beyond what is down without a fault.

    Outcomes that were simulated apart are weighed by their chances (stratified sampling;
    Cochran, Sampling Techniques, 1977, 5.3); one without a run is not known.
    """
    if all(run.chance == 1.0 for run in runs):
        return _costs_alike(runs, base, level)
    strata: dict[int, list[Run]] = {}
    for run in runs:
        strata.setdefault(run.outcome, []).append(run)
    chances = {outcome: own[0].chance for outcome, own in strata.items()}
    parts = [
        [scaled(mean, chances[outcome]) for mean in _costs_alike(strata[outcome], base, level)]
        for outcome in sorted(strata)
    ]
    if sum(chances.values()) < 1 - 1e-9:
        parts.append([unknown(0, "no run of an outcome")] * len(base))
    return [total(column) for column in zip(*parts, strict=True)]


def _costs_alike(runs: Sequence[Run], base: Floats, level: float) -> list[Interval]:
    down = _with_all([run.down_s for run in runs]) - np.outer([run.span_s for run in runs], base)
    return _means(down, level, open_end=any(run.open_end for run in runs))


def _of_faults(kinds: Sequence[Kind], costs: Sequence[Interval], overlap: Interval) -> Interval:
    """What the faults of all kinds cost, overlaps included.

    The costs are independent; the rates may come from one fit, so their errors are added, not
    their squares.
    """
    each = [kind.intensity for kind in kinds]
    parts = [
        product(exactly(rate.value or 0.0), cost) for rate, cost in zip(each, costs, strict=True)
    ]
    below = above = 0.0
    for rate, cost in zip(each, costs, strict=True):
        alone = product(rate, exactly(cost.value or 0.0))
        below += (alone.value or 0.0) - alone.low
        above += alone.high - (alone.value or 0.0)
    return total([*parts, overlap, Interval(0.0, -below, above, 0, "")])


def _overlaps(
    kinds: Sequence[Kind], pairs: Sequence[Pair], base: Floats, level: float, order: int = 2
) -> list[Interval]:
    """The unavailability that pairs add to that of their faults alone, by cause, then of all."""
    if not pairs:
        return [Interval(0.0, 0.0, 0.0, 0, "left out")] * len(base)
    # With both and with neither, less with either: what is down without any fault cancels.
    excess = _with_all([pair.excess_s for pair in pairs])
    excess += np.outer([pair.span_s for pair in pairs], base)
    weighted = excess * np.array([[pair.weight] for pair in pairs])
    found = _means(weighted, level, open_end=any(pair.open_end for pair in pairs))
    # As in `_of_faults`, the errors of the rates are added.
    each = [kind.intensity for kind in kinds]
    value, low, high = (sum(column) for column in zip(*map(_numbers, each), strict=True))
    together = Interval(value**order, low**order, high**order, len(pairs), "")
    return [product(together, mean) for mean in found]


def _numbers(interval: Interval) -> tuple[float, float, float]:
    return interval.value or 0.0, interval.low, interval.high


def _means(table: Floats, level: float, *, open_end: bool) -> list[Interval]:
    found = [mean_interval(column, level) for column in table.T]
    return [_raised(mean, math.inf) for mean in found] if open_end else found


def _quiet(
    quiet: Sequence[Run], causes: Sequence[str], floor: float, level: float
) -> list[Interval]:
    """The share of time down without a fault, by cause, then of all."""
    columns = (*causes, ALL)
    if not quiet:
        return [Interval(0.0, 0.0, 0.0, 0, "left out") for _ in columns]
    spans = [run.span_s for run in quiet]
    found = []
    for cause, down in zip(columns, _with_all([run.down_s for run in quiet]).T, strict=True):
        share = _share(down, np.array(spans), level)
        found.append(_raised(share, floor) if cause in (MISTAKEN, ALL) else share)
    return found


def _share(down_s: Floats, span_s: Floats, level: float) -> Interval:
    """The share of time down: the wider of the jackknife's interval and that of the rate alone.

    Few runs have any downtime, so that the jackknife alone would be too sure; the rate of those
    that have some is bounded exactly (Poisson).
    """
    hits = int(np.count_nonzero(down_s))
    if not hits:
        return Interval(0.0, 0.0, 0.0, len(down_s), "none seen")
    found = jackknife_interval(
        np.column_stack([down_s, span_s]), lambda s: s[..., 0] / s[..., 1], level
    )
    alone = scaled(rate_interval(hits, float(span_s.sum()), level), float(down_s.sum()) / hits)
    low, high = min(found.low, alone.low), max(found.high, alone.high)
    return Interval(found.value, max(0.0, low), high, len(down_s), found.method)


def _lost_by_mistake(quiet: Sequence[Run], causes: Sequence[str]) -> float:
    """Seconds down by false failovers."""
    if MISTAKEN not in causes:
        return sum(sum(run.down_s) for run in quiet)
    return sum(run.down_s[causes.index(MISTAKEN)] for run in quiet)


def _floor(singles: Mapping[str, Sequence[Run]], quiet: Sequence[Run], level: float) -> float:
    """What false failovers may cost although none was seen: their largest rate times their length.

    Each is taken to last as long as failovers after a fault do on average.
    """
    lengths = [
        (run.chance, length)
        for runs in singles.values()
        for run in runs
        for length in run.failovers_s
    ]
    if not lengths:
        return math.inf
    most = rate_interval(0, sum(run.span_s for run in quiet), level).high
    return most * sum(w * length for w, length in lengths) / sum(w for w, _ in lengths)


def _raised(interval: Interval, by: float) -> Interval:
    """The same with an upper bound that is so much higher."""
    found = interval
    return Interval(found.value, found.low, found.high + by, found.n, found.method, found.needed)
