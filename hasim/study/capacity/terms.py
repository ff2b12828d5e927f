"""What a load shall keep to be carried, and how sure that shall be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hasim.measures.catalogue import find
from hasim.scenario.expectations import Expectation
from hasim.study.advising.terms import AdviceError, limit_of
from hasim.units import HOUR, MINUTE

DEFAULT = "success >= 99.9%"
"""What shall hold if neither the user nor the scenario says anything of load."""
LOOKS = 3
"""The first look at a load, and four times as much work twice."""
GROWTH = 4
MOST_LOADS = 32
"""Loads that a border is looked for with; the error is shared by as many."""
LONGEST = 10 * MINUTE
"""The horizon is no longer unless it is asked for: what counts is steady by then."""
REPLICATIONS = 20
"""Paired replications in which an overload does, or does not, outlive its cause."""


@dataclass(frozen=True)
class CapacityTerms:
    """What is looked for, and the errors that may be made on the way.

    `error` is the probability, for each row of the result, that one of its loads was taken to keep
    the limits or to break one and does not. A border is narrowed down to a ratio of 1 + `within`.
    """

    limits: tuple[Expectation, ...]
    horizon_ns: int
    within: float = 0.02
    error: float = 0.05
    first: int = 10
    """Replications at the first look at a load."""

    @property
    def measures(self) -> tuple[str, ...]:
        """What is limited."""
        return tuple(dict.fromkeys(limit.measure for limit in self.limits))

    @property
    def share_of_error(self) -> float:
        """The error that one look at one limit at one load may make."""
        return self.error / (MOST_LOADS * LOOKS * len(self.limits))

    @property
    def long_ns(self) -> int:
        """The horizon of runs that show whether an overload outlives its cause."""
        return max(HOUR, self.horizon_ns)


def capacity_terms(
    limits: Sequence[str],
    expected: Sequence[Expectation],
    horizon_ns: int,
    *,
    within: float = 0.02,
    first: int = 10,
) -> CapacityTerms:
    """The terms as a user writes them; without limits those that the scenario expects of load.

    If it expects nothing of load, `DEFAULT`. Raises AdviceError.
    """
    if not 0.001 <= within <= 0.5:
        raise AdviceError(f"--within: expected a share from 0.1% to 50%, got {within:g}")
    if first < 2:
        raise AdviceError(f"--replications: expected 2 or more, got {first}")
    if horizon_ns < MINUTE:
        raise AdviceError("--horizon: expected a minute or more")
    read = tuple(limit_of(text) for text in limits)
    for limit in read:
        if not of_load(limit.measure):
            raise AdviceError(
                f"--for {limit.measure}: is no measure of load that is better or worse; expected "
                "success, latency.p99, response.p99 and their like"
            )
    if not read:
        read = tuple(one for one in expected if of_load(one.measure)) or (limit_of(DEFAULT),)
    return CapacityTerms(read, horizon_ns, within, first=first)


def of_load(measure: str) -> bool:
    """Whether a measure says how well a load is carried."""
    about = find(measure)
    return measure == "success" or (about.load and not about.neutral)
