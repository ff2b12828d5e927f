"""Run folders that are continued: after a kill, a failure, and when a study grows."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import hasim
import hasim.findings.exports
from hasim.scenario.loader import from_data
from hasim.study.execution import replication, runner
from hasim.study.folder.errors import OtherRunError, StoreError
from hasim.study.folder.lock import Lock, LockedError
from hasim.study.folder.reading import open_run
from hasim.study.planning.new_study import new_study
from tests.study.standins import TWO_CELLS, Loaded, Squares

ROOT = Path(hasim.__file__).parent.parent
DATA: dict[str, Any] = {
    "name": "tiny",
    "horizon": "40s",
    "replications": 12,
    "seed": 5,
    "masters": [{"id": "a"}, {"id": "b", "priority": 2}],
    "traffic": {"arrivals": {"law": "poisson", "rate": "8/s"}, "owned": "100%", "timeout": "1s"},
    "faults": [
        {
            "kind": "crash",
            "target": "owner-of:p1",
            "at": {"law": "uniform", "low": "5s", "high": "15s"},
            "for": "20s",
        }
    ],
    "detection": {"interval": "2s"},
    "vary": {"detection.fall": [1, 4]},
}
SEQUENTIAL = {"until": {"outage.mean": "6%"}, "at_least": 10, "at_most": 30}


@pytest.fixture(scope="module", autouse=True)
def without_figures():
    """Figures take longer than the runs here, and are no part of what is compared."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hasim.findings.exports, "draw", lambda result: {})
        yield


def changed(**settings: Any) -> dict[str, Any]:
    return {**DATA, **settings}


def tables(folder: Path) -> dict[str, bytes]:
    """All tables, frames and summaries of a run, byte for byte."""
    ends = (".csv", ".parquet")
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in ends}
    assert len(found) >= 9
    return {**found, "summary.json": (folder / "summary.json").read_bytes()}


def lines(folder: Path) -> int:
    """How often a replication was simulated for a folder."""
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("replications/*.jsonl"))


# -- killed ------------------------------------------------------------------------


def start(*args: object, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "hasim", *map(str, args)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def kill_in_the_middle(process: subprocess.Popen[str], folder: Path, most: int, chance: Any) -> int:
    """kill -9 at a random moment between the first replication and the last; those stored."""
    aim, deadline = chance.randrange(1, most), time.monotonic() + 300
    while lines(folder) < aim and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(chance.random() * 0.03)
    process.kill()
    process.communicate(timeout=20)
    return lines(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, without_figures) -> dict[int | str, Path]:
    """Folders of runs that nobody interrupted: 12 replications, and to a precision."""
    folder = tmp_path_factory.mktemp("whole")
    hasim.run(DATA, jobs=1, out=folder / "fixed")
    hasim.run(changed(replications=SEQUENTIAL), jobs=1, out=folder / "sequential")
    return {"fixed": folder / "fixed", "sequential": folder / "sequential"}


def killed_and_resumed(tmp_path: Path, whole: Path, rule: Any, number: int) -> None:
    (tmp_path / "tiny.yaml").write_text(json.dumps(changed(replications=rule)))
    chance = random.Random(number)
    for attempt in range(5):  # until the kill comes before the end
        folder = tmp_path / f"out-{attempt}"
        first = start("run", tmp_path / "tiny.yaml", "--jobs", 1 + number % 2, "--out", folder)
        kept = kill_in_the_middle(first, folder, lines(whole), chance)
        if open_run(folder).state == "RUNNING":
            break
        assert kept == lines(whole)
    assert open_run(folder).state == "RUNNING"
    assert len(open_run(folder).outcomes) >= 1
    result = hasim.resume(folder, jobs=1)
    assert result.study.state == open_run(folder).state == "COMPLETED"
    assert tables(folder) == tables(whole)
    assert lines(folder) == lines(whole)  # nothing was done twice


@pytest.mark.parametrize(("rule", "number"), [("fixed", 0), ("sequential", 1), ("fixed", 2)])
def test_a_killed_run_is_resumed_to_the_same_tables(tmp_path, whole, rule, number):
    replications = {"fixed": 12, "sequential": SEQUENTIAL}[rule]
    killed_and_resumed(tmp_path, whole[rule], replications, number)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3, 23))
