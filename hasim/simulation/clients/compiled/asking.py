"""Compiled: a master asks the next tier, whose memory is another table."""

from __future__ import annotations

from hasim.simulation.clients.compiled.jit import int64, njit
from hasim.simulation.clients.compiled.layout import FOREVER, VIEWS, Record, Table
from hasim.simulation.clients.compiled.queues import pop
from hasim.simulation.masters.job import ASKING, FAILED, NOT_ASKED

state = VIEWS["state"]
attempts = VIEWS["attempts"]
messages = VIEWS["messages"]
askers = VIEWS["askers"]
clients = VIEWS["clients"]


@njit
def fails(a: Record, m: Record) -> bool:
    """Whether the answer says that it failed: by itself, or since the next tier did."""
    if a.asked != NOT_ASKED:
        return bool(a.asked == FAILED)
    return bool(a.error < m.error_rate)


@njit
def asks_for(table: Table, now: int, slot: int, m: Record) -> bool:
    """Whether the next tier is asked now: the worker waits for the answer meanwhile."""
    a = attempts(table)[slot]
    if a.draw < 0 or a.asked != NOT_ASKED or fails(a, m):
        return False
    pop(table)
    a.asked, a.due_ns = ASKING, -1
    behind = int64(state(table)[0].behind)
    s = state(behind)[0]
    number = int64(s.called)
    s.called += 1
    asked, asker = messages(behind)[number & s.mask], askers(behind)[number & s.mask]
    asked.arrival_ns, asked.gateway = now, a.master
    if s.clients:
        clients(behind)[number & s.mask] += a.master * s.clients
    if s.last_block:
        asked.block = min(now // s.block_ns, s.last_block)
    asker.slot, asker.draw = slot, a.draw
    if s.arrival_ns == FOREVER:
        s.arrival_ns = now
    return True
