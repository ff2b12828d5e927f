"""A run of several tiers shows each by itself, in its summary and as a table."""

from __future__ import annotations

import io

import pandas as pd
import pytest

import hasim
from hasim.findings.tiers import tiers_sheet
from hasim.report.explain import explain

SCENARIO = {
    "name": "chain",
    "horizon": "2m",
    "replications": 3,
    "traffic": {"arrivals": {"law": "poisson", "rate": "10/s"}, "owned": "0%", "timeout": "1s"},
    "tiers": [
        {"name": "api", "masters": [{"id": "a-1"}, {"id": "a-2"}]},
        {
            "name": "db",
            "requests": {"owned": "100%", "timeout": "500ms", "deadline": "500ms"},
            "masters": [{"id": "d-1"}, {"id": "d-2", "standby": True}],
        },
    ],
    "faults": [{"kind": "crash", "target": "d-1", "at": "30s", "for": "30s"}],
    "vary": {"tiers.db.detection.interval": ["1s", "10s"]},
}


@pytest.fixture(scope="module")
def result() -> hasim.Result:
    return hasim.run(SCENARIO, progress=None, jobs=1)


def test_the_table_has_each_tier_of_each_replication(result: hasim.Result) -> None:
    table = result.tiers
    assert len(table) == 2 * 3 * 2
    assert table.groupby("tier").requests.sum()["db"] <= table.groupby("tier").requests.sum()["api"]
    api, db = (table[table.tier == tier] for tier in ("api", "db"))
    assert (api.failovers == 0).all()
    assert (db.failovers == 1).all()
    # What the database does not answer, no API server does.
    assert (api.success.to_numpy() <= 1.0).all()
    assert (db.uptime.to_numpy() < 1.0).all()
    assert api.success.mean() < 0.999


def test_the_summary_has_a_row_for_each_tier(result: hasim.Result) -> None:
    markdown = result.render("markdown")
    rows = [line for line in markdown.splitlines() if line.startswith("| interval=")]
    names = [row.split("|")[1].strip() for row in rows]
    assert names[-4:] == [
        f"interval={interval}, {tier}" for interval in ("1s", "10s") for tier in ("api", "db")
    ]
    sheet = tiers_sheet(result.cells, result.tiers)
    table = result.tiers
    for row, (cell, tier) in zip(
        sheet.rows, [(c, t) for c in (0, 1) for t in ("api", "db")], strict=True
    ):
        own = table[(table.cell == cell) & (table.tier == tier)]
        uptime, success = (field.plain for field in row[1:3])
        assert uptime["value"] == pytest.approx(own.uptime.mean())
        answered = (own.success * own.requests).sum() / own.requests.sum()
        assert success["value"] == pytest.approx(answered)
        assert 0.0 <= success["low"] <= success["high"] <= 1.0


def test_one_tier_has_no_such_table() -> None:
    alone = {**SCENARIO, "tiers": [], "masters": [{"id": "a"}, {"id": "b"}]}
    alone.pop("vary")
    alone["faults"] = []
    result = hasim.run({**alone, "horizon": "10s", "replications": 1}, progress=None, jobs=1)
    assert result.tiers.empty
    assert "tier" not in result.render("markdown").split("\n")[0]


def test_it_is_written_into_the_run_folder(tmp_path) -> None:
    hasim.run(SCENARIO, progress=None, jobs=1, out=tmp_path / "run", replications=1)
    text = (tmp_path / "run" / "tiers.csv").read_text()
    assert list(pd.read_csv(io.StringIO(text)).tier) == ["api", "db"] * 2


def test_a_story_is_told_by_the_tier_that_was_struck(result: hasim.Result) -> None:
    """Its detection, and its failover; not what the API's checks saw of it."""
    story = result.explain(1)
    assert story.title.endswith("crash at d-1 (tier db)")
    told = str(story)
    assert "d-1 is declared failed" in told
    assert "d-2 becomes owner of p1" in told
    assert "a-1 is" not in told
    journal = result.journal_of_incident(1)
    assert str(explain(journal, 1)).splitlines()[1:] == told.splitlines()[1:]
    assert "a-1 is suspected" in str(explain(journal, 1, journal.observers[0]))


def test_a_budget_of_a_year_of_several_tiers() -> None:
    """A database that fails over costs what its tier does; an API server that dies, hardly."""
    faults = [
        {"kind": "crash", "target": target, "every": "30d", "for": "1m"}
        for target in ("d-1", "a-1")
    ]
    data = {**SCENARIO, "horizon": "5m", "replications": 10, "faults": faults, "vary": {}}
    data["tiers"] = [
        {**tier, "detection": {"evidence": ["probe"], "interval": "2s", "fast_interval": "1s"}}
        for tier in SCENARIO["tiers"]
    ]
    table = hasim.budget(data, replications=10, progress=None, jobs=1).table()
    minutes = table.set_index(["fault", "cause"]).minutes_per_year
    own = [fault for fault in dict.fromkeys(table.fault) if fault.startswith("crash")]
    database, api = (minutes[fault] for fault in own)
    year = 365.25 / 30
    assert database["fencing"] == pytest.approx(year * 2 / 60, rel=0.01)  # two seconds each
    # A check every two seconds, and another one a second later: one second and one in the mean.
    low, high = (
        table[(table.fault == own[0]) & (table.cause == "undetected")][bound].item()
        for bound in ("minutes_low", "minutes_high")
    )
    assert low < year * 2 / 60 < high
    assert api["all"] == 0.0  # the other one serves
    assert minutes["all faults"]["all"] == pytest.approx(database["all"], rel=0.01)
