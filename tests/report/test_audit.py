"""Audit records as JSON Lines, by the journal, in Python and on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import hasim
from hasim.cli import main
from hasim.events import FailoverChanged, FailoverConcluded
from hasim.journal import Journal, JournalError
from hasim.report.audit import audit, audit_lines, concluded
from hasim.simulation.settings.faults import BackupDies, Crash
from hasim.units import SECOND
from tests.services.bench import detection
from tests.simulation.worlds import after, lasting, run, world


@pytest.fixture(scope="module")
def journal() -> Journal:
    """The first candidate dies when it is promoted."""
    return run(
        world(
            120,
            detection=detection(evidence=("probe",), interval_ns=SECOND),
            faults=(
                Crash(kind="crash", target="m1", at=after(20), for_=lasting(300)),
                BackupDies(kind="backup-dies", target="m2", at=after(10), for_=lasting(200)),
            ),
        )
    )


def test_each_line_is_the_record_of_a_failover_by_its_steps(journal: Journal) -> None:
    lines = audit_lines(journal).splitlines()
    steps = list(journal.of(FailoverChanged))
    ended = [e for _, e in steps if e.new in ("completed", "cancelled", "failed")]
    assert [json.loads(line)["failover"] for line in lines] == [e.failover for e in ended]
    for line in lines:
        record = json.loads(line)
        own = [(t, e) for t, e in steps if e.failover == record["failover"]]
        assert record["reason"] == own[0][1].reason
        assert record["outcome"] == own[-1][1].new
        assert record["begun_at_s"] == own[0][0] / SECOND
        assert record["ended_at_s"] == own[-1][0] / SECOND
        assert [phase["state"] for phase in record["phases"]] == [e.new for _, e in own[:-1]]
        whole = sum(phase["took_s"] for phase in record["phases"])
        assert whole == pytest.approx(record["ended_at_s"] - record["begun_at_s"])


def test_a_candidate_that_failed_is_told_with_the_one_after_it(journal: Journal) -> None:
    first = next(record for record in audit(journal) if record["master"] == "m1")
    assert [a["candidate"] for a in first["attempts"]] == ["m2", "m3"]
    assert first["attempts"][0]["ended"] != "promoted" == first["attempts"][1]["ended"]
    assert {"reason": "the owner", "masters": ["m1"]} in first["attempts"][0]["passed_over"]
    assert first["owner"] == "m3"
    t_ns, body = next((t, b) for t, b in journal.of(FailoverConcluded) if b.master == "m1")
    line = concluded({body.failover}, t_ns, body)
    assert line is not None
    assert "; tried m2 (" in line.text
    assert line.text.endswith(", then m3")
    assert concluded(set(), t_ns, body) is None


def test_an_unknown_observer_is_refused(journal: Journal) -> None:
    with pytest.raises(JournalError, match="nobody"):
        audit(journal, "nobody")


def test_the_command_writes_what_python_gives(tmp_path: Path) -> None:
    result = hasim.run("crash", replications=1, out=tmp_path / "run", progress=None)
    asked = ["explain", str(tmp_path / "run"), "--incident", "1", "--audit"]
    said = CliRunner().invoke(main, asked, catch_exceptions=False).stdout
    assert [json.loads(line) for line in said.splitlines()] == result.audit(1)
    assert result.audit(1)
