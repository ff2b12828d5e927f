"""Worlds of a hunt in several processes, and what becomes of them in their order."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

from hasim.hunt.looking import Look, Task
from hasim.hunt.running import Ran
from hasim.hunt.search import Hunt
from hasim.hunt.store import HuntError
from hasim.study.execution.executor import default_jobs
from hasim.study.execution.processes import (
    serve_parent,
    start_context,
    without_interrupts,
    without_main,
)
from hasim.study.planning.own_parts import KINDS

CHUNK = 5
"""Worlds that are handed over at once: long beside what that costs."""


def crew_of(jobs: int | None, left: int | None) -> int:
    """How many processes are worth their start for the worlds that are left (None: any number)."""
    wanted = jobs or default_jobs()
    return wanted if left is None else max(1, min(wanted, left // (2 * CHUNK)))


def worlds(hunt: Hunt, jobs: int) -> Generator[Ran, None, None]:
    """World after world, each counted as it is given; the same for any number of jobs.

    From other processes they come without their journals, which `Hunt.again` has. What other
    processes do not know (parts and invariants of users' own that cannot be imported) is looked
    at in this one alone. Raises HuntError if a process dies.
    """
    if jobs == 1 or not _is_known_elsewhere(hunt.look):
        while True:
            yield hunt.step()
    pool = ProcessPoolExecutor(jobs, mp_context=start_context(), initializer=serve_parent)
    look = functools.partial(_without_journal, hunt.look)
    try:
        while True:
            tasks = list(hunt.tasks())
            with without_main(), without_interrupts():
                found = pool.map(look, tasks, chunksize=CHUNK)
            for ran in found:
                yield hunt.take(ran)
    except BrokenProcessPool:
        raise HuntError(
            f"a process died in one of the worlds {hunt.state.number} to {tasks[-1].number} "
            "(too little memory?); --jobs 1 goes on there"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _without_journal(look: Look, task: Task) -> Ran:
    return replace(look(task), journal=None)


def _is_known_elsewhere(look: Look) -> bool:
    """Whether a fresh process would draw the same worlds, and look at the same."""
    if any(set(known) - set(shipped) for known, shipped in KINDS.values()):
        return False
    try:
        pickle.dumps(look)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True
