"""Compiled: who accepts a request, and how long a write waits for its copies, as in `Commits`."""

from __future__ import annotations

from typing import Any

from hasim.simulation.clients.compiled.jit import int64, njit
from hasim.simulation.clients.compiled.layout import (
    FOREVER,
    NOT_OWNER,
    OK,
    REFUSED,
    RESET,
    VIEWS,
    Record,
    Table,
)
from hasim.simulation.masters.job import FAILED, NOT_ASKED, UNWRITTEN

state = VIEWS["state"]
holdings = VIEWS["holdings"]
holders = VIEWS["holders"]
wrong = VIEWS["wrong"]


@njit
def owns(table: Table, master: int, partition: int) -> bool:
    """Whether the master accepts writes of the partition."""
    place, end = int64(holdings(table)[partition]), int64(holdings(table)[partition + 1])
    while place < end and holders(table)[place] != master:  # there is nearly always one
        place += 1
    return bool(place < end)


@njit
def fails(a: Record, m: Record) -> bool:
    """Whether the answer says that it failed: by itself, or since the next tier did."""
    if a.asked != NOT_ASKED:
        return bool(a.asked == FAILED)
    return bool(a.error < m.error_rate)


@njit
def copies_ns(m: Record, a: Record, now: int) -> int:
    """How long a write waits yet for its copies, or FOREVER."""
    if m.rate > 0.0:
        left: int = a.written_ns + min(m.wait_ns, m.give_up_ns) - now
        return max(0, left)
    return FOREVER


@njit
def waits(table: Table, m: Record, a: Record) -> bool:
    """Whether a write that is done is not acknowledged yet: its copies are waited for."""
    if a.partition < 0 or fails(a, m):
        return False
    if a.written_ns != UNWRITTEN and m.wait_ns <= m.give_up_ns:
        return False
    s = state(table)[0]
    if s.has_faulty and wrong(table)[a.message & s.mask]:
        return False
    return owns(table, int64(a.master), int64(a.partition))


@njit
def turned_away(table: Table, m: Record, a: Record) -> Any:
    """Why a request is not let in: a cause, -1 for silence; OK if it is."""
    if m.offs:
        return -1
    if a.pooled and a.connected_ns < m.died_ns:
        return RESET  # the process knows nothing of connections to one that died
    if m.crashes:
        return REFUSED
    if a.partition >= 0 and not owns(table, int64(a.master), int64(a.partition)):
        return -1 if m.hangs else NOT_OWNER
    return OK
