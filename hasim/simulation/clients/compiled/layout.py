"""The memory that plane and kernel share: arrays, reached through a table of addresses.

A compiled function with thirty arrays as arguments costs six microseconds a call, and each
array is seven arguments more for every function that is handed it. So the kernel gets one
number, the address of a table: entry `X` of that is the address of array X, and `x(table)`
in compiled code is that array.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hasim.model import Cause
from hasim.simulation.clients.compiled.pointers import pointer_of

Table = Any
"""The address of the table; typed loosely, since compiled code has types of its own."""
Record = Any
"""One element of a structured array: its fields are read and written in place."""

CAUSES = tuple(Cause)
# numpy's integers, since numba would compile a function anew for each Python constant.
_codes: Any = list(map(np.int64, range(len(CAUSES))))
OK, REFUSED, RESET, ERROR, REJECTED, NOT_OWNER, TIMED_OUT = _codes[:7]
UNROUTABLE, OVERFLOW, CANCELLED, CONNECT_TIMED_OUT, CLIENT_ERROR = _codes[7:]
NOBODY: Any = np.int64(-1)
"""No master."""
NO_ROOM: Any = np.int64(-2)
"""No master for lack of room, by the limits."""
FOREVER = 2**62
UNSETTLED = -1
"""The outcome of a message in flight."""

STATE = np.dtype(
    [
        *((name, "i8") for name in ("now", "next_ns", "next_priority", "fingerprint")),
        *((name, "i8") for name in ("attempts", "masters", "partitions", "watch")),
        *((name, "i8") for name in ("watch_window_ns", "against", "refuting")),
        *((name, "i8") for name in ("first", "message", "count", "more", "arrival_ns")),
        *((name, "i8") for name in ("called", "before", "behind", "struck")),
        *((name, "i8") for name in ("mask", "size", "chunk_bits", "jittered", "faulty")),
        *((name, "i8") for name in ("tried_at", "list")),
        *((name, "i8") for name in ("timeout_ns", "deadline_ns", "connect_ns", "stays")),
        *((name, "i8") for name in ("clients", "client_seed", "hold_ns", "most_held")),
        ("has_faulty", "i8"),
        *((name, "i8") for name in ("pick_seed", "has_keys")),
        *((name, "i8") for name in ("gauging", "probe_seed", "free_probe", "free_probes")),
        *((name, "i8") for name in ("heap_size", "heap_room", "writes", "writes_room")),
        *((name, "i8") for name in ("free", "order", "lost", "foreseen")),
        *((name, "i8") for name in ("per", "hedge_after_ns", "max_queue", "bursty", "paced")),
        *((name, "f8") for name in ("hedge_quantile", "burst_passes")),
        *((f"{name}_at", "i8") for name in ("hedge", "cancel", "note_pace", "line", "park")),
        *((f"{name}_at", "i8") for name in ("give_up", "reach_limit", "follow", "try_again")),
        *((f"{name}_at", "i8") for name in ("know", "use", "disconnect", "open", "connect")),
        *((f"{name}_at", "i8") for name in ("pace", "wait", "ask", "resume")),
        *((f"{name}_at", "i8") for name in ("send_probes", "move_probe")),
        *((name, "i8") for name in ("bucket", "bucket_ends_ns", "last_ns", "touched", "rows")),
        *((name, "i8") for name in ("block_ns", "last_block")),
        *(
            (name, "i8")
            for name in ("gateway", "master", "partition", "served_ns", "slot", "cause")
        ),
        *((name, "i8") for name in ("to_retry", "draw")),
    ]
)
"""Sizes, settings, what is under way, and (the last two lines) what a stop is about.

