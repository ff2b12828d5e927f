"""The work of the gate: one replication simulated, measured, fingerprinted and timed."""

from __future__ import annotations

import heapq
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field

from hasim.measures import measure
from hasim.scenario import sent
from hasim.study.execution.replication import simulate_cell
from hasim.study.gate.fingerprint import Fingerprint, fingerprint
from hasim.study.gate.quantities import values_of
from hasim.study.gate.suite import SuiteCell

REFERENCE_EVENTS = 20_000
"""About 10 ms: long beside the clock's noise, short beside a replication."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What one replication of one cell gave.

    `speed` is the time of the simulation over that of the reference loop, which was timed
    just before in the same process; the first simulation of a cell in a process is not timed,
    since it compiles or loads what the others find. `error` is a traceback if it raised.
    """

    cell: int
    replication: int
    values: dict[str, float | None]
    fingerprint: Fingerprint | None
    speed: float
    error: str = ""


_WARM: set[tuple[str, str]] = set()
"""The cells that this process has simulated before: the file of each, and its name."""


@dataclass(frozen=True)
class Observe:
    """Called by the executor, on whatever process, with the number of a cell and a replication."""

    cells: tuple[SuiteCell, ...]
    traces: Mapping[str, bytes] = field(default_factory=dict)
    """What is in their files, where the work goes to a machine that does not have them."""

    def __call__(self, cell: int, replication: int) -> Observed:
        """Do one replication; an exception becomes an outcome that says so."""
        wanted = self.cells[cell]
        try:
            sent.use(self.traces)
            known = str(wanted.loaded.source), wanted.name
            if known not in _WARM:
                simulate_cell(wanted.loaded, wanted.cell, replication)
                _WARM.add(known)
            reference_s = timed_reference_s()
            started = time.perf_counter()
            journal = simulate_cell(wanted.loaded, wanted.cell, replication)
            speed = (time.perf_counter() - started) / reference_s
            values = values_of(measure(journal), tuple(wanted.margins))
            return Observed(cell, replication, values, fingerprint(journal), speed)
        except Exception:
            return Observed(cell, replication, {}, None, 0.0, traceback.format_exc())


def timed_reference_s() -> float:
    """Seconds that the reference loop takes here and now."""
    started = time.perf_counter()
    reference_loop(REFERENCE_EVENTS)
    return time.perf_counter() - started


def reference_loop(events: int) -> int:
    """A small event loop in plain Python: what a simulation does most of its time, and no more.

    Sixteen timers on a heap, each of which counts in a dictionary and sets itself again.
    """
    heap = [(number, number) for number in range(16)]
    counts = dict.fromkeys(range(16), 0)
    now = 0
    for _ in range(events):
        now, number = heapq.heappop(heap)
        counts[number] += 1
        heapq.heappush(heap, (now + 17 + (now * 31 + number) % 13, number))
    return now
