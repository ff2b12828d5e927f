"""What the messages came to: counts, and single messages if they are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hasim.simulation.clients.blocks import BlockCounter, Division
from hasim.simulation.clients.compiled.growth import extended
from hasim.simulation.clients.compiled.layout import MESSAGE, UNSETTLED, Memory
from hasim.simulation.clients.compiled.rolling import BUCKETS, make_hints
from hasim.simulation.clients.plane import Rollup
from hasim.simulation.clients.results import ANSWERED, OUTCOMES, Counts, Results
from hasim.simulation.clients.users import UserTime
from hasim.sketch import EXACT, Cells, bounds_ns, sketch

ROWS = 1024


class Counting:
    """Counts messages that have ended; keeps each of them only if told to."""

    def __init__(
        self,
        memory: Memory,
        masters: int,
        division: Division,
        *,
        deadline_ns: int,
        horizon_ns: int,
        keep: bool,
        users: UserTime,
    ) -> None:
        self._memory = memory
        self._users, self._deadline_ns = users, deadline_ns
        self._state = memory["state"][0]
        self._state["last_ns"] = horizon_ns - deadline_ns
        self._state["block_ns"], self._state["last_block"] = division.block_ns, division.last
        memory.zeros("chosen", (division.last + 1) * masters)
        self._blocks = BlockCounter(division, deadline_ns=deadline_ns)
        self._sizes = (masters + 1, 2, 2, len(OUTCOMES))
        memory.zeros("cells", int(np.prod(self._sizes)))
        memory.zeros("touched", int(np.prod(self._sizes)))
        memory.zeros("rows", ROWS)
        memory.zeros("latencies", 2 * BUCKETS)
        memory.zeros("singles", 2 * (EXACT + 1))
        memory.put("bounds_ns", bounds_ns(BUCKETS))
        memory.put("hints", make_hints())
        self._kept: list[NDArray[Any]] | None = [] if keep else None

    def roll(self, kernel: Callable[[Any, bool], None], *, everything: bool = False) -> None:
        """Count and forget what has ended; all, at the end of the run."""
        state = self._state
        first, message = int(state["first"]), int(state["message"])
        # Every message may be the only one of its bucket and key.
        wanted = int(state["rows"]) + int(state["touched"]) + message - first
        if wanted > len(self._memory["rows"]):
            self._memory.put("rows", extended(self._memory["rows"], 2 * wanted))
        kernel(self._memory.table, everything)
        if self._kept is None and not self._blocks.division.last and not self._users.counts:
            return
        places = np.arange(first, int(state["first"])) & int(state["mask"])
        ended = self._memory["messages"][places]
        if self._kept is not None:
            self._kept.append(ended)
        arrival_ns, answered = ended["arrival_ns"], np.isin(ended["outcome"], ANSWERED)
        self._blocks.add(arrival_ns, ended["vip"] != 0, answered, ended["ended_ns"], ended["tries"])
        in_time = answered & (ended["ended_ns"] - arrival_ns <= self._deadline_ns)
        settled = (ended["outcome"] != UNSETTLED) & (arrival_ns <= self._state["last_ns"])
        self._users.add(first, arrival_ns, in_time, settled)

    def counts(self) -> Counts:
        """All messages, counted."""
        rows = self._memory["rows"][: int(self._state["rows"])]
        master, klass, late, outcome = np.unravel_index(rows["key"], self._sizes)
        return Counts(
            bucket=rows["bucket"],
            master=master,
            vip=klass,
            late=late,
            outcome=outcome,
            messages=rows["messages"],
            in_time=rows["in_time"],
            attempts=rows["attempts"],
            latencies=(self._latencies(0), self._latencies(1)),
        )

    def _latencies(self, vip: int) -> Cells:
        """The sketch of one class."""
        held = self._memory["latencies"].reshape(2, -1)[vip]
        if held["count"].sum() > EXACT:
            full = held[held["count"] > 0]
            return tuple(map(tuple, full.tolist()))
        kept = self._memory["singles"].reshape(2, -1)[vip]
        return sketch(kept[1 : kept[0] + 1])

    def rollups(self) -> Iterator[Rollup]:
        """By block, if a warm-up is to be left out; the users' time, if there are any."""
        division = self._blocks.division
        yield from self._blocks.records(self._memory["chosen"].reshape(division.last + 1, -1))
        yield from self._users.records()

    def results(self) -> Results:
        """Every message by itself."""
        if self._kept is None:
            raise ValueError("single messages were not kept")
        kept = np.concatenate([np.zeros(0, MESSAGE), *self._kept])
        outcome = np.where(
            kept["outcome"] == UNSETTLED, len(OUTCOMES) - 1, kept["outcome"].astype(np.int64)
        )
        return Results(
            kept["arrival_ns"],
            kept["gateway"],
            kept["partition"],
            kept["vip"] != 0,
            outcome,
            kept["ended_ns"],
            kept["last"],
            kept["tries"],
        )
