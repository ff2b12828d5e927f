"""Replications on the workers of a Dask cluster, or of one that is started here for them.

Every batch is a task of its own (``pure=False``), which Dask runs again elsewhere
if its worker dies; since an outcome depends on nothing but cell, replication and seed, that
changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
import weakref
from collections.abc import Collection, Iterator
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING

from hasim.study.execution.batches import Batch, Done, Work
from hasim.study.execution.cluster_errors import ClusterError
from hasim.study.execution.executor import default_jobs
from hasim.study.execution.processes import without_interrupts, without_main

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

LOCAL = "local"
"""The address that means: start a cluster on this machine, for this study."""
CONNECT_S = 10.0
"""How long a scheduler may take to answer."""
JOIN_S = 30.0
"""How long the first worker may take to join."""
ALONE_S = 60.0
"""How long a study waits when all workers are gone."""
LOOK_S = 2.0
"""How often the workers are counted."""
PLAIN = {
    "distributed.worker.profile.enabled": False,
    "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": 1, "OPENBLAS_NUM_THREADS": 1},
}
"""What Dask does beside the work and slows it by a tenth: a profile of it, a hundred times a
second; and giving freed memory back to the system at once (MALLOC_TRIM_THRESHOLD_)."""
LOST = "the connection to the Dask scheduler was lost"
RETRIES = 2
"""How often Dask does a batch again whose task raised, on whatever worker is free."""


@contextlib.contextmanager
def connected(dask: str | Client, jobs: int | None = None) -> Iterator[Cluster]:
    """A connection to the scheduler at an address, or to the cluster of a client.

    ``"local"`` starts a scheduler and `jobs` workers (None: one for each core) on this
    machine, and stops them in the end. Raises ClusterError if Dask is not installed, nobody
    answers at the address, or no worker is there.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ClusterError(
            "a Dask cluster needs the extra dask, which is not installed: pip install 'hasim[dask]'"
        ) from None
    if not isinstance(dask, str | Client):
        raise TypeError(f"expected the address of a scheduler, 'local' or a Client, got {dask!r}")
    if jobs is not None and dask != LOCAL:
        raise ClusterError("jobs are processes of this machine; a cluster has its own workers")
    with contextlib.ExitStack() as stack:
        if not isinstance(dask, str):
            client = dask
        elif dask == LOCAL:
            client = stack.enter_context(_local(jobs or default_jobs()))
        else:
            client = stack.enter_context(_client(dask))
        yield Cluster(client)


@contextlib.contextmanager
def _local(count: int) -> Iterator[Client]:
    """A scheduler in this process and workers beside it, who end with it."""
    import dask
    from distributed import Client, LocalCluster

    # Workers that die are replaced by new ones at any time, hence without main to the end.
    with without_main(), dask.config.set(PLAIN), contextlib.ExitStack() as stack:
        with without_interrupts():
            cluster = stack.enter_context(
                LocalCluster(
                    n_workers=count,
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    silence_logs=50,
                )
            )
            client = stack.enter_context(Client(cluster, set_as_default=False))
        yield client


@contextlib.contextmanager
def _client(address: str) -> Iterator[Client]:
    from distributed import Client

    try:
        address = _checked(address)
        client = Client(address, timeout=CONNECT_S, set_as_default=False, name="hasim")
    except (OSError, ValueError, TypeError, ImportError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ClusterError(
            f"{address}: no Dask scheduler answers there ({why}); "
            f"expected an address such as tcp://10.0.0.1:8786"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=JOIN_S)
        except TimeoutError:
            raise ClusterError(
                f"{address}: the scheduler has no worker; start some with "
                f"`dask worker {address} --nthreads 1`"
            ) from None
        yield client


def _checked(address: str) -> str:
    """The address in full; raises ValueError if it is none.

    Looked at beforehand, since a client that is given a bad one leaves threads behind.
    """
    from distributed.comm import get_address_host_port, normalize_address
    from distributed.security import Security

    address = normalize_address(address)
    get_address_host_port(address, strict=True)
    if address.startswith("tls:") and not Security().tls_ca_file:
        raise ValueError("tls needs certificates: distributed.comm.tls in Dask's configuration")
    return address


class Cluster:
    """A scheduler that answers; the `Connection` of `hasim.study.execution.executor`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def workers(self, work: Work) -> DaskWorkers:
        """The workers of the cluster, who know the work.

        Raises ClusterError if one of them has other versions than this process.
        """
        return DaskWorkers(self._client, work)


class DaskWorkers:
    """All workers of a cluster, by now; the `Workers` of `hasim.study.execution.executor`."""

    most_deaths = 1  # by then Dask itself has given up on a batch, after four deaths

    def __init__(self, client: Client, work: Work) -> None:
        from distributed.scheduler import KilledWorker

        from hasim.study.execution.cluster_worker import Knows

        self.deaths: tuple[type[BaseException], ...] = (KilledWorker, CancelledError)
        self._client = client
        self._name = f"hasim-{uuid.uuid4().hex}"
        self._handed_out: weakref.WeakSet[DaskFuture] = weakref.WeakSet()
        self._counted_at, self._seen_at, self._count = 0.0, time.monotonic(), 1
        try:
            client.register_plugin(Knows(self._name, work), name=self._name)
        except ClusterError:
            self.kill()
            raise
        except Exception as error:
            self.kill()
            raise ClusterError(f"the workers cannot do this study: {error}") from None

    @property
    def count(self) -> int:
        """How many workers there are; 1 while all are gone."""
        now = time.monotonic()
        if now - self._counted_at > LOOK_S:
            self._counted_at = now
            found = len(self._client.scheduler_info()["workers"])
            self._seen_at = now if found else self._seen_at
            self._count = max(1, found)
        return self._count

    def submit(self, batch: Batch) -> Future[Done]:
        """Hand a batch to the scheduler."""
        from hasim.study.execution.cluster_worker import run_batch

        future = self._client.submit(run_batch, self._name, batch, pure=False, retries=RETRIES)
        self._handed_out.add(future)
        loop = self._client.loop.asyncio_loop
        return asyncio.run_coroutine_threadsafe(self._gathered(future), loop)

    async def _gathered(self, future: DaskFuture) -> Done:
        """What a batch gave, in the loop of the client.

        Not by the executor that Dask has: it takes the result for an exception if the worker
        dies between the arrival of the result and the next look at the status.
        """
        from distributed.comm import CommClosedError

        try:
            done: Done = await self._client.gather(future, asynchronous=True)
        except CommClosedError:
            raise ClusterError(LOST) from None
        return done

    def renew(self, running: Collection[Future[Done]]) -> Collection[Future[Done]]:
        """Dask restarts workers by itself; raises ClusterError if the scheduler is gone."""
        self.check()
        return ()

    def check(self) -> None:
        """Raise ClusterError if the scheduler is gone, or all workers for `ALONE_S` seconds."""
        if self._client.status != "running":
            raise ClusterError(LOST)
        self._counted_at = 0.0
        if self.count and time.monotonic() - self._seen_at > ALONE_S:
            raise ClusterError(f"the Dask scheduler has had no worker for {ALONE_S:g} s")

    def stop(self) -> None:
        """Let the workers forget the work."""
        self._forget()

    def kill(self) -> None:
        """Cancel what is not finished."""
        with contextlib.suppress(Exception):
            self._client.cancel(list(self._handed_out))
        self._forget()

    def _forget(self) -> None:
        if self._name and self._client.status == "running":
            with contextlib.suppress(Exception):
                self._client.unregister_worker_plugin(self._name)
        self._name = ""
