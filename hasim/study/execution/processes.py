"""A pool of processes on this machine, which survives the death of some of them."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from multiprocessing.context import BaseContext

from hasim.study.execution.batches import Batch, Done, Work


class Processes:
    """`count` worker processes; the `Workers` of `hasim.study.execution.executor`."""

    deaths: tuple[type[BaseException], ...] = (BrokenProcessPool,)
    # Whose work it was that a process died of is not known: all that was handed out is suspected.
    most_deaths = 4

    def __init__(self, work: Work, count: int) -> None:
        self.count = count
        self._work = work
        self._bystanders = set(multiprocessing.active_children())
        self._pool = self._new_pool()

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self.count,
            mp_context=start_context(),
            initializer=_start_worker,
            initargs=(self._work,),
        )

    def submit(self, batch: Batch) -> Future[Done]:
        """Hand a batch out. Raises BrokenProcessPool if a worker has died."""
        with without_main(), without_interrupts():
            return self._pool.submit(_run_batch, batch)

    def renew(self, running: Collection[Future[Done]]) -> Collection[Future[Done]]:
        """A new pool; the death of one worker ends the others, and all that was handed out."""
        wait(running)
        self._pool.shutdown()
        self._pool = self._new_pool()
        return running

    def check(self) -> None:
        """A pool knows by itself when a process dies."""

    def stop(self) -> None:
        """Wait until the processes have ended."""
        self._pool.shutdown()

    def kill(self) -> None:
        """End the processes now; none is left after `stop`."""
        for child in set(multiprocessing.active_children()) - self._bystanders:
            child.terminate()
        # Its thread ends as the workers do. Left alone it may close its pipe just when Python, at
        # its own end, writes to it, which prints a traceback.
        self._pool.shutdown(wait=True, cancel_futures=True)


@functools.cache
def start_context() -> BaseContext:
    """How workers are started: from a clean server that has imported hasim, else afresh.

    Never by forking the caller, who may have threads (a notebook, a progress
    bar, BLAS) whose locks would stay taken for ever in the child.
    """
    if "forkserver" in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["hasim.study.execution.replication"])
        return context
    return multiprocessing.get_context("spawn")


@contextlib.contextmanager
def without_main() -> Iterator[None]:
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
def without_interrupts() -> Iterator[None]:
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
    serve_parent()


def serve_parent() -> None:
    """Called once in each worker: it ends with its parent, who alone decides what Ctrl-C means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for its next batch for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_batch(batch: Batch) -> Done:
    if _work is None:
        raise RuntimeError("a worker was given a batch before its work")
    return batch.run(_work)
