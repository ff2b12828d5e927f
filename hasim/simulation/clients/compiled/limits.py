"""Compiled: how long clients wait for a connection, and messages for a master that takes them."""

from __future__ import annotations

from hasim.simulation.clients.compiled.clients import end_round, failed, retry_or_settle
from hasim.simulation.clients.compiled.crossing import crosses_back
from hasim.simulation.clients.compiled.jit import int64, njit
from hasim.simulation.clients.compiled.layout import CONNECT_TIMED_OUT, FOREVER, UNROUTABLE, Table
from hasim.simulation.clients.compiled.queues import push
from hasim.simulation.clients.compiled.serving import (
    attempts,
    key_of,
    masters,
    place_of,
    release,
    routes,
    state,
)
from hasim.simulation.clients.compiled.stops import NOTHING
from hasim.simulation.clients.compiled.waiting import HELD, before_in_line, leave_line
from hasim.simulation.clock import KEY_BITS, LIMIT


@njit
def open_connection(table: Table, now: int, slot: int, delay: int) -> None:
    """A request is sent that has no connection yet; `delay` is -1 if it is lost."""
    attempts(table)[slot].connected_ns = FOREVER
    if delay < 0 or delay >= state(table)[0].connect_ns:  # else it is seen when it arrives
        expect_connection(table, slot)


@njit
def expect_connection(table: Table, slot: int) -> None:
    """The client looks for its connection when it has waited long enough for that."""
    a = attempts(table)[slot]
    due_ns = a.sent_ns + state(table)[0].connect_ns
    push(table, due_ns, LIMIT << KEY_BITS | key_of(a.draw), slot)


@njit
def connect(table: Table, arrival: int, slot: int) -> None:
    """A request arrives then: its host accepts the connection if it is up, and the client hears.

    What is too late at its arrival was so when it was sent.
    """
    a, connect_ns, back = attempts(table)[slot], state(table)[0].connect_ns, -1
    m = masters(table)[a.master]
    if not (m.offs or m.crashes):
        place = place_of(table, a.message, a.draw)
        back = crosses_back(table, arrival, routes(table)[a.route], place)
    a.connected_ns = arrival + back if back >= 0 else FOREVER
    in_time = a.connected_ns - a.sent_ns < connect_ns
    if not in_time and arrival - a.sent_ns < connect_ns:
        expect_connection(table, slot)


@njit
def reach_limit(table: Table, now: int, slot: int, draw: int) -> int:
    """A client has waited long enough for a connection, or was held for long enough."""
    s, a = state(table)[0], attempts(table)[slot]
    if not a.used or a.draw != draw or not a.awaited:
        return NOTHING
    if a.parked:
        due = a.parked == HELD and now - a.sent_ns == s.hold_ns
        return give_up(table, now, slot, UNROUTABLE) if due else NOTHING
    if now - a.sent_ns != s.connect_ns or a.pooled or a.connected_ns < now:
        return NOTHING
    a.awaited = 0
    if not a.served:
        release(table, slot)
    return failed(table, now, a, CONNECT_TIMED_OUT)


@njit
def give_up(table: Table, now: int, slot: int, cause: int) -> int:
    """One has waited in vain for somebody to take it."""
    a = attempts(table)[slot]
    a.awaited = a.parked = 0
    leave_line(table, int64(a.gateway), before_in_line(table, int64(a.gateway), slot), slot)
    release(table, slot)
    end_round(table, int64(a.gateway), a.message, a.draw)
    return retry_or_settle(table, now, a.message, a.draw, cause)
