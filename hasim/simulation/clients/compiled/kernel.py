"""Compiled: the loop, and what Python calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from hasim.services.balancing.pickers.prequal import MOST_TARGETS
from hasim.simulation.clients.compiled import foresight, rolling, serving, waiting
from hasim.simulation.clients.compiled.algorithms import call_event
from hasim.simulation.clients.compiled.clients import (
    answered,
    arrive,
    expire,
    retry_or_settle,
)
from hasim.simulation.clients.compiled.foresight import is_due
from hasim.simulation.clients.compiled.jit import entry, inline, int64, njit
from hasim.simulation.clients.compiled.layout import (
    ANSWERS,
    DELIVERIES,
    FOREVER,
    TIMEOUTS,
    Table,
)
from hasim.simulation.clients.compiled.queues import (
    answers,
    deliveries,
    fifos,
    heap,
    pop,
    skip_settled,
    take,
    timeouts,
)
from hasim.simulation.clients.compiled.serving import attempts, masters, state
from hasim.simulation.clients.compiled.stops import GROW, NOTHING
from hasim.simulation.clock import (
    ANSWER,
    ARRIVAL,
    COMPLETION,
    HEDGE,
    KEY,
    KEY_BITS,
    LIMIT,
    LINE,
    MESSAGES,
    PROBES,
    TIER,
    TIMEOUT,
)

HEAP, MESSAGE = 3, 4
"""Sources of events beside the rings."""
MOST_PUSHED = 6
"""One event puts fewer than this many others on the heap."""


@inline
def earliest(table: Table) -> tuple[int, int]:
    """Time and source of the next event."""
    # Times alone decide nearly always, and a priority costs several loads: ties are only noted
    # (`|=`, since a branch for each would be foreseen wrongly) and ranked afterwards.
    s, rings = state(table)[0], fifos(table)
    time, source, tied = s.arrival_ns, MESSAGE, False
    other: int = heap(table)[0].time
    tied |= other == time
    if other < time:
        time, source = other, HEAP
    other = rings[DELIVERIES].next_ns
    tied |= other == time
    if other < time:
        time, source = other, DELIVERIES
    other = rings[ANSWERS].next_ns
    tied |= other == time
    if other < time:
        time, source = other, ANSWERS
    other = rings[TIMEOUTS].next_ns
    tied |= other == time
    if other < time:
        time, source = other, TIMEOUTS
    if tied:
        source = first_of(table, time)
    return time, source


@njit
def first_of(table: Table, time: int) -> int:
    """The source of the next event, if several may have one at this time."""
    s, rings = state(table)[0], fifos(table)
    source, priority = MESSAGE, FOREVER
    if s.arrival_ns == time:
        priority = priority_of(table, MESSAGE)
    for other in (DELIVERIES, ANSWERS, TIMEOUTS, HEAP):
        next_ns = heap(table)[0].time if other == HEAP else rings[other].next_ns
        if next_ns == time and priority_of(table, other) < priority:
            source, priority = other, priority_of(table, other)
    return source


@njit
def priority_of(table: Table, source: int) -> int:
    """The priority of the next event of a source that has one."""
    priority: int = TIMEOUT << KEY_BITS
    if source == MESSAGE:
        s = state(table)[0]
        priority = ARRIVAL << KEY_BITS | (MESSAGES + s.message * s.attempts)
    elif source == HEAP:
        priority = heap(table)[0].priority
    elif source == DELIVERIES:
        ring = fifos(table)[DELIVERIES]
        priority = deliveries(table)[ring.head & ring.mask].priority
    elif source == ANSWERS:
        ring = fifos(table)[ANSWERS]
        priority = answers(table)[ring.head & ring.mask].priority
    return priority


@inline
def execute(table: Table, now: int, source: int) -> int:
    """Let the next event happen; returns the reasons to stop."""
    # The most frequent sources first; `inline`, for a call would cost as much as what it does.
    if source == MESSAGE:
        return arrive(table, now)
    if source == ANSWERS:
        e = take(fifos(table)[ANSWERS], answers(table))
        return answer(table, now, e.priority & KEY, int64(e.slot))
    if source == DELIVERIES:
        e = take(fifos(table)[DELIVERIES], deliveries(table))
        return deliver(table, now, e.slot)
    if source == HEAP:
        return execute_heap(table, now, heap(table)[0].priority)
    e = take(fifos(table)[TIMEOUTS], timeouts(table))
    slot, draw = int64(e.slot), int64(e.priority)
    # All at once: most have been answered long ago, and one by one they are hard to foresee.
    skip_settled(table)
    return expire(table, now, slot, draw)


@inline
def execute_heap(table: Table, now: int, priority: int) -> int:
    """The same for the first event of the heap."""
    rank, key = priority >> KEY_BITS, priority & KEY
    if rank == COMPLETION:
        return serving.complete(table, now, priority)
    # A completion may have to stay (see there); everything else is taken out before it happens,
    # since what it brings about may be pushed.
    slot = pop(table)
    if rank == ANSWER and key < PROBES:
        return answer(table, now, key, slot)
    s = state(table)[0]
    if key >= PROBES:
        return call_event(s.move_probe_at, table, now, priority, slot, 0)
    if rank == HEDGE:
        return call_event(s.hedge_at, table, now, slot, key - MESSAGES, 0)
    if rank == LIMIT:
        return call_event(s.reach_limit_at, table, now, slot, key - MESSAGES, 0)
    if rank == LINE:
        return call_event(s.line_at, table, now, key, 0, 0)
    if slot < 0:
        return call_event(s.try_again_at, table, now, priority, 0, 0)
    return deliver(table, now, slot)


@inline
def answer(table: Table, now: int, key: int, slot: int) -> int:
    """An answer arrives, unless it was taken back."""
    return answered(table, now, slot) if is_due(table, now, key - MESSAGES, slot) else NOTHING


@inline
def deliver(table: Table, now: int, slot: int) -> int:
    """A request arrives at its master."""
    masters(table)[attempts(table)[slot].master].coming -= 1
    return serving.accept(table, now, slot)


@njit
def room(table: Table) -> int:
    """How many events may happen before there could be too little room for what they bring.

    Or before messages have to be drawn; the slots of attempts are not counted.
    """
    s, waits = state(table)[0], fifos(table)[TIMEOUTS]
    # What was foreseen may have to be pushed after all, and be written.
    heap_room, writes_room = s.heap_room - s.heap_size - s.foreseen, s.writes_room - s.foreseen
    events: int = min(heap_room // (MOST_PUSHED + s.paced), writes_room - s.writes)
    events = min(events, waits.mask + 1 - (waits.tail - waits.head))
    if s.gauging:
        pushed = MOST_PUSHED + s.paced + MOST_TARGETS
        events = min(events, heap_room // pushed, s.free_probes // MOST_TARGETS)
    if s.more:
        events = min(events, s.count - (s.called if s.before else s.message))
    return events


@njit
def room_of_all(table: Table) -> int:
    """The same for this tier and all behind it: an event of one may touch the next to it."""
    events, at = room(table), int64(state(table)[0].behind)
    while at:
        events = min(events, room(at))
        at = int64(state(at)[0].behind)
    return events


@njit
def earliest_of_all(table: Table) -> tuple[int, int, int, int]:
    """Time and source of the next event of all tiers, its table, and which tier that is."""
    time, source = earliest(table)
    found, place, number = table, 0, 0
    at = int64(state(table)[0].behind)
    while at:
        number += 1
        other, other_source = earliest(at)
        sooner = other < time
        if other == time and other < FOREVER:
            ranked = priority_of(found, source) + place * TIER
            sooner = priority_of(at, other_source) + number * TIER < ranked
        if sooner:
            time, source, found, place = other, other_source, at, number
        at = int64(state(at)[0].behind)
    return time, source, found, place


@njit
def full_tier(table: Table) -> int:
    """The first tier that has no slot for another attempt; -1 if all have."""
    at, number = table, 0
    while at:
        if state(at)[0].free < 0:
            return number
        number += 1
        at = int64(state(at)[0].behind)
    return -1


class Kernel(NamedTuple):
    """What Python calls; each function leaves the fingerprint of its sources in the state."""

    advance: Callable[[Table, int, int], int]
    advance_all: Callable[[Table, int, int], int]
    lose: Callable[[Table, int, int, int], None]
    change_rate: Callable[[Table, int, int, float, bool], None]
    accept: Callable[[Table, int, int], int]
    retry: Callable[[Table], int]
    roll: Callable[[Table, bool], None]
    catch_up: Callable[[Table, int, int], None]
    take_back: Callable[[Table, int, int], None]
    call_lines: Callable[[Table, int, int], None]


def build_advance(fingerprint: int) -> Callable[[Table, int, int], int]:
    """The loop."""

    @entry
    def advance(table: Table, limit_ns: int, limit_priority: int) -> int:
        """Let everything happen that comes before the limit, or until there is a reason to stop.

        Leaves time and priority of the next event, or the time of the stop, in the state.
        """
        # Here and not in a function of its own, which would be compiled twice.
        s = state(table)[0]
        s.fingerprint = fingerprint
        events = 0
        while True:
            # Room is not looked at for each event, but for as many as there is surely room for.
            # The slots of attempts are the exception: how many an event takes depends on retries.
            if not events:
                events = room(table)
                if events <= 0:
                    return GROW
            if s.free < 0:
                return GROW
            events -= 1
            time, source = earliest(table)
            # The limit is a time and a priority: what ranks before SimPy's next event at the same
            # nanosecond still happens here, what ranks after it waits.
            if time >= limit_ns:
                priority = priority_of(table, source) if time < FOREVER else 0
                if time > limit_ns or priority >= limit_priority:
                    s.next_ns, s.next_priority = time, priority
                    return NOTHING
            stop = execute(table, time, source)
            if stop:
                s.now = time
                return stop

    return advance


def build_advance_all(fingerprint: int) -> Callable[[Table, int, int], int]:
    """The loop over several tiers."""

    @entry
    def advance_all(table: Table, limit_ns: int, limit_priority: int) -> int:
        """As `advance`, for a tier and those behind it; `struck` says which one a stop is about."""
        s = state(table)[0]
        s.fingerprint = fingerprint
        events = 0
        while True:
            if not events:
                events = room_of_all(table)
            if events <= 0 or full_tier(table) >= 0:
                return GROW
            events -= 1
            time, source, at, place = earliest_of_all(table)
            if time >= limit_ns:
                priority = 0
                if time < FOREVER:
                    priority = priority_of(at, source) + place * TIER
                if time > limit_ns or priority >= limit_priority:
                    s.next_ns, s.next_priority = time, priority
                    return NOTHING
            stop = execute(at, time, source)
            if stop:
                state(at)[0].now, s.struck = time, place
                return stop

    return advance_all


def build(fingerprint: int) -> Kernel:
    """The entry points, compiled at their first call or read from numba's cache."""
    advance, advance_all = build_advance(fingerprint), build_advance_all(fingerprint)

    @entry
    def lose(table: Table, now: int, master: int, cause: int) -> None:
        state(table)[0].fingerprint = fingerprint
        serving.lose(table, now, master, cause)

    @entry
    def change_rate(table: Table, now: int, master: int, speed: float, disk: bool) -> None:
        state(table)[0].fingerprint = fingerprint
        m = masters(table)[master]
        if speed == m.speed and disk == m.disk:
            serving.wait_anew(table, now, m)
        else:
            m.speed = speed
            serving.pace(table, now, m, disk)

    @entry
    def accept(table: Table, now: int, slot: int) -> int:
        state(table)[0].fingerprint = fingerprint
        return serving.accept(table, now, slot)

    @entry
    def retry(table: Table) -> int:
        s = state(table)[0]
        s.fingerprint = fingerprint
        return retry_or_settle(table, s.now, s.to_retry, s.draw, s.cause)

    @entry
    def roll(table: Table, everything: bool) -> None:
        state(table)[0].fingerprint = fingerprint
        rolling.roll(table, everything)

    @entry
    def catch_up(table: Table, limit_ns: int, limit_priority: int) -> None:
        state(table)[0].fingerprint = fingerprint
        foresight.catch_up_all(table, limit_ns, limit_priority)

    @entry
    def take_back(table: Table, limit_ns: int, limit_priority: int) -> None:
        state(table)[0].fingerprint = fingerprint
        foresight.take_back_all(table, limit_ns, limit_priority)

    @entry
    def call_lines(table: Table, now: int, count: int) -> None:
        state(table)[0].fingerprint = fingerprint
        waiting.call_lines(table, now, count)

    return Kernel(
        advance,
        advance_all,
        lose,
        change_rate,
        accept,
        retry,
        roll,
        catch_up,
        take_back,
        call_lines,
    )
