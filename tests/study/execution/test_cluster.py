"""Studies on Dask: the outcomes of a local run, whatever happens to the workers."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import hasim
import hasim.findings.exports
from hasim.cli import main
from hasim.study.execution import cluster, executor, runner
from hasim.study.execution.cluster_errors import ClusterError
from hasim.study.folder.reading import open_run
from hasim.study.gate import record, suite_from_data, write_baseline
from tests.commands.test_advise import WORLD as ADVISED
from tests.commands.test_capacity import WORLD as CARRIED
from tests.study.execution.test_runner import STUDY, alive, run_script
from tests.study.folder.test_resume import DATA, changed, lines, tables
from tests.study.standins import Deadly, Pids, Squares

pytest.importorskip("distributed")
ROOT = Path(hasim.__file__).parent.parent


class Machines:
    """A scheduler and two workers with a nanny each, as one would start them by hand."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[str]] = []
        log = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self.address = self._find(log, r"Scheduler at:\s*(tcp://\S+)")
        for number in (1, 2):
            log = self._start(
                "worker", self.address, "--nthreads", "1", "--no-dashboard", "--name", str(number)
            )
            self._find(log, r"Registered to:")

    def _start(self, *args: str) -> Path:
        log = self._folder / f"{len(self._processes)}.log"
        env = {**os.environ, "PYTHONPATH": str(ROOT), "DASK_LOCAL_DIRECTORY": str(self._folder)}
        env["DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"] = "1"  # not to wait so often
        with log.open("w") as out:
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "dask", *args],
                    env=env,
                    cwd=self._folder,
                    stdout=out,
                    stderr=out,
                    text=True,
                    start_new_session=True,
                )
            )
        return log

    def _find(self, log: Path, pattern: str) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if found := re.search(pattern, log.read_text()):
                return found.group(found.lastindex or 0)
            time.sleep(0.05)
        raise TimeoutError(log.read_text())

    def stop(self) -> None:
        for process in reversed(self._processes):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def machines(tmp_path_factory) -> Iterator[Machines]:
    made = Machines(tmp_path_factory.mktemp("machines"))
    yield made
    made.stop()


@pytest.fixture(scope="module", autouse=True)
def without_figures() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hasim.findings.exports, "draw", lambda result: {})
        yield


def collect(work: Any, wanted: Any, address: str) -> list[Any]:
    found: list[Any] = []
    with cluster.connected(address) as connection:
        executor.execute(work, wanted, found.append, cluster=connection)
    return found


def test_batches_are_done_by_the_workers(machines):
    found = collect(Squares(), {0: range(7), 3: range(5)}, machines.address)
    values = {(o.cell, o.replication): o.measured["value"] for o in found}
    assert values == {(c, r): c + r**2 for c, n in ((0, 7), (3, 5)) for r in range(n)}
    pids = set(collect(Pids(), {0: range(40)}, machines.address))
    assert os.getpid() not in pids
    assert len(pids) == 2


def test_a_study_on_a_cluster_is_that_of_one_process_after_kill_9_of_a_worker(machines, tmp_path):
    asked = changed(replications=40, horizon="5m")
    hasim.run(asked, jobs=1, out=tmp_path / "alone")
    [victim, other] = set(collect(Pids(), {0: range(40)}, machines.address))
    killed = []

    def kill(progress: Any) -> None:
        if progress.done == 20:
            killed.append(victim)
            os.kill(victim, signal.SIGKILL)

    hasim.run(asked, dask=machines.address, out=tmp_path / "cluster", progress=kill)
    assert killed == [victim]
    assert tables(tmp_path / "cluster") == tables(tmp_path / "alone")
    assert lines(tmp_path / "cluster") == 80
    pids = set(collect(Pids(), {0: range(40)}, machines.address))
    assert victim not in pids
    assert other in pids


@pytest.mark.parametrize("times", [1, 3])
def test_a_replication_is_done_again_when_its_worker_is_killed(machines, tmp_path, times):
    found = collect(
        Deadly(str(tmp_path), (1, 3), times), {0: range(9), 1: range(5)}, machines.address
    )
    assert (tmp_path / "deaths").read_text() == "+" * times
    assert sorted((o.cell, o.replication) for o in found) == [
        (c, r) for c, n in ((0, 9), (1, 5)) for r in range(n)
    ]


