"""Compiled: what comes after an attempt that failed, for messages that may have another."""

from __future__ import annotations

from hasim.services.gateway.retrying import NONE
from hasim.simulation.clients.compiled.clients import GIVES_UP, budgets, messages, send
from hasim.simulation.clients.compiled.jit import njit
from hasim.simulation.clients.compiled.layout import FOREVER, NOBODY, VIEWS, Table
from hasim.simulation.clients.compiled.picking import layers, tried_by
from hasim.simulation.clients.compiled.queues import push
from hasim.simulation.clients.compiled.rules import allows, follows, starts_at, withdraw
from hasim.simulation.clients.compiled.serving import place_of, state
from hasim.simulation.clients.compiled.stops import NOTHING, RETRY
from hasim.simulation.clock import ARRIVAL, KEY, KEY_BITS, MESSAGES

retries = VIEWS["retries"]
backoff = VIEWS["backoff"]


@njit
def follow(table: Table, now: int, message: int, draw: int, cause: int) -> int:
    """Have another attempt after a while; GIVES_UP if the message gets none."""
    s = state(table)[0]
    m = messages(table)[message & s.mask]
    outer, inner, first = layers(table)[0], layers(table)[1], message * s.attempts
    following = follows(outer, inner, draw - first, cause)
    if following == NONE:
        return GIVES_UP
    if not retries(table)[(message & s.mask) >> s.chunk_bits]:
        s.to_retry, s.draw, s.cause = message, draw, cause
        return RETRY
    budget = budgets(table)[2 * m.gateway]
    uniform = backoff(table)[place_of(table, message, first + following)]
    at = starts_at(now, m.arrival_ns + s.deadline_ns, outer, inner, following, uniform)
    if at == FOREVER:
        return GIVES_UP
    if not allows(budget):
        budget.cut += 1
        return GIVES_UP
    withdraw(budget)
    push(table, at, ARRIVAL << KEY_BITS | (MESSAGES + first + following), NOBODY)
    return NOTHING


@njit
def try_again(table: Table, now: int, priority: int) -> int:
    """The wait before another attempt is over."""
    s, draw = state(table)[0], (priority & KEY) - MESSAGES
    message = draw // s.attempts
    m = messages(table)[message & s.mask]
    return send(table, now, message, draw, tried_by(table, m, message))
