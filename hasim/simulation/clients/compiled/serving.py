"""Compiled: the masters' side, as the reference `SimMaster` has it: queues, workers, answers."""

from __future__ import annotations

from hasim.services.gateway.rules import HEDGED
from hasim.simulation.clients.compiled.algorithms import call_event
from hasim.simulation.clients.compiled.copies import copies_ns, fails, owns, turned_away, waits
from hasim.simulation.clients.compiled.crossing import crosses_back
from hasim.simulation.clients.compiled.jit import inline, int64, njit
from hasim.simulation.clients.compiled.layout import (
    CLIENT_ERROR,
    ERROR,
    FOREVER,
    NOT_OWNER,
    OK,
    REJECTED,
    VIEWS,
    Record,
    Table,
)
from hasim.simulation.clients.compiled.load_probes import enter, note_done
from hasim.simulation.clients.compiled.queues import heap, pop, push, push_answer
from hasim.simulation.clients.compiled.rules import still_waits
from hasim.simulation.clients.compiled.stops import IN_VAIN, NOTHING, OVERLOAD, PROBED
from hasim.simulation.clock import ANSWER, COMPLETION, KEY_BITS, MESSAGES
from hasim.simulation.masters.job import ASKING, UNWRITTEN

state = VIEWS["state"]
masters = VIEWS["masters"]
routes = VIEWS["routes"]
attempts = VIEWS["attempts"]
messages = VIEWS["messages"]
seats = VIEWS["seats"]
wrong = VIEWS["wrong"]
writes = VIEWS["writes"]
GOES_ON = -1
"""Instead of reasons to stop: a write does not wait."""


@njit
def key_of(draw: int) -> int:
    """What orders an attempt, or a deep probe, among others of its time and rank."""
    return MESSAGES + draw if draw >= 0 else -draw


@njit
def place_of(table: Table, message: int, draw: int) -> int:
    """Where the columns have what belongs to one attempt of a message in memory."""
    s = state(table)[0]
    row = draw % HEDGED - message * s.attempts
    if s.per > 1:
        row = 2 * row + (draw >= HEDGED)
    place: int = row * s.size + (message & s.mask)
    return place


@njit
def take_slot(table: Table) -> int:
    """A slot for another attempt."""
    s = state(table)[0]
    slot: int = s.free
    s.free = attempts(table)[slot].next
    return slot


@njit
def release(table: Table, slot: int) -> None:
    """The slot may be used again."""
    s, a = state(table)[0], attempts(table)[slot]
    a.used = 0
    a.next = s.free
    s.free = slot


@njit
def leave(table: Table, slot: int) -> None:
    """Neither the network nor a master has it any longer."""
    a = attempts(table)[slot]
    a.served = 0
    if not a.awaited:
        release(table, slot)


@njit
def note_written(table: Table, now: int, a: Record) -> None:
    """A client will hear that its message of a partition was served: an acknowledged write."""
    if a.partition >= 0:
        s = state(table)[0]
        written = writes(table)[s.writes]
        written.time, written.partition, written.master = now, a.partition, a.master
        s.writes += 1


@njit
def reply(table: Table, now: int, slot: int, cause: int) -> int:
    """The master answers: the answer crosses back, unless it comes too late to matter."""
    a = attempts(table)[slot]
    if a.draw < 0:
        s = state(table)[0]
        s.slot, s.cause = slot, cause
        return PROBED
    place = place_of(table, a.message, a.draw)
    delay = crosses_back(table, now, routes(table)[a.route], place)
    if delay >= 0 and still_waits(now + delay, a.sent_ns, state(table)[0].timeout_ns):
        if cause == OK:
            note_written(table, now, a)
        if a.awaited:
            a.cause, a.answer_ns, a.since_ns = cause, now + delay, now
            push_answer(table, now + delay, ANSWER << KEY_BITS | key_of(a.draw), slot)
            return NOTHING
    leave(table, slot)
    return NOTHING


