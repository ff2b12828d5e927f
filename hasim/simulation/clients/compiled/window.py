"""The messages in memory: drawn a chunk at a time, and forgotten when they have ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hasim.services.gateway.rules import HEDGED
from hasim.simulation.clients.compiled.layout import COLUMNS, FOREVER, Memory
from hasim.simulation.clients.traffic import CONCERNS, HEDGE, RATIOS, Traffic

CHUNK_BITS = 13
"""2^13 messages a chunk: what is in memory fits into a processor's cache, and numpy's
calls are spread over enough of them."""
LOSSES = frozenset({"loss_there", "loss_back"})


class Window:
    """A ring of chunks of messages; its arrays grow with what is in flight, not with the run.

    Columns of random numbers are there only as long as they matter: losses as long as
    some link loses packets, errors as long as some master makes them.
    """

    def __init__(self, memory: Memory, traffic: Traffic) -> None:
        self._memory = memory
        self._state = memory["state"][0]
        self._traffic = traffic
        bits = min(CHUNK_BITS, int(traffic.limit).bit_length())
        self._chunk = 1 << bits
        self._arrivals = traffic.arrivals(self._chunk)
        self._columns: tuple[str, ...] = () if traffic.jitter.none else RATIOS
        self._various: dict[str, Callable[[int, int], NDArray[Any]]] = {
            "gateway": traffic.gateway,
            "partition": traffic.partition,
            "vip": traffic.vip,
        }
        for name in traffic.constants:
            del self._various[name]
        self._fed = traffic.clients is None
        # Rows: those after the first attempt are drawn only for chunks in which there are any.
        per = int(self._state["per"])
        self._first, self._others = slice(0, per), slice(per, None)
        self._state["chunk_bits"], self._state["more"] = bits, 1
        self._state["arrival_ns"] = FOREVER
        self._start()

    # -- messages ----------------------------------------------------------------

    def extend(self) -> None:
        """Draw the next chunk of messages."""
        first = int(self._state["count"])
        arrivals = next(self._arrivals, None)
        if self._fed:  # it is not known when they arrive
            arrivals = np.full(self._chunk, FOREVER)
        if arrivals is None or not len(arrivals):
            self._state["more"] = 0
            return
        oldest = int(self._state["first"]) & -self._chunk
        if first + self._chunk - oldest > self._state["size"]:
            self._grow()
        count = len(arrivals)
        self._state["more"] = count == self._chunk
        self._state["count"] = first + count
        place = first & int(self._state["mask"])
        rows = self._memory["messages"][place : place + count]
        rows["arrival_ns"] = arrivals
        for name, draw in self._various.items():
            rows[name] = draw(first, count)
        if self._state["last_block"] and not self._fed:
            blocks = arrivals // int(self._state["block_ns"])
            rows["block"] = np.minimum(blocks, self._state["last_block"])
        if self._state["has_keys"]:
            self._memory["keys"][place : place + count] = self._traffic.key(first, count)
        if self._state["has_faulty"]:
            self._memory["wrong"][place : place + count] = self._traffic.faulty(first, count)
        if self._state["clients"]:
            numbers = self._traffic.client(first, count)
            if not self._fed:  # else whoever asks adds those of the gateways before its own
                numbers += self._traffic.gateway(first, count) * int(self._state["clients"])
            self._memory["clients"][place : place + count] = numbers
        self._memory["retries"][place // self._chunk] = 0
        for name in ("demand_ns", *self._columns):
            self._draw(name, first, self._first)
        if not self._fed:
            self._state["called"] = first + count
            self._state["arrival_ns"] = arrivals[0]  # all before have arrived

    def draw_retries(self, message: int) -> None:
        """Draw what the later attempts of a message, and of its chunk, need."""
        first = message & -self._chunk
        for name in ("demand_ns", "backoff", *self._columns):
            self._draw(name, first, self._others)
        self._memory["retries"][(first & int(self._state["mask"])) // self._chunk] = 1

    def need(self, *, losses: bool, errors: bool) -> None:
        """Which columns matter from now on."""
        wanted = list(() if self._traffic.jitter.none else RATIOS)
        wanted += sorted(LOSSES) * losses + ["error"] * errors
        new = [name for name in wanted if name not in self._columns]
        self._columns = tuple(wanted)
        self._state["faulty"] = errors
        for name in new:
            self._allocate(name)
            for first in self._chunks():
                self._draw(name, first, self._first)
                if self._memory["retries"][(first & int(self._state["mask"])) // self._chunk]:
                    self._draw(name, first, self._others)
        if "error" in new:
            self._draw_errors()

    def _chunks(self) -> range:
        return range(
            int(self._state["first"]) & -self._chunk, int(self._state["count"]), self._chunk
        )

    def _draw(self, name: str, first: int, attempts: slice) -> None:
        """One column of the chunk that begins with message `first`."""
        count = min(self._chunk, int(self._state["count"]) - first)
        place = first & int(self._state["mask"])
        table, places = self._table(name), slice(place, place + count)
        if name == "demand_ns":
            for of_law, demands in zip(
                table, self._traffic.demands(first, count, attempts), strict=True
            ):
                of_law[attempts, places] = demands
        else:
            table[attempts, places] = self._traffic.column(name, first, count, attempts)

    def _draw_errors(self) -> None:
        """For attempts under way, which may have been sent long ago."""
        attempts = self._memory["attempts"]
        slots = np.flatnonzero((attempts["used"] != 0) & (attempts["draw"] >= 0))
        for slot in slots.tolist():
            draw = int(attempts["draw"][slot])
            concern = (HEDGE if draw >= HEDGED else "") + CONCERNS["error"]
            attempts["error"][slot] = self._traffic.uniforms(concern, draw % HEDGED, 1)[0]

    # -- memory ------------------------------------------------------------------

    def _table(self, name: str) -> NDArray[Any]:
        """A column with axes (law,) attempt and place."""
        shape = [self._traffic.rows, int(self._state["size"])]
        return self._memory[name].reshape(([-1] if name == "demand_ns" else []) + shape)

    def _allocate(self, name: str) -> None:
        rows = self._traffic.rows * (len(self._traffic.laws) if name == "demand_ns" else 1)
        self._memory.put(name, np.empty(rows * int(self._state["size"]), COLUMNS[name]))

    def _lists(self) -> NDArray[np.int64]:
        """The lists of masters that failed messages, with axes item and place."""
        return self._memory["tried"].reshape(-1, int(self._state["list"])).T

    def _make_lists(self) -> NDArray[np.int64]:
        """New ones for as many messages as there is room for."""
        lists = self._memory.zeros("tried", int(self._state["size"] * self._state["list"]))
        self._state["tried_at"] = lists.ctypes.data
        return self._lists()

    def _blank(self, count: int) -> NDArray[Any]:
        """Messages of which only that is filled in which is the same for all."""
        rows = np.zeros(count, dtype=COLUMNS["messages"])
        for name, value in self._traffic.constants.items():
            rows[name] = value
        return rows

    def _start(self) -> None:
        """Room for one chunk."""
        self._state["size"], self._state["mask"] = self._chunk, self._chunk - 1
        self._memory.put("messages", self._blank(self._chunk))
        self._memory.zeros("keys", self._chunk if self._state["has_keys"] else 0)
        self._memory.zeros("wrong", self._chunk if self._state["has_faulty"] else 0)
        self._memory.zeros("clients", self._chunk if self._state["clients"] else 0)
        self._memory.zeros("askers", self._chunk if self._fed else 0)
        self._memory.zeros("retries", 1)
        self._state["list"] = self._traffic.rows + 1
        self._make_lists()
        for name in ("demand_ns", "backoff", *self._columns):
            self._allocate(name)

    def _grow(self) -> None:
        """Twice the room."""
        memory, state, chunk = self._memory, self._state, self._chunk
        names = ("demand_ns", "backoff", *self._columns)
        tables = [self._table(name) for name in names]
        messages, keys, retries = memory["messages"], memory["keys"], memory["retries"]
        clients, wrong, askers = memory["clients"], memory["wrong"], memory["askers"]
        old, new = int(state["mask"]), 2 * int(state["size"]) - 1
        state["size"], state["mask"] = new + 1, new
        memory.put("messages", self._blank(new + 1))
        memory.zeros("keys", new + 1 if state["has_keys"] else 0)
        memory.zeros("wrong", new + 1 if state["has_faulty"] else 0)
        memory.zeros("clients", new + 1 if state["clients"] else 0)
        memory.zeros("askers", new + 1 if self._fed else 0)
        memory.zeros("retries", (new + 1) // chunk)
        lists, more_lists = self._lists(), self._make_lists()
        for name in names:
            self._allocate(name)
        pairs = [
            (messages, memory["messages"]),
            (keys, memory["keys"]),
            (clients, memory["clients"]),
            (askers, memory["askers"]),
            (wrong, memory["wrong"]),
            (lists, more_lists),
            *zip(tables, map(self._table, names), strict=True),
        ]
        for first in self._chunks():
            one, other = first & old, first & new
            for source, target in pairs:
                target[..., other : other + chunk] = source[..., one : one + chunk]
            memory["retries"][other // chunk] = retries[one // chunk]


def what_matters(memory: Memory) -> dict[str, bool]:
    """The random numbers that are needed: if some link loses packets, if some master errs."""
    routes, masters = memory["routes"], memory["masters"]
    return {
        "losses": bool(routes["there_lossy"].any() or routes["back_lossy"].any()),
        "errors": bool((masters["error_rate"] > 0).any()),
    }
