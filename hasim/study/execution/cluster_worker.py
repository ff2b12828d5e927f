"""What runs in the workers of a Dask cluster; imported only where Dask is."""

from __future__ import annotations

import platform
import threading

from distributed import Worker, WorkerPlugin

from hasim.study.execution.batches import Batch, Done, Work
from hasim.study.execution.cluster_errors import UnlikeError
from hasim.study.execution.program import this_program, unlike

_WORKS: dict[str, Work] = {}
_ONE_AT_A_TIME = threading.Lock()


class Knows(WorkerPlugin):  # type: ignore[misc]  # Dask has no types
    """Gives every worker the work once, those included that join or are restarted later."""

    def __init__(self, name: str, work: Work) -> None:
        self.name = name
        self._work = work
        self._program = this_program()

    def setup(self, worker: Worker) -> None:
        """Keep the work, unless what is installed here is something else."""
        different = unlike(self._program, this_program(), "there")
        if different:
            raise UnlikeError(
                f"the worker {worker.address} has another program: {'; '.join(different)}"
            )
        _WORKS[self.name] = self._work

    def teardown(self, worker: Worker) -> None:
        """Forget the work."""
        _WORKS.pop(self.name, None)


def run_batch(name: str, batch: Batch) -> Done:
    """Do a batch of the study of this name; one at a time, however many threads a worker has."""
    work = _WORKS.get(name)
    if work is None:
        raise UnlikeError(f"a worker on {platform.node()} could not take the study over")
    with _ONE_AT_A_TIME:
        return batch.run(work)
