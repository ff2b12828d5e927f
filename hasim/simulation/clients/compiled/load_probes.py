"""Compiled: load probes, as `hasim.simulation.clients.load_probes` has them."""

from __future__ import annotations

from hasim.services.balancing import gauge
from hasim.services.balancing.chance import DRAWS
from hasim.simulation.clients.compiled.algorithms import call_ended
from hasim.simulation.clients.compiled.chance import uniform
from hasim.simulation.clients.compiled.crossing import (
    extra_back,
    extra_there,
    passes_back,
    passes_there,
)
from hasim.simulation.clients.compiled.jit import inlined, njit
from hasim.simulation.clients.compiled.layout import VIEWS, Record, Table
from hasim.simulation.clients.compiled.pointers import integers_at
from hasim.simulation.clients.compiled.queues import push
from hasim.simulation.clients.compiled.stops import NOTHING
from hasim.simulation.clock import ANSWER, ARRIVAL, KEY, KEY_BITS, PROBES

state = VIEWS["state"]
gateways = VIEWS["gateways"]
masters = VIEWS["masters"]
routes = VIEWS["routes"]
probes = VIEWS["probes"]
gauges = VIEWS["gauges"]
entered = VIEWS["entered"]

GAUGE = gauge.GAUGE
level_of = inlined(gauge.level_of)
note_latency = inlined(gauge.note_latency)
latency_at = inlined(gauge.latency_at)


@njit
def send_probes(table: Table, now: int, gateway: int, draw: int) -> None:
    """Ask the masters that the picker has just named."""
    s = state(table)[0]
    targets = integers_at(gateways(table)[gateway].counts)
    for place in range(targets[0]):
        number, route = draw * DRAWS + place, gateway * s.masters + targets[1 + place]
        r = routes(table)[route]
        if r.there_drops or uniform(s.probe_seed, 2 * number) >= passes_there(table, now, r):
            continue
        slot = s.free_probe
        p = probes(table)[slot]
        s.free_probe = p.next
        s.free_probes -= 1
        p.gateway, p.route = gateway, route
        p.master = targets[1 + place]
        arrival = now + r.there_ns + extra_there(now, r)
        push(table, arrival, ARRIVAL << KEY_BITS | (PROBES + number), slot)
    targets[0] = 0


@njit
def move_probe(table: Table, now: int, priority: int, slot: int) -> int:
    """A probe reaches its master, or comes back."""
    p = probes(table)[slot]
    if priority >> KEY_BITS == ARRIVAL:
        measure(table, now, (priority & KEY) - PROBES, slot)
        return NOTHING
    release_probe(table, slot)
    g = gateways(table)[p.gateway]
    if g.probed:
        call_ended(g.probed, g.fleet, p.master, now, p.in_flight, p.latency_ns)
    return NOTHING


@njit
def measure(table: Table, now: int, number: int, slot: int) -> None:
    """The master answers, if it can."""
    s, p = state(table)[0], probes(table)[slot]
    m, r = masters(table)[p.master], routes(table)[p.route]
    luck = uniform(s.probe_seed, 2 * number + 1)
    lost = r.back_drops or luck >= passes_back(table, now, r)
    if m.offs or m.crashes or m.hangs or lost:
        release_probe(table, slot)
        return
    p.in_flight = m.busy + m.waiting
    level = level_of(m.busy + m.waiting, m.workers)
    p.latency_ns = latency_at(gauges(table), p.master * GAUGE, level)
    answer = now + r.back_ns + extra_back(now, r)
    push(table, answer, ANSWER << KEY_BITS | (PROBES + number), slot)


@njit
def release_probe(table: Table, slot: int) -> None:
    """The slot may be used again."""
    s = state(table)[0]
    probes(table)[slot].next = s.free_probe
    s.free_probe = slot
    s.free_probes += 1


@njit
def enter(table: Table, now: int, m: Record, slot: int) -> None:
    """A request comes to a master: what it finds there counts for its latency."""
    if not state(table)[0].gauging:
        return
    e = entered(table)[slot]
    e.time, e.in_flight = now, m.busy + m.waiting


@njit
def note_done(table: Table, now: int, master: int, m: Record, slot: int) -> None:
    """It is done."""
    if not state(table)[0].gauging:
        return
    e = entered(table)[slot]
    if e.time < 0:
        return
    level = level_of(e.in_flight, m.workers)
    note_latency(gauges(table), master * GAUGE, level, now - e.time)
