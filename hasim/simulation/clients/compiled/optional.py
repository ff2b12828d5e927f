"""Compiled on their own, and only for runs that need them: hedging, retries, names of clients, ...

Most runs do without most of them. With all of them inside, the kernel would take twice as long to
compile, and be slower for its size. It calls them through addresses in the state, as it calls
pickers; 0 for what a run does without.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from hasim.services.gateway.guards.gate import CANCELLED as CANCELLED_KIND
from hasim.services.gateway.pace import BUCKETS
from hasim.services.gateway.rules import HEDGED
from hasim.simulation.clients.compiled.addressing import disconnect, know, note_held, use
from hasim.simulation.clients.compiled.algorithms import EVENT, compile_function
from hasim.simulation.clients.compiled.asking import ask, resume
from hasim.simulation.clients.compiled.clients import (
    ALL_CAUSES,
    budgets,
    causes,
    dispatch,
    gateways,
    in_flight,
    messages,
    paces,
)
from hasim.simulation.clients.compiled.jit import fingerprint, int64, njit, sources
from hasim.simulation.clients.compiled.layout import CANCELLED, FOREVER, VIEWS, Table
from hasim.simulation.clients.compiled.limits import (
    connect,
    give_up,
    open_connection,
    reach_limit,
)
from hasim.simulation.clients.compiled.load_probes import move_probe, send_probes
from hasim.simulation.clients.compiled.picking import (
    keeps,
    lists,
    note_tried,
    select,
    tell,
    tried_by,
)
from hasim.simulation.clients.compiled.retrying import follow, try_again
from hasim.simulation.clients.compiled.rules import allows, is_passed_over, note_pace, withdraw
from hasim.simulation.clients.compiled.serving import (
    attempts,
    masters,
    pace,
    release,
    state,
    take_slot,
    wait,
)
from hasim.simulation.clients.compiled.stops import NOTHING
from hasim.simulation.clients.compiled.waiting import (
    HELD,
    call_line,
    leave_line,
    look_again,
    park,
)

paced = VIEWS["paced"]
HEDGING, WAITING = ("hedge", "cancel", "note_pace"), ("line", "park", "give_up")
RETRYING, LIMITS = ("follow", "try_again"), ("reach_limit",)
NAMES, CONNECTING = ("know", "use", "disconnect"), ("open", "connect")
PACING, COPYING = ("pace",), ("wait",)
ASKING, ASKED = ("ask",), ("resume",)
PROBING = ("send_probes", "move_probe")
"""What each of them needs: a second attempt; room at masters, or a wait for one to be there; more
attempts; a limit of that wait, or of one for a connection; clients with names, a timeout for
connecting; masters that slow with load, and writes that wait for copies; another tier behind, or
before; load probes."""


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
                if a.parked == HELD:
                    note_held(table, gateway, int64(a.partition), now - a.sent_ns)
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


def _note_pace(table: int, _: int, gateway: int, latency_ns: int, __: int) -> Any:
    first, quantile = gateway * BUCKETS, state(table)[0].hedge_quantile
    note_pace(paced(table), first, paces(table)[gateway], quantile, latency_ns)
    return NOTHING


def _line(table: int, now: int, gateway: int, _: int, __: int) -> Any:
    return serve_line(table, now, gateway)


def _park(table: int, now: int, message: int, draw: int, reason: int) -> Any:
    park(table, now, message, draw, reason)
    return NOTHING


def _give_up(table: int, now: int, slot: int, cause: int, _: int) -> Any:
    return give_up(table, now, slot, cause)


def _reach_limit(table: int, now: int, slot: int, draw: int, _: int) -> Any:
    return reach_limit(table, now, slot, draw)


def _follow(table: int, now: int, message: int, draw: int, cause: int) -> Any:
    return follow(table, now, message, draw, cause)


def _try_again(table: int, now: int, priority: int, _: int, __: int) -> Any:
    return try_again(table, now, priority)


def _know(table: int, now: int, message: int, _: int, __: int) -> Any:
    return know(table, now, message)


def _use(table: int, now: int, message: int, master: int, slot: int) -> Any:
    use(table, now, message, master, slot)
    return NOTHING


def _disconnect(table: int, now: int, message: int, master: int, cause: int) -> Any:
    disconnect(table, now, message, master, cause)
    return NOTHING


def _open(table: int, now: int, slot: int, delay: int, _: int) -> Any:
    open_connection(table, now, slot, delay)
    return NOTHING


def _connect(table: int, arrival: int, slot: int, _: int, __: int) -> Any:
    connect(table, arrival, slot)
    return NOTHING


def _pace(table: int, now: int, master: int, _: int, __: int) -> Any:
    m = masters(table)[master]
    pace(table, now, m, m.disk)
    return NOTHING


def _wait(table: int, now: int, slot: int, _: int, __: int) -> Any:
    return wait(table, now, slot)


def _ask(table: int, now: int, slot: int, _: int, __: int) -> Any:
    return ask(table, now, slot)


def _resume(table: int, now: int, message: int, cause: int, _: int) -> Any:
    resume(table, now, message, cause)
    return NOTHING


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


def write_late_addresses(state: Any, masters: Any) -> None:
    """The same for what is not known when a plane is made: copies to wait for, other tiers."""
    needed = {
        COPYING: masters["wait_ns"].any(),
        ASKING: state["behind"],
        ASKED: state["before"],
    }
    for names, wanted in needed.items():
        write_addresses(state, names if wanted else ())
