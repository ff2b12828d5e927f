"""Compiled: the addresses of clients, as `Directory` has them."""

from __future__ import annotations

from typing import Any

from hasim.services.gateway import addresses as rules
from hasim.services.gateway.addresses import CLOSING, NOWHERE, OPENS
from hasim.services.gateway.rules import HEDGED
from hasim.simulation.clients.compiled.chance import uniform
from hasim.simulation.clients.compiled.jit import inlined, int64, njit
from hasim.simulation.clients.compiled.layout import VIEWS, Record, Table
from hasim.simulation.clients.compiled.rules import holds

state = VIEWS["state"]
clients = VIEWS["clients"]
addresses = VIEWS["addresses"]
habits = VIEWS["habits"]
delays = VIEWS["delays"]
left_ns = VIEWS["left_ns"]
moved_ns = VIEWS["moved_ns"]

connected_to = inlined(rules.connected_to)
named = inlined(rules.named)
learn = inlined(rules.learn)
connect = inlined(rules.connect)
close = inlined(rules.close)
FOLLOWED, HELD = 0, 1
"""The delays of a gateway, in `delays`."""


@njit
def address_of(table: Table, m: Record, message: int) -> Any:
    """The number of the address that a message's client goes by."""
    s, target = state(table)[0], int64(m.partition)
    if target < 0:
        target = s.partitions
    return clients(table)[message & s.mask] * (s.partitions + 1) + target


@njit
def known_to(table: Table, now: int, m: Record, message: int) -> Any:
    """The master that a message's client sends to without asking, or NOWHERE."""
    a = addresses(table)[address_of(table, m, message)]
    master = connected_to(a, now)
    return master if master != NOWHERE else named(a, now)


@njit
def use(table: Table, now: int, m: Record, message: int, master: int) -> Any:
    """A message's client sends to a master: since when its connection is open, or OPENS."""
    s, h, place = state(table)[0], habits(table)[0], address_of(table, m, message)
    a, opened_ns = addresses(table)[place], OPENS
    if connected_to(a, now) == master:
        if not h.tests:
            opened_ns = a.open_since_ns
    else:
        if named(a, now) != master:
            number = clients(table)[message & s.mask] % h.clients
            learn(a, h, now, number, master, uniform(s.client_seed, 2 * place))
        connect(a, h, now, master, uniform(s.client_seed, 2 * place + 1))
    if a.last not in (NOWHERE, master):
        wrong_ns = left_ns(table)[m.gateway * s.masters + a.last]
        if m.partition >= 0:
            wrong_ns = moved_ns(table)[m.gateway * s.partitions + m.partition]
        if wrong_ns >= 0:
            note_delay(table, int64(m.gateway), FOLLOWED, now - wrong_ns)
    a.last = master
    return opened_ns


@njit
def note_delay(table: Table, gateway: int, kind: int, took_ns: int) -> None:
    """Something took so long, once more."""
    delay = delays(table)[2 * gateway + kind]
    delay.count += 1
    delay.total_ns += took_ns
    delay.most_ns = max(delay.most_ns, took_ns)


@njit
def disconnect(table: Table, m: Record, message: int, draw: int, master: int, cause: int) -> None:
    """A failure may end the connection that it came over."""
    if draw < HEDGED and holds(CLOSING, cause):
        close(addresses(table)[address_of(table, m, message)], master)
