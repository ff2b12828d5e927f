"""Without matplotlib and pyarrow, `run` and `bench` work, and other commands say what they need."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import hasim
from hasim.extras import EXTRAS, installed, lacking, missing
from tests.commands.test_bench import SUITE

ROOT = Path(hasim.__file__).parent.parent
LACKING = ("matplotlib", "pyarrow", "vl_convert", "textual", "prometheus_client")
SCENARIO = {
    "name": "slim",
    "horizon": "60s",
    "replications": 2,
    "masters": [{"id": "a"}, {"id": "b", "like": "a"}],
    "traffic": {"arrivals": {"law": "poisson", "rate": "5/s"}},
    "faults": [{"kind": "crash", "target": "a", "at": "20s", "for": "20s"}],
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scenario and a suite, and a run of the scenario."""
    folder = tmp_path_factory.mktemp("slim")
    (folder / "slim.yaml").write_text(json.dumps(SCENARIO))
    (folder / "suite.yaml").write_text(SUITE)
    done = slim(folder, "run", "slim.yaml", "--jobs", "1", "--out", "run")
    assert done.returncode == 0, done.stderr
    assert "Not written, since not installed: plots and tables." in done.stderr
    assert "pip install 'hasim[plots,tables]'" in done.stderr
    return folder


def slim(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a process that cannot import what a slim installation lacks."""
    code = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({LACKING!r}))\n"
        "from hasim.cli import main\n"
        f"main({list(arguments)!r})"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=place,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_run_and_what_follows_it_need_neither(place):
    there = {path.name for path in (place / "run").iterdir()}
    assert {"summary.csv", "incidents.csv", "summary.md"} <= there
    assert not there & {"figures", "metrics.parquet", "incidents.parquet"}
    for command in (
        ("explain", "run", "--incident", "1"),
        ("run", "slim.yaml", "--replications", "3", "--jobs", "1", "--out", "run"),
        ("compare", "run", "run"),
        ("validate", "slim.yaml"),
    ):
        done = slim(place, *command)
        assert done.returncode == 0, (command, done.stderr)


def test_the_gate_needs_neither(place):
    done = slim(place, "bench", "suite.yaml", "--jobs", "1", "--update", "--baseline", "b.json")
    assert done.returncode == 0, done.stderr
    done = slim(place, "bench", "suite.yaml", "--jobs", "1", "--baseline", "b.json")
    assert done.returncode == 0, done.stderr


def test_others_say_what_they_need(place):
    for command, text in (
        (("plot", "run", "--figure", "detection", "-o", "x.svg"), "pip install 'hasim[plots]'"),
        (("run", "quickstart"), "pyarrow: pip install 'hasim[tables]'"),
        (("data", "slim.yaml"), "pyarrow: pip install 'hasim[tables]'"),
        (("report", "run"), "pip install 'hasim[report]'"),
        (("watch", "slim.yaml"), "pip install 'hasim[watch]'"),
        (("serve", "slim.yaml"), "pip install 'hasim[watch]'"),
    ):  # fmt: skip
        done = slim(place, *command)
        assert (done.returncode, text in done.stderr) == (2, True), (command, done.stderr)
        assert "Traceback" not in done.stderr


def test_the_slim_list_is_the_dependencies_but_two():
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "slim.txt").read_text(encoding="utf-8").splitlines()
    slim = {line.strip() for line in lines if not line.startswith("#")}
    extras = about["optional-dependencies"]
    assert set(about["dependencies"]) - slim == {*extras["plots"], *extras["tables"]}
    assert slim <= set(about["dependencies"])
    assert {extra for extra, _ in EXTRAS.values()} <= set(extras)


def test_only_what_is_lacking_is_told_of(monkeypatch):
    assert installed("json")
    assert not installed("no_such_package")
    assert lacking(ModuleNotFoundError("x", name="pyarrow.compute")) is None  # it is there
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    told = lacking(ModuleNotFoundError("x", name="pyarrow.compute"))
    assert told == "a recorded table or a Parquet file needs pyarrow: pip install 'hasim[tables]'"
    assert lacking(ModuleNotFoundError("x", name="no_such_package")) is None
    assert missing("matplotlib", "pyarrow") == ("tables",)
