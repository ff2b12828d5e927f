"""Plans of very many cells: begun one by one, kept in their folder, shown in part."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import hasim
import hasim.commands.output
import hasim.findings.exports
import hasim.findings.frames
import hasim.findings.limits
import hasim.findings.result
from hasim.cli import main
from hasim.scenario import loader
from hasim.scenario.loader import from_data
from hasim.scenario.problems import ScenarioError
from hasim.study.execution import batches, runner
from hasim.study.execution.batches import Batches
from hasim.study.folder import writing
from hasim.study.folder.reading import open_run
from hasim.study.planning import new_study, outcomes
from hasim.study.planning.outcomes import Outcome, Outcomes
from hasim.study.planning.plan import Plan
from tests.study.folder.test_resume import SEQUENTIAL, changed, lines, tables
from tests.study.standins import Squares

VARY = {
    "grid": {"detection.fall": [1, 4], "detection.rise": [2, 3]},
    "zip": {"detection.interval": ["2s", "3s"], "detection.timeout": ["400ms", "600ms"]},
    "points": [{"detection.fall": 9}, {"detection.fall": 9, "detection.rise": 2}, {}],
}
"""Eleven cells: the last point is the same world as the first cell, the two before are twins."""


@pytest.fixture(autouse=True)
def without_figures(monkeypatch):
    monkeypatch.setattr(hasim.findings.exports, "draw", lambda result: {})


@pytest.fixture
def small_limits(monkeypatch) -> pytest.MonkeyPatch:
    """Everything that is for large studies happens from the second cell on."""
    monkeypatch.setattr(new_study, "LOOKED_AT", 1)
    monkeypatch.setattr(outcomes, "IN_MEMORY", 3)
    monkeypatch.setattr(writing, "MOST_OPEN", 1)
    monkeypatch.setattr(batches, "AT_ONCE", 2)
    monkeypatch.setattr(batches, "OPEN_CELLS", 3)
    return monkeypatch


@pytest.fixture(scope="module", params=["fixed", "sequential"])
def ordinary(request, tmp_path_factory) -> tuple[dict[str, Any], Path]:
    """What is asked, and the folder of a run of it that held everything in memory."""
    rule = {"fixed": 4, "sequential": {**SEQUENTIAL, "at_least": 3, "at_most": 14}}[request.param]
    scenario = changed(replications=rule, vary=VARY, expect={"uptime": ">= 93%"})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hasim.findings.exports, "draw", lambda result: {})
        folder = tmp_path_factory.mktemp("ordinary")
        result = hasim.run(scenario, jobs=1, out=folder)
    assert len(result.study.cells) == 11
    assert result.study.outcomes.read is not None
    return scenario, folder


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_large_study_gives_the_same_as_a_small_one(tmp_path, ordinary, small_limits, jobs):
    scenario, folder = ordinary
    result = hasim.run(scenario, jobs=jobs, out=tmp_path / "run")
    assert isinstance(result.study.cells, new_study.PlannedCells)
    assert tables(tmp_path / "run") == tables(folder)
    assert lines(tmp_path / "run") == lines(folder)
    assert tables_again(tmp_path / "run") == tables(folder)


def tables_again(folder: Path) -> dict[str, bytes]:
    """The tables of a run that is read back."""
    for file in [*folder.glob("*.csv"), *folder.glob("*.parquet"), folder / "summary.json"]:
        file.unlink()
    hasim.findings.exports.export(hasim.load_run(folder), folder)
    return tables(folder)


@pytest.mark.parametrize("stop", [1, 9, 23])
def test_a_large_study_is_resumed(tmp_path, ordinary, small_limits, stop):
    scenario, folder = ordinary

    def interrupt(progress: runner.Progress) -> None:
        if progress.done >= stop:
            raise KeyboardInterrupt

    with pytest.raises(runner.StudyInterrupted):
        hasim.run(scenario, jobs=1, out=tmp_path, progress=interrupt)
    begun = open_run(tmp_path)
    assert begun.state == "INTERRUPTED"
    assert stop <= len(begun.outcomes) <= stop + 14
    with (tmp_path / "cells.jsonl").open("a") as file:
        file.write('{"cell":7,"varied":{"detec')  # as a kill in the middle of a write leaves it
    assert len(open_run(tmp_path).cells) == len(begun.cells)
    result = hasim.resume(tmp_path, jobs=1)
    assert result.study.state == "COMPLETED"
    assert tables(tmp_path) == tables(folder)
    assert lines(tmp_path) == lines(folder)
    assert (tmp_path / "cells.jsonl").read_bytes().count(b"\n") == 11


def test_keys_are_found_once_for_each_plan(tmp_path, small_limits):
    found = []
    key_of = new_study.key_of
    small_limits.setattr(new_study, "key_of", lambda *a, **k: found.append(a) or key_of(*a, **k))
    hasim.run(changed(replications=1, vary=VARY), jobs=1, out=tmp_path)
    every = len(found)
    assert every == 2 + 11  # the base, the plan, the cells
    hasim.run(changed(replications=2, vary=VARY), jobs=1, out=tmp_path)
    assert len(found) == every + 2
    hasim.run(changed(replications=2, vary={"detection.fall": [4, 1]}), jobs=1, out=tmp_path)
    assert len(found) == every + 2 + 4
    assert len(open_run(tmp_path).cells) == 2


def test_a_grown_large_study_takes_over_what_is_there(tmp_path, small_limits):
    hasim.run(changed(replications=2, vary={"detection.fall": [1, 4]}), jobs=1, out=tmp_path / "a")
    grown = changed(replications=3, vary={"detection.fall": [4, 7, 1], "detection.rise": [2, 3]})
    hasim.run(grown, jobs=1, out=tmp_path / "a")
    hasim.run(grown, jobs=1, out=tmp_path / "b")
    assert tables(tmp_path / "a") == tables(tmp_path / "b")
    assert lines(tmp_path / "a") == lines(tmp_path / "b") == 18


def test_journals_of_a_large_study_have_the_names_of_a_small_one(tmp_path, small_limits):
    asked_for = changed(replications=1, vary={"detection.fall": [1, 4]})
    hasim.run(asked_for, jobs=1, out=tmp_path / "large", journals=True)
    small_limits.undo()
    small_limits.setattr(hasim.findings.exports, "draw", lambda result: {})
    hasim.run(asked_for, jobs=1, out=tmp_path / "small", journals=True)
    names = [
        sorted(p.name for p in (tmp_path / n / "journals").iterdir()) for n in ("large", "small")
    ]
    assert names[0] == names[1]


def test_a_bad_cell_ends_a_study_and_keeps_what_was_done(tmp_path, small_limits):
    small_limits.setattr(loader, "LOOKED_AT", 4)
    scenario = tmp_path / "bad.yaml"
    vary = {
        "detection.interval": ["3s", "4s", "5s", "1s", "6s", "7s", "8s"],
        "detection.fast_interval": ["100ms", "200ms", "1500ms", "300ms"],
    }
    scenario.write_text(json.dumps(changed(replications=1, vary=vary), indent=1))
    with pytest.raises(
        ScenarioError, match=r"bad.yaml:\d+: detection.fast_interval: is longer than"
    ):
        hasim.run(scenario, jobs=1, out=tmp_path / "run")
    study = open_run(tmp_path / "run")
    assert study.state == "FAILED"
    assert 1 <= len(study.outcomes) <= 14  # those of the batches before
    done = CliRunner().invoke(main, ["resume", str(tmp_path / "run"), "--jobs", "1"])
    assert done.exit_code == 2
    assert "is longer than" in done.stderr


# -- memory ------------------------------------------------------------------------


@pytest.mark.parametrize("in_memory", [2, 1000])
def test_outcomes_are_a_mapping_wherever_they_are(monkeypatch, in_memory):
    monkeypatch.setattr(outcomes, "IN_MEMORY", in_memory)
    there = {c: [Outcome(c, r, 0.0, {"v": c * r}, ("v",) * r) for r in range(4)] for c in (3, 1)}
    found = Outcomes(lambda cell: there[cell])
    for one in (there[3][2], there[1][0], there[3][0], there[1][3], there[3][2]):
        found[one.cell, one.replication] = one
    assert list(found) == [(1, 0), (1, 3), (3, 0), (3, 2)]
    assert len(found) == 4
    assert found == {(o.cell, o.replication): o for o in (*there[1][::3], *there[3][:3:2])}
    assert found.of_cell(3) == there[3][:3:2]
    assert found.replications(1) == [0, 3]
    assert found.of_cell(2) == []
    assert (3, 1) not in found
    assert (found.violations, found.failed) == (5, 0)
    with pytest.raises(KeyError):
        _ = found[3, 1]
    del found[1, 3]
    assert (len(found), found.violations) == (3, 2)
    assert found.of_cell(1) == there[1][:1]
    assert [found.has(cell) for cell in (1, 2, 3)] == [True, False, True]


def big(count: int) -> loader.Loaded:
    return from_data(
        {
            "name": "big",
            "horizon": "1m",
            "replications": 2,
            "masters": [{"id": "a"}, {"id": "b", "priority": 2}],
            "vary": {
                "detection.fall": list(range(1, 11)),
                "detection.rise": list(range(1, 11)),
                "traffic.timeout": [f"{100 + n}ms" for n in range(10)],
                "detection.interval": [f"{1000 + n}ms" for n in range(count // 1000)],
            },
        }
    )


def peak(loaded: loader.Loaded) -> int:
    """Bytes at the peak of planning all cells and handing all replications out."""
    study = new_study.new_study(loaded)
    study.outcomes.read = lambda cell: [Outcome(cell, r, 0.0, {}) for r in range(2)]
    plan = Plan(study, lambda cell: True, lambda cell: study.cells[cell])
    tracemalloc.start()
    try:
        todo = Batches(plan.coming(), workers=2)
        count = 0
        while (batch := todo.next()) is not None:
            for cell, replication in batch.tasks:
                todo.learn((cell, replication), 0.01)
                outcome = Outcome(cell, replication, 0.0, {})
                study.add(outcome)
                plan.took(outcome)
                count += 1
            todo.add(plan.more())
        assert count == 2 * len(loaded.cells)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_going_through_100_000_cells_takes_hardly_more_memory(monkeypatch):
    monkeypatch.setattr(outcomes, "IN_MEMORY", 1000)
    few, many = peak(big(2_000)), peak(big(100_000))
    assert many - few < 128 * 98_000  # an entry of a dictionary for each cell


def test_few_files_are_open_at_the_same_time(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "Replicate", lambda *a: Squares())
    loaded = big(1000)
    most = 0

    def look(progress: runner.Progress) -> None:
        nonlocal most
        most = max(most, len(list(Path("/proc/self/fd").iterdir())))

    before = len(list(Path("/proc/self/fd").iterdir()))
    runner.run_study(loaded, jobs=1, out=tmp_path / "run", progress=look)
    assert most <= before + writing.MOST_OPEN + 5
    assert len(list((tmp_path / "run" / "replications").iterdir())) == 1000
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1


# -- shown -------------------------------------------------------------------------


def test_of_very_many_cells_the_first_are_shown_and_all_are_judged(tmp_path, monkeypatch):
    monkeypatch.setattr(hasim.findings.limits, "SHOWN", 2)
    monkeypatch.setattr(hasim.findings.limits, "SUMMARISED", 3)
    vary = {"detection.fall": [1, 2, 3, 4, 5]}
    scenario = tmp_path / "many.yaml"
    asked_for = changed(replications=2, vary=vary, expect={"detected": ">= 5%"})
    scenario.write_text(json.dumps(asked_for))
    run = ["run", str(scenario), "--jobs", "1", "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(main, run)
    note = "The first {} of 5 cells; all are in metrics.parquet."
    assert note.format(2) in done.stdout
    assert "fall=2" in done.stdout
    assert "fall=3" not in done.stdout.partition("Of all")[0]
    assert "2 replications of 2 cells" in done.stdout
    assert "Of all 5 cells: 5 pass, 0 undecided, 0 fail." in done.stdout
    assert done.exit_code == 0
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert [cell["cell"] for cell in summary["cells"]] == [0, 1, 2]
    assert note.format(3) in summary["notes"]
    frame = hasim.read_frame(tmp_path / "run")
    assert set(frame["cell"]) == {0, 1, 2, 3, 4}
    markdown = (tmp_path / "run" / "summary.md").read_text()
    assert "fall=3" not in markdown
    assert note.format(2) in hasim.load_run(tmp_path / "run")._repr_html_()


def test_a_cell_that_is_not_shown_still_breaks_a_promise(tmp_path, monkeypatch):
    monkeypatch.setattr(hasim.findings.limits, "SHOWN", 1)
    scenario = tmp_path / "many.yaml"
    evidence = {"evidence": ["probe"], "interval": "2s"}
    vary = {"detection.fall": [1, 2, 300]}
    expect = {"detected": ">= 50%"}
    asked_for = changed(replications=12, vary=vary, expect=expect, detection=evidence)
    scenario.write_text(json.dumps(asked_for))
    run = ["run", str(scenario), "--jobs", "1", "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(main, run)
    assert done.exit_code == 1
    assert "Of all 3 cells: 2 pass, 0 undecided, 1 fail.\nFails: cell 2, detection.fall=300" in (
        done.stdout
    )


def test_without_an_expectation_no_cell_is_read_to_be_judged(tmp_path, monkeypatch):
    result = hasim.run(changed(replications=1), jobs=1, out=tmp_path)
    monkeypatch.setattr(hasim.findings.result.Result, "measured", None)  # to call it would raise
    assert result.verdicts == [[] for _ in result.cells]
