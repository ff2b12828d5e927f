"""Compiled: which master takes an attempt."""

from __future__ import annotations

from typing import Any

from hasim.services.balancing.fleet import DRAWS
from hasim.simulation.compiled.algorithms import call_ended, call_pick
from hasim.simulation.compiled.jit import njit
from hasim.simulation.compiled.layout import VIEWS, Record, Table

state = VIEWS["state"]
gateways = VIEWS["gateways"]
eligible = VIEWS["eligible"]
owners = VIEWS["owners"]
keys = VIEWS["keys"]


@njit
def select(table: Table, now: int, m: Record, message: int, draw: int, avoid: int) -> Any:
    """The master for an attempt, or -1: an owned message goes to the owner if it is eligible."""
    s, gateway, partition = state(table)[0], int(m.gateway), int(m.partition)
    if partition >= 0:
        owner = owners(table)[gateway * s.partitions + partition]
        return owner if eligible(table)[gateway * s.masters + owner] else -1
    g = gateways(table)[gateway]
    key = keys(table)[message & s.mask] if s.has_keys else message
    place = draw * DRAWS
    return call_pick(g.pick, g.fleet, now, int(m.vip), key, s.has_keys, s.pick_seed, place, avoid)


@njit
def tell(table: Table, now: int, gateway: int, master: int, elapsed_ns: int, failed: int) -> None:
    """An attempt ended: the algorithm is told, if it wants to know."""
    g = gateways(table)[gateway]
    if g.ended:
        call_ended(g.ended, g.fleet, master, now, elapsed_ns, failed)
