"""Journals that were cut: replayed, asked and watched as far as they tell everything."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from hasim.appended import write
from hasim.cli import main
from hasim.deployed import replay_recorded
from hasim.journal import Journal, read
from hasim.scenario.loader import from_data
from hasim.study.execution.replication import simulate_cell
from hasim.study.hearing.journals import evidence_of
from hasim.study.replaying import conclusions, what_if
from hasim.told import as_told
from hasim.watch.sources import Replayed


@pytest.fixture(scope="module")
def whole() -> Journal:
    """A run whose quiet stretches of probes are told at once."""
    scenario = {
        "horizon": "3m",
        "masters": [{"id": "a"}, {"id": "b"}, {"id": "c"}],
        "traffic": {"arrivals": {"law": "poisson", "rate": "5/s"}, "owned": "100%"},
        "faults": [{"kind": "crash", "target": "b", "at": "40s", "for": "50s"}],
        "detection": {"interval": "2s"},
    }
    return simulate_cell(from_data(scenario), 0, 0)


def test_a_journal_that_is_whole_is_given_as_it_is(whole) -> None:
    assert as_told(whole) is whole


def test_wherever_a_journal_is_cut_the_rest_is_that_of_the_whole_one(whole) -> None:
    """Without its end, what happened before is neither another story nor more of it."""
    chance, ends = random.Random(3), set()
    for size in sorted(chance.sample(range(20, len(whole.records)), 40)):
        cut = Journal(whole.header, whole.records[:size], cut="cut")
        told = as_told(cut)
        assert told.horizon_ns <= cut.records[-1].t_ns
        ends.add(told.horizon_ns)
        assert replay_recorded(told).difference is None
        before, after = conclusions(told, what_if(told, []))
        assert before == after
        heard = evidence_of(told)
        assert heard.ends_ns == told.horizon_ns
        watched = Replayed(told)
        watched.advance(whole.horizon_ns)
        assert watched.now_ns == told.horizon_ns
        statuses = watched.show().masters
        if told.horizon_ns < 40_000_000_000:  # nothing was wrong yet
            assert {str(master.status) for master in statuses} <= {"healthy", "unknown"}
    assert len(ends) >= 4
    assert max(ends) > 90_000_000_000


@pytest.mark.parametrize("share", [0.01, 0.6, 0.97])
def test_commands_say_up_to_where_a_journal_was_read(tmp_path: Path, whole, share) -> None:
    path = tmp_path / "j.jsonl"
    write(whole, path)
    data = path.read_bytes()
    first = data.index(b"\n") + 1
    path.write_bytes(data[: first + int((len(data) - first) * share)])
    for args in (
        ["replay", path],
        ["replay", path, "--set", "detection.fall=3"],
        ["replay", path, "--detector", "threshold"],
    ):
        result = CliRunner().invoke(main, list(map(str, args)))
        if share == 0.01:
            assert result.exit_code == 2
            assert "cut before anything is told whole" in result.stderr
            continue
        assert result.exit_code == 0, result.output
        said = " ".join(result.output.split())
        assert f"{read(path).cut}; all is told of the first " in said
