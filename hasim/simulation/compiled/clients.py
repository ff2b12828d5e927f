"""Compiled: the gateways' side, as `MessagePlane` and the balancing service have it."""

from __future__ import annotations

from hasim.services.balancing.guards.gate import ANSWERED as ANSWERED_KIND
from hasim.services.balancing.guards.gate import FAILED as FAILED_KIND
from hasim.services.balancing.load import LATENCY_GAIN
from hasim.simulation.clock import ARRIVAL, KEY_BITS, MESSAGES
from hasim.simulation.compiled.jit import inline, int64, njit
from hasim.simulation.compiled.layout import (
    CAUSES,
    FOREVER,
    NO_ROOM,
    NOBODY,
    NOT_OWNER,
    OK,
    OVERFLOW,
    REJECTED,
    TIMED_OUT,
    UNROUTABLE,
    VIEWS,
    Record,
    Table,
)
from hasim.simulation.compiled.picking import select, tell, tell_sent
from hasim.simulation.compiled.queues import push, push_delivery, push_timeout, skip_settled
from hasim.simulation.compiled.serving import (
    attempts,
    crosses_there,
    masters,
    place_of,
    release,
    routes,
    state,
)
from hasim.simulation.compiled.stops import ANSWERED, ARM, NOTHING, REPORT, RETRY

ALL_CAUSES = len(CAUSES)
gateways = VIEWS["gateways"]
messages = VIEWS["messages"]
retries = VIEWS["retries"]
error_of = VIEWS["error"]
backoff = VIEWS["backoff"]
demand_ns = VIEWS["demand_ns"]
in_flight = VIEWS["in_flight"]
unanswered = VIEWS["unanswered"]
causes = VIEWS["causes"]
chosen = VIEWS["chosen"]


@inline
def arrive(table: Table, now: int) -> int:
    """The next message arrives at its gateway."""
    s = state(table)[0]
    message = s.message
    s.message += 1
    left = s.message < s.count
    s.arrival_ns = messages(table)[s.message & s.mask].arrival_ns if left else FOREVER
    g = gateways(table)[messages(table)[message & s.mask].gateway]
    g.tokens = min(s.ceiling, g.tokens + s.share)
    return send(table, now, message, message * s.attempts, NOBODY)


@njit
def send(table: Table, now: int, message: int, draw: int, avoid: int) -> int:
    """One attempt: choose a master, put the request on its way, start the client's timeout."""
    s = state(table)[0]
    m = messages(table)[message & s.mask]
    gateway, partition = int64(m.gateway), int64(m.partition)
    m.tries += 1
    master = select(table, now, m, message, draw, avoid)
    if master < 0:
        cause = OVERFLOW if master == NO_ROOM else UNROUTABLE
        return retry_or_settle(table, now, message, draw, cause, NOBODY)
    m.last = master
    chosen(table)[m.block * s.masters + master] += 1
    slot = s.free
    a = attempts(table)[slot]
    s.free = a.next
    a.used = a.awaited = 1
    a.draw, a.message, a.partition = draw, message, partition
    a.gateway, a.master, a.route = gateway, master, gateway * s.masters + master
    a.sent_ns = now
    place = place_of(table, message, draw)
    a.remaining_ns = demand_ns(table)[masters(table)[master].law * s.attempts * s.size + place]
    if s.faulty:
        a.error = error_of(table)[place]
    a.seat, a.due_ns = -1, -1
    r = routes(table)[a.route]
    r.sent += 1
    in_flight(table)[a.route] += 1
    tell_sent(table, now, gateway, master)
    delay = crosses_there(table, r, place)
    a.served = delay >= 0
    if delay >= 0:
        push_delivery(table, now + delay, ARRIVAL << KEY_BITS | (MESSAGES + draw), slot)
    push_timeout(table, now + s.timeout_ns, draw, slot)
    return expect_report(table, gateway)


@njit
def expect_report(table: Table, gateway: int) -> int:
    """Have the gateway's timer set, unless it runs."""
    g = gateways(table)[gateway]
    if g.armed:
        return NOTHING
    g.armed = 1
    state(table)[0].gateway = gateway
    return ARM


