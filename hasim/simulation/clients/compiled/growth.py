"""More room for what is under way, when there is need of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hasim.services.balancing.gauge import GAUGE
from hasim.simulation.clients.compiled.layout import FOREVER, TIMEOUTS, Memory

LEAST_FREE = 16
LEAST_PROBES = 256
MANY_WAITS = 1 << 16


class Growth:
    """Enlarges the arrays of a run, each to twice its size at a time."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._state = memory["state"][0]

    def make_room(self) -> None:
        """Enlarge whatever is full."""
        if self._state["free"] < 0:
            self._enlarge_attempts()
        self.make_heap_room(LEAST_FREE * (1 + int(self._state["paced"])))
        if self._state["gauging"] and self._state["free_probes"] < LEAST_FREE:
            self._enlarge_probes()
        ring = self._memory["fifos"][TIMEOUTS]
        if ring["tail"] - ring["head"] > ring["mask"]:
            self._tidy_timeouts()

    def make_heap_room(self, events: int) -> None:
        """Have room for so many more events on the heap."""
        wanted = int(self._state["heap_size"]) + int(self._state["foreseen"]) + events
        if wanted > self._state["heap_room"]:
            self._memory.put("heap", extended(self._memory["heap"], 2 * wanted))
            self._state["heap_room"] = 2 * wanted

    def make_room_for_all(self) -> None:
        """Have room on the heap for an event of every attempt under way."""
        self.make_heap_room(len(self._memory["attempts"]) + LEAST_FREE)

    def _enlarge_attempts(self) -> None:
        old = self._memory["attempts"]
        count, new = len(old), extended(old, 2 * len(old))
        new["next"][count:] = [*range(count + 1, 2 * count), -1]
        self._memory.put("attempts", new)
        self._state["free"] = count
        if self._state["gauging"]:
            self._memory.put("entered", extended(self._memory["entered"], 2 * count))

    def begin_gauging(self, masters: int) -> None:
        """Have room for load probes, from now on."""
        if self._state["gauging"]:
            return
        self._state["gauging"], self._state["free_probe"] = 1, -1
        self._memory.zeros("gauges", masters * GAUGE)
        self._memory.zeros("entered", len(self._memory["attempts"]))["time"] = -1
        self._enlarge_probes()

    def _enlarge_probes(self) -> None:
        old = self._memory["probes"]
        count, more = len(old), max(LEAST_PROBES, len(old))
        new = extended(old, count + more)
        new["next"][count:] = [*range(count + 1, count + more), self._state["free_probe"]]
        self._memory.put("probes", new)
        self._state["free_probe"] = count
        self._state["free_probes"] += more

    def _tidy_timeouts(self) -> None:
        """Make the ring of timeouts larger; a large one is only rid of those nobody waits for."""
        ring, events = self._memory["fifos"][TIMEOUTS], self._memory["timeouts"]
        attempts = self._memory["attempts"]
        places = np.arange(ring["head"], ring["tail"]) & ring["mask"]
        waits = events[places]
        slots = waits["slot"]
        awaited = (attempts["used"][slots] != 0) & (attempts["awaited"][slots] != 0)
        waits = waits[awaited & (attempts["draw"][slots] == waits["priority"])]
        crowded = len(events) < MANY_WAITS or 2 * len(waits) > len(events)
        size = len(events) * (2 if crowded else 1)
        self._memory.put("timeouts", extended(waits, size))
        ring["head"], ring["tail"], ring["mask"] = 0, len(waits), size - 1
        ring["next_ns"] = waits["time"][0] if len(waits) else FOREVER


def extended(array: NDArray[Any], size: int) -> NDArray[Any]:
    """A copy with zeros behind."""
    new = np.zeros(size, dtype=array.dtype)
    new[: len(array)] = array
    return new