def test_a_run_that_is_killed_at_any_moment_is_resumed_to_the_same_tables(tmp_path, whole, number):
    rule = ("fixed", "sequential")[number // 2 % 2]
    replications = {"fixed": 12, "sequential": SEQUENTIAL}[rule]
    killed_and_resumed(tmp_path, whole[rule], replications, number)


def full_and_resumed(tmp_path: Path, whole: Path, most: int, *options: str) -> None:
    """A run whose files can have so many bytes at most, as if the disk were full then."""
    (tmp_path / "tiny.yaml").write_text(json.dumps(DATA))
    folder = tmp_path / "out"
    first = start(
        *("run", tmp_path / "tiny.yaml", "--jobs", 1, "--out", folder, *options),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )
    _, said = first.communicate(timeout=300)
    assert first.returncode == 2, said
    assert "Traceback" not in said
    assert said.endswith(
        f"Error: {folder}: cannot write there: File too large. What was finished before is kept; "
        f"when there is room: hasim resume {folder}\n"
    )
    kept = len(open_run(folder).outcomes)
    assert hasim.resume(folder, jobs=1).study.state == open_run(folder).state == "COMPLETED"
    assert tables(folder) == tables(whole)
    assert lines(folder) >= lines(whole) >= kept


@pytest.mark.parametrize("most", [5_000, 30_000])
def test_a_run_on_a_full_disk_is_resumed_to_the_same_tables(tmp_path, whole, most):
    full_and_resumed(tmp_path, whole["fixed"], most)


def test_a_journal_on_a_full_disk_ends_the_run_alike(tmp_path, whole):
    full_and_resumed(tmp_path, whole["fixed"], 4_000, "--journals")


@pytest.mark.slow
@pytest.mark.parametrize("number", range(20))
def test_a_run_whose_disk_is_full_at_any_moment_is_resumed(tmp_path, whole, number):
    largest = max(file.stat().st_size for file in whole["fixed"].glob("replications/*"))
    most = random.Random(number).randrange(2_000, largest)
    full_and_resumed(tmp_path, whole["fixed"], most)


@pytest.mark.parametrize("cut", [1, 30, 5000])
def test_a_torn_last_line_is_done_again(tmp_path, whole, cut):
    folder = tmp_path / "run"
    hasim.run(DATA, jobs=1, replications=3, out=folder)
    file = folder / "replications" / f"{open_run(folder).cells[1].stem}.jsonl"
    rows = file.read_bytes()
    last = len(rows.splitlines()[-1]) + 1
    file.write_bytes(rows[: -min(cut, last - 1)])
    hasim.run(DATA, jobs=1, out=folder)
    assert tables(folder) == tables(whole["fixed"])
    assert [json.loads(row)["replication"] for row in file.read_text().splitlines()] == [*range(12)]


def test_an_interrupted_run_is_resumed_from_the_command_line(tmp_path, whole, monkeypatch):
    from click.testing import CliRunner

    from hasim.cli import main

    def stop(progress: runner.Progress) -> None:
        if progress.done == 5:
            raise KeyboardInterrupt

    folder = tmp_path / "run"
    with pytest.raises(runner.StudyInterrupted):
        hasim.run(DATA, jobs=1, out=folder, progress=stop)
    assert open_run(folder).state == "INTERRUPTED"
    done = CliRunner().invoke(main, ["resume", str(folder), "--jobs", "1", "--format", "json"])
    assert (done.exit_code, done.stdout) == (0, (whole["fixed"] / "summary.json").read_text())
    assert "5 replications are there already." in done.stderr
    assert tables(folder) == tables(whole["fixed"])


def test_a_failed_replication_is_done_again(tmp_path, whole, monkeypatch):
    from hasim.simulation.run import simulate

    def broken(*args, replication, **options):
        if replication == 3:
            raise MemoryError("no memory")
        return simulate(*args, replication=replication, **options)

    folder = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr(replication, "simulate", broken)
        with pytest.raises(runner.ReplicationError, match="no memory"):
            hasim.run(DATA, jobs=1, out=folder)
    assert open_run(folder).state == "FAILED"
    hasim.resume(folder, jobs=1)
    assert tables(folder) == tables(whole["fixed"])
    assert not any(outcome.error for outcome in open_run(folder).outcomes.values())


def test_journals_are_resumed_whole(tmp_path):
    folder = tmp_path / "run"
    hasim.run(DATA, jobs=1, replications=2, out=folder, journals=True)
    (folder / "journals" / ".part-1-cell-x.jsonl.gz").write_bytes(b"torn")
    hasim.run(DATA, jobs=1, replications=3, out=folder)  # keeps to what the folder keeps
    names = sorted(path.name for path in (folder / "journals").iterdir())
    assert names == sorted(
        f"{cell.stem}-replication-{r:04}.jsonl.gz"
        for cell in open_run(folder).cells
        for r in (0, 1, 2)
    )


# -- grown -------------------------------------------------------------------------


@pytest.fixture
def simulated(monkeypatch) -> list[tuple[dict[str, Any], int]]:
    """What is simulated from now on: varied settings and replication."""
    found = []

    def count(loaded, cell, replication, **options):
        found.append((dict(loaded.cells[cell].varied), replication))
        return simulate_cell(loaded, cell, replication, **options)

    simulate_cell = replication.simulate_cell
    monkeypatch.setattr(replication, "simulate_cell", count)
    return found


def test_more_replications_are_the_only_new_ones(tmp_path, whole, simulated):
    hasim.run(DATA, jobs=1, replications=5, out=tmp_path)
    simulated.clear()
    hasim.run(DATA, jobs=1, out=tmp_path)
    assert sorted(r for varied, r in simulated if varied == {"detection.fall": 4}) == [
        *range(5, 12)
    ]
    assert len(simulated) == 14
    assert tables(tmp_path) == tables(whole["fixed"])


def test_fewer_replications_are_those_of_a_smaller_run(tmp_path, whole, simulated):
    hasim.run(DATA, jobs=1, replications=3, out=tmp_path / "small")
    hasim.run(DATA, jobs=1, out=tmp_path / "run")
    simulated.clear()
    hasim.run(DATA, jobs=1, replications=3, out=tmp_path / "run")
    assert simulated == []
    assert tables(tmp_path / "run") == tables(tmp_path / "small")
    assert len(hasim.load_run(tmp_path / "run").study.outcomes) == 6
    hasim.run(DATA, jobs=1, out=tmp_path / "run")
    assert simulated == []
    assert tables(tmp_path / "run") == tables(whole["fixed"])


def test_new_points_and_axes_take_over_the_cells_that_they_share(tmp_path, simulated):
    grown = changed(
        replications=3,
        vary={
            "grid": {"detection.fall": [4, 2, 1], "detection.rise": [2, 3]},  # 2 is the default
            "points": [{"detection.interval": "3s"}],
        },
        expect={"uptime": ">= 1%"},
    )
    hasim.run(DATA, jobs=1, replications=3, out=tmp_path / "run")
    simulated.clear()
    result = hasim.run(grown, jobs=1, out=tmp_path / "run")
    cells = [varied for varied, _ in simulated]
    assert len(simulated) == 3 * 5
    assert {"detection.fall": 4, "detection.rise": 2} not in cells
    assert {"detection.fall": 1, "detection.rise": 2} not in cells
    hasim.run(grown, jobs=1, out=tmp_path / "at-once")
    assert tables(tmp_path / "run") == tables(tmp_path / "at-once")
    read = hasim.load_run(tmp_path / "run")
    assert read.study.outcomes.keys() == result.study.outcomes.keys()
    assert read.measured(0)[0].cell == {"detection.fall": 4, "detection.rise": 2}


def test_lines_that_are_added_to_a_file_of_points_are_the_only_new_cells(tmp_path, simulated):
    points = tmp_path / "points.csv"
    study = changed(replications=1, vary={"points": {"file": str(points)}})
    points.write_text("detection.fall,detection.interval\n1,\n4,1s\n")
    hasim.run(study, jobs=1, out=tmp_path / "run")
    points.write_text("detection.fall,detection.interval\n4,1s\n1,\n2,\n")
    result = hasim.run(study, jobs=1, out=tmp_path / "run")
    assert [varied for varied, _ in simulated] == [
        {"detection.fall": 1},
        {"detection.fall": 4, "detection.interval": "1s"},
        {"detection.fall": 2},
    ]
    assert [varied for _, varied in result.cells] == [
        {"detection.fall": 4, "detection.interval": "1s"},
        {"detection.fall": 1},
        {"detection.fall": 2},
    ]


def test_a_trace_in_a_file_of_points_counts_by_what_is_in_it(tmp_path):
    """The keys of a large plan are found once: not if a trace has changed that only points name."""
    trace, points = tmp_path / "arrivals.csv", tmp_path / "points.csv"
    points.write_text(f'traffic.arrivals\n"{{trace: {trace}, column: time, unit: s}}"\n')

    def plan(last_s: int) -> str:
        trace.write_text("time\n" + "".join(f"{s}\n" for s in range(last_s)))
        return new_study(from_data(changed(vary={"points": {"file": str(points)}}))).plan

    assert plan(50) == plan(50) != plan(60)


def test_cells_of_the_same_world_are_simulated_once(simulated):
    twice = changed(replications=2, vary={"points": [{}, {"detection.rise": 2}]})
    result = hasim.run(twice, jobs=1)
    assert len(simulated) == 2
    assert [(o.cell, o.replication) for o in result.study.ordered()] == [
        (0, 0), (0, 1), (1, 0), (1, 1),
    ]  # fmt: skip
    first, second = result.measured(0), result.measured(1)
    assert second[1].cell == {"detection.rise": 2}
    assert first[1].incidents == second[1].incidents


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"detection": {"interval": "3s"}}, r"\(detection.interval is 3s, was 2s\)"),
        ({"seed": 6}, r"\(seed is 6, was 5\)"),
        ({"masters": [{"id": "a"}]}, "masters is"),
    ],
)
def test_another_scenario_is_not_added_to_a_run(tmp_path, settings, message):
    hasim.run(DATA, jobs=1, replications=1, out=tmp_path)
    before = tables(tmp_path)
    with pytest.raises(OtherRunError, match=message):
        hasim.run(changed(**settings), jobs=1, replications=1, out=tmp_path)
    assert tables(tmp_path) == before
    assert open_run(tmp_path).state == "COMPLETED"


