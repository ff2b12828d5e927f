"""Compiled: the gateways' side, as `Dispatcher` and the gateway service have it."""

from __future__ import annotations

from hasim.services.gateway.guards.gate import ANSWERED as ANSWERED_KIND
from hasim.services.gateway.guards.gate import FAILED as FAILED_KIND
from hasim.services.gateway.rules import HEDGED
from hasim.simulation.clients.compiled.algorithms import call_event
from hasim.simulation.clients.compiled.crossing import crosses_there
from hasim.simulation.clients.compiled.foresight import foresee
from hasim.simulation.clients.compiled.jit import inline, int64, njit
from hasim.simulation.clients.compiled.layout import (
    CAUSES,
    CLIENT_ERROR,
    FOREVER,
    NO_ROOM,
    NOBODY,
    OK,
    OVERFLOW,
    TIMED_OUT,
    UNROUTABLE,
    UNSETTLED,
    VIEWS,
    Record,
    Table,
)
from hasim.simulation.clients.compiled.picking import note_tried, select, tell, tell_sent
from hasim.simulation.clients.compiled.queues import push, push_delivery, push_timeout
from hasim.simulation.clients.compiled.rules import (
    deposit,
    hedge_after,
    holds,
    is_end,
    is_news,
    is_rare,
    may_join,
    release_token,
    smoothed,
    still_waits,
)
from hasim.simulation.clients.compiled.serving import (
    attempts,
    masters,
    place_of,
    release,
    routes,
    state,
    take_slot,
)
from hasim.simulation.clients.compiled.stops import ANSWERED, ARM, NOTHING, REPORT
from hasim.simulation.clients.compiled.waiting import HELD, ROOM, call_line
from hasim.simulation.clock import ARRIVAL, HEDGE, KEY_BITS, MESSAGES

ALL_CAUSES = len(CAUSES)
GIVES_UP = -1
"""Instead of reasons to stop: there is no other attempt."""
gateways = VIEWS["gateways"]
messages = VIEWS["messages"]
error_of = VIEWS["error"]
demand_ns = VIEWS["demand_ns"]
in_flight = VIEWS["in_flight"]
marks = VIEWS["marks"]
unanswered = VIEWS["unanswered"]
budgets = VIEWS["budgets"]
paces = VIEWS["paces"]
causes = VIEWS["causes"]
chosen = VIEWS["chosen"]


@inline
def arrive(table: Table, now: int) -> int:
    """The next message arrives at its gateway."""
    s = state(table)[0]
    message = s.message
    s.message += 1
    left = s.message < s.called
    s.arrival_ns = messages(table)[s.message & s.mask].arrival_ns if left else FOREVER
    m = messages(table)[message & s.mask]
    m.tries, m.failed, m.last, m.outcome = 0, 0, UNSETTLED, UNSETTLED
    if s.attempts > 1:
        deposit(budgets(table)[2 * m.gateway])
    if s.per > 1:
        deposit(budgets(table)[2 * m.gateway + 1])
    return send(table, now, message, message * s.attempts, 0)


@njit
def send(table: Table, now: int, message: int, draw: int, tried: int) -> int:
    """One attempt: choose a master, or wait for room at one, or leave it at that."""
    s = state(table)[0]
    m = messages(table)[message & s.mask]
    m.tries += 1
    master = NOBODY
    if s.clients:
        master = call_event(s.know_at, table, now, message, 0, 0)
    if master < 0:
        master = select(table, now, m, message, draw, tried)
    if master >= 0:
        return dispatch(table, now, message, draw, master, take_slot(table))
    if master == NO_ROOM and may_join(gateways(table)[m.gateway].waiting, s.max_queue):
        return call_event(s.park_at, table, now, message, draw, ROOM)
    if master == NOBODY and may_join(gateways(table)[m.gateway].waiting, s.most_held):
        return call_event(s.park_at, table, now, message, draw, HELD)
    end_round(table, int64(m.gateway), message, draw)
    cause = OVERFLOW if master == NO_ROOM else UNROUTABLE
    return retry_or_settle(table, now, message, draw, cause)


