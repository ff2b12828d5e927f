"""Replications on one core or on all of them: the same outcomes, in whatever order they finish.

Nothing here knows what a replication is: `work` is a callable of (cell,
replication) that can be pickled, and each of its outcomes is handed to `sink`
in the calling thread.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.context import BaseContext
from typing import Any

TARGET_S = 0.5
"""What a batch should be worth: long beside the cost of handing it over (about 1 ms)."""

SOLO_S = 2.0
"""Less work than this is done in the calling process: workers take a second to start."""

AHEAD = 2
"""Batches handed out per worker, so that none waits while an outcome is being stored."""

Work = Callable[[int, int], Any]
Sink = Callable[[Any], None]
Wanted = Mapping[int, Sequence[int]]
"""Cell to the replications of it that are to be done."""
More = Callable[[], Wanted]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some replications of one cell, done one after the other by one worker."""

    cell: int
    replications: tuple[int, ...]


class Batches:
    """Cuts what is left to do into batches worth about `TARGET_S` seconds.

    A cell's first batch is one replication, which also tells how long one
    takes. The cells take turns, so that a study that is interrupted can be
    compared across its cells. No batch is so large that a worker would be left without
    one at the end.
    """

    def __init__(self, wanted: Wanted, jobs: int) -> None:
        self._left: dict[int, deque[int]] = {}
        self._turns: deque[int] = deque()
        self._jobs = jobs
        self._spent: dict[int, tuple[float, int]] = {}
        self.add(wanted)

    def add(self, wanted: Wanted) -> None:
        """More is wanted, after what is left of the same cells."""
        for cell, todo in wanted.items():
            if todo and not self._left.get(cell):
                self._turns.append(cell)
            self._left.setdefault(cell, deque()).extend(todo)

    @property
    def left(self) -> int:
        """Replications that have not been handed out."""
        return sum(map(len, self._left.values()))

    def estimate_s(self) -> float:
        """Seconds that the rest would take on one core, from what has been learnt so far."""
        known = [spent / count for spent, count in self._spent.values()]
        mean = sum(known) / len(known) if known else 0.0
        return sum(len(todo) * (self._mean_s(cell) or mean) for cell, todo in self._left.items())

    def learn(self, batch: Batch, spent_s: float) -> None:
        """A batch took this long."""
        spent, count = self._spent.get(batch.cell, (0.0, 0))
        self._spent[batch.cell] = (spent + spent_s, count + len(batch.replications))

    def next(self) -> Batch | None:
        """The next batch, or None if nothing is left."""
        if not self._turns:
            return None
        cell = self._turns.popleft()
        todo = self._left[cell]
        batch = Batch(cell, tuple(todo.popleft() for _ in range(self._size(cell))))
        if todo:
            self._turns.append(cell)
        return batch

    def _mean_s(self, cell: int) -> float | None:
        spent, count = self._spent.get(cell, (0.0, 0))
        return spent / count if count else None

    def _size(self, cell: int) -> int:
        mean = self._mean_s(cell)
        if mean is None:
            return 1
        fair = -(-self.left // (self._jobs * AHEAD))
        worth = round(TARGET_S / max(mean, 1e-6))
        return max(1, min(worth, fair, len(self._left[cell])))


def default_jobs() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _nothing() -> Wanted:
    return {}


def execute(
    work: Work, wanted: Wanted, sink: Sink, *, jobs: int | None = None, more: More = _nothing
) -> None:
    """Call `work(cell, replication)` for all that is wanted and hand each outcome to `sink`.

    `jobs` is the number of worker processes; 1 stays in this process; None
    means all cores, if the first replications show that the rest is worth it.
    `more` is asked after each batch what the outcomes so far make wanted besides.

    Raises KeyboardInterrupt after Ctrl-C, when every outcome of a batch that
    was finished by then has been handed on and the workers are gone;
    BrokenProcessPool if a worker was killed; and whatever `work`, `sink` or `more` raises.
    """
    batches = Batches(wanted, jobs or default_jobs())
    if jobs is None:
        _solo(work, batches, sink, more, until=lambda: batches.estimate_s() > SOLO_S)
        jobs = default_jobs()
    jobs = min(jobs, batches.left)
    if jobs > 1:
        _pooled(work, batches, sink, more, jobs)
    else:
        _solo(work, batches, sink, more)


def _solo(
    work: Work,
    batches: Batches,
    sink: Sink,
    more: More,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Do all batches in this process; after each, `until` may end that."""
    while (batch := batches.next()) is not None:
        spent_s = 0.0
        for replication in batch.replications:
            started = time.perf_counter()
            outcome = work(batch.cell, replication)
            spent_s += time.perf_counter() - started
            sink(outcome)
        batches.learn(batch, spent_s)
        batches.add(more())
        if until():
            return


def _pooled(work: Work, batches: Batches, sink: Sink, more: More, jobs: int) -> None:
    bystanders = set(multiprocessing.active_children())
    running: dict[Future[tuple[float, list[Any]]], Batch] = {}
    pool = ProcessPoolExecutor(
        jobs, mp_context=_context(), initializer=_start_worker, initargs=(work,)
    )
    try:
        while True:
            while len(running) < AHEAD * jobs and (batch := batches.next()) is not None:
                with _without_main(), _without_interrupts():
                    running[pool.submit(_run_batch, batch)] = batch
            if not running:
                pool.shutdown()
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            _collect(finished, running, batches, sink)
            batches.add(more())
    except KeyboardInterrupt:
        done = {future for future in running if future.done() and future.exception() is None}
        _collect(done, running, batches, sink)
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        # After a regular end there are none: shutdown() has waited for them.
        for child in set(multiprocessing.active_children()) - bystanders:
            child.terminate()


def _collect(
    finished: set[Future[tuple[float, list[Any]]]],
    running: dict[Future[tuple[float, list[Any]]], Batch],
    batches: Batches,
    sink: Sink,
) -> None:
    for future in finished:
        spent_s, outcomes = future.result()
        for outcome in outcomes:
            sink(outcome)
        # Only now: an interrupt inside the sink finds the batch still there, and hands it
        # on once more rather than not at all.
        batches.learn(running.pop(future), spent_s)


@functools.cache
def _context() -> BaseContext:
    """How workers are started: from a clean server that has imported hasim, else afresh.

    Never by forking the caller, who may have threads (a notebook, a progress
    bar, BLAS) whose locks would stay taken for ever in the child.
    """
    if "forkserver" in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["hasim.study.runner"])
        return context
    return multiprocessing.get_context("spawn")


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Let new workers not run the caller's script again, of which they need nothing.

    Otherwise a script would have to call hasim under ``if __name__ ==
    "__main__"``, or start itself again in every worker.
    """
    main = sys.modules["__main__"]
    path = main.__dict__.pop("__file__", None)
    try:
        yield
    finally:
        if path is not None:
            main.__file__ = path


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Let new processes be born deaf to Ctrl-C; one that comes meanwhile is delivered after.

    Ctrl-C reaches the whole process group. A worker that is still starting
    would end with a traceback, before it could say that it wants to ignore it.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # It unblocks the signal when it starts, so it has to run beforehand.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_work: Work | None = None


def _start_worker(work: Work) -> None:
    """Called once in each worker: keeps the work, which batches then need not carry."""
    global _work  # noqa: PLW0603 - a worker process serves one study
    _work = work
    # The parent alone decides what Ctrl-C means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for its next batch for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_batch(batch: Batch) -> tuple[float, list[Any]]:
    if _work is None:
        raise RuntimeError("a worker was given a batch before its work")
    started = time.perf_counter()
    outcomes = [_work(batch.cell, replication) for replication in batch.replications]
    return time.perf_counter() - started, outcomes
