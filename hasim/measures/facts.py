"""Truth and observation side by side: what all measures of one run start from.

An *episode* is the maximal overlap of impairing faults on one master (an incident in
ARCHITECTURE.md, "What is measured"). Each declaration and each failover is traced to the
episode that caused it, or to none: then it is a mistake.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hasim.journal import Journal
from hasim.measures.courses import Course, courses
from hasim.measures.declarations import Declaration, Verdicts, verdicts
from hasim.measures.faults import FaultSpan, FencedSpan, fault_spans, fenced_spans
from hasim.measures.records import Records, grouped
from hasim.measures.serving import TIER, Down, Serving, servings, tier_serving
from hasim.measures.spans import Span, union


@dataclass(frozen=True, slots=True)
class Episode:
    """Impairing faults on one master without a gap between them."""

    number: int
    master: str
    span: Span
    cured: bool
    faults: tuple[FaultSpan, ...]

    def cause_at(self, t_ns: int) -> FaultSpan:
        """The earliest fault that is still active at a moment; the earliest of all if none is."""
        active = (f for f in self.faults if f.span.holds(t_ns))
        return next(active, self.faults[0])


@dataclass
class Facts:
    """The folds of one journal."""

    records: Records
    faults: list[FaultSpan]
    fenced: list[FencedSpan]
    verdicts: dict[str, Verdicts]
    servings: dict[str, Serving]
    """By partition; of a tier without state that of `TIER` alone."""
    courses: list[Course]
    episodes: list[Episode]
    declaration_of: dict[int, Declaration] = field(default_factory=dict)
    """By number of failover: the declaration that started it."""
    retries: frozenset[int] = frozenset()
    """Failovers that only try again what an earlier one of the same declaration could not."""

    @property
    def horizon_ns(self) -> int:
        """Length of the run."""
        return self.records.horizon_ns

    # By master or partition, so that what is asked of each of them does not walk all.

    @functools.cached_property
    def episodes_of(self) -> Mapping[str, Sequence[Episode]]:
        """The episodes of each master, in order."""
        return grouped((episode.master, episode) for episode in self.episodes)

    @functools.cached_property
    def faults_of(self) -> Mapping[str, Sequence[FaultSpan]]:
        """The faults on each master, in order."""
        return grouped((fault.master, fault) for fault in self.faults)

    @functools.cached_property
    def fenced_of(self) -> Mapping[str, Sequence[FencedSpan]]:
        """The times that each master was off because it had been fenced, in order."""
        return grouped((fenced.master, fenced) for fenced in self.fenced)

    @functools.cached_property
    def courses_with(self) -> Mapping[str, Sequence[Course]]:
        """The failovers that moved each partition, in order."""
        return grouped((p, course) for course in self.courses for p in course.partitions)

    @functools.cached_property
    def _started_by(self) -> Mapping[int, Sequence[Course]]:
        """The failovers that each declaration started, by its identity."""
        of = ((self.declaration_of.get(course.failover), course) for course in self.courses)
        return grouped((id(declaration), course) for declaration, course in of if declaration)

    def episode_of(self, declaration: Declaration) -> Episode | None:
        """The episode that a declaration speaks of; just after its cure counts (late)."""
        window_ns = self.records.late_window_ns
        spoken_of = [
            e
            for e in self.episodes_of[declaration.master]
            if e.span.start_ns <= declaration.t_ns <= e.span.end_ns + window_ns
        ]
        return spoken_of[-1] if spoken_of else None

    def is_mistake(self, declaration: Declaration) -> bool:
        """Whether the master was healthy; one that is off because it was fenced is not."""
        window_ns = self.records.late_window_ns
        off = any(
            f.span.start_ns <= declaration.t_ns <= f.span.end_ns + window_ns
            for f in self.fenced_of[declaration.master]
        )
        return not off and self.episode_of(declaration) is None

    def courses_of(self, declaration: Declaration) -> Sequence[Course]:
        """The failovers that a declaration started."""
        return self._started_by[id(declaration)]

    def episode_of_course(self, course: Course) -> Episode | None:
        """The episode that a failover answers to."""
        declaration = self.declaration_of.get(course.failover)
        return None if declaration is None else self.episode_of(declaration)

    def is_mistaken(self, course: Course) -> bool:
        """Whether a mistaken declaration started the failover."""
        declaration = self.declaration_of.get(course.failover)
        return declaration is not None and self.is_mistake(declaration)

    def downs(self) -> list[Down]:
        """Every time that a partition (or the tier) was down, by partition and start."""
        return [down for serving in self.servings.values() for down in serving.down]


def facts_of(journal: Journal, observer: str | None = None) -> Facts:
    """Fold a journal, as one observer saw it (None: the first that it names)."""
    records = Records(journal, observer)
    faults = fault_spans(records)
    facts = Facts(
        records=records,
        faults=faults,
        fenced=fenced_spans(records),
        verdicts=verdicts(records),
        servings=servings(records) if records.partitions else {TIER: tier_serving(records)},
        courses=courses(records),
        episodes=episodes([f for f in faults if f.impairing]),
    )
    _trace_failovers(facts)
    return facts


def episodes(faults: list[FaultSpan]) -> list[Episode]:
    """Merge impairing faults master by master; numbered by start, then master."""
    found: list[tuple[Span, str, tuple[FaultSpan, ...]]] = []
    for master, own in sorted(grouped((f.master, f) for f in faults).items()):
        for span in union(f.span for f in own):
            members = tuple(
                f for f in own if span.start_ns <= f.span.start_ns and f.span.end_ns <= span.end_ns
            )
            found.append((span, master, members))
    found.sort(key=lambda item: item[:2])
    return [
        Episode(number, master, span, _cured(span, members), members)
        for number, (span, master, members) in enumerate(found, 1)
    ]


def _cured(span: Span, faults: tuple[FaultSpan, ...]) -> bool:
    return all(f.cured for f in faults if f.span.end_ns == span.end_ns)


def _trace_failovers(facts: Facts) -> None:
    """Give each failover the latest declaration of its master that precedes it."""
    seen: set[tuple[str, int]] = set()
    retries = set()
    for course in facts.courses:
        if course.planned:
            continue
        one = facts.verdicts.get(course.master)
        made = [d for d in one.declarations if d.t_ns <= course.declared_ns] if one else []
        if not made:
            continue
        facts.declaration_of[course.failover] = made[-1]
        key = (course.master, made[-1].t_ns)
        if key in seen:
            retries.add(course.failover)
        seen.add(key)
    facts.retries = frozenset(retries)
