"""`hasim capacity` and `hasim.capacity` on a small pool: what is shown, kept, refused."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import hasim
from hasim.cli import main

WORLD = {
    "name": "small",
    "horizon": "60s",
    "seed": 5,
    "masters": [{"id": "a", "workers": 1, "service": "100ms"}, {"id": "b", "like": "a"}],
    "traffic": {
        "arrivals": {"law": "poisson", "rate": "8/s"},
        "owned": "0%",
        "timeout": "1s",
        "deadline": "2s",
        "retry": {"attempts": 2},
    },
    "detection": {"evidence": ["probe"], "interval": "2s"},
}
FAST = {"replications": 3, "within": "40%", "limits": ["response.p50 < 900ms"], "progress": None}


@pytest.fixture(scope="module")
def capacity():
    return hasim.capacity(WORLD, jobs=1, cause=None, **FAST)


def test_a_row_for_each_number_of_masters_down(capacity, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    none, one = capacity.found.carried
    assert (none.down.label, one.down.masters) == ("none", ("a",))
    assert 14 < none.border.below < none.border.above < 27
    assert 7 < one.border.below < one.border.above < 13.5
    shown = capacity.render("table")
    assert max(map(len, shown.splitlines())) <= 80
    assert "Today's load of 8/s is carried in all of these cases." in shown
    assert capacity.carries_today


def test_every_form_says_the_same(capacity) -> None:
    plain = json.loads(capacity.render("json"))
    assert [row["down"] for row in plain["carried"]] == ["none", "one"]
    assert plain["carried"][1]["holds"] == capacity.found.carried[1].border.below
    assert "outlived" not in plain
    lines = capacity.render("csv").splitlines()
    assert lines[0] == "what,down,holds,breaks,replications"
    assert len(lines) == 3
    assert "| none |" in capacity.render("markdown")
    labels = [text.get_text() for text in capacity.figure().axes[0].get_yticklabels()]
    assert labels == ["none", "one"]


def test_a_second_call_does_nothing_twice_and_processes_change_nothing(
    capacity, tmp_path, monkeypatch
) -> None:
    from hasim.study.execution import replication

    first = hasim.capacity(WORLD, jobs=2, cause=None, down=[1], out=tmp_path / "run", **FAST)
    monkeypatch.setattr(replication, "simulate_cell", lambda *_, **__: pytest.fail("done before"))
    again = hasim.capacity(WORLD, jobs=1, cause=None, down=[1], out=tmp_path / "run", **FAST)
    assert again.render("json") == first.render("json")
    assert first.plain()["carried"] == capacity.plain()["carried"][1:]


def test_from_the_command_line(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(json.dumps(WORLD))
    args = ["capacity", "small.yaml", "--no-cause", "--jobs", "1", "--replications", "3"]
    args += ["--within", "40%", "--for", "response.p50 < 900ms", "--down", "b"]
    args += ["--set", "traffic.arrivals.rate=30/s"]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 1, done.stderr
    assert "Today's load of 30/s is not shown to be carried with b down." in done.output
    assert (tmp_path / "hasim-runs" / "small-capacity" / "capacity.png").exists()
    for more, text in (
        (["--for", "outage.p99 < 1s"], "is no measure of load"),
        (["--down", "c"], "expected a number, a place"),
        (["--down", "2"], "no master would be left"),
        (["--within", "2"], "expected a percentage"),
        (["--horizon", "5s"], "a minute or more"),
        (["--lasting", "x"], "expected a duration"),
    ):
        done = CliRunner().invoke(main, [*args, *more])
        assert (done.exit_code, text in done.stderr) == (2, True), done.stderr
