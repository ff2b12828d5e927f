"""Compiled: those who wait at a gateway for room at a master, as `Line` has them."""

from __future__ import annotations

from hasim.simulation.clients.compiled.guarding import gate_at
from hasim.simulation.clients.compiled.jit import int64, njit
from hasim.simulation.clients.compiled.layout import NOBODY, VIEWS, Table
from hasim.simulation.clients.compiled.queues import push, push_timeout
from hasim.simulation.clients.compiled.rules import looks_at
from hasim.simulation.clients.compiled.serving import attempts, state, take_slot
from hasim.simulation.clock import KEY_BITS, LIMIT, LINE, MESSAGES

gateways = VIEWS["gateways"]
messages = VIEWS["messages"]
ROOM, HELD = 1, 2
"""Why an attempt waits."""


@njit
def park(table: Table, now: int, message: int, draw: int, reason: int) -> None:
    """An attempt waits: for ROOM at a master as long as a client does, or it is HELD."""
    s = state(table)[0]
    m = messages(table)[message & s.mask]
    slot = take_slot(table)
    a, g = attempts(table)[slot], gateways(table)[m.gateway]
    a.used = a.awaited = 1
    a.parked, a.served = reason, 0
    a.draw, a.message, a.partition = draw, message, m.partition
    a.gateway, a.master, a.sent_ns = m.gateway, -1, now
    a.seat, a.due_ns, a.twin, a.next = -1, -1, -1, -1
    if g.waiting:
        attempts(table)[g.tail].next = slot
    else:
        g.head = slot
    g.tail = slot
    g.waiting += 1
    if reason == HELD:
        push(table, now + s.hold_ns, LIMIT << KEY_BITS | (MESSAGES + draw), slot)
    else:
        push_timeout(table, now + s.timeout_ns, draw, slot)
    look_again(table, now, int64(m.gateway))


@njit
def look_again(table: Table, now: int, gateway: int) -> None:
    """Look when there may be room although nothing ends, unless that is done before."""
    g = gateways(table)[gateway]
    if not g.guards:
        return
    opens_ns = int64(gate_at(g.guards)[0].opens_ns)
    if g.waiting and looks_at(now, opens_ns, g.look_ns):
        g.look_ns = opens_ns
        push(table, opens_ns, LINE << KEY_BITS | gateway, NOBODY)


@njit
def call_lines(table: Table, now: int, count: int) -> None:
    """One of so many gateways uses another routing table: there may be room for who waits."""
    for gateway in range(count):
        call_line(table, now, gateway)


@njit
def call_line(table: Table, now: int, gateway: int) -> None:
    """There may be room for one who waits: look when all has ended that ends now."""
    g = gateways(table)[gateway]
    if g.waiting and not g.called:
        g.called = 1
        push(table, now, LINE << KEY_BITS | gateway, NOBODY)


@njit
def before_in_line(table: Table, gateway: int, slot: int) -> int:
    """The attempt that waits before one, or -1: nearly always one has waited longest."""
    previous, other = -1, int64(gateways(table)[gateway].head)
    while other != slot:
        previous, other = other, int64(attempts(table)[other].next)
    return previous


@njit
def leave_line(table: Table, gateway: int, previous: int, slot: int) -> None:
    """An attempt waits no longer; `previous` is the one before it, or -1."""
    g, following = gateways(table)[gateway], int64(attempts(table)[slot].next)
    if previous < 0:
        g.head = following
    else:
        attempts(table)[previous].next = following
    if g.tail == slot:
        g.tail = previous
    g.waiting -= 1
