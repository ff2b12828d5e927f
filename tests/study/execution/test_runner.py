"""The executor and the runner: all outcomes, in any order, on any number of processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from hasim.study.execution import runner
from hasim.study.execution.batches import Wanted, Work
from hasim.study.execution.executor import execute
from hasim.study.execution.replication import Replicate
from hasim.study.folder.reading import open_run
from hasim.study.planning.outcomes import Outcome
from tests.study.standins import TWO_CELLS, Deadly, Pids, Squares

ROOT = Path(__file__).parents[3]


def collect(work: Work, wanted: Wanted, jobs: int | None) -> list[Outcome]:
    found: list[Outcome] = []
    execute(work, wanted, found.append, jobs=jobs)
    return found


@pytest.mark.parametrize("jobs", [1, 2, None])
def test_outcomes_do_not_depend_on_jobs(jobs):
    found = collect(Squares(), {0: range(7), 3: range(5)}, jobs)
    values = {(o.cell, o.replication): o.measured["value"] for o in found}
    assert values == {(c, r): c + r**2 for c, n in ((0, 7), (3, 5)) for r in range(n)}


def test_two_jobs_use_other_processes_and_one_job_this_one():
    found: list[int] = []
    execute(Pids(), {0: range(6)}, found.append, jobs=2)
    assert os.getpid() not in found
    found.clear()
    execute(Pids(), {0: range(6)}, found.append, jobs=1)
    assert set(found) == {os.getpid()}


def test_little_work_stays_in_this_process_unless_jobs_are_asked_for():
    found: list[int] = []
    execute(Pids(), {0: range(6)}, found.append, jobs=None)
    assert set(found) == {os.getpid()}


def test_what_the_sink_raises_ends_the_work_and_the_workers():
    import multiprocessing

    before = set(multiprocessing.active_children())

    def sink(outcome):
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        execute(Squares(nap_s=0.01), {0: range(500)}, sink, jobs=2)
    deadline = time.monotonic() + 5
    while set(multiprocessing.active_children()) - before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert set(multiprocessing.active_children()) - before == set()


@pytest.mark.parametrize("times", [1, 3])
def test_the_work_of_a_killed_worker_is_done_again(tmp_path, times):
    found = collect(Deadly(str(tmp_path), (1, 3), times), {0: range(40), 1: range(9)}, 2)
    assert (tmp_path / "deaths").read_text() == "+" * times
    values = sorted((o.cell, o.replication, o.measured["value"]) for o in found)
    assert values == [(c, r, c + r**2) for c, n in ((0, 40), (1, 9)) for r in range(n)]


def test_a_replication_that_kills_every_worker_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "Replicate", lambda *a: Deadly(str(tmp_path), (1, 2), 1000))
    with pytest.raises(runner.ReplicationError) as caught:
        runner.run_study(TWO_CELLS, jobs=2, out=tmp_path / "run")
    assert str(caught.value) == (
        "replication 2 of cell 1 (detection.fall=3) could not be done: 5 worker processes were "
        "killed, one after the other, while they had this to do, perhaps for want of memory"
    )
    study = open_run(tmp_path / "run")
    assert study.state == "FAILED"
    assert study.outcomes.keys() <= {(c, r) for c in (0, 1) for r in range(4)} - {(1, 2)}


def run_script(tmp_path: Path, text: str, **options) -> subprocess.Popen:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(text))
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_a_script_without_main_guard_is_not_run_again_by_workers(tmp_path):
    process = run_script(
        tmp_path,
        """
        print("script runs", flush=True)
        from tests.study.standins import Squares
        from hasim.study.execution.executor import execute
        found = []
        execute(Squares(), {0: range(4)}, found.append, jobs=2)
        print(sorted(o.measured["value"] for o in found))
        assert __file__.endswith("script.py")
        """,
    )
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.splitlines() == ["script runs", "[0, 1, 4, 9]"]


STUDY = """
import sys
from pathlib import Path
from tests.study.standins import TWO_CELLS, Squares
import hasim.study.execution.runner as runner
runner.Replicate = lambda *a: Squares(nap_s=0.05)
loaded = type(TWO_CELLS)(TWO_CELLS.cells, replications=400)
try:
    runner.run_study(
        loaded, jobs={jobs}, out=Path("run"),
        progress=lambda p: print(p.done, file=sys.stderr, flush=True),
    )
except runner.StudyInterrupted as error:
    print(len(error.study.outcomes), error.study.state)
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_keeps_what_was_finished_and_leaves_no_process(tmp_path, jobs):
    process = run_script(tmp_path, STUDY.format(jobs=jobs), cwd=tmp_path, start_new_session=True)
    for line in process.stderr:
        if line.strip() == "5":
            break
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
    out, err = process.communicate(timeout=20)
    count, state = out.split()
    assert state == "INTERRUPTED", err
    assert "Traceback" not in err
    study = open_run(tmp_path / "run")
    assert study.state == "INTERRUPTED"
    assert len(study.outcomes) == int(count) >= 5
    assert len(study.outcomes) < 800
    assert all(o.measured == {"value": o.cell + o.replication**2} for o in study.outcomes.values())
    assert not alive(process.pid)


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at the process table")
def test_workers_of_a_killed_parent_end_themselves(tmp_path):
    process = run_script(tmp_path, STUDY.format(jobs=2), cwd=tmp_path, start_new_session=True)
    for line in process.stderr:
        if line.strip() == "5":
            break
    process.kill()
    process.wait(timeout=10)
    assert not alive(process.pid)
    study = open_run(tmp_path / "run")
    assert study.state == "RUNNING"
    assert len(study.outcomes) >= 5


def alive(group: int) -> bool:
    """Whether a process of the group is left after some seconds of patience."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


class Fails:
    """Work whose third replication of cell 1 raises, as the runner's own work reports it."""

    def __call__(self, cell: int, replication: int) -> Outcome:
        if (cell, replication) == (1, 2):
            return Outcome(cell, replication, 0.0, None, (), "ZeroDivisionError: division by zero")
        return Outcome(cell, replication, 0.0, {})


def test_a_failing_replication_is_named_with_its_seed(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "Replicate", lambda *a: Fails())
    with pytest.raises(runner.ReplicationError) as caught:
        runner.run_study(TWO_CELLS, jobs=1, out=tmp_path / "run")
    assert "replication 2 of cell 1 (detection.fall=3)" in str(caught.value)
    assert "seed 7" in str(caught.value)
    assert "ZeroDivisionError" in str(caught.value)
    study = open_run(tmp_path / "run")
    assert study.state == "FAILED"
    assert study.outcomes[1, 2].error.startswith("ZeroDivisionError")
    assert (0, 0) in study.outcomes


def test_an_exception_in_the_simulation_becomes_an_outcome():
    outcome = Replicate(TWO_CELLS)(0, 1)  # the stand-in has nothing recorded
    assert outcome.measured is None
    assert "Traceback" in outcome.error


def test_progress_counts_to_the_total(monkeypatch):
    monkeypatch.setattr(runner, "Replicate", lambda *a: Squares())
    seen = []
    study = runner.run_study(TWO_CELLS, jobs=1, progress=seen.append)
    assert [p.done for p in seen] == list(range(1, 9))
    assert {p.total for p in seen} == {8}
    assert study.state == "COMPLETED"
    assert [(o.cell, o.replication) for o in study.ordered()] == [
        (c, r) for c in (0, 1) for r in range(4)
    ]