def test_a_trace_counts_by_what_is_in_it(tmp_path, simulated):
    def arrivals(name: str, last_s: int) -> dict[str, Any]:
        path = tmp_path / name
        path.write_text("time\n" + "".join(f"{s}\n" for s in range(last_s)))
        trace = {"trace": str(path), "column": "time", "unit": "s"}
        return changed(replications=1, vary={}, traffic={**DATA["traffic"], "arrivals": trace})

    hasim.run(arrivals("one.csv", 50), jobs=1, out=tmp_path / "run")
    hasim.run(arrivals("copy.csv", 50), jobs=1, out=tmp_path / "run")
    assert len(simulated) == 1
    arrivals("copy.csv", 60)
    with pytest.raises(OtherRunError, match=r"a trace or its scenario\.yaml has changed since"):
        hasim.resume(tmp_path / "run", jobs=1)


def test_what_was_not_kept_cannot_be_kept_later(tmp_path):
    hasim.run(DATA, jobs=1, replications=1, out=tmp_path)
    for option, message in (("check", "not checked"), ("journals", "not kept as journals")):
        with pytest.raises(StoreError, match=message):
            hasim.run(DATA, jobs=1, out=tmp_path, **{option: True})


def test_the_manifest_tells_when_a_run_was_continued(tmp_path):
    hasim.run(DATA, jobs=1, replications=1, out=tmp_path)
    first = json.loads((tmp_path / "manifest.json").read_text())
    hasim.run(DATA, jobs=1, replications=2, out=tmp_path)
    second = json.loads((tmp_path / "manifest.json").read_text())
    assert (first["continued"], len(second["continued"])) == ([], 1)
    session = second["continued"][0]
    assert second["started"] == first["started"] < session["at"]
    assert (session["commit"], session["versions"]) == (first["commit"], first["versions"])
    assert (second["replications"], second["replications_done"]) == (2, 4)


