"""What is left of a study, cut into batches that are worth handing over.

Nothing here knows what a replication is: `Work` is a callable of (cell,
replication) that can be pickled.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TARGET_S = 0.5
"""What a batch should be worth: long beside the cost of handing it over (1 to 4 ms)."""

AHEAD = 2
"""Batches handed out per worker, so that none waits while an outcome is being stored."""

OPEN_CELLS = 1000
"""Cells that take turns: all of a common study, and few enough to be held in memory."""

AT_ONCE = 64
"""Cells that are opened at once: it takes some milliseconds each, while workers wait."""

MOST_TASKS = 1000
"""A batch of more is not worth the outcomes that are lost with its worker."""

Work = Callable[[int, int], Any]
Task = tuple[int, int]
"""A cell and the number of one of its replications."""
Wanted = Mapping[int, Sequence[int]] | Iterable[tuple[int, Sequence[int]]]
"""Cell to the replications of it that are to be done; pairs may come one at a time."""
Done = list[tuple[float, Any]]
"""Of each task of a batch, the seconds that it took and its outcome."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some replications of some cells, done one after the other by one worker."""

    tasks: tuple[Task, ...]

    def run(self, work: Work) -> Done:
        """Do all of them."""
        return [timed(work, task) for task in self.tasks]


def timed(work: Work, task: Task) -> tuple[float, Any]:
    """The seconds that one task took, and its outcome."""
    started = time.perf_counter()
    outcome = work(*task)
    return time.perf_counter() - started, outcome


class Batches:
    """Cuts what is left to do into batches worth about `TARGET_S` seconds.

    A cell is expected to take as long as it has taken so far, or else as long as the
    others do; the very first batch is one replication. The cells take turns, so that a study
    that is interrupted can be compared across its cells. Of what is wanted,
    cells are taken only when it is their turn, and `OPEN_CELLS` of them at most are open.
    From the last of them on, no batch is so large that a worker would be left without one.
    """

    def __init__(self, wanted: Wanted, workers: int) -> None:
        self.workers = workers
        """How many are there to take batches; may change."""
        self.left = 0
        """Replications of open cells that have not been handed out."""
        self._coming = _pairs(wanted)
        self._exhausted = False
        self._todo: dict[int, deque[int]] = {}
        self._fresh: deque[int] = deque()
        self._turns: deque[int] = deque()
        self._spent: dict[int, tuple[float, int]] = {}
        self._all = (0.0, 0)
        self._open()

    def add(self, wanted: Wanted) -> None:
        """More is wanted, of the same cells or others, after what is left of them."""
        for cell, replications in _pairs(wanted):
            self._take(cell, replications, self._turns)

    def estimate_s(self) -> float:
        """Seconds that the rest would take on one core, from what has been learnt so far.

        Infinite as long as there are cells that are not open.
        """
        if not self._exhausted:
            return math.inf
        return sum(len(todo) * (self._mean_s(cell) or 0.0) for cell, todo in self._todo.items())

    def learn(self, task: Task, spent_s: float) -> None:
        """A task took this long."""
        cell = task[0]
        seconds, count = self._spent.pop(cell, (0.0, 0))
        self._spent[cell] = (seconds + spent_s, count + 1)
        if len(self._spent) > 2 * OPEN_CELLS:
            del self._spent[next(iter(self._spent))]
        self._all = (self._all[0] + spent_s, self._all[1] + 1)

    def next(self) -> Batch | None:
        """The next batch, or None if nothing is left."""
        tasks: list[Task] = []
        room, worth_s = self._fair(), TARGET_S
        while room > len(tasks) and worth_s > TARGET_S / 100:
            cell = self._next_cell()
            if cell is None:
                break
            mean_s = self._mean_s(cell)
            count = self._count(cell, mean_s, worth_s, room - len(tasks))
            todo = self._todo[cell]
            tasks += [(cell, todo.popleft()) for _ in range(count)]
            self.left -= count
            if todo:
                self._turns.append(cell)
            else:
                del self._todo[cell]
            if mean_s is None:
                break
            worth_s -= count * mean_s
        return Batch(tuple(tasks)) if tasks else None

    def _next_cell(self) -> int | None:
        """The cell whose turn it is: each has its first before any has its second."""
        if not self._fresh:
            self._open()
        queue = self._fresh or self._turns
        return queue.popleft() if queue else None

    def _count(self, cell: int, mean_s: float | None, worth_s: float, room: int) -> int:
        """How many replications of a cell a batch takes."""
        if cell not in self._spent or mean_s is None:
            return 1  # which tells how long one takes
        worth = round(worth_s / max(mean_s, 1e-6))
        return max(1, min(worth, room, len(self._todo[cell])))

    def _open(self) -> None:
        """Take the next cells of those that are coming, while there is room."""
        upto = min(OPEN_CELLS, len(self._todo) + max(AT_ONCE, self.workers * AHEAD))
        while not self._exhausted and len(self._todo) < upto:
            pair = next(self._coming, None)
            if pair is None:
                self._exhausted = True
            else:
                self._take(*pair, self._fresh)

    def _take(self, cell: int, replications: Sequence[int], queue: deque[int]) -> None:
        if not replications:
            return
        if cell not in self._todo:
            self._todo[cell] = deque()
            queue.append(cell)
        self._todo[cell].extend(replications)
        self.left += len(replications)

    def _mean_s(self, cell: int) -> float | None:
        """What a replication of a cell takes; None as long as none of any cell is done."""
        seconds, count = self._spent.get(cell, self._all)
        return seconds / count if count else None

    def _fair(self) -> int:
        """The most replications in a batch that leave some for all workers."""
        if not self._exhausted:
            return MOST_TASKS
        return min(MOST_TASKS, -(-self.left // (self.workers * AHEAD)))


def _pairs(wanted: Wanted) -> Iterator[tuple[int, Sequence[int]]]:
    return iter(wanted.items() if isinstance(wanted, Mapping) else wanted)
