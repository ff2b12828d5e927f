"""What must hold in every run, checked on its journal (ARCHITECTURE.md, "Invariants")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hasim import sketch
from hasim.events import FailoverChanged, OwnerChanged
from hasim.journal import Journal, to_line
from hasim.measures.courses import TERMINAL
from hasim.measures.facts import Facts, facts_of
from hasim.measures.primacy import dual_primaries, overdue, wrongly_fenced
from hasim.model import SERVED
from hasim.truth import (
    AttemptRollup,
    BlockSketch,
    LatencySketch,
    LoadBlock,
    MessageRecord,
    TrafficRollup,
    WritesHeld,
    WritesLost,
)
from hasim.units import SECOND

Lifecycle = Mapping[str, Mapping[str, str]]
BUCKET_NS = 10 * SECOND


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken invariant: its number, when (nanoseconds), whose, and what was found."""

    invariant: int
    t_ns: int
    subject: str
    text: str


def check(journal: Journal, lifecycle: Lifecycle | None = None) -> list[Violation]:
    """Every violation that the journal shows, by invariant, then time.

    1. No two masters accept writes for a partition where the fencing mode forbids it, nor for
       long after all of them are declared healthy; its epoch grows with each owner that an
       observer gives it; no healthy owner that serves is powered off unless an operator said so.
    2. Messages and acknowledged writes are conserved.
    3. Time never runs back, and every failover of every observer keeps to the lifecycle.

    `lifecycle` is the table ``{state: {trigger: state}}``; the failover service's own
    by default.
    """
    if lifecycle is None:
        from hasim.services.failover.lifecycle import LIFECYCLE

        lifecycle = LIFECYCLE
    if journal.tiers:
        own = [v for tier in journal.tiers for v in check(journal.of_tier(tier), lifecycle)]
        return sorted({*own, *_monotone(journal)}, key=lambda v: (v.invariant, v.t_ns, v.subject))
    every = [facts_of(journal, observer) for observer in journal.observers]
    facts = every[0]
    found = [
        *_one_primary(facts),
        *(violation for one in every for violation in _epochs(one)),
        *(violation for one in every for violation in _wrongly_fenced(one)),
        *_messages(facts),
        *_blocks(facts),
        *_single_messages(facts),
        *_writes(facts),
        *_monotone(journal),
        *(violation for one in every for violation in _legal(one, lifecycle)),
    ]
    return sorted(found, key=lambda v: (v.invariant, v.t_ns, v.subject))


def difference(one: Journal, other: Journal) -> Violation | None:
    """Invariant 7: the first place where two journals that must be the same are not."""
    if one.header != other.header:
        keys = sorted(k for k in one.header if one.header[k] != other.header.get(k))
        return Violation(7, 0, "header", f"headers differ in {', '.join(keys) or 'their keys'}")
    for number, (left, right) in enumerate(zip(one.records, other.records, strict=False), 1):
        if left != right:
            return Violation(
                7, left.t_ns, f"record {number}", f"{to_line(left)} / {to_line(right)}"
            )
    if len(one.records) != len(other.records):
        text = f"{len(one.records)} records / {len(other.records)} records"
        return Violation(7, one.horizon_ns, "length", text)
    return None


def _one_primary(facts: Facts) -> Iterator[Violation]:
    for dual in dual_primaries(facts):
        who, for_ns = " and ".join(dual.masters), dual.span.length_ns
        if not dual.allowed:
            text = f"{who} accepted writes for {for_ns} ns"
            yield Violation(1, dual.span.start_ns, dual.partition, text)
        elif (span := overdue(facts, dual)) is not None:
            text = f"{who} accepted writes, declared healthy, for {span.length_ns} ns"
            yield Violation(1, span.start_ns, dual.partition, text)


def _wrongly_fenced(facts: Facts) -> Iterator[Violation]:
    for t_ns, fenced, partition in wrongly_fenced(facts):
        text = f"powered off while it was declared healthy and served {partition}"
        yield Violation(1, t_ns, fenced.master, text)


def _epochs(facts: Facts) -> Iterator[Violation]:
    latest: dict[str, int] = {}
    for t_ns, change in facts.records.of(OwnerChanged):
        before = latest.get(change.partition)
        if before is not None and change.epoch <= before:
            text = f"epoch {change.epoch} of {change.owner} follows epoch {before}"
            yield Violation(1, t_ns, change.partition, text)
        latest[change.partition] = change.epoch


