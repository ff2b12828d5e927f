"""Compiled on their own, and only for runs that need them: hedging, waiting for room, load probes.

Most runs do without them, and the kernel would take twice as long to compile with them. It
calls them through addresses in the state, as it calls pickers; 0 for what a run does without.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from hasim.services.gateway.guards.gate import CANCELLED as CANCELLED_KIND
from hasim.services.gateway.rules import HEDGED
from hasim.simulation.clients.compiled.algorithms import EVENT, compile_function
from hasim.simulation.clients.compiled.clients import (
    ALL_CAUSES,
    budgets,
    causes,
    dispatch,
    gateways,
    in_flight,
    messages,
)
from hasim.simulation.clients.compiled.jit import fingerprint, int64, njit, sources
from hasim.simulation.clients.compiled.layout import CANCELLED, FOREVER, Table
from hasim.simulation.clients.compiled.load_probes import move_probe, send_probes
from hasim.simulation.clients.compiled.picking import (
    keeps,
    lists,
    note_tried,
    select,
    tell,
    tried_by,
)
from hasim.simulation.clients.compiled.rules import allows, is_passed_over, withdraw
from hasim.simulation.clients.compiled.serving import attempts, release, state, take_slot
from hasim.simulation.clients.compiled.stops import NOTHING
from hasim.simulation.clients.compiled.waiting import call_line, leave_line, look_again

HEDGING, WAITING = ("hedge", "cancel"), ("line",)
PROBING = ("send_probes", "move_probe")
"""What each of the three needs."""


@njit
def hedge(table: Table, now: int, slot: int, draw: int) -> int:
    """There is no answer yet: a second attempt, at another master, if the budget allows."""
    s, a = state(table)[0], attempts(table)[slot]
    if not a.used or not a.awaited or a.draw != draw or a.twin >= 0:
        return NOTHING
    message, first = a.message, int64(a.master)
    m = messages(table)[message & s.mask]
    budget = budgets(table)[2 * m.gateway + 1]
    if not allows(budget):
        return NOTHING
    # At another one than those that failed the message, and than where its twin is now.
    failed = int64(m.failed)
    note_tried(table, m, message, first)
    master = select(table, now, m, message, draw + HEDGED, tried_by(table, m, message))
    m.failed = lists(table)[s.list * (message & s.mask)] = failed
    if master < 0 or master == first:
        return NOTHING
    withdraw(budget)
    m.tries += 1
    twin = take_slot(table)
    stop = dispatch(table, now, message, draw + HEDGED, master, twin)
    a.twin = twin
    attempts(table)[twin].twin = slot
    return stop


@njit
def cancel(table: Table, now: int, slot: int) -> None:
    """The client gives an attempt up, since its twin was answered."""
    a = attempts(table)[slot]
    a.awaited = 0
    if not a.served:
        release(table, slot)
    causes(table)[a.master * ALL_CAUSES + CANCELLED] += 1
    in_flight(table)[a.route] -= 1
    tell(table, now, int64(a.gateway), int64(a.master), a.sent_ns, CANCELLED_KIND)
    call_line(table, now, int64(a.gateway))


@njit
def serve_line(table: Table, now: int, gateway: int) -> int:
    """Send the first one for whom there is room, and look again."""
    s, g = state(table)[0], gateways(table)[gateway]
    g.called = 0
    if now >= g.look_ns:
        g.look_ns = FOREVER
    blocked = False
    previous, slot = -1, int64(g.head)
    for _ in range(g.waiting):
        a = attempts(table)[slot]
        following = int64(a.next)
        m = messages(table)[a.message & s.mask]
        stateless = a.partition < 0 and not (s.stays and keeps(table, m, a.message, a.draw))
        if not is_passed_over(stateless, blocked):
            master = select(table, now, m, a.message, a.draw, tried_by(table, m, a.message))
            if master >= 0:
                leave_line(table, gateway, previous, slot)
                stop = dispatch(table, now, a.message, a.draw, master, slot)
                call_line(table, now, gateway)
                return stop
            blocked = blocked or stateless
        previous, slot = slot, following
    look_again(table, now, gateway)
    return NOTHING


def _hedge(table: int, now: int, slot: int, draw: int, _: int) -> Any:
    return hedge(table, now, slot, draw)


def _cancel(table: int, now: int, slot: int, _: int, __: int) -> Any:
    cancel(table, now, slot)
    return NOTHING


def _line(table: int, now: int, gateway: int, _: int, __: int) -> Any:
    return serve_line(table, now, gateway)


def _send_probes(table: int, now: int, gateway: int, draw: int, _: int) -> Any:
    send_probes(table, now, gateway, draw)
    return NOTHING


def _move_probe(table: int, now: int, priority: int, slot: int, _: int) -> Any:
    return move_probe(table, now, priority, slot)


@functools.cache
def _address(name: str) -> int:
    made = compile_function(globals()[f"_{name}"], EVENT, f"{name}_{fingerprint(*sources()):x}")
    return int(made.address)


def write_addresses(state: Any, names: Iterable[str]) -> None:
    """Enter what a run needs into its state, compiled now or read from numba's cache."""
    for name in names:
        state[f"{name}_at"] = _address(name)
