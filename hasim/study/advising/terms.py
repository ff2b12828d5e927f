"""What an advice shall reach, and how sure it shall be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hasim.measures.catalogue import MEASURES, find
from hasim.measures.catalogue.estimators import ProjectedUptime
from hasim.scenario.expectations import Expectation
from hasim.settings.validation import nearest

_LIMIT = re.compile(r"\s*([a-z][a-z0-9_.]*)\s*((?:<=|>=|<|>).*)")
MINIMISED = "outage.p99"
"""What is made as small as can be unless something else is asked for."""


class AdviceError(ValueError):
    """What is asked for cannot be advised on; the message says what was expected."""


@dataclass(frozen=True)
class Terms:
    """What is wanted of a setting, and the errors that may be made on the way to it.

    `error` is the probability, over all cells and looks, of recommending a setting that breaks a
    limit or is worse than the best one by more than the `indifference` (a ratio). Half of it is for
    the limits, half for the race.
    """

    objective: str
    limits: tuple[Expectation, ...] = ()
    indifference: float = 0.05
    error: float = 0.05
    first: int = 20
    """Replications at the first look at the limits."""
    most: int = 20 * 4**4
    """Replications of a cell that are never exceeded."""

    @property
    def measures(self) -> tuple[str, ...]:
        """Everything that is looked at, the objective first."""
        return tuple(dict.fromkeys((self.objective, *(limit.measure for limit in self.limits))))


def terms_of(
    minimise: str,
    limits: Sequence[str],
    *,
    indifference: float = 0.05,
    first: int = 20,
    most: int | None = None,
) -> Terms:
    """The terms as a user writes them: ``outage.p99``, ``outage.p99 < 10s``. Raises AdviceError."""
    about = MEASURES.get(minimise)
    if about is None:
        raise AdviceError(f"--minimise {minimise}: no such measure{nearest(minimise, MEASURES)}")
    if about.neutral or isinstance(about.estimator, ProjectedUptime):
        raise AdviceError(f"--minimise {minimise}: no value of it is better than another")
    if not 0 < indifference < 1:
        raise AdviceError(f"--indifference: expected a share such as 5%, got {indifference:g}")
    if first < 2:
        raise AdviceError(f"--replications: expected 2 or more, got {first}")
    read = tuple(limit_of(text) for text in limits)
    twice = [one.measure for place, one in enumerate(read) if one in read[:place]]
    if twice:
        raise AdviceError(f"--for {twice[0]}: the same limit is given twice")
    most = first * 4**4 if most is None else most
    if most < first:
        raise AdviceError(f"--at-most: expected {first} replications or more, got {most}")
    return Terms(minimise, read, indifference, first=first, most=most)


def limit_of(text: str) -> Expectation:
    """``failovers.needless < 1/y``. Raises AdviceError."""
    match = _LIMIT.fullmatch(text)
    if match is None:
        raise AdviceError(f"--for {text!r}: expected a limit such as 'outage.p99 < 10s'")
    measure, bound = match.groups()
    if measure not in MEASURES:
        raise AdviceError(f"--for {text!r}: no such measure{nearest(measure, MEASURES)}")
    if find(measure).needs_projection:
        raise AdviceError(f"--for {text!r}: it is a projection, and has no replications to race")
    try:
        return Expectation.parse(measure, bound)
    except ValueError as error:
        raise AdviceError(f"--for {text!r}: {error}") from None