Messages from number `first` to before `count` are in memory, those before `message` have
arrived, the next at `arrival_ns` (or FOREVER), and `more` may follow. Of those before `called` it
is known when they arrive: of all, unless the masters of another tier ask. `before` and `behind`
are the tables of the tiers before and behind this one, or 0; `struck` says of the first of them
which one, counted from 0, the loop has stopped for. `foreseen`: how many
attempts the masters have whose end is known (at most: see `foresight`). Those of number i are
at place `i & mask` of `size`. `tried_at`: the address of `tried`, which has lists of length `list`.
"""

MESSAGE = np.dtype(
    [
        *((name, "i8") for name in ("arrival_ns", "ended_ns")),
        *((name, "i4") for name in ("gateway", "partition", "last", "tries", "block")),
        ("failed", "i2"),
        *((name, "i1") for name in ("outcome", "vip")),
    ],
    align=True,
)
"""A message: what is known beforehand, and how it goes. `last`: the last master tried;
`failed`: how many masters failed it, which are listed in `tried`; `block`: that of `chosen`
in which it arrived."""

MASTER = np.dtype(
    [
        *((name, "i8") for name in ("workers", "room", "first_seat", "law")),
        *((name, "i8") for name in ("offs", "crashes", "hangs", "overloaded")),
        *((name, "f8") for name in ("rate", "error_rate", "speed", "capacity")),
        *((name, "i8") for name in ("disk", "delay_ns", "error_ns")),
        *((name, "i8") for name in ("busy", "waiting", "head", "tail")),
        *((name, "i8") for name in ("done", "errors", "busy_ns", "metered_ns")),
        *((name, "i8") for name in ("plain", "coming", "died_ns")),
        *((name, "i8") for name in ("wait_ns", "give_up_ns")),
        *((name, "i8") for name in ("started", "waited", "waited_ns", "lost_ns")),
    ]
)
"""A master: capacity, condition, its queue (a list linked through the attempts), its work.

`rate`: the speed at which those being served go on, `speed`: what it would be without load, which
slows them by `capacity` (0: not at all). `disk`: nothing is written. `delay_ns` is added to what
begins. `error_ns`: how long what fails takes, or -1: as long as any other.
`busy_ns`: for how long workers were busy, summed over them, up to `metered_ns`. `plain`: its
work can be foreseen; it is, if some wait and no worker is busy: then the list holds all that it
has or will get. `coming`: deliveries under way that are events (see `foresight`). `died_ns`: when
its process died last, or -1. `wait_ns`, `give_up_ns`: see `Commits`. The last four are of what
waited, as `hasim.simulation.masters.waits` has it (`lost_ns`: those that were lost in the queue),
and count only what is not foreseen.
"""

GATEWAY = np.dtype(
    [
        ("armed", "i8"),
        *((name, "i8") for name in ("pick", "ended", "probed", "fleet", "counts")),
        *((name, "i8") for name in ("admit", "note", "guards")),
        *((name, "i8") for name in ("waiting", "head", "tail", "called", "look_ns")),
    ]
)
"""A gateway, with the addresses of its algorithm's functions, of its balancer's fleet (of its
column `counts` as well, where a picker leaves what it wants probed), and of the guards'
functions and data (0 if there are none). The last five: attempts that wait for room, a list
linked through them, whether an event will look after them now, and when one will later (FOREVER
if none)."""
PACE = np.dtype([(name, "i8") for name in ("counted", "fresh", "delay_ns")])
"""As `hasim.services.gateway.pace.Pace`."""
BUDGET = np.dtype(
    [
        *((name, "f8") for name in ("share", "reserve", "tokens")),
        *((name, "i8") for name in ("most_active", "active", "cut")),
    ]
)
"""As `hasim.services.gateway.budget.Budget`."""
ADDRESS = np.dtype(
    [
        *((name, "i8") for name in ("known", "known_until_ns")),
        *((name, "i8") for name in ("open", "open_since_ns", "open_until_ns", "last")),
    ]
)
"""As `hasim.services.gateway.addresses.Address`."""
HABITS = np.dtype(
    [
        *((name, "i8") for name in ("clients", "ttl_ns", "keepers", "kept_ns")),
        *((name, "i8") for name in ("lifetime_ns", "tests")),
    ]
)
"""As `hasim.services.gateway.addresses.Habits`."""
FOLLOWING = np.dtype(
    [(n, "i8") for n in ("clients", "most_ns", "name_ns", "pool_ns", "stay_ns", "pause_ns")]
)
HOLDING = np.dtype([(name, "i8") for name in ("attempts", "total_ns", "most_ns")])
"""As in `hasim.simulation.clients.delays`."""
LAYER = np.dtype(
    [
        *((name, "i8") for name in ("attempts", "on", "master", "backoff_ns", "most_ns")),
        *((name, "f8") for name in ("growth", "jitter")),
    ]
)
"""As `hasim.services.gateway.retrying.Layer`."""

ROUTE = np.dtype(
    [
        *((name, "i8") for name in ("there_ns", "there_extra_ns", "there_drops")),
        *((name, "i8") for name in ("back_ns", "back_extra_ns", "back_drops")),
        *((name, "f8") for name in ("there_passes", "back_passes")),
        *((name, "i8") for name in ("there_lossy", "back_lossy", "burst")),
        *((name, "i8") for name in ("there_held_ns", "back_held_ns")),
        *((name, "i8") for name in ("sent", "answered", "failed", "streak", "last_cause")),
        *((name, "i8") for name in ("latency_ns", "against", "reported", "turns")),
    ]
)
"""From one gateway to one master: the links, and the load as the balancer counts it.

