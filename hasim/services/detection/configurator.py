"""From a wanted quality of service to the settings of Chen's detectors, and what these promise.

Wei Chen, Sam Toueg, Marcos Kawazoe Aguilera: On the quality of service of failure detectors, IEEE
ToC 51(5), May 2002: section 4 (the law of delays is known), 5 (only mean and variance are), 6 (the
clocks are not synchronised). Times are seconds, as floats; all is worked out, nothing is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Tail = Callable[[float], float]
"""The chance that a heartbeat which is not lost takes longer than this (seconds)."""
MOST_TERMS = 100
"""More heartbeats than this within the wanted detection time are not tried."""
GRID = 200
"""Intervals that are tried between two numbers of heartbeats, evenly and, as often, ever closer."""


class UnreachableError(ValueError):
    """No settings give the wanted quality of service."""


@dataclass(frozen=True)
class Wanted:
    """A quality of service (seconds): bounds of detection, of how often and how long it errs.

    Mistakes come at least `recurrence_s` apart in the mean and last at most `duration_s`. With
    NFD-E the detection time counts from the mean delay (T_D <= detection_s + E(D)).
    """

    detection_s: float
    recurrence_s: float
    duration_s: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be greater than zero, got {value}")


@dataclass(frozen=True)
class Network:
    """What heartbeats meet: the share that is lost, mean and deviation of the delay (seconds)."""

    loss: float
    mean_s: float
    deviation_s: float

    def __post_init__(self) -> None:
        if not 0 <= self.loss < 1:
            raise ValueError(f"loss must be at least 0 and below 1, got {self.loss}")
        if not (self.mean_s >= 0 and self.deviation_s >= 0):
            raise ValueError("mean and deviation of the delay must not be negative")


@dataclass(frozen=True)
class Configuration:
    """What to set: time between heartbeats, and what is added (NFD-S: delta, NFD-E: alpha)."""

    interval_s: float
    extra_s: float


@dataclass(frozen=True)
class Quality:
    """What NFD-S gives (theorem 5): mean times in seconds, and the share of time it is right."""

    detection_bound_s: float
    recurrence_s: float
    duration_s: float
    accuracy: float


def exponential_tail(mean_s: float) -> Tail:
    """The tail of an exponential law of delays."""

    def tail(x: float) -> float:
        return 1.0 if x < 0 else math.exp(-x / mean_s) if mean_s > 0 else 0.0

    return tail


def nfd_s(wanted: Wanted, loss: float, tail: Tail) -> Configuration:
    """NFD-S where the law of delays is known (section 4). Raises UnreachableError.

    The largest interval that keeps the bounds, and delta = T_D - interval.
    """
    reach = wanted.detection_s
    heard = (1 - loss) * (1 - tail(reach))

    def recurrence(eta: float) -> float:
        missed = math.prod(loss + (1 - loss) * tail(reach - j * eta) for j in _terms(reach, eta))
        return eta / (heard * missed) if heard * missed > 0 else math.inf

    longest = min(heard * wanted.duration_s, reach)
    eta = _largest(wanted, reach, longest, recurrence)
    return Configuration(eta, reach - eta)


def nfd_s_by_moments(wanted: Wanted, network: Network) -> Configuration:
    """NFD-S where only mean and variance of the delay are known (section 5).

    Raises UnreachableError.
    """
    reach = wanted.detection_s - network.mean_s
    eta = _by_moments(wanted, network, reach)
    return Configuration(eta, wanted.detection_s - eta)


def nfd_e(wanted: Wanted, network: Network) -> Configuration:
    """NFD-E: not even the mean delay need be known (section 6). Raises UnreachableError."""
    eta = _by_moments(wanted, network, wanted.detection_s)
    return Configuration(eta, wanted.detection_s - eta)


def quality(configuration: Configuration, loss: float, tail: Tail, steps: int = 20_000) -> Quality:
    """What NFD-S gives with these settings, by theorem 5; the integral in `steps` trapezia."""
    eta, delta = configuration.interval_s, configuration.extra_s
    later = range(math.ceil(delta / eta) + 1)

    def unheard(x: float) -> float:
        return math.prod(loss + (1 - loss) * tail(delta + x - j * eta) for j in later)

    begins = (1 - loss) * (1 - tail(delta + eta)) * unheard(0.0)
    inner = math.fsum(unheard(eta * step / steps) for step in range(1, steps))
    area = eta / steps * (inner + (unheard(0.0) + unheard(eta)) / 2)
    never = begins <= 0
    return Quality(
        eta + delta,
        math.inf if never else eta / begins,
        0.0 if never else area / begins,
        1 - area / eta,
    )


# -- the search -------------------------------------------------------------------------


def _by_moments(wanted: Wanted, network: Network, reach: float) -> float:
    """The interval by Cantelli's inequality: P(D > t) <= V / (V + (t - E)^2), with t - E = reach.

    Theorems 9 and 12.
    """
    if reach <= 0:
        raise UnreachableError("the mean delay alone is longer than the wanted detection time")
    loss, variance = network.loss, network.deviation_s**2

    def recurrence(eta: float) -> float:
        left = ((reach - j * eta) ** 2 for j in _terms(reach, eta))
        bounds = ((variance + square, variance + loss * square) for square in left)
        shares = [above / below if below > 0 else math.inf for above, below in bounds]
        return eta * math.prod(shares)

    heard = (1 - loss) * reach**2 / (variance + reach**2)
    longest = min(heard * wanted.duration_s, reach)
    return _largest(wanted, reach, longest, recurrence)


def _terms(reach: float, eta: float) -> range:
    """The heartbeats that may yet come in time, beside the first."""
    return range(1, math.ceil(reach / eta))


def _largest(
    wanted: Wanted, reach: float, longest: float, recurrence: Callable[[float], float]
) -> float:
    """The largest interval up to `longest` whose recurrence is at least the wanted one."""
    above = longest
    for eta in _tried(reach, longest):
        if recurrence(eta) >= wanted.recurrence_s:
            return _between(eta, above, lambda x: recurrence(x) >= wanted.recurrence_s)
        above = eta
    raise UnreachableError(
        f"no interval gives it, even with {MOST_TERMS} heartbeats in the wanted detection time"
    )


def _tried(reach: float, longest: float) -> Iterator[float]:
    """Intervals from the longest down: between reach / (m + 1) and reach / m for each m.

    The recurrence jumps up just below each of those, as one more heartbeat may come in time, so
    half of the tries come close to it.
    """
    if longest <= 0:
        return
    for m in range(1, MOST_TERMS + 1):
        low, high = reach / (m + 1), min(reach / m, longest)
        if high <= low:
            continue
        steps = [10.0 ** (-12 + 12 * i / GRID) for i in range(GRID)]
        shares = sorted({0.0, *steps, *(i / GRID for i in range(GRID))})
        yield from (high - share * (high - low) for share in shares)


def _between(good: float, bad: float, holds: Callable[[float], bool]) -> float:
    """The largest value that holds between one that does and a larger one that may not."""
    if holds(bad):
        return bad
    for _ in range(80):
        middle = (good + bad) / 2
        if holds(middle):
            good = middle
        else:
            bad = middle
    return good
