"""``hasim objectives``: windows of a run, budgets, burn rates, pages."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from hasim.api import run
from hasim.cli import main
from hasim.findings.objectives import WORKBOOK, alerts, objectives
from hasim.measures import measure
from hasim.measures.objectives import Objective
from hasim.units import HOUR, SECOND
from tests.measures.story import Story

DATA = {
    "name": "two-crashes",
    "horizon": "10m",
    "replications": 2,
    "masters": [{"id": "a"}, {"id": "b", "priority": 2}],
    "traffic": {"arrivals": {"rate": "1/s"}},
    "detection": {"interval": "5s"},
    "faults": [{"kind": "crash", "target": "a", "at": "2m", "for": "1m"}],
    "data_plane": "reference",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("objectives") / "run"
    run(DATA, out=place, jobs=1, progress=None)
    return place


CSV = ("--format", "csv")


def cli(*args: str) -> Result:
    return CliRunner().invoke(main, list(args), catch_exceptions=False)


def test_a_window_that_is_not_kept_fails_the_command(folder):
    result = cli("objectives", str(folder), "--objective", "99.9%", "--window", "5m")
    assert result.exit_code == 1
    assert "2 of 4" in result.stdout  # the second half of each run has no fault
    assert "2 of 2" in result.stdout  # each fault paged somebody
    assert cli("objectives", str(folder), "--objective", "50%").exit_code == 0


def test_for_programs(folder):
    result = cli("objectives", str(folder), "--window", "5m", "--format", "csv")
    header, *rows = result.stdout.splitlines()
    assert header == "cell,started_at_s,ended_at_s,down_s,left,burn_rate,kept"
    assert len(rows) == 4
    plain = json.loads(cli("objectives", str(folder), "--format", "json").stdout)
    assert plain


def test_bad_input(folder):
    for option, value in (("--objective", "0%"), ("--objective", "9"), ("--window", "3")):
        result = cli("objectives", str(folder), option, value)
        assert result.exit_code == 2
        assert option in result.stderr
    with pytest.raises(ValueError, match="share of time"):
        objectives(folder, objective=1.5)


def test_burn_rate_alerts_of_a_step_in_truth():
    """99.9 %, down from 1000 s on: 51.84 s later, for good; and again after a good time."""
    story = Story(20_000.0)
    story.down(1000, "p1")
    story.up(1060, "p1")
    story.down(10_000, "p2")
    story.up(10_052, "p2")
    run_ = measure(story.journal())
    found = list(alerts(run_, Objective(0.999, HOUR), *WORKBOOK[0]))
    assert found == [1000 * SECOND + 51_840_000_000, 10_000 * SECOND + 51_840_000_000]


@pytest.mark.parametrize(
    ("rule", "burnt_s"), list(zip(WORKBOOK, (51.84, 129.6, 259.2, 259.2), strict=True))
)
def test_each_alert_of_the_workbook_at_its_moment(rule, burnt_s):
    """0.1 % of its long window, so many times as fast; a step 10 ms too short tells none."""
    factor, long_ns, short_ns = rule
    assert burnt_s == pytest.approx(factor * 0.001 * long_ns / SECOND)
    assert short_ns == long_ns // 12
    for down_s, expected_s in ((burnt_s + 0.01, [300_000 + burnt_s]), (burnt_s - 0.01, [])):
        story = Story(600_000.0)
        story.down(300_000, "p1")
        story.up(300_000 + down_s, "p1")
        found = alerts(measure(story.journal()), Objective(0.999, HOUR), *rule)
        assert [t / SECOND for t in found] == expected_s


def test_by_message_and_by_partition(folder):
    """A crash of a minute costs the messages of that time, of one partition of two."""
    said = ("objectives", str(folder), "--objective", "99%")
    result = cli("objectives", str(folder), "--objective", "99.9%", "--of", "success", *CSV)
    assert result.exit_code == 1
    header, *rows = result.stdout.splitlines()
    assert header == "cell,started_at_s,ended_at_s,failed,left,burn_rate,kept"
    assert all(float(row.split(",")[3]) > 0 for row in rows)
    struck = cli(*said, "--of", "partition:p1")
    assert "by partition:p1: 6s of downtime are allowed" in " ".join(struck.stdout.split())
    assert cli(*said, "--of", "partition:p2").exit_code == 0
    for of, message in (("user_uptime", "traffic.keys"), ("partition:p", "did you mean partition")):
        result = cli(*said, "--of", of)
        assert result.exit_code == 2
        assert message in result.stderr


def test_which_kinds_of_fault_paged_and_burnt(folder):
    """One crash a replication: the fastest alert, by 99.9 %, after 51.84 s; the slowest by far."""
    found = objectives(folder, objective=0.999)
    (kept,) = found.cells
    crash = kept.struck["crash"]
    assert (crash.faults, crash.paged, kept.needless) == (2, 2, 0)
    assert crash.burnt == list(kept.burns)
    assert kept.astray == (0, 0, 0, 0)
