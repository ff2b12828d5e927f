"""Results of two programs are never mixed: sources, commit and libraries are compared."""

from __future__ import annotations

import ast
import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import hasim
import hasim.findings.exports
from hasim.cli import main
from hasim.study.execution import program
from hasim.study.folder import manifest, writing
from hasim.study.folder.errors import StoreError
from hasim.study.folder.lock import Lock
from hasim.study.folder.places import set_aside
from hasim.study.folder.reading import open_run

DATA: dict[str, Any] = {
    "name": "tiny",
    "horizon": "20s",
    "replications": 1,
    "masters": [{"id": "a"}],
    "traffic": {"arrivals": {"law": "poisson", "rate": "1/s"}},
}
HERE = program.this_program()
BEGINNINGS = (
    "simulation/run.py",
    "measures/__init__.py",
    "oracle/checking.py",
    "scenario/traces/reading.py",
    "scenario/traces/outages.py",
    "deployed.py",
)
"""What a replication is made with: simulated with its traces, measured, checked."""


@pytest.fixture(autouse=True)
def without_figures(monkeypatch):
    monkeypatch.setattr(hasim.findings.exports, "draw", lambda result: {})


def other(sources: str = HERE["sources"], commit: str | None = None, **versions: str) -> Any:
    return {"sources": sources, "commit": commit, "versions": {**HERE["versions"], **versions}}


def be(monkeypatch: pytest.MonkeyPatch, running: Any) -> None:
    for module in (manifest, writing):
        monkeypatch.setattr(module, "this_program", lambda: copy.deepcopy(running))


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (other(sources="0"), rf"sources of hasim 0, now {HERE['sources']}"),
        (other(sources="0", hasim="0.0.1"), rf"hasim 0\.0\.1, now {HERE['versions']['hasim']}"),
        (other(numpy="1.2"), rf"numpy 1\.2, now {HERE['versions']['numpy']}\."),
        (other(python="3.9.1", pyarrow="2"), r"python 3\.9, now 3\.\d+; pyarrow 2, now"),
    ],
)
def test_a_run_of_another_program_is_not_added_to(tmp_path, monkeypatch, before, message):
    with monkeypatch.context() as earlier:
        be(earlier, before)
        hasim.run(DATA, jobs=1, out=tmp_path)
    for again in (
        lambda: hasim.run(DATA, jobs=1, replications=2, out=tmp_path),
        lambda: hasim.resume(tmp_path, jobs=1),
    ):
        with pytest.raises(StoreError, match=f"{message}.*--fresh.*another folder"):
            again()
    assert hasim.load_run(tmp_path).study.state == "COMPLETED"  # and can still be read


def test_commits_are_named_if_they_differ(monkeypatch):
    one, two = (other(sources=c, commit=c * 40) for c in "ab")
    edited = other(sources="c", commit="b" * 40 + "+")
    assert program.unlike(one, two) == [f"hasim at commit {'a' * 12}, now {'b' * 12}"]
    assert program.unlike(two, edited, "there") == [
        f"hasim at commit {'b' * 12}, there {'b' * 12}+"
    ]


def test_what_cannot_change_a_result_is_no_difference():
    patched = ".".join([*HERE["versions"]["python"].split(".")[:2], "99"])
    assert program.unlike(HERE, other(commit="a" * 40, hasim="9.9", python=patched)) == []


def test_an_edit_of_an_algorithm_changes_the_digest(tmp_path, monkeypatch):
    before = program.sources()
    shutil.copytree(program.ROOT, tmp_path / "hasim")
    monkeypatch.setattr(program, "ROOT", tmp_path / "hasim")
    digest = program.sources.__wrapped__
    assert digest() == before
    picker = tmp_path / "hasim/services/balancing/pickers/round_robin.py"
    picker.write_text(picker.read_text() + "\n")
    assert digest() != before
    picker.write_text(picker.read_text()[:-1])
    assert digest() == before
    for later in ("report/sheet.py", "measures/catalogue/totals.py"):
        (tmp_path / "hasim" / later).write_text("")
    assert digest() == before


def test_all_that_a_replication_is_made_with_is_in_the_digest():
    found, todo = set(), [program.ROOT / name for name in BEGINNINGS]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += imported(path)
    elsewhere = {program.ROOT / "__init__.py", program.ROOT / "version.py"}
    packages = {path for path in found if path.name == "__init__.py" and not code(path)}
    assert found - elsewhere - packages <= set(program.determining())


def code(path: Path) -> bool:
    """Whether there is more in a module than a docstring."""
    return len(ast.parse(path.read_text()).body) > 1


def imported(path: Path) -> list[Path]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    places = [program.ROOT.parent.joinpath(*n.split(".")) for n in names if n.startswith("hasim.")]
    files = [f for p in places for f in (p.with_suffix(".py"), p / "__init__.py")]
    return [file for file in files if file.is_file()]


def test_fresh_begins_a_study_anew_and_keeps_the_old_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(json.dumps(DATA))
    command = ["study", "tiny.yaml", "--jobs", "1", "--format", "json"]
    with monkeypatch.context() as earlier:
        be(earlier, other(sources="0"))
        assert CliRunner().invoke(main, command).exit_code == 0
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 2
    assert refused.stderr.startswith("Error: hasim-runs/tiny: what is there was simulated by")
    anew = CliRunner().invoke(main, [*command, "--fresh"])
    assert anew.exit_code == 0
    aside = Path(anew.stderr.partition("The run before: ")[2].splitlines()[0])
    assert aside.parent == Path("hasim-runs")
    assert aside.name.startswith("tiny-2")
    assert open_run(aside).state == open_run(Path("hasim-runs/tiny")).state == "COMPLETED"
    assert json.loads((aside / "manifest.json").read_text())["sources"] == "0"


def test_a_run_that_is_worked_on_is_not_moved_aside(tmp_path):
    hasim.run(DATA, jobs=1, out=tmp_path / "run")
    lock = Lock(tmp_path / "run")
    with pytest.raises(StoreError, match="is working on this run"):
        hasim.run(DATA, jobs=1, out=tmp_path / "run", fresh=True)
    lock.release()
    hasim.run(DATA, jobs=1, out=tmp_path / "run", fresh=True)
    assert len(list(tmp_path.iterdir())) == 2
    assert set_aside(tmp_path / "nothing") is None


def test_a_program_in_words():
    versions = {"hasim": "0.1.0", "python": "3.12.1"}
    assert program.named({"versions": versions, "commit": None}) == "hasim 0.1.0"
    told = program.named({"versions": versions, "commit": "a" * 40 + "+"})
    assert told == f"hasim 0.1.0 at commit {'a' * 12}+"
    assert program.named({"commit": "a" * 40}) == program.named({"versions": []}) == ""