def test_a_result_that_came_stands_when_its_worker_is_lost_at_once(machines, monkeypatch):
    """The scheduler says that a result is lost just when it has been fetched."""
    from distributed import Client

    told = []
    gather = Client._gather

    async def gather_and_lose(client: Client, futures: Any, **named: Any) -> Any:
        found = await gather(client, futures, **named)
        for future in futures if isinstance(futures, list) else [futures]:
            client._handle_lost_data(future.key)
            told.append(future.key)
        return found

    monkeypatch.setattr(Client, "_gather", gather_and_lose)
    found = collect(Squares(), {0: range(40)}, machines.address)
    assert told
    assert sorted(o.replication for o in found) == list(range(40))


def test_a_connection_that_ends_while_a_result_comes_is_said_to_be_lost(machines, monkeypatch):
    from distributed import Client
    from distributed.comm import CommClosedError

    async def gather(client: Client, futures: Any, **named: Any) -> Any:
        raise CommClosedError("in <TCP>: Stream is closed")

    monkeypatch.setattr(Client, "_gather", gather)
    with pytest.raises(ClusterError, match=r"^the connection to the Dask scheduler was lost$"):
        collect(Squares(), {0: range(5)}, machines.address)


@pytest.mark.slow
def test_a_replication_that_kills_every_worker_is_named(machines, tmp_path):
    with pytest.raises(executor.WorkersLostError) as caught:
        collect(Deadly(str(tmp_path), (1, 3), 1000), {0: range(9), 1: range(5)}, machines.address)
    assert caught.value.task == (1, 3)


def test_workers_need_no_trace_of_this_machine(machines, tmp_path, monkeypatch):
    def asked(name: str, step_s: float) -> dict[str, Any]:
        path = tmp_path / name
        rows = [f"{n * step_s}\n" for n in range(int(60 / step_s))]
        path.write_text("".join(["time\n", *rows]))
        trace = {"trace": str(path), "column": "time", "unit": "s"}
        return changed(replications=2, traffic={**DATA["traffic"], "arrivals": trace})

    first = hasim.run(asked("trace.csv", 0.25), jobs=1)
    contents = hasim.scenario.sent.contents

    def moved(names: Any) -> dict[str, bytes]:
        found = contents(names)
        assert list(found) == [str(tmp_path / "trace.csv")]
        (tmp_path / "trace.csv").rename(tmp_path / "elsewhere.csv")
        return found

    monkeypatch.setattr(hasim.scenario.sent, "contents", moved)
    second = hasim.run(asked("trace.csv", 0.25), dask=machines.address)
    assert not (tmp_path / "trace.csv").exists()
    assert [o.measured for o in second.study.ordered()] == [
        o.measured for o in first.study.ordered()
    ]
    # The same name with other contents is another trace, also for a worker that knew the first.
    third = hasim.run(asked("trace.csv", 0.125), dask=machines.address)
    (tmp_path / "elsewhere.csv").rename(tmp_path / "trace.csv")
    fourth = hasim.run(asked("trace.csv", 0.125), jobs=1)
    assert [o.measured for o in third.study.ordered()] == [
        o.measured for o in fourth.study.ordered()
    ]
    assert third.messages.equals(fourth.messages)
    assert not third.messages.equals(first.messages)


def test_the_work_is_forgotten_in_the_end(machines):
    from distributed import Client

    def known() -> int:
        from hasim.study.execution import cluster_worker

        return len(cluster_worker._WORKS)

    collect(Squares(), {0: range(3)}, machines.address)
    with Client(machines.address, set_as_default=False) as client:
        assert set(client.run(known).values()) == {0}
        found: list[Any] = []
        with cluster.connected(client) as connection:
            executor.execute(Squares(), {0: range(3)}, found.append, cluster=connection)
        assert len(found) == 3
        assert client.status == "running"


def test_workers_of_other_versions_are_refused(machines, monkeypatch):
    from hasim.study.execution import cluster_worker

    here = cluster_worker.this_program()
    there = here["versions"]["numpy"]
    older = {**here, "versions": {**here["versions"], "numpy": "1.0"}}
    monkeypatch.setattr(cluster_worker, "this_program", lambda: older)
    with pytest.raises(ClusterError, match=rf"another program: numpy 1\.0, there {there}"):
        collect(Squares(), {0: range(3)}, machines.address)


def test_the_command_line_and_resume(machines, tmp_path):
    (tmp_path / "tiny.yaml").write_text(json.dumps(changed(replications=6)))
    args = ["run", str(tmp_path / "tiny.yaml"), "--format", "json", "--out"]
    local = CliRunner().invoke(main, [*args, str(tmp_path / "local"), "--jobs", "1"])
    done = CliRunner().invoke(main, [*args, str(tmp_path / "dask"), "--dask", machines.address])
    assert (done.exit_code, done.stdout) == (0, local.stdout)
    for file in (tmp_path / "dask" / "replications").iterdir():
        file.write_text("".join(file.read_text().splitlines(keepends=True)[:2]))
    args = ["resume", str(tmp_path / "dask"), "--format", "json", "--dask", machines.address]
    done = CliRunner().invoke(main, args)
    assert (done.exit_code, done.stdout) == (0, local.stdout)


