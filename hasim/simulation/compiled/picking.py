"""Compiled: the balancers' pickers, as they stand, over arrays."""

from __future__ import annotations

from hasim.services.balancing import pickers
from hasim.simulation.compiled.availability import ALGORITHMS
from hasim.simulation.compiled.jit import njit
from hasim.simulation.compiled.layout import VIEWS, Table

ROUND_ROBIN, PRIORITY, LEAST_LOADED, GEO = range(len(ALGORITHMS))

state = VIEWS["state"]
gateways = VIEWS["gateways"]
eligible = VIEWS["eligible"]
in_flight = VIEWS["in_flight"]
rtt_ns = VIEWS["rtt_ns"]
workers = VIEWS["workers"]
tiers = VIEWS["tiers"]
owners = VIEWS["owners"]

round_robin = njit(pickers.round_robin)
priority = njit(pickers.priority)
least_loaded = njit(pickers.least_loaded)
geo = njit(pickers.geo)


@njit
def pick(table: Table, gateway: int, vip: bool, avoid: int) -> int:
    """The master for a stateless attempt, or -1."""
    s, g = state(table)[0], gateways(table)[gateway]
    begin, end = gateway * s.masters, (gateway + 1) * s.masters
    may = eligible(table)[begin:end]
    if g.algorithm == ROUND_ROBIN:
        index = round_robin(may, g.cursor, avoid)
        if index >= 0:
            g.cursor = index
        return index
    load, capacity = in_flight(table)[begin:end], workers(table)[0 : s.masters]
    if g.algorithm == LEAST_LOADED:
        return least_loaded(may, load, capacity, avoid)
    if g.algorithm == GEO:
        return geo(may, load, capacity, rtt_ns(table)[begin:end], avoid)
    return priority(may, load, capacity, tiers(table)[0 : s.masters], vip, s.reserve, avoid)


@njit
def select(table: Table, gateway: int, partition: int, vip: bool, avoid: int) -> int:
    """The master for an attempt, or -1: an owned message goes to the owner if it is eligible."""
    if partition < 0:
        return pick(table, gateway, vip, avoid)
    s = state(table)[0]
    owner = owners(table)[gateway * s.partitions + partition]
    return owner if eligible(table)[gateway * s.masters + owner] else -1
