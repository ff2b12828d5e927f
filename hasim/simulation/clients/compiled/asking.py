"""Compiled: a master asks the next tier, whose memory is another table."""

from __future__ import annotations

from hasim.simulation.clients.compiled.copies import fails
from hasim.simulation.clients.compiled.jit import int64, njit
from hasim.simulation.clients.compiled.layout import FOREVER, OK, VIEWS, Table
from hasim.simulation.clients.compiled.queues import pop
from hasim.simulation.clients.compiled.serving import attempts, masters, messages, run, state
from hasim.simulation.masters.job import ANSWERED, ASKING, FAILED, NOT_ASKED

askers = VIEWS["askers"]
clients = VIEWS["clients"]


@njit
def ask(table: Table, now: int, slot: int) -> bool:
    """Whether the next tier is asked now: the worker waits for the answer meanwhile."""
    a = attempts(table)[slot]
    if a.draw < 0 or a.asked != NOT_ASKED or fails(a, masters(table)[a.master]):
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


@njit
def resume(table: Table, now: int, message: int, cause: int) -> None:
    """A request of the tier before has ended: whoever made it goes on, unless the job is lost."""
    s = state(table)[0]
    asker, before = askers(table)[message & s.mask], int64(s.before)
    slot = int64(asker.slot)
    a = attempts(before)[slot]
    if a.used and a.draw == asker.draw and a.seat >= 0 and a.asked == ASKING:
        a.asked = ANSWERED if cause == OK else FAILED
        a.remaining_ns = 0
        run(before, now, a, slot)
