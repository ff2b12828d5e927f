"""When a cell has been replicated often enough: fixed rounds, a precision, a cap.

A cell is looked at only when a round is complete, and always at the same numbers of
replications, so that what is decided does not depend on workers or on what
a folder held before. Looking after every replication would stop at lucky
moments; an event-free start would stop at once, with an interval of width zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hasim.measures.catalogue import find
from hasim.scenario.replications import Sequential

if TYPE_CHECKING:
    from hasim.measures import Measured
    from hasim.study.estimates.statistics import Interval
    from hasim.study.estimates.summary import Projection

ROUND = 10
"""Replications between two looks at a cell."""

Look = Callable[[int, str], "tuple[Interval, int | None]"]
"""(replications, measure) -> its 95 % interval from the first so many, and the events seen by
then; None if it needs none."""


@dataclass(frozen=True, slots=True)
class Stop:
    """How many replications a cell was given, and what ended it.

    `missing` says for a cell that was stopped by the cap which measures lack what.
    """

    replications: int
    by: Literal["precision", "cap"]
    missing: str = ""


def looks(rule: Sequential) -> Iterator[int]:
    """The numbers of replications at which a cell is looked at."""
    yield from range(rule.at_least, rule.at_most, ROUND)
    yield rule.at_most


def decide(rule: Sequential, replications: int, look: Look) -> Stop | None:
    """Whether a cell stops after so many replications; None if it goes on."""
    lacks = list(missing(rule, replications, look))
    if not lacks:
        return Stop(replications, "precision")
    return Stop(replications, "cap", "; ".join(lacks)) if replications >= rule.at_most else None


def missing(rule: Sequential, replications: int, look: Look) -> Iterator[str]:
    """What each measure lacks of the precision that it shall have, in words."""
    for measure, precision in rule.until.items():
        found, events = look(replications, measure)
        allowed = precision / (1 + precision)
        if events is not None and events < rule.events:
            yield f"{measure}: {events} of {rule.events} events seen"
        elif not (width := relative_half_width(found)) <= allowed:
            known = f"half-width {width:.2%}" if math.isfinite(width) else "no bounds yet"
            yield f"{measure}: {known}, {allowed:.2%} allowed"


def relative_half_width(found: Interval) -> float:
    """Half the width of an interval over its estimate; infinite without a bound or at zero."""
    width = found.high - found.low
    if not found.value or found.needed is not None or not math.isfinite(width):
        return math.inf
    return width / 2 / abs(found.value)


def look_at(runs: Sequence[Measured], projection: Projection, *, faults: bool) -> Look:
    """How a cell's replications are looked at; `faults` says whether its world has any.

    `runs` is the list that the replications are appended to, in their order.
    """
    from hasim.study.estimates.summary import interval

    def look(replications: int, measure: str) -> tuple[Interval, int | None]:
        first = runs[:replications]
        return interval(measure, first, projection), events(measure, first, faults=faults)

    return look


def events(measure: str, runs: Sequence[Measured], *, faults: bool) -> int | None:
    """The observed events that a measure rests on; None for one that needs none.

    Raises LookupError if there is no such measure.
    """
    rests_on = find(measure).rests_on
    if rests_on == "messages" and not faults:
        return None
    counts = {
        "incidents": sum(len(run.incidents) for run in runs),
        "failovers": sum(len(run.failovers) for run in runs),
        "mistakes": sum(len(run.mistakes) for run in runs),
    }
    # A mistake costs uptime and messages as well.
    return counts.get(rests_on, counts["incidents"] + counts["mistakes"])
