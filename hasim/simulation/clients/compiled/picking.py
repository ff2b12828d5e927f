"""Compiled: which master takes an attempt."""

from __future__ import annotations

from typing import Any

from hasim.services.balancing.chance import DRAWS
from hasim.services.gateway.guards.gate import FAILED, FULL, ROOM, SENT
from hasim.services.gateway.retrying import CLINGS, LEAVES, STAYS
from hasim.services.gateway.rules import HEDGED
from hasim.simulation.clients.compiled.algorithms import call_ended, call_event, call_pick
from hasim.simulation.clients.compiled.guarding import call_admit, call_note
from hasim.simulation.clients.compiled.jit import njit
from hasim.simulation.clients.compiled.layout import NO_ROOM, NOBODY, VIEWS, Record, Table
from hasim.simulation.clients.compiled.rules import stays

state = VIEWS["state"]
gateways = VIEWS["gateways"]
eligible = VIEWS["eligible"]
takes = VIEWS["takes"]
owners = VIEWS["owners"]
layers = VIEWS["layers"]
keys = VIEWS["keys"]
lists = VIEWS["tried"]


@njit
def select(table: Table, now: int, m: Record, message: int, draw: int, tried: int) -> Any:
    """The master for an attempt, NOBODY, or NO_ROOM.

    `tried` is the address of the list of masters that failed the message; 0 for none. An
    owned message goes to the owner if it is eligible.
    """
    s, gateway, partition = state(table)[0], int(m.gateway), int(m.partition)
    g, owner = gateways(table)[gateway], -1
    if partition >= 0:
        owner = owners(table)[gateway * s.partitions + partition]
        if not eligible(table)[gateway * s.masters + owner]:
            return NOBODY
    kept = keeps(table, m, message, draw) if s.stays else LEAVES
    if kept == CLINGS or (kept == STAYS and takes(table)[gateway * s.masters + m.last]):
        owner = int(m.last)
    if g.admit:
        found = call_admit(g.admit, g.guards, g.fleet, now, owner)
        if found != ROOM:
            return NO_ROOM if found == FULL else NOBODY
    if owner >= 0:
        return owner
    key = keys(table)[message & s.mask] if s.has_keys else message
    place = draw * DRAWS
    has_keys, seed, vip = s.has_keys, s.pick_seed, int(m.vip)
    master = call_pick(g.pick, g.fleet, now, vip, key, has_keys, seed, place, tried)
    if g.probed:
        call_event(s.send_probes_at, table, now, gateway, draw, 0)
    return master


@njit
def keeps(table: Table, m: Record, message: int, draw: int) -> int:
    """Whether a retry shall go to the master of the attempt before it (see `stays`)."""
    number = draw - message * state(table)[0].attempts
    if m.partition >= 0 or m.last < 0 or draw >= HEDGED or number == 0:
        return LEAVES
    return int(stays(layers(table)[0], layers(table)[1], number))


@njit
def tried_by(table: Table, m: Record, message: int) -> Any:
    """The address of the list of masters that failed a message; 0 if there are none."""
    s = state(table)[0]
    return s.tried_at + 8 * s.list * (message & s.mask) if m.failed else 0


@njit
def note_tried(table: Table, m: Record, message: int, master: int) -> None:
    """A master failed a message, whose next attempts avoid it."""
    s = state(table)[0]
    m.failed += 1
    first = s.list * (message & s.mask)
    lists(table)[first] = m.failed
    lists(table)[first + m.failed] = master


@njit
def tell(table: Table, now: int, gateway: int, master: int, sent_ns: int, kind: int) -> None:
    """An attempt ended: algorithm and guards are told, if they want to know."""
    g = gateways(table)[gateway]
    if g.ended:
        call_ended(g.ended, g.fleet, master, now, now - sent_ns, int(kind == FAILED))
    if g.note:
        call_note(g.note, g.guards, kind, master, now, sent_ns)


@njit
def tell_sent(table: Table, now: int, gateway: int, master: int) -> None:
    """An attempt is sent: the guards are told, if there are any."""
    g = gateways(table)[gateway]
    if g.note:
        call_note(g.note, g.guards, SENT, master, now, now)