# -- two at once -------------------------------------------------------------------


def test_a_second_process_is_told_who_works_on_the_run(tmp_path, whole):
    # So many that the first process is at work until it is interrupted.
    (tmp_path / "tiny.yaml").write_text(json.dumps(changed(replications=1_000_000)))
    args = ("tiny.yaml", "--jobs", 1, "--out", "out")
    first = start("run", *args, cwd=tmp_path)
    deadline = time.monotonic() + 300
    while not lines(tmp_path / "out") and time.monotonic() < deadline:
        time.sleep(0.01)
    second = start("run", *args, cwd=tmp_path)
    out, err = second.communicate(timeout=30)
    assert (second.returncode, out) == (2, "")
    assert f"out: process {first.pid} on " in err
    assert "is working on this run; wait until it has ended" in err
    assert first.poll() is None
    os.killpg(first.pid, signal.SIGINT)
    first.communicate(timeout=30)
    assert first.returncode == 130
    hasim.run(DATA, jobs=1, out=tmp_path / "out")  # the same, of twelve replications
    assert tables(tmp_path / "out") == tables(whole["fixed"])


def test_processes_that_start_at_once_write_the_files_one_after_another(tmp_path, whole):
    """Whoever comes while another works, or writes tables, is told so; nobody meets half a file."""
    (tmp_path / "tiny.yaml").write_text(json.dumps(DATA))
    args = ("tiny.yaml", "--jobs", 1, "--out", "out")
    started = []
    for _ in range(8):
        started.append(start("run", *args, cwd=tmp_path))
        time.sleep(0.15)
    for process in started:
        _, err = process.communicate(timeout=120)
        told = "is working on this run; wait until it has ended" in err
        assert process.returncode == (2 if told else 0), err
    assert tables(tmp_path / "out") == tables(whole["fixed"])


