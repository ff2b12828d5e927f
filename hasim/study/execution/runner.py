"""A study: every replication of every cell of a scenario, simulated and measured."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from hasim.scenario import sent
from hasim.scenario.loader import load
from hasim.settings import plain
from hasim.study.comparing.settings import differences
from hasim.study.execution import executor
from hasim.study.execution.cluster import Cluster, connected
from hasim.study.execution.cluster_errors import ClusterError
from hasim.study.execution.replication import UNWRITTEN, Replicate
from hasim.study.folder.errors import FULL, WAYS_ON, FullError, OtherRunError
from hasim.study.folder.reading import options_of
from hasim.study.folder.writing import RunFolder
from hasim.study.planning.new_study import new_study
from hasim.study.planning.outcomes import Outcome
from hasim.study.planning.own_algorithms import own_algorithms, warn_of
from hasim.study.planning.own_parts import own_parts
from hasim.study.planning.plan import Plan
from hasim.study.planning.study import Options, Study

if TYPE_CHECKING:
    from distributed import Client

    from hasim.scenario.loader import Loaded


class ReplicationError(RuntimeError):
    """A replication could not be done; the message says which one and how to see it again."""


class StudyInterrupted(KeyboardInterrupt):
    """Ctrl-C during a study; `study` holds what was finished by then."""

    def __init__(self, study: Study) -> None:
        super().__init__(f"interrupted after {len(study.outcomes)} replications")
        self.study = study


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a study is."""

    done: int
    total: int
    outcome: Outcome


def run_study(
    loaded: Loaded,
    *,
    jobs: int | None = None,
    dask: str | Client | None = None,
    check: bool = False,
    out: Path | None = None,
    journals: bool = False,
    messages: bool = False,
    progress: Callable[[Progress], None] | None = None,
    export: Callable[[Study, Loaded], object] | None = None,
) -> Study:
    """Simulate and measure all replications of all cells, on `jobs` processes.

    With `dask`, on the cluster with the scheduler at this address or of this client;
    ``"local"`` starts one of `jobs` workers on this machine. Its workers need the same versions of
    hasim and its libraries, and no file of this machine, but that with `journals` or
    `messages` they must see the folder `out`.

    With `out`, every outcome is stored there as soon as it is known, and what a run
    of the same scenario by the same program has left there is not done again: the scenario
    may have more (or fewer) replications and cells now, and other expectations. `journals`
    and `messages` add a file per replication there. `export` is given the finished study
    while no other process may work in `out`: what it writes there is not mixed with
    another's.

    Raises StoreError if `out` holds anything else, another program made it, or another process
    works there, FullError if its disk takes nothing more, ClusterError if the cluster cannot be
    used, NotImportableError if its workers cannot import what is the caller's own (an algorithm,
    a detector), ReplicationError at the first replication that raised or killed its workers, and
    StudyInterrupted after Ctrl-C; what was finished by then is in `out`, whose state is FAILED or
    INTERRUPTED.
    """
    if out is None and (journals or messages):
        what = "journals" if journals else "messages"
        raise ValueError(f"{what} are kept in a run folder: give `out`")
    study = new_study(loaded, Options(check, journals, messages))
    warn_of(own_algorithms(loaded.data), loaded.scenario.world().data_plane)
    with contextlib.ExitStack() as stack:
        cluster = None if dask is None else stack.enter_context(connected(dask, jobs))
        folder = _open(out, study, loaded) if out is not None else None
        try:
            _execute(loaded, study, folder, jobs, cluster, progress)
            study.state = "COMPLETED"
            if export is not None:
                export(study, loaded)
        except executor.WorkersLostError as error:
            study.state = "FAILED"
            raise ReplicationError(_blame_workers(study, error)) from None
        except KeyboardInterrupt:
            study.state = "INTERRUPTED"
            raise StudyInterrupted(study) from None
        except ClusterError as error:
            study.state, error.begun = "FAILED", True
            raise
        except BaseException as error:
            study.state = "FAILED"
            if folder is not None and _is_full(error):
                raise FullError(folder.path, str(cast(OSError, error).strerror)) from error
            raise
        finally:
            if folder is not None:
                _finish(folder)
    return study


