"""Replications on one core, on all of them or on a cluster: the same outcomes, in any order.

The work is handed to workers in batches, of which each is a future as in
`concurrent.futures`; each outcome is handed to `sink` in the calling thread. A worker
that dies costs time, and changes nothing else.
"""

from __future__ import annotations

import os
import warnings
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, Protocol

from hasim.study.execution.batches import AHEAD, Batch, Batches, Done, Task, Wanted, Work, timed
from hasim.study.execution.teaching import NotImportableError, taught, what_to_do
from hasim.study.planning.own_parts import Own

SOLO_S = 2.0
"""Less work than this is done in the calling process: workers take a second to start."""

PATIENCE_S = 5.0
"""How often the workers are looked after while none of them finishes anything."""

Sink = Callable[[Any], None]
More = Callable[[], Wanted]


class WorkersLostError(RuntimeError):
    """Workers died of the same task again and again; `task` is its cell and replication."""

    def __init__(self, task: Task, times: int) -> None:
        super().__init__(
            f"{times} worker processes were killed, one after the other, while they had this to do"
        )
        self.task = task


class Workers(Protocol):
    """Processes that do batches: an executor as in `concurrent.futures`, and how it is kept up."""

    deaths: tuple[type[BaseException], ...]
    """What the future of a batch raises, or `submit`, if a worker has died."""
    most_deaths: int
    """How often a task is handed out again after a death; from half of that on, alone."""

    @property
    def count(self) -> int:
        """How many batches are done at the same time, by now."""

    def submit(self, batch: Batch) -> Future[Done]:
        """Hand a batch out."""

    def renew(self, running: Collection[Future[Done]]) -> Collection[Future[Done]]:
        """Replace what died; those of `running` that are lost or done by then."""

    def check(self) -> None:
        """Raise if nothing will ever be finished any more."""

    def stop(self) -> None:
        """All is done: let the processes end."""

    def kill(self) -> None:
        """End the processes now, whatever they do; harmless after `stop`."""


class Connection(Protocol):
    """A cluster that workers can be had of."""

    def workers(self, work: Work) -> Workers:
        """The workers of the cluster, who know the work."""


def default_jobs() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _nothing() -> Wanted:
    return {}


def execute(
    work: Work,
    wanted: Wanted,
    sink: Sink,
    *,
    jobs: int | None = None,
    cluster: Connection | None = None,
    more: More = _nothing,
    own: Collection[Own] = (),
) -> None:
    """Call `work(cell, replication)` for all that is wanted and hand each outcome to `sink`.

    `jobs` is the number of worker processes; 1 stays in this process; None
    means all cores, if the first replications show that the rest is worth it. With a
    `cluster`, all is done there. `more` is asked after each batch what the outcomes
    so far make wanted besides. `own` is what the work needs that is the caller's own:
    workers import it; if they cannot, all is done in this process, with a RuntimeWarning.

    Raises KeyboardInterrupt after Ctrl-C, when every outcome of a batch that
    was finished by then has been handed on and the workers are gone;
    WorkersLostError if workers die again and again; NotImportableError if there is a cluster
    whose workers cannot import `own`; and whatever `work`, `sink`, `more`
    or the cluster raises.
    """
    handed = taught(work, own)
    if handed is None:
        if cluster is not None:
            raise NotImportableError(what_to_do(own))
        if jobs != 1:
            text = f"{what_to_do(own)}; all is done in this process"
            warnings.warn(text, RuntimeWarning, stacklevel=2)
        jobs, handed = 1, work
    batches = Batches(wanted, jobs or default_jobs())
    if cluster is not None:
        _handed_out(cluster.workers(handed), batches, sink, more)
        return
    if jobs is None:
        _solo(work, batches, sink, more, until=lambda: batches.estimate_s() > SOLO_S)
        jobs = default_jobs()
    batches.workers = jobs = min(jobs, batches.left)
    if jobs > 1:
        from hasim.study.execution.processes import Processes

        _handed_out(Processes(handed, jobs), batches, sink, more)
    else:
        batches.workers = 1
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
        for task in batch.tasks:
            spent_s, outcome = timed(work, task)
            sink(outcome)
            batches.learn(task, spent_s)
        batches.add(more())
        if until():
            return


def _handed_out(workers: Workers, batches: Batches, sink: Sink, more: More) -> None:
    """Keep the workers busy until nothing is left."""
    out = _HandedOut(workers, batches, sink)
    try:
        while out.fill():
            finished, _ = wait(out.running, timeout=PATIENCE_S, return_when=FIRST_COMPLETED)
            if not finished:
                workers.check()
                continue
            out.collect(finished)
            batches.add(more())
        workers.stop()
    except KeyboardInterrupt:
        out.collect_what_is_done()
        raise
    finally:
        workers.kill()


class _HandedOut:
    """The batches that workers have, and those that workers have died of."""

    def __init__(self, workers: Workers, batches: Batches, sink: Sink) -> None:
        self.running: dict[Future[Done], Batch] = {}
        self._workers = workers
        self._batches = batches
        self._sink = sink
        self._again: deque[Batch] = deque()
        self._deaths: Counter[Task] = Counter()

    def fill(self) -> bool:
        """Hand out batches, as many as are worth it; False if nothing is left or running."""
        self._batches.workers = count = max(1, self._workers.count)
        while len(self.running) < AHEAD * count:
            alone = bool(self._again) and self._suspect(self._again[0])
            if alone and self.running:
                break
            batch = self._again.popleft() if self._again else self._batches.next()
            if batch is None:
                break
            self.running[self._submitted(batch)] = batch
            if alone:
                break
        return bool(self.running)

    def _suspect(self, batch: Batch) -> bool:
        """Whether workers died so often that it is done alone: for want of memory, or to blame."""
        deaths = max(self._deaths[task] for task in batch.tasks)
        return deaths > 0 and 2 * deaths >= self._workers.most_deaths

    def _submitted(self, batch: Batch) -> Future[Done]:
        try:
            return self._workers.submit(batch)
        except self._workers.deaths as error:
            lost: Future[Done] = Future()
            lost.set_exception(error)
            return lost

    def collect(self, finished: Iterable[Future[Done]]) -> None:
        """Hand on what is finished, and do again what was lost."""
        lost = self._take(finished)
        if lost:
            lost += self._take(self._workers.renew(self.running.keys()))
            self._do_again(lost)

    def collect_what_is_done(self) -> None:
        """Hand on what is finished without a failure, and leave the rest."""
        self._take(
            [f for f in self.running if f.done() and not f.cancelled() and not f.exception()]
        )

    def _take(self, finished: Iterable[Future[Done]]) -> list[Batch]:
        """Hand the outcomes on; the batches whose worker died."""
        lost = []
        for future in list(finished):
            try:
                done = future.result()
            except self._workers.deaths:
                lost.append(self.running.pop(future))
                continue
            for _, outcome in done:
                self._sink(outcome)
            # Only now: an interrupt inside the sink finds the batch still there, and hands
            # it on once more rather than not at all.
            batch = self.running.pop(future)
            for task, (spent_s, _) in zip(batch.tasks, done, strict=True):
                self._batches.learn(task, spent_s)
        return lost

    def _do_again(self, lost: Iterable[Batch]) -> None:
        """Each task by itself now, so that one that kills workers is known in the end."""
        for batch in lost:
            for task in batch.tasks:
                self._deaths[task] += 1
                if self._deaths[task] > self._workers.most_deaths:
                    raise WorkersLostError(task, self._deaths[task])
                self._again.append(Batch((task,)))
