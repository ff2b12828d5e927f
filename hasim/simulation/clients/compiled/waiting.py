"""Compiled: those who wait at a gateway for room at a master, as `Line` has them."""

from __future__ import annotations

from hasim.simulation.clients.compiled.guarding import gate_at
from hasim.simulation.clients.compiled.jit import int64, njit
from hasim.simulation.clients.compiled.layout import NOBODY, VIEWS, Table
from hasim.simulation.clients.compiled.queues import push, push_timeout
from hasim.simulation.clients.compiled.rules import looks_at
from hasim.simulation.clients.compiled.serving import attempts, state, take_slot
from hasim.simulation.clock import KEY_BITS, LINE

gateways = VIEWS["gateways"]
messages = VIEWS["messages"]


@njit
def park(table: Table, now: int, message: int, draw: int) -> None:
    """An attempt waits at the gateway for room at a master, as long as a client waits."""
    s = state(table)[0]
    m = messages(table)[message & s.mask]
    slot = take_slot(table)
    a, g = attempts(table)[slot], gateways(table)[m.gateway]
    a.used = a.awaited = a.parked = 1
    a.served = 0
    a.draw, a.message, a.partition = draw, message, m.partition
    a.gateway, a.master, a.sent_ns = m.gateway, -1, now
    a.seat, a.due_ns, a.twin, a.next = -1, -1, -1, -1
    if g.waiting:
        attempts(table)[g.tail].next = slot
    else:
        g.head = slot
    g.tail = slot
    g.waiting += 1
    push_timeout(table, now + s.timeout_ns, draw, slot)
    look_again(table, now, int64(m.gateway))


@njit
def look_again(table: Table, now: int, gateway: int) -> None:
    """Look when there may be room although nothing ends, unless that is done before."""
    g = gateways(table)[gateway]
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
