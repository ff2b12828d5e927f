"""Messages are conserved: whatever was offered was answered, has failed, or is in flight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from hasim import sketch
from hasim.measures.facts import Facts
from hasim.model import SERVED, Cause
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.truth import (
    AttemptRollup,
    BlockSketch,
    LatencySketch,
    LoadBlock,
    MessageRecord,
    TrafficRollup,
)
from hasim.units import SECOND

BUCKET_NS = 10 * SECOND
SERVED_NAMES = frozenset(cause.value for cause in SERVED)


def _find(case: Case) -> Iterator[Found]:
    yield from _totals(case.facts)
    yield from _blocks(case.facts)
    yield from _single_messages(case.facts)


def _totals(facts: Facts) -> Iterator[Found]:
    """An answered message has one attempt that ended well, and one latency."""
    end_ns = facts.horizon_ns
    answered: Counter[str] = Counter()
    for _, row in facts.records.of(TrafficRollup):
        if min(row.messages, row.in_time, row.attempts) < 0 or row.in_time > row.messages:
            yield Found(row.start_ns, row.klass, f"impossible counts: {row}")
        if row.outcome in SERVED:
            answered[row.klass] += row.messages
        elif row.in_time:
            yield Found(row.start_ns, row.klass, f"in time but not answered: {row}")
    attempts = facts.records.of(AttemptRollup)
    ended_well = sum(row.attempts for _, row in attempts if row.cause in SERVED)
    if attempts and ended_well != answered.total():
        text = f"{answered.total()} answered messages, {ended_well} answered attempts"
        yield Found(end_ns, "messages", text)
    sketches = facts.records.of(LatencySketch)
    timed: Counter[str] = Counter()
    for _, one in sketches:
        timed[one.klass] += sketch.count(one.cells)
    for klass in sorted(answered.keys() | timed.keys()) if sketches else ():
        if answered[klass] != timed[klass]:
            text = f"{answered[klass]} answered messages, {timed[klass]} latencies"
            yield Found(end_ns, klass, text)


def _blocks(facts: Facts) -> Iterator[Found]:
    """The load by blocks adds up to that of the run."""
    blocks = facts.records.of(LoadBlock)
    rows = facts.records.of(TrafficRollup)
    for name in ("messages", "in_time", "attempts") if blocks else ():
        whole = sum(getattr(row, name) for _, row in rows)
        parts = sum(getattr(block, name) for _, block in blocks)
        if whole != parts:
            yield Found(facts.horizon_ns, name, f"{whole}, but {parts} in blocks of time")
    answered = sum(sketch.count(s.cells) for _, s in facts.records.of(LatencySketch))
    timed = sum(sketch.count(s.cells) for _, s in facts.records.of(BlockSketch))
    if blocks and timed != answered:
        text = f"{answered}, but {timed} in blocks of time"
        yield Found(facts.horizon_ns, "latencies", text)


def _single_messages(facts: Facts) -> Iterator[Found]:
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
            yield Found(bucket * BUCKET_NS, klass, text)
    for number, times in seen.items():
        if times > 1:
            yield Found(facts.horizon_ns, f"message {number}", f"recorded {times} times")


def _bounded(case: Case) -> Iterator[Found]:
    asked = case.journal.header.get("requests")
    if asked is None:
        return
    # `attempts` bounds first attempts and retries; each of them may have a second one beside it.
    most = asked["attempts"] * (2 if asked["hedged"] else 1)
    total = first = 0
    for _, row in case.facts.records.of(TrafficRollup):
        total, first = total + row.attempts, first + row.messages
        if row.attempts > most * row.messages:
            text = f"{row.attempts} attempts for {row.messages} messages, {most} each at most"
            yield Found(row.start_ns, row.klass, text)
    for _, message in case.facts.records.of(MessageRecord):
        if message.attempts > most:
            text = f"{message.attempts} attempts, {most} at most"
            yield Found(message.arrived_ns, f"message {message.message}", text)
    allowed = _beside_first(asked, first, len(case.journal.header["cluster"]["gateways"]))
    if allowed is not None and total > first + allowed + 1e-6 * first:
        text = f"{total - first} retries and hedges of {first} messages, {allowed:g} at most"
        yield Found(case.horizon_ns, "retries", text)


def _beside_first(asked: Mapping[str, Any], first: int, gateways: int) -> float | None:
    """So many attempts the budgets allow beside so many first ones; None: any number."""
    if asked["attempts"] > 1 and asked["budget"] is None:
        return None
    allowed: float = first * (asked["budget"] or 0.0) + asked["reserve"] * gateways
    if asked["attempts"] == 1:
        allowed = 0.0
    if asked["hedged"]:
        if "hedges" not in asked:
            return None  # an older journal does not say it
        allowed += first * asked["hedges"]["budget"] + asked["hedges"]["reserve"] * gateways
    return allowed


def _twins(case: Case) -> Iterator[Found]:
    """Of two attempts beside each other one was answered: the other is cancelled elsewhere.

    So at no master more are cancelled than messages with several attempts were answered at all
    others.
    """
    cancelled: Counter[str] = Counter()
    for _, row in case.facts.records.of(AttemptRollup):
        if row.cause is Cause.CANCELLED:
            cancelled[row.master] += row.attempts
    singles = case.facts.records.of(MessageRecord)
    if not cancelled or not singles:
        return
    answered: Counter[str] = Counter()
    for _, message in singles:
        if message.outcome in SERVED_NAMES and message.attempts > 1:
            answered[message.master] += 1
    for master, count in sorted(cancelled.items()):
        elsewhere = answered.total() - answered[master]
        if count > elsewhere:
            text = f"{count} attempts were cancelled at it, and only {elsewhere} messages with "
            text += "several attempts were answered elsewhere"
            yield Found(case.horizon_ns, master, text)


MESSAGES_CONSERVED = Invariant(
    "messages-conserved",
    "Messages offered = answered + failed, by cause + in flight, in every count of them; one "
    "attempt of an answered message has ended well.",
    "Success and latency are measured of other messages than were sent.",
    _find,
    "run",
)
ATTEMPTS_BOUNDED = Invariant(
    "attempts-bounded",
    "No message has more attempts than `retry.attempts` says (of both layers; hedging may put a "
    "second one beside each), nor have all together more than the budgets of retries and of "
    "hedges allow.",
    "Retries multiply an outage.",
    _bounded,
    "run",
)
HEDGES_ELSEWHERE = Invariant(
    "hedges-elsewhere",
    "The second attempt beside a slow one goes to another master (looked at where single messages "
    "are kept).",
    "A hedge waits in the same queue as what it is to overtake, and makes it longer.",
    _twins,
    "run",
)