@njit
def run(table: Table, now: int, a: Record, slot: int) -> None:
    """A worker is busy with it from now on, at the master's present speed."""
    a.since_ns = now
    a.due_ns = -1
    m = masters(table)[a.master]
    if m.disk and a.partition >= 0:
        return
    takes = service_ns(m, a) if a.written_ns == UNWRITTEN else copies_ns(m, a, now)
    if takes < FOREVER // 2:
        a.due_ns = now + takes
        push(table, a.due_ns, COMPLETION << KEY_BITS | key_of(a.draw), slot)


@njit
def service_ns(m: Record, a: Record) -> int:
    """How long a worker is busy with what is left of it, at the present speed; or FOREVER."""
    if m.rate == 1.0:
        return max(0, int(a.remaining_ns))
    if m.rate > 0.0:
        takes = a.remaining_ns / m.rate
        if takes < FOREVER:
            return max(0, int(takes))
    return FOREVER


@njit
def wait_anew(table: Table, now: int, m: Record) -> None:
    """Those that wait for their copies do so for as long as it takes now."""
    for place in range(m.busy):
        slot = seats(table)[m.first_seat + place]
        a = attempts(table)[slot]
        if a.written_ns != UNWRITTEN:
            run(table, now, a, slot)


@njit
def wait(table: Table, now: int, slot: int) -> int:
    """A write begins to wait, or it has waited in vain: the world looks at that first.

    GOES_ON if it need not wait (any more).
    """
    a = attempts(table)[slot]
    if not waits(table, masters(table)[a.master], a):
        return GOES_ON
    if a.written_ns != UNWRITTEN:
        state(table)[0].master = a.master
        return IN_VAIN
    pop(table)
    a.written_ns = now
    run(table, now, a, slot)
    return NOTHING


@njit
def note_order(table: Table, a: Record) -> None:
    """A probe begins to wait or to be served."""
    if a.draw < 0:
        s = state(table)[0]
        a.order = s.order
        s.order += 1


@njit
def meter(m: Record, now: int) -> None:
    """Count the time of the workers that have been busy; before their number changes."""
    m.busy_ns += m.busy * (now - m.metered_ns)
    m.metered_ns = now


@njit
def start(table: Table, now: int, slot: int) -> None:
    """A worker takes it."""
    a = attempts(table)[slot]
    m = masters(table)[a.master]
    a.seat = m.busy
    m.started += 1
    note_order(table, a)
    meter(m, now)
    seats(table)[m.first_seat + m.busy] = slot
    m.busy += 1
    if m.error_ns >= 0 and a.error < m.error_rate:
        a.remaining_ns = m.error_ns
    a.remaining_ns += m.delay_ns
    run(table, now, a, slot)


@inline
def enqueue(table: Table, now: int, slot: int) -> None:
    """It waits for a worker."""
    a = attempts(table)[slot]
    m = masters(table)[a.master]
    a.since_ns = now
    note_order(table, a)
    append_to_queue(table, m, slot)


@njit
def append_to_queue(table: Table, m: Record, slot: int) -> None:
    """It is the last of the master's queue."""
    attempts(table)[slot].next = -1
    if m.waiting:
        attempts(table)[m.tail].next = slot
    else:
        m.head = slot
    m.tail = slot
    m.waiting += 1


@njit
def pace(table: Table, now: int, m: Record, disk: bool) -> None:
    """Look at how fast everybody who is being served goes on: with load, all get slower."""
    rate: float = m.speed
    if m.capacity > 0.0:
        rate /= 1.0 + (m.busy + m.waiting) / m.capacity
    if rate == m.rate and disk == m.disk:
        return
    for place in range(m.busy):
        a = attempts(table)[seats(table)[m.first_seat + place]]
        if a.asked != ASKING and (not m.disk or a.partition < 0):
            a.remaining_ns -= int((now - a.since_ns) * m.rate)
    m.rate, m.disk = rate, disk
    for place in range(m.busy):
        slot = seats(table)[m.first_seat + place]
        a = attempts(table)[slot]
        if a.asked != ASKING:
            run(table, now, a, slot)


