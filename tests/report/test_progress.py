"""Progress where somebody looks on: in a notebook by default, and nowhere against one's will."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

import hasim
from hasim.report import progress

DATA = {
    "name": "tiny",
    "horizon": "10s",
    "replications": 3,
    "masters": [{"id": "a"}],
    "traffic": {"arrivals": {"law": "poisson", "rate": "1/s"}},
}


class Handle:
    def __init__(self, pictures: list[str]) -> None:
        self.pictures = pictures

    def update(self, shown: Any) -> None:
        self.pictures.append(shown._repr_html_())


def ipython(shell: object) -> types.ModuleType:
    """A module that stands for IPython, and says that this is its shell."""
    module = types.ModuleType("IPython")
    vars(module).update(version_info=(9, 0, 0), get_ipython=lambda: shell)  # matplotlib asks both
    return module


@pytest.fixture
def notebook(monkeypatch) -> list[str]:
    """As if this process were the kernel of a notebook; what it displays, one after another."""
    pictures: list[str] = []

    def display(shown: Any, display_id: bool) -> Handle:
        assert display_id
        pictures.append(shown._repr_html_())
        return Handle(pictures)

    shell = types.SimpleNamespace(kernel=object())
    found = ipython(shell)
    shown = types.ModuleType("IPython.display")
    vars(shown)["display"] = display
    monkeypatch.setitem(sys.modules, "IPython", found)
    monkeypatch.setitem(sys.modules, "IPython.display", shown)
    monkeypatch.setattr(progress, "PAUSE_S", 0.0)
    return pictures


def test_a_run_in_a_notebook_shows_a_bar_that_is_gone_at_last(notebook):
    hasim.run(DATA, jobs=1)
    assert notebook[0] == "<progress></progress> tiny: starting"
    assert [text.partition(", about")[0] for text in notebook[1:-1]] == [
        f'<progress value="{n}" max="3"></progress> tiny: {n} of 3' for n in (1, 2, 3)
    ]
    assert notebook[-1] == ""


def test_the_bar_is_gone_after_an_error(notebook, monkeypatch):
    monkeypatch.setattr("hasim.study.execution.replication.simulate_cell", lambda *_, **__: 1 / 0)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        hasim.run(DATA, jobs=1)
    assert notebook[-1] == ""


def test_none_is_silent_and_a_callback_is_called_instead(notebook):
    seen: list[int] = []
    hasim.run(DATA, jobs=1, progress=None)
    hasim.run(DATA, jobs=1, progress=lambda step: seen.append(step.done))
    assert (notebook, seen) == ([], [1, 2, 3])


def test_resume_budget_and_bench_show_theirs(notebook, tmp_path):
    hasim.run(DATA, jobs=1, out=tmp_path / "run", progress=None)
    hasim.resume(tmp_path / "run", jobs=1)
    assert notebook == ["<progress></progress> run: starting", ""]
    notebook.clear()
    crash = {"kind": "crash", "at": "2s", "for": "3s"}
    world = {**DATA, "masters": [{"id": "a"}, {"id": "b"}], "faults": [crash]}
    hasim.budget(world, rates={"crash": "1/y"}, replications=2, pairs=0, quiet="60s", jobs=1)
    assert "tiny" in notebook[1]
    assert notebook[-1] == ""
    notebook.clear()
    (tmp_path / "suite.yaml").write_text(
        f"replications: {{at_least: 5, at_most: 5}}\n"
        f"margins: {{success: {{absolute: 1%}}}}\n"
        f"scenarios: {{one: {{scenario: {world}, measures: [success]}}}}\n"
    )
    from hasim.study.gate import record, write_baseline

    write_baseline(record(tmp_path / "suite.yaml", jobs=1)[0], tmp_path / "baseline.json")
    report = hasim.bench(tmp_path / "suite.yaml", tmp_path / "baseline.json", jobs=1)
    assert notebook[1].startswith('<progress value="1" max="5"></progress> suite: 1 of 5')
    assert notebook[-1] == ""
    assert repr(report) == "<GateReport of suite: pass: 1 passed>"
    assert ">success</th>" in report._repr_html_()
    assert report.render("markdown").startswith("## hasim bench: suite")


@pytest.mark.parametrize("shell", [None, types.SimpleNamespace()])
def test_elsewhere_there_is_no_bar(monkeypatch, capfd, shell):
    found = ipython(shell)
    monkeypatch.setitem(sys.modules, "IPython", found)
    hasim.run(DATA, jobs=1)
    assert capfd.readouterr() == ("", "")


def test_lines_begin_anew_where_another_piece_of_work_begins(capsys):
    with progress.terminal_bar("budget", lines=True) as move:
        assert move is not None
        for done, total in [(1, 2), (2, 2), (1, 3), (3, 3), (1, 3), (2, 3)]:
            move(done, total)
    counts = [line.partition(": ")[2] for line in capsys.readouterr().err.splitlines()]
    assert counts == ["1 of 2", "2 of 2", "1 of 3", "3 of 3", "1 of 3", "2 of 3"]


def test_the_time_left_is_that_of_the_piece_under_way(notebook, monkeypatch):
    now_s = iter((0.0, 100.0, 110.0, 112.0, 114.0))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now_s))
    with progress.interactive_bar("budget") as move:
        assert move is not None
        for done, total in [(1, 2), (0, 5), (1, 5), (2, 5)]:
            move(done, total)
    left = [text.partition(", about ")[2] for text in notebook[1:-1]]
    assert left == ["100 s left", "", "8 s left", "6 s left"]