def test_a_folder_is_locked_while_its_tables_are_written(tmp_path):
    said = []

    def export(study, loaded):
        with pytest.raises(StoreError, match="is working on this run"):
            hasim.run(DATA, jobs=1, out=tmp_path / "run")
        said.append(study.state)

    runner.run_study(hasim.api.prepare(DATA), jobs=1, out=tmp_path / "run", export=export)
    assert said == ["COMPLETED"]
    hasim.run(DATA, jobs=1, out=tmp_path / "run")


def test_the_lock_ends_with_the_process_that_holds_it(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from hasim.study.folder.lock import Lock;"
        "lock = Lock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(LockedError, match=f"process {holder.pid} on "):
        Lock(tmp_path)
    holder.kill()
    holder.communicate()
    lock = Lock(tmp_path)
    lock.release()
    lock.release()
    Lock(tmp_path).release()


def test_a_failure_lets_others_in(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "Replicate", lambda *a: Squares())
    two = Loaded(TWO_CELLS.cells)
    monkeypatch.setattr(runner.executor, "execute", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        runner.run_study(two, jobs=1, out=tmp_path)
    monkeypatch.undo()
    Lock(tmp_path).release()


def test_a_run_that_was_killed_before_its_manifest_is_begun_anew(tmp_path):
    (tmp_path / "replications").mkdir()
    (tmp_path / ".lock").write_text("")
    (tmp_path / "scenario.yaml.part").write_text("na")
    hasim.run(DATA, jobs=1, replications=1, out=tmp_path)
    assert open_run(tmp_path).state == "COMPLETED"


@pytest.mark.parametrize("format", [1, 2, 3, 4, 5, 6, 8])
def test_a_run_of_another_format_says_which_hasim_can_read_it(tmp_path, format):
    hasim.run(DATA, jobs=1, replications=1, out=tmp_path / "run")
    file = tmp_path / "run" / "manifest.json"
    manifest = json.loads(file.read_text()) | {"hasim_run": format, "commit": "ab" * 20}
    manifest["versions"] = {"hasim": "0.0.9"}
    file.write_text(json.dumps(manifest))
    told = f"a run of format {format}, of which this hasim reads 7 alone; "
    can = "hasim 0.0.9 at commit abababababab, which wrote it, can read it"
    for read in (hasim.load_run, hasim.resume):
        with pytest.raises(StoreError, match=re.escape(told + can)):
            read(tmp_path / "run")
    with pytest.raises(StoreError, match=re.escape(f"{can}. Begin anew with --fresh")):
        hasim.run(DATA, jobs=1, replications=1, out=tmp_path / "run")
    del manifest["versions"]
    file.write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match=re.escape(f"{told}what wrote it can read it")):
        hasim.load_run(tmp_path / "run")
    hasim.run(DATA, jobs=1, replications=1, out=tmp_path / "run", fresh=True)
    (aside,) = tmp_path.glob("run-*")
    assert json.loads((aside / "manifest.json").read_text()) == manifest
    assert open_run(tmp_path / "run").state == "COMPLETED"
