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
from hypothesis import given
from hypothesis import strategies as st
from standins import TWO_CELLS, Pids, Squares

from hasim.study import executor, runner
from hasim.study.executor import Batches, execute
from hasim.study.store import Outcome, open_run

HERE = Path(__file__).parent


def collect(work: executor.Work, wanted: dict[int, range], jobs: int | None) -> list[Outcome]:
    found: list[Outcome] = []
    execute(work, wanted, found.append, jobs=jobs)
    return found


@given(
    todo=st.dictionaries(st.integers(0, 20), st.integers(0, 60), max_size=8),
    jobs=st.integers(1, 16),
    spent_s=st.floats(0, 3),
)
def test_batches_hand_out_each_replication_once(todo, jobs, spent_s):
    batches = Batches({cell: range(n) for cell, n in todo.items()}, jobs)
    seen = []
    while (batch := batches.next()) is not None:
        seen += [(batch.cell, replication) for replication in batch.replications]
        batches.learn(batch, spent_s * len(batch.replications))
    assert sorted(seen) == sorted((cell, r) for cell, n in todo.items() for r in range(n))
    assert batches.left == 0


def test_batches_grow_to_half_a_second_but_leave_work_for_all():
    batches = Batches({0: range(1000)}, jobs=2)
    first = batches.next()
    assert first is not None
    assert first.replications == (0,)
    batches.learn(first, 0.01)
    second = batches.next()
    assert second is not None
    assert len(second.replications) == 50  # 0.5 s / 0.01 s
    few = Batches({0: range(9)}, jobs=2)
    few.learn(few.next(), 0.001)
    batch = few.next()
    assert batch is not None
    assert len(batch.replications) == 2  # 8 left for 2 x 2 batches


def test_batches_estimate_what_is_left_from_what_was_learnt():
    batches = Batches({0: range(5), 1: range(3)}, jobs=1)
    batches.learn(batches.next(), 2.0)
    assert batches.estimate_s() == pytest.approx(4 * 2.0 + 3 * 2.0)  # cell 1: as cell 0
    batches.learn(batches.next(), 10.0)
    assert batches.estimate_s() == pytest.approx(4 * 2.0 + 2 * 10.0)


def test_batches_let_the_cells_take_turns():
    batches = Batches({0: range(3), 1: range(3)}, jobs=1)
    assert [batches.next().cell for _ in range(6)] == [0, 1, 0, 1, 0, 1]


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


def run_script(tmp_path: Path, text: str, **options) -> subprocess.Popen:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(text))
    path = os.pathsep.join([str(HERE.parent.parent), str(HERE), os.environ.get("PYTHONPATH", "")])
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
        from standins import Squares
        from hasim.study.executor import execute
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
from standins import TWO_CELLS, Squares
import hasim.study.runner as runner
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
    assert not _alive(process.pid)


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at the process table")
def test_workers_of_a_killed_parent_end_themselves(tmp_path):
    process = run_script(tmp_path, STUDY.format(jobs=2), cwd=tmp_path, start_new_session=True)
    for line in process.stderr:
        if line.strip() == "5":
            break
    process.kill()
    process.wait(timeout=10)
    assert not _alive(process.pid)
    study = open_run(tmp_path / "run")
    assert study.state == "RUNNING"
    assert len(study.outcomes) >= 5


def _alive(group: int) -> bool:
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
    outcome = runner.Replicate(TWO_CELLS)(0, 1)  # the stand-in has nothing recorded
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