@njit
def dispatch(table: Table, now: int, message: int, draw: int, master: int, slot: int) -> int:
    """Put the request on its way, start the client's timeout."""
    s = state(table)[0]
    m = messages(table)[message & s.mask]
    gateway, partition = int64(m.gateway), int64(m.partition)
    m.last = master
    if s.last_block:
        chosen(table)[m.block * s.masters + master] += 1
    a = attempts(table)[slot]
    a.used = a.awaited = 1
    a.parked = a.pooled = a.asked = 0
    a.draw, a.message, a.partition = draw, message, partition
    a.gateway, a.master, a.route = gateway, master, gateway * s.masters + master
    a.sent_ns = now
    place = place_of(table, message, draw)
    of_law = masters(table)[master].law * s.attempts * s.per * s.size
    a.remaining_ns = demand_ns(table)[of_law + place]
    if s.faulty:
        a.error = error_of(table)[place]
    a.seat, a.due_ns, a.twin, a.written_ns = -1, -1, -1, -1
    r = routes(table)[a.route]
    r.sent += 1
    in_flight(table)[a.route] += 1
    tell_sent(table, now, gateway, master)
    delay = crosses_there(table, now, r, place)
    a.served = delay >= 0
    if s.clients and draw < HEDGED:
        call_event(s.use_at, table, now, message, master, slot)
    if s.connect_ns and not a.pooled:
        call_event(s.open_at, table, now, slot, delay, 0)
    if delay >= 0 and not foresee(table, now, slot, now + delay, place):
        masters(table)[master].coming += 1
        push_delivery(table, now + delay, ARRIVAL << KEY_BITS | (MESSAGES + draw), slot)
    push_timeout(table, now + s.timeout_ns, draw, slot)
    if s.per > 1 and partition < 0 and draw < HEDGED:
        wait_ns = hedge_after(paces(table)[gateway].delay_ns, s.hedge_after_ns)
        if wait_ns > 0:
            push(table, now + wait_ns, HEDGE << KEY_BITS | (MESSAGES + draw), slot)
    return expect_report(table, gateway)


@njit
def end_round(table: Table, gateway: int, message: int, draw: int) -> None:
    """An attempt and the one beside it have ended: if it was a retry, it is active no more."""
    if draw % HEDGED > message * state(table)[0].attempts:
        release_token(budgets(table)[2 * gateway])


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
def retry_or_settle(table: Table, now: int, message: int, draw: int, cause: int) -> int:
    """After a failed attempt: wait and try again, or leave it at that."""
    s = state(table)[0]
    if s.attempts > 1:
        stop = call_event(s.follow_at, table, now, message, draw, cause)
        if stop != GIVES_UP:
            return stop
    settle(table, now, message, cause)
    return NOTHING


@njit
def settle(table: Table, now: int, message: int, cause: int) -> None:
    """A message has its outcome."""
    m = messages(table)[message & state(table)[0].mask]
    m.outcome = cause
    m.ended_ns = now
    s = state(table)[0]
    if cause not in (OK, CLIENT_ERROR):
        s.lost += 1
    if s.before:
        call_event(s.resume_at, table, now, message, cause, 0)


