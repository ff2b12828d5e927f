"""Compiled: the addresses of clients, as `Directory` has them."""

from __future__ import annotations

from typing import Any

from hasim.services.gateway import addresses as rules
from hasim.services.gateway.addresses import CLOSING, NOWHERE
from hasim.simulation.clients.compiled.chance import uniform
from hasim.simulation.clients.compiled.jit import inlined, int64, njit
from hasim.simulation.clients.compiled.layout import VIEWS, Record, Table
from hasim.simulation.clients.compiled.rules import holds

state = VIEWS["state"]
attempts = VIEWS["attempts"]
messages = VIEWS["messages"]
clients = VIEWS["clients"]
addresses = VIEWS["addresses"]
habits = VIEWS["habits"]
follows = VIEWS["follows"]
holds_of = VIEWS["holds"]
left_ns = VIEWS["left_ns"]
moved_ns = VIEWS["moved_ns"]

connected_to = inlined(rules.connected_to)
named = inlined(rules.named)
learn = inlined(rules.learn)
connect = inlined(rules.connect)
close = inlined(rules.close)
by_name = inlined(rules.by_name)
by_connection = inlined(rules.by_connection)


@njit
def address_of(table: Table, message: int) -> Any:
    """The number of the address that a message's client goes by."""
    s = state(table)[0]
    target = int64(messages(table)[message & s.mask].partition)
    if target < 0:
        target = s.partitions
    return clients(table)[message & s.mask] * (s.partitions + 1) + target


@njit
def know(table: Table, now: int, message: int) -> Any:
    """The master that a message's client sends to without asking, or NOWHERE."""
    a = addresses(table)[address_of(table, message)]
    master = connected_to(a, now)
    return master if master != NOWHERE else named(a, now)


@njit
def use(table: Table, now: int, message: int, master: int, slot: int) -> None:
    """A message's client sends an attempt to a master, over its connection if it has one there."""
    s, h, place = state(table)[0], habits(table)[0], address_of(table, message)
    a = addresses(table)[place]
    if a.last not in (NOWHERE, master):
        note_follow(table, now, messages(table)[message & s.mask], a)
    if connected_to(a, now) == master:
        if not h.tests:
            attempt = attempts(table)[slot]
            attempt.pooled, attempt.connected_ns = 1, a.open_since_ns
    else:
        if named(a, now) != master:
            number = clients(table)[message & s.mask] % h.clients
            learn(a, h, now, number, master, uniform(s.client_seed, 2 * place))
        connect(a, h, now, master, uniform(s.client_seed, 2 * place + 1))
    a.last = master


@njit
def note_follow(table: Table, now: int, m: Record, a: Record) -> None:
    """A client sends elsewhere than the last time: what kept it since it should not send there."""
    s = state(table)[0]
    if m.partition < 0:
        since_ns, place = left_ns(table)[m.gateway * s.masters + a.last], int64(a.last)
    else:
        since_ns = moved_ns(table)[m.gateway * s.partitions + m.partition]
        place = s.masters + m.partition
    if since_ns < 0:
        return
    f = follows(table)[m.gateway * (s.masters + s.partitions) + place]
    name_ns, kept_ns = by_name(a, since_ns, now), by_connection(a, since_ns, now)
    f.clients += 1
    f.most_ns = max(f.most_ns, now - since_ns)
    f.name_ns += name_ns
    if a.open == NOWHERE:
        f.stay_ns += kept_ns
    else:
        f.pool_ns += kept_ns
    f.pause_ns += now - since_ns - name_ns - kept_ns


@njit
def note_held(table: Table, gateway: int, partition: int, held_ns: int) -> None:
    """An attempt was held for so long, and is sent."""
    h = holds_of(table)[gateway * (state(table)[0].partitions + 1) + partition + 1]
    h.attempts += 1
    h.total_ns += held_ns
    h.most_ns = max(h.most_ns, held_ns)


@njit
def disconnect(table: Table, now: int, message: int, master: int, cause: int) -> None:
    """A failure may end the connection that it came over."""
    if holds(CLOSING, cause):
        close(addresses(table)[address_of(table, message)], master, now)