`there_lossy`: chance decides whether a packet passes. `burst`: in `bursts`, the first burst of
the path that was not over when a packet was last sent there.
"""
BURST = np.dtype([("begin_ns", "i8"), ("end_ns", "i8")])
"""A time for which a path is bad; the last one of each never begins."""

ATTEMPT = np.dtype(
    [
        *((name, "i8") for name in ("draw", "message", "sent_ns")),
        *(
            (name, "i8")
            for name in ("remaining_ns", "since_ns", "due_ns", "answer_ns", "order", "connected_ns")
        ),
        ("written_ns", "i8"),
        ("error", "f8"),
        *((name, "i4") for name in ("route", "gateway", "master", "partition", "seat", "next")),
        ("twin", "i4"),
        *((name, "i1") for name in ("used", "awaited", "served", "cause", "parked", "pooled")),
        ("asked", "i1"),
    ],
    align=True,
)
"""An attempt under way, or a deep probe at a master (`draw` is then minus its number).

`awaited`: the client waits. `served`: the network or the master still has it.
`seat`: its place among the served, or -1. `since_ns`: since when it waits for a worker,
or a worker has been at it, and `remaining_ns` what that worker had to do then; once it is
answered, when that was.
`due_ns`: when it completes, or -1. `answer_ns`: when its answer arrives, once that is known;
-1: not any more, or never. `order`: of probes, in which they came to their seat
or into the queue. `connected_ns`: when the client knows of its connection, if there is a timeout
for that; FOREVER if not at all. `pooled`: it goes over a connection that is open since that
time. `twin`: the slot of the other attempt of its message that is awaited (hedging), or -1.
`parked`: it waits at the gateway since `sent_ns`, for ROOM or HELD. `asked`: whether its master
has asked the next tier, and what came of it. `written_ns`: since when a write waits for its
copies, or -1. Small, since there may be
thousands under way.
"""

ASKER = np.dtype([("slot", "i8"), ("draw", "i8")])
"""The attempt in the tier before for which a request was made."""

PROBE = np.dtype(
    [
        ("latency_ns", "i8"),
        *((n, "i8") for n in ("gateway", "master", "route", "in_flight", "next")),
    ]
)
"""A load probe on its way, and what it was told."""
ENTRY = np.dtype([("time", "i8"), ("in_flight", "i8")])
"""When an attempt came to its master (-1: unknown), and how many it found there."""

EVENT = np.dtype([("time", "i8"), ("priority", "i8"), ("slot", "i8")])
"""On an empty heap, the first event has the time FOREVER."""
FIFO = np.dtype([("head", "i8"), ("tail", "i8"), ("mask", "i8"), ("next_ns", "i8")])
"""A ring buffer: its length is a power of two, so that an index is masked, not divided.

