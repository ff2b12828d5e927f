"""Compiled: how long packets need, and which are lost, as `Link.crossing` says."""

from __future__ import annotations

from hasim.simulation.clients.compiled.jit import njit
from hasim.simulation.clients.compiled.layout import VIEWS, Record, Table

state = VIEWS["state"]
ratio_there = VIEWS["ratio_there"]
loss_there = VIEWS["loss_there"]
ratio_back = VIEWS["ratio_back"]
loss_back = VIEWS["loss_back"]
bursts = VIEWS["bursts"]


@njit
def crosses_there(table: Table, now: int, r: Record, place: int) -> int:
    """Nanoseconds that a request needs that is sent now, or -1 if it is lost."""
    # Without loss and jitter there are no such columns.
    if r.there_drops or (r.there_lossy and loss_there(table)[place] >= passes_there(table, now, r)):
        return -1
    delay_ns: int = r.there_ns
    if state(table)[0].jittered:
        delay_ns = int(delay_ns * ratio_there(table)[place])
    return delay_ns + extra_there(now, r)


@njit
def crosses_back(table: Table, at_ns: int, r: Record, place: int) -> int:
    """The same for an answer, sent now or later."""
    if r.back_drops or (r.back_lossy and loss_back(table)[place] >= passes_back(table, at_ns, r)):
        return -1
    delay_ns: int = r.back_ns
    if state(table)[0].jittered:
        delay_ns = int(delay_ns * ratio_back(table)[place])
    return delay_ns + extra_back(at_ns, r)


@njit
def extra_there(now: int, r: Record) -> int:
    """What faults add to a crossing that begins now: they slow it down, or hold it."""
    extra: int = r.there_extra_ns
    if now < r.there_held_ns:
        extra += r.there_held_ns - now
    return extra


@njit
def extra_back(at_ns: int, r: Record) -> int:
    """The same for an answer."""
    extra: int = r.back_extra_ns
    if at_ns < r.back_held_ns:
        extra += r.back_held_ns - at_ns
    return extra


@njit
def passes_there(table: Table, now: int, r: Record) -> float:
    """Probability that a request sent now passes. Times never run back."""
    s = state(table)[0]
    passes: float = r.there_passes
    if s.bursty:
        while bursts(table)[r.burst].end_ns <= now:
            r.burst += 1
        if bursts(table)[r.burst].begin_ns <= now:
            passes *= s.burst_passes
    return passes


@njit
def passes_back(table: Table, at_ns: int, r: Record) -> float:
    """The same for an answer, sent now or later, after any request that was sent."""
    s = state(table)[0]
    passes: float = r.back_passes
    if s.bursty:
        burst: int = r.burst
        while bursts(table)[burst].end_ns <= at_ns:
            burst += 1
        if bursts(table)[burst].begin_ns <= at_ns:
            passes *= s.burst_passes
    return passes