@njit
def accept(table: Table, now: int, slot: int) -> int:
    """A request arrives at the host."""
    a = attempts(table)[slot]
    s, m = state(table)[0], masters(table)[a.master]
    if s.connect_ns and a.draw >= 0 and not a.pooled:
        call_event(s.connect_at, table, now, slot, 0, 0)
    cause = turned_away(table, m, a)
    if cause == OK:
        if m.busy < m.workers:
            enter(table, now, m, slot)
            start(table, now, slot)
        elif m.waiting < m.room:
            enter(table, now, m, slot)
            enqueue(table, now, slot)
        else:
            cause = -1 if m.hangs else REJECTED
        if cause == OK and m.capacity > 0.0:
            call_event(s.pace_at, table, now, int64(a.master), 0, 0)
    if cause < 0:
        leave(table, slot)
    elif cause != OK:
        return reply(table, now, slot, cause)
    return NOTHING


@inline
def complete(table: Table, now: int, priority: int) -> int:
    """The first event of the heap is a completion.

    If it changes whether its master is overloaded, it stays where it is: the world
    takes note of the change first, and then it is completed.
    """
    s, slot = state(table)[0], heap(table)[0].slot
    a = attempts(table)[slot]
    stale = not a.used or a.due_ns != now or a.seat < 0
    if stale or priority != COMPLETION << KEY_BITS | key_of(a.draw):
        pop(table)  # a fault took this completion back
        return NOTHING
    m = masters(table)[a.master]
    if s.behind and call_event(s.ask_at, table, now, slot, 0, 0):
        return NOTHING
    if m.wait_ns:
        stop = call_event(s.wait_at, table, now, slot, 0, 0)
        if stop != GOES_ON:
            return stop
    late = m.waiting > 0 and now - attempts(table)[m.head].since_ns > s.timeout_ns
    if late != (m.overloaded != 0):
        m.overloaded = 1 if late else 0
        s.master = a.master
        return OVERLOAD
    pop(table)
    stand_up(table, now, a)
    m.done += 1
    note_done(table, now, int64(a.master), m, slot)
    if m.waiting:
        waiting: int = m.head
        m.head = attempts(table)[waiting].next
        m.waiting -= 1
        m.waited += 1
        m.waited_ns += now - attempts(table)[waiting].since_ns
        start(table, now, waiting)
    if m.capacity > 0.0:
        call_event(s.pace_at, table, now, int64(a.master), 0, 0)
    cause = OK
    if fails(a, m):
        m.errors += 1
        cause = ERROR
    elif a.partition >= 0 and not owns(table, int64(a.master), int64(a.partition)):
        cause = NOT_OWNER  # it was demoted meanwhile
    elif s.has_faulty and a.draw >= 0 and wrong(table)[a.message & s.mask]:
        cause = CLIENT_ERROR
    return reply(table, now, slot, cause)


@njit
def stand_up(table: Table, now: int, a: Record) -> None:
    """Its worker is free; who sits last takes its seat."""
    m = masters(table)[a.master]
    meter(m, now)
    m.busy -= 1
    last = seats(table)[m.first_seat + m.busy]
    seats(table)[m.first_seat + a.seat] = last
    attempts(table)[last].seat = a.seat
    a.seat = -1
    a.due_ns = -1


@njit
def lose(table: Table, now: int, master: int, cause: int) -> None:
    """A dead master loses all its work, except for deep probes, which are left to the caller.

    `cause` is what clients see, or -1 for silence.
    """
    m = masters(table)[master]
    for place in range(m.busy):
        lose_one(table, now, seats(table)[m.first_seat + place], cause)
    slot = m.head
    for _ in range(m.waiting):
        following = int64(attempts(table)[slot].next)
        m.lost_ns += now - attempts(table)[slot].since_ns
        lose_one(table, now, slot, cause)
        slot = following
    meter(m, now)
    m.busy = m.waiting = m.overloaded = 0


@njit
def lose_one(table: Table, now: int, slot: int, cause: int) -> None:
    """One of them."""
    a = attempts(table)[slot]
    a.seat = -1
    a.due_ns = -1
    if a.draw >= 0:
        if cause >= 0:
            reply(table, now, slot, cause)
        else:
            leave(table, slot)