def _messages(facts: Facts) -> Iterator[Violation]:
    """An answered message has one attempt that ended well, and one latency."""
    end_ns = facts.horizon_ns
    answered: Counter[str] = Counter()
    for _, row in facts.records.of(TrafficRollup):
        if min(row.messages, row.in_time, row.attempts) < 0 or row.in_time > row.messages:
            yield Violation(2, row.start_ns, row.klass, f"impossible counts: {row}")
        if row.outcome in SERVED:
            answered[row.klass] += row.messages
        elif row.in_time:
            yield Violation(2, row.start_ns, row.klass, f"in time but not answered: {row}")
    attempts = facts.records.of(AttemptRollup)
    ended_well = sum(row.attempts for _, row in attempts if row.cause in SERVED)
    if attempts and ended_well != answered.total():
        text = f"{answered.total()} answered messages, {ended_well} answered attempts"
        yield Violation(2, end_ns, "messages", text)
    sketches = facts.records.of(LatencySketch)
    timed: Counter[str] = Counter()
    for _, one in sketches:
        timed[one.klass] += sketch.count(one.cells)
    for klass in sorted(answered.keys() | timed.keys()) if sketches else ():
        if answered[klass] != timed[klass]:
            text = f"{answered[klass]} answered messages, {timed[klass]} latencies"
            yield Violation(2, end_ns, klass, text)


def _blocks(facts: Facts) -> Iterator[Violation]:
    """The load by blocks adds up to that of the run."""
    blocks = facts.records.of(LoadBlock)
    rows = facts.records.of(TrafficRollup)
    for name in ("messages", "in_time", "attempts") if blocks else ():
        whole = sum(getattr(row, name) for _, row in rows)
        parts = sum(getattr(block, name) for _, block in blocks)
        if whole != parts:
            yield Violation(2, facts.horizon_ns, name, f"{whole}, but {parts} in blocks of time")
    answered = sum(sketch.count(s.cells) for _, s in facts.records.of(LatencySketch))
    timed = sum(sketch.count(s.cells) for _, s in facts.records.of(BlockSketch))
    if blocks and timed != answered:
        text = f"{answered}, but {timed} in blocks of time"
        yield Violation(2, facts.horizon_ns, "latencies", text)


def _single_messages(facts: Facts) -> Iterator[Violation]:
    """Where single messages were kept, they are the ones that the rollups count."""
    singles = facts.records.of(MessageRecord)
    if not singles:
        return
    counted: Counter[tuple[int, str, str]] = Counter()
    for _, row in facts.records.of(TrafficRollup):
        counted[row.start_ns // BUCKET_NS, row.klass, row.outcome] += row.messages
    seen: Counter[int] = Counter()
    for _, message in singles:
        seen[message.message] += 1
        counted[message.arrived_ns // BUCKET_NS, message.klass, message.outcome] -= 1
    for (bucket, klass, outcome), excess in sorted(counted.items()):
        if excess:
            text = f"{outcome}: the rollups count {excess:+d} beside the single messages"
            yield Violation(2, bucket * BUCKET_NS, klass, text)
    for number, times in seen.items():
        if times > 1:
            yield Violation(2, facts.horizon_ns, f"message {number}", f"recorded {times} times")


def _writes(facts: Facts) -> Iterator[Violation]:
    """Acknowledged writes are in the owner's copy or counted as lost."""
    lost: Counter[str] = Counter()
    for t_ns, row in facts.records.of(WritesLost):
        lost[row.partition] += row.writes
        if min(row.writes, row.lost_bytes, row.since_ns) < 0:
            yield Violation(2, t_ns, row.partition, f"impossible counts: {row}")
    for t_ns, held in facts.records.of(WritesHeld):
        if held.acknowledged != held.held + lost[held.partition]:
            text = (
                f"{held.acknowledged} writes acknowledged, {held.held} held, "
                f"{lost[held.partition]} counted as lost"
            )
            yield Violation(2, t_ns, held.partition, text)


def _monotone(journal: Journal) -> Iterator[Violation]:
    last_ns = 0
    for number, record in enumerate(journal.records, 1):
        if record.t_ns < last_ns:
            text = f"time runs back from {last_ns} ns"
            yield Violation(3, record.t_ns, f"record {number}", text)
        last_ns = max(last_ns, record.t_ns)
    if last_ns > journal.horizon_ns:
        yield Violation(3, last_ns, "journal", "a record after the end of the run")


def _legal(facts: Facts, lifecycle: Lifecycle) -> Iterator[Violation]:
    """Each failover begins as declared, follows the table, and does nothing after its end."""
    for course in facts.courses:
        state = ""
        for t_ns, change in course.changes:
            problem = _problem(course.master, state, change, lifecycle)
            if problem:
                yield Violation(3, t_ns, f"failover {change.failover}", problem)
            state = change.new


def _problem(master: str, state: str, change: FailoverChanged, lifecycle: Lifecycle) -> str:
    step = f"{change.old!r} -> {change.new!r} on {change.trigger!r}"
    if change.master != master:
        return f"{step}: was of {master}, is of {change.master}"
    if change.old != state:
        return f"{step}, but its state was {state!r}"
    if state in TERMINAL:
        return f"{step}, after its end"
    if state == "" and change.new != "declared":
        return f"{step}: does not begin as declared"
    # How a failover begins need not stand in a table of its states.
    legal = lifecycle.get(state, {change.trigger: change.new} if state == "" else {})
    return "" if legal.get(change.trigger) == change.new else f"{step}: not in the lifecycle"
