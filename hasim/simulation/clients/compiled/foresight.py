"""Compiled: what a master with one worker will have done, known when a request is sent.

Requests that come to such a master in the order of sending are served in that order, each from
when it arrives or the one before it is done. So the end of each, and when its answer arrives, is
known at once, and neither its arrival nor its completion has to be an event: only the answer is.
Work that was foreseen waits in the master's list until it is done and somebody asks (`catch_up`),
at the latest until it is answered: there may be less in the list than it seems. Whatever may turn
out otherwise (a fault, a change of roles or links, a request that overtakes another, a full
queue, waiting for longer than clients do) takes back what is not yet done (`take_back`): it goes
on by events, until the master has nothing more to do.
"""

from __future__ import annotations

from hasim.simulation.clients.compiled.algorithms import call_event
from hasim.simulation.clients.compiled.copies import owns
from hasim.simulation.clients.compiled.crossing import crosses_back
from hasim.simulation.clients.compiled.jit import inline, int64, njit
from hasim.simulation.clients.compiled.layout import ERROR, FOREVER, OK, Record, Table
from hasim.simulation.clients.compiled.queues import before, push, push_answer, push_delivery
from hasim.simulation.clients.compiled.rules import still_waits
from hasim.simulation.clients.compiled.serving import (
    append_to_queue,
    attempts,
    key_of,
    leave,
    masters,
    note_written,
    routes,
    seats,
    service_ns,
    state,
)
from hasim.simulation.clock import ANSWER, ARRIVAL, COMPLETION, KEY_BITS

MOST = 4096
"""So many attempts are foreseen at most, since each must be sure of room for its events."""
NEVER = -1


@inline
def foresee(table: Table, now: int, slot: int, arrival: int, place: int) -> bool:
    """Whether all is known of a request that is sent: then only its answer is an event."""
    s, a = state(table)[0], attempts(table)[slot]
    m = masters(table)[a.master]
    if not m.plain or m.busy:
        return False
    if m.waiting > m.room or s.foreseen >= MOST:  # what is done may be among them
        catch_up(table, m, now, ANSWER << KEY_BITS)
    takes, start = service_ns(m, a), arrival
    # What takes no time is done after it arrives, though a completion comes before an arrival.
    known = m.coming == 0 and 0 < takes < FOREVER and s.foreseen < MOST and s.gauging == 0
    if s.has_faulty:
        known = False
    if a.pooled:
        known = known and a.connected_ns >= m.died_ns
    if a.partition >= 0:
        known = known and owns(table, int64(a.master), int64(a.partition))
    if m.waiting:
        last = attempts(table)[m.tail]
        start = max(arrival, last.due_ns)
        known &= before(last.since_ns, last.draw, arrival, a.draw)
        known &= (m.waiting <= m.room) & (start - arrival <= s.timeout_ns)
    if not known:
        take_back(table, m, now, ANSWER << KEY_BITS)
        return False
    a.since_ns, a.due_ns, a.answer_ns = arrival, start + takes, NEVER
    a.cause = ERROR if a.error < m.error_rate else OK
    back = crosses_back(table, int64(a.due_ns), routes(table)[a.route], place)
    if back >= 0 and still_waits(a.due_ns + back, a.sent_ns, s.timeout_ns):
        a.answer_ns = a.due_ns + back
        push_answer(table, int64(a.answer_ns), ANSWER << KEY_BITS | key_of(a.draw), slot)
    if s.connect_ns and not a.pooled:
        call_event(s.connect_at, table, arrival, slot, 0, 0)
    append_to_queue(table, m, slot)
    s.foreseen += 1
    return True


@njit
def catch_up(table: Table, m: Record, limit_ns: int, limit_priority: int) -> None:
    """What a master was foreseen to complete before the limit is done."""
    while m.waiting and not m.busy:
        a = attempts(table)[m.head]
        if not before(a.due_ns, COMPLETION << KEY_BITS | key_of(a.draw), limit_ns, limit_priority):
            return
        complete_first(table, m)


@njit
def complete_first(table: Table, m: Record) -> None:
    """The first that a master was foreseen to complete is done."""
    slot = int64(m.head)
    a = attempts(table)[slot]
    m.head = a.next
    m.waiting -= 1
    state(table)[0].foreseen -= 1
    m.done += 1
    m.busy_ns += a.due_ns - max(a.since_ns, m.metered_ns)
    m.metered_ns = a.due_ns
    if a.cause == ERROR:
        m.errors += 1
    elif a.answer_ns != NEVER:
        note_written(table, int64(a.due_ns), a)
    a.since_ns, a.due_ns = a.due_ns, -1
    if a.answer_ns == NEVER:
        leave(table, slot)


@njit
def take_back(table: Table, m: Record, limit_ns: int, limit_priority: int) -> None:
    """What was foreseen from the limit on comes by events, as it may come otherwise."""
    if m.busy:
        return
    catch_up(table, m, limit_ns, limit_priority)
    slot, count = int64(m.head), int64(m.waiting)
    m.waiting = 0
    state(table)[0].foreseen -= count
    for _ in range(count):
        a = attempts(table)[slot]
        following = int64(a.next)
        a.answer_ns = NEVER
        arrives = ARRIVAL << KEY_BITS | key_of(a.draw)
        if not before(a.since_ns, arrives, limit_ns, limit_priority):
            a.due_ns = -1
            m.coming += 1
            push_delivery(table, int64(a.since_ns), arrives, slot)
        elif m.busy:
            a.due_ns = -1
            append_to_queue(table, m, slot)
        else:
            m.metered_ns = a.since_ns = max(a.since_ns, m.metered_ns)
            a.seat, m.busy = 0, 1
            seats(table)[m.first_seat] = slot
            push(table, int64(a.due_ns), COMPLETION << KEY_BITS | key_of(a.draw), slot)
        slot = following


@inline
def catch_up_all(table: Table, limit_ns: int, limit_priority: int) -> None:
    """All masters catch up."""
    for master in range(state(table)[0].masters):
        catch_up(table, masters(table)[master], limit_ns, limit_priority)


@inline
def take_back_all(table: Table, limit_ns: int, limit_priority: int) -> None:
    """What was foreseen of any master is taken back."""
    for master in range(state(table)[0].masters):
        take_back(table, masters(table)[master], limit_ns, limit_priority)


@inline
def is_due(table: Table, now: int, draw: int, slot: int) -> bool:
    """Whether an answer is one that was not taken back; its master catches up to it."""
    a = attempts(table)[slot]
    if not a.used or a.draw != draw or a.answer_ns != now:
        return False
    m = masters(table)[a.master]
    while a.due_ns >= 0:  # Only up to this one: how many more are done, a processor cannot foresee.
        complete_first(table, m)
    return True
