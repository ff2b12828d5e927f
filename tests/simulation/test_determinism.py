"""Same seed, same journal; a journal written, read and replayed gives the same effects."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hasim import appended
from hasim import journal as journals
from hasim.journal import Journal, JournalError, to_line
from hasim.replay import replay
from hasim.services.control_plane import ControlPlane
from hasim.services.detection import DetectionSettings
from hasim.simulation.settings.faults import Crash, Hang
from hasim.singles import singly
from tests.services.bench import detection
from tests.simulation.worlds import after, build, lasting, run, traffic, world

SETTINGS = world(
    60,
    traffic=traffic(30),
    faults=(
        Hang(kind="hang", target="m1", at=after(20), for_=lasting(10)),
        Crash(kind="crash", target="random", at=after(40), for_=lasting(5)),
    ),
)
PROGRAM = """
from tests.simulation.test_determinism import SETTINGS
from tests.simulation.worlds import run
from hasim.journal import to_line
for record in run(SETTINGS, seed=3, messages=True).records:
    print(to_line(record))
"""


def fresh(settings: DetectionSettings | None = None) -> ControlPlane:
    made = build(SETTINGS).front
    chance = made.chance_of("observer")
    return ControlPlane(made.cluster, settings or SETTINGS.detection, seed=chance)


def test_same_journal_in_another_process_with_another_hash_seed() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "4242")
    }
    here = "".join(to_line(r) + "\n" for r in run(SETTINGS, seed=3, messages=True).records)
    assert outputs == {here}


def test_another_seed_or_replication_gives_another_journal() -> None:
    first = run(SETTINGS, seed=3).records
    assert run(SETTINGS, seed=4).records != first
    assert run(SETTINGS, seed=3, replication=1).records != first


def test_a_replayed_journal_gives_identical_effects() -> None:
    journal = singly(run(SETTINGS))
    found = replay(run(SETTINGS), fresh())
    assert found.difference is None
    assert found.inputs == sum(r.lane == "input" for r in journal.records) > 30
    assert [r for r in journal.records if r.lane != "truth"] == found.journal.records


def test_another_configuration_differs_in_the_replay() -> None:
    found = replay(run(SETTINGS), fresh(detection(fall=5)))
    assert found.difference is not None
    assert found.difference.recorded != found.difference.replayed


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.gz"])
def test_a_journal_survives_the_disk(tmp_path: Path, name: str) -> None:
    journal = run(SETTINGS)
    appended.write(journal, tmp_path / name)
    back = journals.read(tmp_path / name)
    assert back.header == json.loads(json.dumps(journal.header))
    assert back.records == journal.records


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("not json\n", ":1: "),
        ('{"a": 1}\n', "hasim_journal"),
        ('{"hasim_journal": 6, "horizon_ns": 1}\n{"t": 1, "input": "Bomb", "body": {}}\n', "Bomb"),
        (
            '{"hasim_journal": 6, "horizon_ns": 1}\n{"t": 1, "input": "ProbeReply", "body": {}}',
            ":2",
        ),
    ],
)
def test_a_broken_journal_is_refused_with_its_place(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text(text)
    with pytest.raises(JournalError, match=message):
        journals.read(path)


def test_a_control_plane_restored_at_any_moment_goes_on_alike() -> None:
    """Frozen to JSON between any two inputs, a fresh one gives the same effects from there on."""
    recorded = run(SETTINGS)
    items = [(r.t_ns, r.body) for r in recorded.records if r.lane == "input"]
    machine = fresh()
    machine.start(0)
    for t_ns, item in items:
        frozen = json.loads(json.dumps(machine.freeze()))
        expected = machine.step(t_ns, item)
        restored = fresh()
        restored.restore(frozen)
        assert restored.step(t_ns, item) == expected
        assert restored.next_wakeup() == machine.next_wakeup()
        machine = restored


def test_no_clairvoyance() -> None:
    """The same inputs give the same effects, whatever the truth: truth is not even an argument."""
    journal = run(SETTINGS)
    blind = Journal(journal.header, [r for r in journal.records if r.lane != "truth"])
    assert replay(blind, fresh()).difference is None
