"""A study: every replication of every cell of a scenario, simulated and measured."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import gzip
import io
import os
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hasim.journal import Journal, write
from hasim.measures import measure
from hasim.measures.invariants import check as check_invariants
from hasim.scenario import sent
from hasim.scenario.loader import load
from hasim.settings import plain
from hasim.simulation.run import collector_paused, simulate
from hasim.study.comparing.settings import differences
from hasim.study.execution import executor
from hasim.study.execution.cluster import Cluster, connected
from hasim.study.execution.cluster_errors import ClusterError
from hasim.study.folder.errors import WAYS_ON, OtherRunError
from hasim.study.folder.reading import options_of
from hasim.study.folder.writing import RunFolder
from hasim.study.planning.keys import key_of
from hasim.study.planning.new_study import new_study
from hasim.study.planning.outcomes import CellInfo, Outcome
from hasim.study.planning.own_algorithms import own_algorithms, warn_of
from hasim.study.planning.own_parts import own_parts
from hasim.study.planning.plan import Plan
from hasim.study.planning.study import Options, Study
from hasim.study.replaying import replay_recorded
from hasim.truth import MessageRecord, TrafficRollup
from hasim.units import SECOND

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


def simulate_cell(
    loaded: Loaded, cell: int, replication: int, *, messages: bool = False
) -> Journal:
    """The journal of one replication; the same for the same scenario, seed and replication."""
    point = loaded.cells[cell]
    return simulate(
        point.world,
        loaded.recorded_of(point),
        seed=loaded.scenario.seed,
        replication=replication,
        scenario=loaded.scenario.name,
        cell=dict(point.varied),
        messages=messages or loaded.scenario.include_messages,
    )


@dataclass(frozen=True)
class Replicate:
    """The work of a worker: simulate, check, measure, and keep what is asked for.

    An exception becomes an outcome with `error`, so that the study can say
    which replication it was, on whichever process it happened. `cells` give their
    files the names. `traces` is what is in the files of traces, for workers that
    may not see them.
    """

    loaded: Loaded
    check: bool = False
    journals: Path | None = None
    messages: Path | None = None
    cells: Sequence[CellInfo] = ()
    traces: Mapping[str, bytes] = field(default_factory=dict)

    def __call__(self, cell: int, replication: int) -> Outcome:
        """Do one replication of one cell."""
        with collector_paused():
            return self._outcome(cell, replication)

    def _outcome(self, cell: int, replication: int) -> Outcome:
        started = time.perf_counter()
        try:
            sent.use(self.traces)
            journal = simulate_cell(
                self.loaded, cell, replication, messages=self.messages is not None
            )
            for folder, writer, end in (
                (self.journals, write, "jsonl.gz"),
                (self.messages, write_messages, "csv.gz"),
            ):
                if folder is not None:
                    stem = file_stem(self._keyed(cell), replication)
                    write_whole(writer, journal, folder / f"{stem}.{end}")
            violations = broken(journal) if self.check else ()
            measured = measure(journal).to_plain()
        except Exception:
            error = traceback.format_exc()
            return Outcome(cell, replication, time.perf_counter() - started, None, (), error)
        return Outcome(cell, replication, time.perf_counter() - started, measured, violations)

    def _keyed(self, cell: int) -> CellInfo:
        """A cell with its key, which names its files."""
        info, loaded = self.cells[cell], self.loaded
        key = info.key or key_of(loaded.cells[cell].world, loaded.scenario.seed)
        return dataclasses.replace(info, key=key)


def write_whole(writer: Callable[[Journal, Path], object], journal: Journal, path: Path) -> None:
    """Write a file whole or, if this process is killed meanwhile, not at all."""
    partial = path.with_name(f".part-{os.getpid()}-{path.name}")
    writer(journal, partial)
    partial.replace(path)


def file_stem(cell: CellInfo, replication: int) -> str:
    """How the files of one replication are named in a run folder."""
    return f"{cell.stem}-replication-{replication:04}"


def broken(journal: Journal) -> tuple[str, ...]:
    """The invariants that a journal breaks, in words; empty if all hold.

    Beside those that the journal shows, each control plane is fed its recorded
    inputs once more: it must do the same, without the world behind it (no clairvoyance).
    """
    found = [
        f"invariant {v.invariant} at {v.t_ns / SECOND:.9f} s, {v.subject}: {v.text}"
        for v in check_invariants(journal)
    ]
    for observer in journal.observers:
        difference = replay_recorded(journal, observer).difference
        if difference is not None:
            found.append(
                f"invariant 5 at {difference.t_ns / SECOND:.9f} s, {observer}: a replay of the "
                f"same inputs gives {difference.replayed}, recorded were {difference.recorded}"
            )
    return tuple(found)


def write_messages(journal: Journal, path: Path) -> None:
    """Every message of a journal as one row of a gzipped CSV file."""
    # mtime 0: the same messages give the same bytes.
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as out,
    ):
        rows = csv.DictWriter(
            out, [f.name for f in dataclasses.fields(MessageRecord)], lineterminator="\n"
        )
        rows.writeheader()
        rows.writerows(dataclasses.asdict(message) for _, message in journal.of(MessageRecord))


@dataclass(frozen=True, slots=True)
class Cost:
    """What one replication of each cell takes: messages, and seconds on one core."""

    messages: float
    seconds: float


def estimate_cost(loaded: Loaded, *, sample_ns: int = 30 * SECOND) -> Cost:
    """The cost of one replication of each cell, from one of the first cut off after `sample_ns`.

    An estimate: it takes cost to grow with the horizon and to be the same in all cells.
    """
    point = loaded.cells[0]
    short_ns = min(point.world.horizon_ns, sample_ns)
    sample = dataclasses.replace(point, world=dataclasses.replace(point.world, horizon_ns=short_ns))
    cut = dataclasses.replace(loaded, cells=(sample,))
    simulate_cell(cut, 0, 0)  # reads traces and imports what a process needs but once
    started = time.perf_counter()
    journal = simulate_cell(cut, 0, 0)
    measure(journal)
    spent_s = time.perf_counter() - started
    messages = sum(row.messages for _, row in journal.of(TrafficRollup))
    horizons_ns = [loaded.cells[index].world.horizon_ns for index in loaded.sample()]
    times = sum(horizons_ns) / len(horizons_ns) * len(loaded.cells) / short_ns
    return Cost(messages * times, spent_s * times)


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
    works there, ClusterError if the cluster cannot be used, NotImportableError if its workers
    cannot import what is the caller's own (an algorithm, a detector), ReplicationError at the
    first replication that raised or killed its workers, and StudyInterrupted after Ctrl-C; what
    was finished by then is in `out`, whose state is FAILED or INTERRUPTED.
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
        except BaseException:
            study.state = "FAILED"
            raise
        finally:
            if folder is not None:
                folder.finish()
    return study


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