@njit
def retry_or_settle(table: Table, now: int, message: int, draw: int, cause: int, avoid: int) -> int:
    """After a failed attempt: wait and try again, or leave it at that."""
    s = state(table)[0]
    m = messages(table)[message & s.mask]
    g, following = gateways(table)[m.gateway], draw + 1 - message * s.attempts
    if following < s.attempts and g.tokens >= 1.0:
        if not retries(table)[(message & s.mask) >> s.chunk_bits]:
            s.to_retry, s.draw, s.cause, s.avoid = message, draw, cause, avoid
            return RETRY
        # Full jitter: uniform between nothing and the doubled bound.
        bound_ns = s.backoff_ns * 2.0 ** (following - 1)
        pause = backoff(table)[place_of(table, message, draw + 1)] * bound_ns
        if pause < FOREVER and now + int(pause) < m.arrival_ns + s.deadline_ns:
            g.tokens -= 1.0
            priority = ARRIVAL << KEY_BITS | (MESSAGES + draw + 1)
            push(table, now + int(pause), priority, -2 - avoid)
            return NOTHING
    settle(table, now, message, cause)
    return NOTHING


@njit
def retry(table: Table, now: int, priority: int, slot: int) -> int:
    """The wait before another attempt is over; `slot` says which master to avoid."""
    draw = (priority & ((1 << KEY_BITS) - 1)) - MESSAGES
    return send(table, now, draw // state(table)[0].attempts, draw, -2 - slot)


@njit
def settle(table: Table, now: int, message: int, cause: int) -> None:
    """A message has its outcome."""
    m = messages(table)[message & state(table)[0].mask]
    m.outcome = cause
    m.ended_ns = now
    if cause != OK:
        state(table)[0].lost += 1


@njit
def answered(table: Table, now: int, slot: int) -> int:
    """An answer reaches the client, which still waits for it."""
    a = attempts(table)[slot]
    a.awaited = 0
    release(table, slot)
    skip_settled(table)
    if a.cause != OK:
        return failed(table, now, a, int64(a.cause))
    s, r = state(table)[0], routes(table)[a.route]
    causes(table)[a.master * ALL_CAUSES + OK] += 1
    stop = NOTHING
    if r.streak > 0 and s.watch > 0:
        s.gateway, s.master = a.gateway, a.master
        stop = REPORT
    in_flight(table)[a.route] -= 1
    r.answered += 1
    r.streak = r.reported = 0
    latency_ns = now - a.sent_ns
    tell(table, now, a.gateway, a.master, a.sent_ns, ANSWERED_KIND)
    r.latency_ns += (latency_ns - r.latency_ns) // LATENCY_GAIN if r.latency_ns else latency_ns
    if a.partition >= 0 and unanswered(table)[a.partition]:
        s.partition = a.partition
        stop |= ANSWERED
    settle(table, now, a.message, OK)
    return stop


@njit
def expire(table: Table, now: int, slot: int, draw: int) -> int:
    """An attempt was sent so long ago that its client, if it still waits, gives up."""
    a = attempts(table)[slot]
    if not a.used or a.draw != draw or not a.awaited:
        return NOTHING
    a.awaited = 0
    if not a.served:
        release(table, slot)
    return failed(table, now, a, TIMED_OUT)


@njit
def failed(table: Table, now: int, a: Record, cause: int) -> int:
    """An attempt failed; the first failures of a run are reported at once."""
    s, r = state(table)[0], routes(table)[a.route]
    causes(table)[a.master * ALL_CAUSES + cause] += 1
    in_flight(table)[a.route] -= 1
    r.failed += 1
    r.reported = 0
    tell(table, now, a.gateway, a.master, a.sent_ns, FAILED_KIND)
    if cause not in (REJECTED, NOT_OWNER):
        r.streak += 1
        r.last_cause = cause
    stop = NOTHING
    if 0 < r.streak <= s.watch:
        s.gateway, s.master = a.gateway, a.master
        stop = REPORT
    return stop | retry_or_settle(table, now, a.message, a.draw, cause, int64(a.master))
