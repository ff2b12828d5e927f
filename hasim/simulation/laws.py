"""Probability laws: settings, and the inverse of each distribution function.

Every draw is `law.quantile(u)` of a uniform u in [0, 1), so that one stream of
uniforms serves every law and algorithms under test share their randomness
(common random numbers).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from hasim.settings import Choice, duration, factor, settings
from hasim.units import LONGEST_SETTING_NS

Floats = NDArray[np.float64]


def whole_ns(law: Law | Samples, u: Floats) -> Floats:
    """What a law draws in whole nanoseconds, in the shape of `u`; all drawing rounds here.

    No draw is longer than a setting may be, which no run outlasts: times fit in 64 bits.
    """
    values = law.quantile(u)
    np.minimum(values, LONGEST_SETTING_NS, out=values)
    return np.rint(values, out=values)


def exponential(u: Floats, mean: float) -> Floats:
    """Exponential values with this mean, in its unit and in the shape of `u`."""
    values = np.negative(u)
    np.log1p(values, out=values)  # in place, since there is one for every message
    values *= -mean
    return values


@settings
class Constant:
    """Always the mean."""

    law: Literal["constant"] = "constant"
    mean_ns: Annotated[int, duration("The value.")]

    def quantile(self, u: Floats) -> Floats:
        """Nanoseconds, in the shape of `u`."""
        return np.full(u.shape, float(self.mean_ns))


@settings
class Uniform:
    """Uniform between two durations."""

    law: Literal["uniform"] = "uniform"
    low_ns: Annotated[int, duration("The smallest value.")]
    high_ns: Annotated[int, duration("The largest value.")]

    @property
    def mean_ns(self) -> int:
        """Mean in nanoseconds."""
        return (self.low_ns + self.high_ns) // 2

    def quantile(self, u: Floats) -> Floats:
        """Nanoseconds, in the shape of `u`."""
        return self.low_ns + u * (self.high_ns - self.low_ns)


@settings
class Exponential:
    """Exponential: memoryless, coefficient of variation 1."""

    law: Literal["exponential"] = "exponential"
    mean_ns: Annotated[int, duration("The mean.", above=0)]

    def quantile(self, u: Floats) -> Floats:
        """Nanoseconds, in the shape of `u`."""
        return exponential(u, self.mean_ns)


@settings
class Lognormal:
    """Lognormal, given by its mean and its coefficient of variation."""

    law: Literal["lognormal"] = "lognormal"
    mean_ns: Annotated[int, duration("The mean.", above=0)]
    cv: Annotated[float, factor("Coefficient of variation: standard deviation over mean.")] = 1.0

    def quantile(self, u: Floats) -> Floats:
        """Nanoseconds, in the shape of `u`: sigma^2 = ln(1 + cv^2), mu = ln mean - sigma^2/2."""
        from scipy.special import ndtri

        variance = math.log1p(self.cv**2)
        mu = math.log(self.mean_ns) - variance / 2
        # ndtri(0) is -inf: exp gives 0, a legal (and practically unseen) draw.
        values: Floats = np.exp(mu + math.sqrt(variance) * ndtri(u))
        return values


@settings
class Weibull:
    """Weibull, given by its mean and its shape (below 1: infant mortality, above 1: wear-out)."""

    law: Literal["weibull"] = "weibull"
    mean_ns: Annotated[int, duration("The mean.", above=0)]
    shape: Annotated[float, factor("The shape parameter k.", above=None, least=0.01)] = 1.0

    def quantile(self, u: Floats) -> Floats:
        """Nanoseconds, in the shape of `u`: scale = mean / Gamma(1 + 1/k)."""
        scale = self.mean_ns / math.gamma(1 + 1 / self.shape)
        return scale * (-np.log1p(-u)) ** (1 / self.shape)


Law = Constant | Uniform | Exponential | Lognormal | Weibull


@dataclass(frozen=True, eq=False)
class Samples:
    """Recorded values, each as likely as any other; they are sorted, shape (n,)."""

    values_ns: Floats

    @functools.cached_property
    def mean_ns(self) -> float:
        """Mean in nanoseconds."""
        return float(self.values_ns.mean())

    def quantile(self, u: Floats) -> Floats:
        """Nanoseconds, in the shape of `u`: the inverse of the empirical distribution function."""
        found: Floats = self.values_ns[(u * len(self.values_ns)).astype(np.int64)]
        return found


def least_ns(law: Law) -> float:
    """The shortest duration of a law that is bounded from below, else its mean (nanoseconds)."""
    return law.low_ns if isinstance(law, Uniform) else law.mean_ns


def longest_ns(law: Law) -> int:
    """A duration (nanoseconds) that one in ten thousand exceeds; the longest, if there is one."""
    if isinstance(law, Constant):
        return law.mean_ns
    return math.ceil(float(law.quantile(np.array([1 - 1e-4]))[0]))


DurationLaw = Annotated[Law, Choice(tag="law", text=Constant, text_field="mean")]
"""``3m``, or a mapping such as ``{law: exponential, mean: 10m}``."""