@njit
def answered(table: Table, now: int, slot: int) -> int:
    """An answer reaches the client; if it was cancelled, nobody waits for it."""
    a = attempts(table)[slot]
    awaited = a.awaited
    a.awaited = 0
    release(table, slot)
    if not awaited:
        return NOTHING
    if a.cause not in (OK, CLIENT_ERROR):
        return failed(table, now, a, int64(a.cause))
    s, r = state(table)[0], routes(table)[a.route]
    stop = refuted(table, a)
    in_flight(table)[a.route] -= 1
    r.answered += 1
    r.reported = 0
    latency_ns = now - a.sent_ns
    tell(table, now, int64(a.gateway), int64(a.master), a.sent_ns, ANSWERED_KIND)
    r.latency_ns = smoothed(r.latency_ns, latency_ns)
    if s.hedge_quantile > 0.0:
        call_event(s.note_pace_at, table, now, int64(a.gateway), latency_ns, 0)
    if a.partition >= 0:
        since = unanswered(table)[a.partition]
        if 0 < since <= a.since_ns + 1:
            s.partition, s.master, s.served_ns = a.partition, a.master, a.since_ns
            stop |= ANSWERED
    messages(table)[a.message & s.mask].last = a.master
    if a.twin >= 0:
        call_event(s.cancel_at, table, now, int64(a.twin), 0, 0)
    call_line(table, now, int64(a.gateway))
    end_round(table, int64(a.gateway), a.message, a.draw)
    if a.cause == CLIENT_ERROR:
        causes(table)[a.master * ALL_CAUSES + CLIENT_ERROR] += 1
    settle(table, now, a.message, int64(a.cause))
    return stop


@njit
def expire(table: Table, now: int, slot: int, draw: int) -> int:
    """An attempt was sent so long ago that its client, if it still waits, gives up."""
    s, a = state(table)[0], attempts(table)[slot]
    # One that waited for room has waited anew since it was sent.
    if not a.used or a.draw != draw or not a.awaited or still_waits(now, a.sent_ns, s.timeout_ns):
        return NOTHING
    a.awaited = 0
    if a.parked:
        return call_event(s.give_up_at, table, now, slot, OVERFLOW, 0)
    if not a.served:
        release(table, slot)
    return failed(table, now, a, TIMED_OUT)


@njit
def refuted(table: Table, a: Record) -> int:
    """A run of failures has ended, if there was one; that is news, unless there is a window."""
    s, r = state(table)[0], routes(table)[a.route]
    stop = NOTHING
    if not s.watch_window_ns and is_end(r.streak, s.watch):
        s.gateway, s.master = a.gateway, a.master
        stop = REPORT
    r.streak = 0
    return stop


@njit
def blamed(table: Table, now: int, a: Record) -> int:
    """One more failure counts; it is reported at once if it is watched for."""
    s, r = state(table)[0], routes(table)[a.route]
    if s.watch_window_ns:
        if not s.watch:
            return NOTHING
        place = a.route * s.watch + r.turns % s.watch
        if not is_rare(now, marks(table)[place], s.watch_window_ns):
            return NOTHING
        marks(table)[place] = now
        r.turns += 1
    elif not is_news(r.streak, s.watch):
        return NOTHING
    s.gateway, s.master = a.gateway, a.master
    return REPORT


@njit
def failed(table: Table, now: int, a: Record, cause: int) -> int:
    """An attempt failed; what is watched for is reported at once."""
    s, r = state(table)[0], routes(table)[a.route]
    causes(table)[a.master * ALL_CAUSES + cause] += 1
    in_flight(table)[a.route] -= 1
    r.failed += 1
    r.reported = 0
    tell(table, now, a.gateway, a.master, a.sent_ns, FAILED_KIND)
    stop = NOTHING
    if holds(s.against, cause):
        r.against += 1
        r.streak += 1
        r.last_cause = cause
        stop = blamed(table, now, a)
    elif holds(s.refuting, cause):
        stop = refuted(table, a)
    if s.clients and a.draw < HEDGED:
        call_event(s.disconnect_at, table, now, a.message, int64(a.master), cause)
    if s.attempts > 1:
        note_tried(table, messages(table)[a.message & s.mask], a.message, int64(a.master))
    call_line(table, now, int64(a.gateway))
    if a.twin >= 0:  # the other one may still be answered
        attempts(table)[a.twin].twin = NOBODY
        return stop
    end_round(table, int64(a.gateway), a.message, a.draw)
    draw = a.draw % HEDGED
    return stop | retry_or_settle(table, now, a.message, draw, cause)
