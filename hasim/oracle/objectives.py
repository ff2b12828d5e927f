"""Numbers of one run that a hunt makes as bad as it can, and that statements may speak of."""

from __future__ import annotations

from collections.abc import Callable

from hasim.journal import Journal
from hasim.measures.facts import Facts, facts_of
from hasim.measures.primacy import dual_primary_ns
from hasim.model import SERVED
from hasim.settings.registry import Named
from hasim.truth import MessageRecord, WritesLost
from hasim.units import SECOND

Objective = Callable[[Journal, Facts], float]


def _longest_outage(journal: Journal, facts: Facts) -> float:
    """Seconds of the longest time that a partition (or a tier without state) was down."""
    return float(max((down.span.length_ns for down in facts.downs()), default=0)) / SECOND


def _downtime(journal: Journal, facts: Facts) -> float:
    """Seconds of all times that a partition was down, summed over the partitions."""
    return float(sum(down.span.length_ns for down in facts.downs())) / SECOND


def _lost(journal: Journal, facts: Facts) -> float:
    """Acknowledged writes that were lost."""
    return float(sum(row.writes for _, row in journal.of(WritesLost)))


def _dual(journal: Journal, facts: Facts) -> float:
    """Seconds with two primaries, summed over the partitions."""
    return float(sum(dual_primary_ns(facts).values())) / SECOND


def _failed(journal: Journal, facts: Facts) -> float:
    """Messages that were not answered."""
    messages = [message for _, message in journal.of(MessageRecord)]
    return float(sum(m.outcome not in (*SERVED, "in_flight") for m in messages))


def _mistakes(journal: Journal, facts: Facts) -> float:
    """Declarations of a healthy master."""
    every = (d for one in facts.verdicts.values() for d in one.declarations)
    return float(sum(facts.is_mistake(declaration) for declaration in every))


OBJECTIVES: Named[Objective] = Named(
    "an objective",
    {
        "outage.max": _longest_outage,
        "downtime": _downtime,
        "lost-writes": _lost,
        "dual-primary": _dual,
        "failed-messages": _failed,
        "mistakes": _mistakes,
    },
)
"""By name: greater is worse."""


SECONDS = ("outage.max", "downtime", "dual-primary")


def shown(name: str, number: float) -> str:
    """A number of an objective as users read it."""
    return f"{number:g} s" if name in SECONDS else f"{number:g}"


def value(name: str, journal: Journal) -> float:
    """What an objective comes to in a run. KeyError for an unknown one."""
    own: Objective = OBJECTIVES.known[name]
    return own(journal, facts_of(journal))
