"""Compiled: what happens next. Rings for what comes nearly in order, a binary heap for the rest.

The first event of a ring is at hand, and to put one near its end takes a few moves; what a heap
does, a processor cannot foresee.
"""

from __future__ import annotations

from typing import Any

from hasim.simulation.clients.compiled.jit import int64, njit
from hasim.simulation.clients.compiled.layout import (
    ANSWERS,
    DELIVERIES,
    FOREVER,
    TIMEOUTS,
    VIEWS,
    Record,
    Table,
)

NEAR = 16
"""So many events of a ring are moved at most to put another one before them."""

state = VIEWS["state"]
heap = VIEWS["heap"]
fifos = VIEWS["fifos"]
deliveries = VIEWS["deliveries"]
answers = VIEWS["answers"]
timeouts = VIEWS["timeouts"]
attempts = VIEWS["attempts"]


@njit
def before(time: int, priority: int, other_time: int, other_priority: int) -> bool:
    """Whether the first comes before the other: by time, then by priority."""
    # Without branches, which a processor could not foresee.
    return bool((time < other_time) | ((time == other_time) & (priority < other_priority)))


@njit
def write(event: Record, time: int, priority: int, slot: int) -> None:
    """Fill in an event."""
    event.time = time
    event.priority = priority
    event.slot = slot


@njit
def rise(events: Record, hole: int, time: int, priority: int, slot: int) -> None:
    """Put an event into the hole, or above as far as it comes before what is there."""
    while hole > 0:
        parent = (hole - 1) >> 1
        above = events[parent]
        if not before(time, priority, above.time, above.priority):
            break
        write(events[hole], above.time, above.priority, above.slot)
        hole = parent
    write(events[hole], time, priority, slot)


@njit
def push(table: Table, time: int, priority: int, slot: int) -> None:
    """Put an event on the heap."""
    events, s = heap(table), state(table)[0]
    hole = s.heap_size
    s.heap_size = hole + 1
    rise(events, hole, time, priority, slot)


@njit
def pop(table: Table) -> int:
    """Take the first event off the heap; returns its slot."""
    events, s = heap(table), state(table)[0]
    slot: int = events[0].slot
    size = s.heap_size - 1
    s.heap_size = size
    last = events[size]
    hole, child = 0, 1
    # The hole sinks to the bottom, where the last event mostly belongs anyway, ...
    while child < size:
        if child + 1 < size:
            one, other = events[child], events[child + 1]
            child += before(other.time, other.priority, one.time, one.priority)
        below = events[child]
        write(events[hole], below.time, below.priority, below.slot)
        hole, child = child, 2 * child + 1
    rise(events, hole, last.time, last.priority, last.slot)  # ... or a little above.
    if not size:
        events[0].time = FOREVER
    return slot


@njit
def put(ring: Record, events: Record, time: int, priority: int, slot: int) -> None:
    """Put an event at the end of a ring that has room."""
    write(events[ring.tail & ring.mask], time, priority, slot)
    if ring.tail == ring.head:
        ring.next_ns = time
    ring.tail += 1


@njit
def take(ring: Record, events: Record) -> Any:
    """Take the first event off a ring; what it returns stays until more are put there."""
    event = events[ring.head & ring.mask]
    ring.head += 1
    ring.next_ns = events[ring.head & ring.mask].time if ring.head < ring.tail else FOREVER
    return event


@njit
def insert(ring: Record, events: Record, time: int, priority: int, slot: int) -> bool:
    """Put an event where it belongs in a ring, if that is near the end, and the ring has room."""
    head, mask, place = int64(ring.head), int64(ring.mask), int64(ring.tail)
    if place - head > mask:
        return False
    if place - head > NEAR:
        last = events[(place - 1 - NEAR) & mask]
        if before(time, priority, last.time, last.priority):
            return False
    while place > head:
        later = events[(place - 1) & mask]
        if not before(time, priority, later.time, later.priority):
            break
        write(events[place & mask], later.time, later.priority, later.slot)
        place -= 1
    write(events[place & mask], time, priority, slot)
    ring.tail += 1
    if place == head:
        ring.next_ns = time
    return True


@njit
def push_delivery(table: Table, time: int, priority: int, slot: int) -> None:
    """A request is on the wire."""
    if not insert(fifos(table)[DELIVERIES], deliveries(table), time, priority, slot):
        push(table, time, priority, slot)


@njit
def push_answer(table: Table, time: int, priority: int, slot: int) -> None:
    """An answer is on the wire."""
    if not insert(fifos(table)[ANSWERS], answers(table), time, priority, slot):
        push(table, time, priority, slot)


@njit
def skip_settled(table: Table) -> None:
    """Forget the first timeouts as long as nobody waits for them any more."""
    ring, events = fifos(table)[TIMEOUTS], timeouts(table)
    while ring.head < ring.tail:
        e = events[ring.head & ring.mask]
        a = attempts(table)[e.slot]
        if a.used and a.awaited and a.draw == e.priority:
            break
        take(ring, events)


@njit
def push_timeout(table: Table, time: int, draw: int, slot: int) -> None:
    """A client starts to wait. One timeout for all: they expire in the order of sending."""
    put(fifos(table)[TIMEOUTS], timeouts(table), time, draw, slot)