def test_advice_capacity_and_the_gate_are_those_of_one_process(machines, tmp_path):
    """Also where cells have a trace, which the workers do not see."""
    quick = {"replications": 3, "progress": None}
    load = {"limits": ["response.p50 < 900ms"], "within": "40%", "down": [1], "cause": None}
    vary = {"detection.interval": "1s|2s"}
    place: dict[str, Any]
    found = []
    for place in ({"jobs": 1}, {"dask": machines.address}):
        advice = hasim.advise(
            ADVISED, minimise="outage.mean", vary=vary, at_most=3, **quick, **place
        )
        carried = hasim.capacity(CARRIED, **load, **quick, **place)
        found.append((advice.render("json"), carried.render("json")))
    assert found[0] == found[1]
    short = {"vary": {}, "horizon": "60s"}  # with a trace of arrivals, and one of outages
    entry: dict[str, Any] = {"scenario": "quickstart", "set": short, "measures": ["success"]}
    entry["margins"] = {"success": {"relative": "2%"}}
    few = {"at_least": 5, "at_most": 5}
    suite = {"name": "gate", "replications": few, "scenarios": {"one": entry}}
    baseline = tmp_path / "baseline.json"
    made, _ = record(suite_from_data(suite), jobs=1)
    write_baseline(made, baseline)
    report = hasim.bench(suite, baseline, dask=machines.address, exact=True, progress=None)
    assert report.verdict == "pass"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["tcp://127.0.0.1:9"], "tcp://127.0.0.1:9: no Dask scheduler answers there"),
        (["scheduler"], "scheduler: no Dask scheduler answers there (missing port number"),
        (["tls://127.0.0.1:9"], "tls needs certificates"),
        (["tcp://127.0.0.1:9", "--jobs", "2"], "a cluster has its own workers"),
    ],
)
def test_what_is_no_cluster_is_bad_input(tmp_path, monkeypatch, args, message):
    monkeypatch.setattr(cluster, "CONNECT_S", 1)
    done = CliRunner().invoke(
        main, ["run", "quickstart", "--out", str(tmp_path / "run"), "--dask", *args]
    )
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_nothing_is_said_to_be_kept_if_nothing_was_begun(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_S", 1)
    data = changed(replications=1)
    hasim.run(data, jobs=1, out=tmp_path / "run")
    (tmp_path / "tiny.yaml").write_text(json.dumps(data))
    args = ["run", str(tmp_path / "tiny.yaml"), "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(main, [*args, "--dask", "tcp://127.0.0.1:9"])
    assert done.exit_code == 2
    assert "no Dask scheduler answers there" in done.stderr
    assert "kept in" not in done.stderr


def test_what_was_finished_before_a_cluster_was_lost_is_kept(tmp_path, monkeypatch):
    def lost(*_: object, **__: object) -> None:
        raise ClusterError("the connection to the Dask scheduler was lost")

    monkeypatch.setattr(runner, "connected", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(executor, "execute", lost)
    args = ["run", "quickstart", "--out", str(tmp_path / "run"), "--dask", "tcp://10.0.0.1:1"]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 2
    assert f"What was finished before is kept in {tmp_path / 'run'}" in done.stderr
    assert open_run(tmp_path / "run").state == "FAILED"


def test_a_scheduler_without_workers_is_bad_input(tmp_path, monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(cluster, "JOIN_S", 0.5)
    with (
        LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as empty,
        pytest.raises(ClusterError, match=r"has no worker; start some with `dask worker tcp://"),
    ):
        hasim.run(DATA, dask=empty.scheduler_address)


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    done = CliRunner().invoke(main, ["run", "quickstart", "--dask", "local"])
    assert done.exit_code == 2
    assert "pip install 'hasim[dask]'" in done.stderr


def test_ctrl_c_keeps_what_was_finished_and_leaves_no_process(tmp_path):
    script = STUDY.format(jobs=2).replace("jobs=2", 'jobs=2, dask="local"')
    process = run_script(tmp_path, script, cwd=tmp_path, start_new_session=True)
    for line in process.stderr:
        if line.strip() == "25":
            break
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    count, state = out.split()
    assert state == "INTERRUPTED", err
    assert "Traceback" not in err
    assert 25 <= int(count) < 800
    assert len(open_run(tmp_path / "run").outcomes) == int(count)
    assert not alive(process.pid)