def _finish(folder: RunFolder) -> None:
    try:
        folder.finish()
    except OSError as error:
        raise FullError(folder.path, str(error.strerror)) from error


def _is_full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in FULL


def _execute(
    loaded: Loaded,
    study: Study,
    folder: RunFolder | None,
    jobs: int | None,
    cluster: Cluster | None,
    progress: Callable[[Progress], None] | None,
) -> None:
    """Do what the study lacks."""
    begin = folder.recall if folder is not None else None
    plan = Plan(study, lambda cell: bool(loaded.cells[cell].world.faults), begin)

    def sink(outcome: Outcome) -> None:
        if folder is not None and (outcome.cell, outcome.replication) not in study.outcomes:
            folder.append(outcome)
        for cell in plan.twins(outcome.cell):
            study.add(outcome.of(cell))
        if folder is not None and outcome.error.startswith(UNWRITTEN):
            raise FullError(folder.path, outcome.error.removeprefix(UNWRITTEN))
        if outcome.error:
            raise ReplicationError(_blame(study, outcome))
        plan.took(outcome)
        if progress is not None:
            done = len(study.outcomes)
            progress(Progress(done, max(done, plan.total), outcome))

    kept = {name: folder.path / name if folder else None for name in ("journals", "messages")}
    kept = {name: path if getattr(study.options, name) else None for name, path in kept.items()}
    for path in filter(None, kept.values()):
        path.mkdir(exist_ok=True)
    traces = sent.contents(loaded.traces()) if cluster is not None else {}
    work = Replicate(loaded, study.checked, kept["journals"], kept["messages"], study.cells, traces)
    executor.execute(
        work,
        plan.coming(),
        sink,
        jobs=jobs,
        cluster=cluster,
        more=plan.more,
        own=own_parts(loaded.data),
    )


def _open(out: Path, study: Study, loaded: Loaded) -> RunFolder:
    """The folder of the study; StoreError says what is different if it is another's."""
    try:
        return RunFolder(out, study)
    except OtherRunError as error:
        there = _determining(load(out / "scenario.yaml"))
        differing = [text for _, text in differences(there, _determining(loaded))]
        if not differing:
            why = "a trace or its scenario.yaml has changed since"
        else:
            why = f"holds a run of other settings ({'; '.join(differing[:3])})"
        raise OtherRunError(f"{error.args[0]}: {why}. {WAYS_ON}") from None


def _determining(loaded: Loaded) -> dict[str, Any]:
    scenario = loaded.scenario
    return {"name": scenario.name, "seed": scenario.seed, **plain(scenario.world())}


def resume_study(
    path: Path,
    *,
    jobs: int | None = None,
    dask: str | Client | None = None,
    progress: Callable[[Progress], None] | None = None,
    export: Callable[[Study, Loaded], object] | None = None,
) -> Study:
    """Do what is missing in a run folder, of the scenario that is in it.

    Raises StoreError if it is no run folder, another process works there, or hasim
    or a trace has changed since; ScenarioError if a trace is gone; and whatever `run_study` raises.
    """
    before = options_of(path)
    loaded = load(path / "scenario.yaml")
    return run_study(
        loaded,
        jobs=jobs,
        dask=dask,
        check=before.checked,
        out=path,
        journals=before.journals,
        messages=before.messages,
        progress=progress,
        export=export,
    )


def _blame(study: Study, outcome: Outcome) -> str:
    return (
        f"replication {outcome.replication} of cell {outcome.cell}{_where(study, outcome.cell)} "
        f"failed; the seed {study.seed} shows it again\n{outcome.error}"
    )


def _blame_workers(study: Study, error: executor.WorkersLostError) -> str:
    cell, replication = error.task
    return (
        f"replication {replication} of cell {cell}{_where(study, cell)} could not be done: "
        f"{error}, perhaps for want of memory"
    )


def _where(study: Study, cell: int) -> str:
    varied = study.cells[cell].varied
    at = ", ".join(f"{path}={value}" for path, value in varied.items()) or "the only cell"
    return f" ({at})"
