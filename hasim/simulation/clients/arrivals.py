"""When messages arrive: at a constant rate, as a Poisson process, by a rate curve, as recorded.

Each way says how many there are at most (`limit`), and yields sorted times in [0, horizon), in
whole nanoseconds, so many at a time; fewer only at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hasim.simulation.laws import exponential
from hasim.simulation.settings.traffic import ConstantArrivals, CurveArrivals, PoissonArrivals
from hasim.units import SECOND

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Take = Callable[[int, int], Floats]
"""Gives uniforms in [0, 1): those from a number on, so many."""
MOST_MEANS = 37
"""No exponential value that is drawn has so many means: uniforms end 2**-53 before 1."""


class Arrivals(Protocol):
    """One replication's arrivals."""

    limit: int

    def times(self, size: int) -> Iterator[Ints]:
        """Sorted arrival times, so many at a time."""
        ...


def expected(law: ConstantArrivals | CurveArrivals | PoissonArrivals, horizon_ns: int) -> float:
    """The mean number of messages of a run."""
    if isinstance(law, CurveArrivals):
        return Curve(law).messages_until(horizon_ns)
    return law.rate_per_s * horizon_ns / SECOND


def most(expected: float) -> int:
    """Ten standard deviations more than expected of a Poisson number: enough for ever."""
    return int(expected + 10 * expected**0.5 + 100)


class Evenly:
    """At a constant rate, all gaps alike; the first comes at random within one gap."""

    def __init__(self, law: ConstantArrivals, horizon_ns: int, take: Take) -> None:
        self._gap_ns = SECOND / law.rate_per_s
        self._first = float(take(0, 1)[0])
        self._horizon_ns = horizon_ns
        self.limit = math.ceil(horizon_ns / self._gap_ns) + 1

    def times(self, size: int) -> Iterator[Ints]:
        """Number k (from 0) comes at (k + u) x gap."""
        for first in range(0, self.limit, size):
            places = np.arange(first, min(first + size, self.limit)) + self._first
            yield from within(np.rint(places * self._gap_ns), self._horizon_ns)


class Poisson:
    """A Poisson process."""

    def __init__(self, law: PoissonArrivals, horizon_ns: int, take: Take) -> None:
        self._mean_ns = SECOND / law.rate_per_s
        self._horizon_ns, self._take = horizon_ns, take
        self.limit = most(horizon_ns / self._mean_ns)

    def times(self, size: int) -> Iterator[Ints]:
        """The sums of exponential gaps, each a whole number of nanoseconds."""
        last, fits = 0, self._horizon_ns + size * MOST_MEANS * self._mean_ns < 2**63
        for first in range(0, self.limit, size):
            draws = self._take(first, min(size, self.limit - first))
            gaps = exponential(draws, self._mean_ns)
            if not fits:
                np.minimum(gaps, self._horizon_ns, out=gaps)
            times = np.rint(gaps, out=gaps).astype(np.int64)
            times[0] += last
            times = times.cumsum()
            if times[-1] >= self._horizon_ns or not fits:
                # What comes after the first that is beyond may be beyond 64 bits, too.
                beyond = times >= self._horizon_ns
                if beyond.any():
                    yield times[: int(beyond.argmax())]
                    return
            last = times[-1]
            yield times


class Curve:
    """A rate that is linear between its points, over and over again."""

    def __init__(self, law: CurveArrivals) -> None:
        rates = np.array([*law.rates_per_s, law.rates_per_s[0]]) / SECOND
        self._step_ns = law.period_ns / len(law.rates_per_s)
        self._period_ns, self._starts_ns = law.period_ns, law.starts_ns
        self._low, self._slope = rates[:-1], np.diff(rates) / self._step_ns
        self._before = np.append(0.0, np.cumsum((rates[:-1] + rates[1:]) / 2 * self._step_ns))

    def messages_until(self, time_ns: int) -> float:
        """The mean number of messages before a time of the run."""
        return self._total(self._starts_ns + time_ns) - self._total(self._starts_ns)

    def times_of(self, messages: Floats) -> Floats:
        """The inverse of `messages_until`: nanoseconds, shape as given."""
        of_period = self._before[-1]
        wanted = messages + self._total(self._starts_ns)
        periods = np.floor(wanted / of_period)
        rest = np.minimum(wanted - periods * of_period, of_period)
        place = np.clip(
            np.searchsorted(self._before, rest, side="right") - 1, 0, len(self._low) - 1
        )
        part = rest - self._before[place]
        low, slope = self._low[place], self._slope[place]
        # low x t + slope x t^2 / 2 = part, in the form that is exact for a slope of nothing.
        root = np.sqrt(np.maximum(low**2 + 2 * slope * part, 0.0))
        within_ns = np.minimum(2 * part / (low + root), self._step_ns)
        found: Floats = (
            periods * self._period_ns + place * self._step_ns + within_ns - self._starts_ns
        )
        return found

    def _total(self, time_ns: int) -> float:
        periods, rest = divmod(time_ns, self._period_ns)
        place = min(int(rest / self._step_ns), len(self._low) - 1)
        part = rest - place * self._step_ns
        own = self._low[place] * part + self._slope[place] * part**2 / 2
        return float(periods * self._before[-1] + self._before[place] + own)


class ByCurve:
    """A Poisson process whose rate follows a curve (Cinlar's method: time by expected messages)."""

    def __init__(self, law: CurveArrivals, horizon_ns: int, take: Take) -> None:
        self._curve = Curve(law)
        self._horizon_ns, self._take = horizon_ns, take
        self.limit = most(self._curve.messages_until(horizon_ns))

    def times(self, size: int) -> Iterator[Ints]:
        """Arrivals of a process of rate 1, each where the curve expects so many messages."""
        last = 0.0
        for first in range(0, self.limit, size):
            gaps = exponential(self._take(first, min(size, self.limit - first)), 1.0)
            gaps[0] += last
            messages = gaps.cumsum()
            last = float(messages[-1])
            times = np.rint(self._curve.times_of(messages))
            yield from within(times, self._horizon_ns)
            if times[-1] >= self._horizon_ns:
                return


class Given:
    """Arrivals that are known, shape (n,); or none at all."""

    def __init__(self, times_ns: Ints, limit: int | None = None) -> None:
        self._times_ns = times_ns
        self.limit = len(times_ns) if limit is None else limit

    def times(self, size: int) -> Iterator[Ints]:
        """They as they are."""
        for first in range(0, len(self._times_ns), size):
            yield self._times_ns[first : first + size]


def within(times: Floats, horizon_ns: int) -> Iterator[Ints]:
    """Those before the end of the run, if there are any."""
    kept = times[times < horizon_ns]
    if len(kept):
        yield kept.astype(np.int64)