`next_ns` is the time of its first event, or FOREVER if it is empty.
"""
WRITE = np.dtype([("time", "i8"), ("partition", "i4"), ("master", "i4")])
CELL = np.dtype([(name, "i8") for name in ("messages", "in_time", "attempts")])
ROW = np.dtype([(name, "i8") for name in ("bucket", "key", "messages", "in_time", "attempts")])
"""Messages of one bucket of time, and of one last master, class and outcome."""
HELD = np.dtype([(name, "i8") for name in ("least_ns", "greatest_ns", "count")])
"""As a cell of `hasim.sketch`."""

COLUMNS: dict[str, Any] = {
    "state": STATE,
    "masters": MASTER,
    "gateways": GATEWAY,
    "routes": ROUTE,
    "bursts": BURST,
    "attempts": ATTEMPT,
    "heap": EVENT,
    "fifos": FIFO,
    "deliveries": EVENT,
    "answers": EVENT,
    "timeouts": EVENT,
    "writes": WRITE,
    # For load probes; empty if nobody wants any.
    "probes": PROBE,
    "entered": ENTRY,  # by slot of attempts
    "gauges": np.int64,  # by master, see hasim.services.balancing.gauge
    "messages": MESSAGE,
    "retries": np.int8,  # by chunk of messages: whether the columns have their retries
    "askers": ASKER,  # by place of the message, if the masters of another tier ask
    "keys": np.int64,  # by place of the message, if messages have keys
    # By place of the message: how many masters failed it, and then which, in turn.
    "tried": np.int64,
    # By attempt and place of the message.
    "ratio_there": np.float64,
    "loss_there": np.float64,
    "ratio_back": np.float64,
    "loss_back": np.float64,
    "error": np.float64,
    "backoff": np.float64,
    "demand_ns": np.int64,  # by law, attempt and place
    # Finished messages, counted.
    "cells": CELL,  # those of the present bucket of time, by key
    "touched": np.int64,  # the keys of cells that are not empty
    "rows": ROW,
    "latencies": HELD,  # by class and bucket of latency
    "singles": np.int64,  # by class: how many latencies follow, and the first ones as they are
    "bounds_ns": np.int64,  # the greatest latency of each bucket
    "hints": np.int64,  # a bucket at or just below that of a latency, by its leading bits
    # By gateway and master, by master, by gateway and partition, ...
    "eligible": np.int64,  # by the routing table; "takes": for stateless messages
    "takes": np.int64,
    "in_flight": np.int64,
    "marks": np.int64,  # with a window: when the last so many failures were reported at once
    "owners": np.int64,
    # By partition, where its masters begin in the next column: those that accept its writes.
    "holdings": np.int64,
    "holders": np.int64,
    "unanswered": np.int64,  # by partition: since when, plus 1; 0 if it was
    "budgets": BUDGET,  # by gateway: of retries, and of second attempts
    "wrong": np.int8,  # by place of the message, if some are wrong in themselves
    "clients": np.int64,  # by place of the message, if there are clients
    "addresses": ADDRESS,  # by client and partition; the last one is for stateless messages
    "habits": HABITS,
    # Since the gateway's last change of routing: of clients that followed, by gateway and the
    # master that stateless messages left, or the partition; of messages that were held, by gateway
    # and partition (those that are stateless come first).
    "follows": FOLLOWING,
    "holds": HOLDING,
    "left_ns": np.int64,  # by gateway and master, if there are clients: see GatewayService
    "moved_ns": np.int64,  # by gateway and partition
    "layers": LAYER,  # of retries: the outer one, and the inner one
    "paces": PACE,
    "paced": np.int64,  # by gateway and bucket of latency
    "causes": np.int64,  # by master and cause of a failure (answers are counted by route)
    "chosen": np.int64,  # by block of time in which the message arrived, if several, and master
    "seats": np.int64,  # of workers, master by master: who is being served
}
PLACES = {name: place for place, name in enumerate(COLUMNS)}
"""Where the table of addresses has theirs."""
DELIVERIES, ANSWERS, TIMEOUTS = range(3)
"""The rings, in `fifos`."""


class Memory:
    """The arrays, by name, and the address of the table of their addresses."""

    def __init__(self) -> None:
        self._table = np.zeros(len(COLUMNS), dtype=np.int64)
        self.table: int = self._table.ctypes.data
        self._arrays: dict[str, NDArray[Any]] = {}

    def put(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        """Keep an array (as C-ordered memory of the column's type) under a name."""
        array = np.ascontiguousarray(array, dtype=COLUMNS[name]).reshape(-1)
        self._arrays[name] = array
        self._table[PLACES[name]] = array.ctypes.data
        return array

    def zeros(self, name: str, count: int) -> NDArray[Any]:
        """A new array of zeros under a name."""
        return self.put(name, np.zeros(count, dtype=COLUMNS[name]))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name]


VIEWS = {
    name: pointer_of(position, np.dtype(dtype))
    for position, (name, dtype) in enumerate(COLUMNS.items())
}
"""By name, what gives the array in compiled code."""
