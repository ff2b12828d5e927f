"""A study: every replication of every cell of a scenario, simulated and measured."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import time
import traceback
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hasim.journal import Journal, write
from hasim.measures import measure
from hasim.measures.invariants import check as check_invariants
from hasim.simulation.run import simulate
from hasim.study import executor
from hasim.study.replaying import replay_recorded
from hasim.study.store import CellInfo, Outcome, RunFolder, Study
from hasim.truth import MessageRecord, TrafficRollup
from hasim.units import SECOND

if TYPE_CHECKING:
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
    which replication it was, on whichever process it happened.
    """

    loaded: Loaded
    check: bool = False
    journals: Path | None = None
    messages: Path | None = None

    def __call__(self, cell: int, replication: int) -> Outcome:
        """Do one replication of one cell."""
        started = time.perf_counter()
        try:
            journal = simulate_cell(
                self.loaded, cell, replication, messages=self.messages is not None
            )
            stem = file_stem(cell, replication)
            if self.journals is not None:
                write(journal, self.journals / f"{stem}.jsonl.gz")
            if self.messages is not None:
                write_messages(journal, self.messages / f"{stem}.csv.gz")
            violations = broken(journal) if self.check else ()
            measured = measure(journal).to_plain()
        except Exception:
            error = traceback.format_exc()
            return Outcome(cell, replication, time.perf_counter() - started, None, (), error)
        return Outcome(cell, replication, time.perf_counter() - started, measured, violations)


def file_stem(cell: int, replication: int) -> str:
    """How the files of one replication are named in a run folder."""
    return f"cell-{cell:03}-replication-{replication:04}"


def broken(journal: Journal) -> tuple[str, ...]:
    """The invariants that a journal breaks, in words; empty if all hold.

    Beside those that the journal shows, the control plane is fed the recorded
    inputs once more: it must do the same, without the world behind it (no clairvoyance).
    """
    found = [
        f"invariant {v.invariant} at {v.t_ns / SECOND:.9f} s, {v.subject}: {v.text}"
        for v in check_invariants(journal)
    ]
    difference = replay_recorded(journal).difference
    if difference is not None:
        found.append(
            f"invariant 5 at {difference.t_ns / SECOND:.9f} s: a replay of the same inputs "
            f"gives {difference.replayed}, recorded were {difference.recorded}"
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


def new_study(loaded: Loaded, *, check: bool = False) -> Study:
    """What a scenario asks for, with nothing done yet."""
    scenario = loaded.scenario
    projection = scenario.projection
    return Study(
        name=scenario.name,
        seed=scenario.seed,
        replications=scenario.replications,
        cells=tuple(CellInfo(cell.index, dict(cell.varied)) for cell in loaded.cells),
        expect={item.measure: item.text for item in scenario.expect},
        projection=(projection.mtbf_ns, projection.period_ns) if projection else None,
        notes=_notes(loaded),
        resolved=loaded.resolved(),
        checked=check,
    )


def _notes(loaded: Loaded) -> tuple[str, ...]:
    """Results from time-compressed traces say so."""
    scales = {
        getattr(trace, "time_scale", 1.0)
        for cell in loaded.cells
        for trace in (cell.world.traffic.arrivals, *(f.schedule for f in cell.world.faults))
    }
    return tuple(
        f"A recorded trace is replayed {scale:g} times as fast as it was recorded."
        for scale in sorted(scales - {1.0})
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """What a study is about to take: messages, and seconds on one core."""

    messages: float
    seconds: float


def estimate_cost(loaded: Loaded, *, sample_ns: int = 30 * SECOND) -> Cost:
    """The cost of a study, from one replication of its first cell cut off after `sample_ns`.

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
    horizons_ns = sum(cell.world.horizon_ns for cell in loaded.cells)
    times = loaded.scenario.replications * horizons_ns / short_ns
    return Cost(messages * times, spent_s * times)


def run_study(
    loaded: Loaded,
    *,
    jobs: int | None = None,
    check: bool = False,
    out: Path | None = None,
    journals: bool = False,
    messages: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Study:
    """Simulate and measure all replications of all cells, on `jobs` processes.

    With `out`, every outcome is stored there as soon as it is known; `journals`
    and `messages` add a file per replication there.

    Raises ReplicationError at the first replication that raised, and
    StudyInterrupted after Ctrl-C; what was finished by then is in `out`, whose
    state is FAILED or INTERRUPTED.
    """
    study = new_study(loaded, check=check)
    folder = RunFolder(out, study) if out is not None else None
    work: executor.Work = Replicate(
        loaded,
        check,
        _subfolder(out, "journals") if journals else None,
        _subfolder(out, "messages") if messages else None,
    )
    total = len(study.cells) * study.replications

    def sink(outcome: Outcome) -> None:
        if folder is not None and (outcome.cell, outcome.replication) not in study.outcomes:
            folder.append(outcome)
        study.add(outcome)
        if outcome.error:
            raise ReplicationError(_blame(study, outcome))
        if progress is not None:
            progress(Progress(len(study.outcomes), total, outcome))

    return _run(study, folder, work, sink, jobs)


def _run(
    study: Study,
    folder: RunFolder | None,
    work: executor.Work,
    sink: Callable[[Any], None],
    jobs: int | None,
) -> Study:
    wanted = {cell.index: range(study.replications) for cell in study.cells}
    try:
        executor.execute(work, wanted, sink, jobs=jobs)
        study.state = "COMPLETED"
    except BrokenProcessPool:
        raise ReplicationError(
            "a worker process was killed, perhaps for want of memory; fewer jobs need less"
        ) from None
    except KeyboardInterrupt:
        study.state = "INTERRUPTED"
        raise StudyInterrupted(study) from None
    finally:
        if study.state == "RUNNING":
            study.state = "FAILED"
        if folder is not None:
            folder.finish()
    return study


def _subfolder(out: Path | None, name: str) -> Path:
    if out is None:
        raise ValueError(f"{name} are kept in a run folder: give `out`")
    path = out / name
    path.mkdir(parents=True)
    return path


def _blame(study: Study, outcome: Outcome) -> str:
    varied = study.cells[outcome.cell].varied
    at = ", ".join(f"{path}={value}" for path, value in varied.items()) or "the only cell"
    return (
        f"replication {outcome.replication} of cell {outcome.cell} ({at}) failed; "
        f"the seed {study.seed} shows it again\n{outcome.error}"
    )
