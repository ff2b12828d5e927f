"""The Python API: run, load_run, and what a Result offers."""

from __future__ import annotations

import base64
import re
import warnings

import pandas as pd
import pytest

import hasim
from hasim.findings.tables import TABLES
from hasim.journal import to_line
from hasim.scenario.loader import from_data
from hasim.scenario.problems import ScenarioError
from hasim.study.comparing.compare import CompareError
from hasim.study.folder.errors import StoreError

DATA = {
    "name": "tiny",
    "horizon": "60s",
    "replications": 3,
    "seed": 5,
    "masters": [{"id": "a"}, {"id": "b", "priority": 2}, {"id": "c", "priority": 3}],
    "traffic": {"arrivals": {"law": "poisson", "rate": "10/s"}, "owned": "100%", "timeout": "1s"},
    "faults": [
        {
            "kind": "crash",
            "target": "owner-of:p1",
            "at": {"law": "uniform", "low": "5s", "high": "15s"},
            "for": "30s",
        }
    ],
    "detection": {"interval": "2s"},
    "vary": {"detection.fall": [1, 4], "detection.evidence": [["probe"], ["probe", "messages"]]},
    "expect": {"detected": ">= 1%", "detection_time.p99": "< 5s"},
    "projection": {"mtbf": "30d"},
}


@pytest.fixture(scope="module")
def result() -> hasim.Result:
    return hasim.run(DATA, jobs=1)


def test_tables_are_tidy(result):
    for name in TABLES:
        frame = getattr(result, name)
        assert isinstance(frame, pd.DataFrame)
        columns = [c for c in frame.columns if c != "incident"]
        assert columns[:5] == [
            "cell", "detection.fall", "detection.evidence", "replication", "seed",
        ], name  # fmt: skip
        assert set(map(str, frame.filter(regex="_s$").dtypes)) <= {"float64"}
    incidents = result.incidents
    assert len(incidents) == 4 * 3
    assert list(incidents["incident"]) == list(range(1, 13))
    assert set(incidents["detection.evidence"]) == {"probe", "probe+messages"}
    assert set(incidents["seed"]) == {5}
    by_fall = incidents.groupby("detection.fall")["detection_s"].mean()
    assert by_fall[1] < by_fall[4]
    # Common random numbers: every cell meets the same faults.
    starts = incidents.pivot(index="replication", columns="cell", values="started_at_s")
    assert starts.nunique(axis="columns").eq(1).all()
    assert starts[0].nunique() == 3


def test_failovers_join_their_incidents(result):
    """By the number of the run, or by that of the replication."""
    incidents, failovers = result.incidents, result.failovers
    answering = failovers.dropna(subset="incident")
    assert len(answering) >= len(incidents)
    for keys in (["incident"], ["cell", "replication", "number"]):
        joined = incidents.merge(answering, on=keys, suffixes=("", "_of_it"))
        assert len(joined) == len(answering)
        assert (joined["master"] == joined["master_of_it"]).all()
        assert (joined["declared_at_s"] > joined["started_at_s"]).all()


def test_an_empty_table_keeps_its_columns(result):
    assert len(result.mistakes) == 0
    assert {"cell", "detection.fall", "master", "declared_at_s"} <= set(result.mistakes.columns)


def test_summary_has_a_row_per_cell_and_measure(result):
    summary = result.summary()
    assert not summary.duplicated(["cell", "measure"]).any()
    assert set(summary.groupby("cell").size()) == {len(result.estimates[0])}
    uptime = summary.query("measure == 'uptime' and cell == 0").iloc[0]
    expected = [result.measured(0)[r].service.uptime for r in range(3)]
    assert uptime["value"] == pytest.approx(sum(expected) / 3)
    assert uptime["low"] <= uptime["value"] <= uptime["high"]
    assert (uptime["unit"], uptime["n"], uptime["detection.evidence"]) == ("ratio", 3, "probe")
    p99 = summary.query("measure == 'detection_time.p99' and cell == 0").iloc[0]
    assert pd.isna(p99["value"])
    assert p99["needed"] > 3


def test_verdicts_per_cell(result):
    for cell in result.verdicts:
        assert {v.measure: (v.text, v.verdict) for v in cell} == {
            "detected": (">= 1%", "pass"),
            "detection_time.p99": ("< 5s", "undecided"),  # that takes 299 incidents
        }


def test_a_journal_is_simulated_again_to_the_same_bytes(result):
    from hasim.measures import measure

    one, other = result.journal(2, 1), result.journal(2, 1)
    assert [to_line(r) for r in one.records] == [to_line(r) for r in other.records]
    assert one.header["cell"] == {"detection.fall": 4, "detection.evidence": ["probe"]}
    assert measure(one) == result.measured(2)[1]


@pytest.mark.parametrize(
    ("cell", "replication", "message"), [(4, 0, "no cell 4"), (0, 3, "no replication 3")]
)
def test_a_journal_that_does_not_exist(result, cell, replication, message):
    with pytest.raises(LookupError, match=message):
        result.journal(cell, replication)


def test_incidents_by_number_agree_with_the_table(result):
    for _, row in result.incidents.iterrows():
        found = result.incident(row["incident"])
        for column in ("incident", "cell", "replication", "master", "started_at_s"):
            assert found[column] == row[column]
    with pytest.raises(LookupError, match="no incident 13; the run has 12"):
        result.incident(13)


def test_print_shows_what_a_terminal_shows(result, capsys):
    result.print()
    shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert str(result).splitlines() == shown
    assert f"{result}\n" == result.render("table")
    assert "fall=4," in str(result)
    story = result.explain(1)
    assert str(story).startswith("Incident 1 of replication 0 of cell 0: ")


def test_notebooks_see_a_table(result):
    html = result._repr_html_()
    assert "<table" in html
    assert "fall=4, probe+messages" in html
    assert html.partition("<tbody>")[2].partition("</tbody>")[0].count("<tr") == 4
    assert repr(result) == "<Result of tiny: 4 cells, 12 of 12 replications, seed 5>"
    [picture] = re.findall(r'<img alt="([^"]*)" src="data:image/png;base64,([^"]*)">', html)
    assert picture[0] == "95 % intervals of detection p50 and uptime"
    assert base64.b64decode(picture[1]).startswith(b"\x89PNG")
    assert len(picture[1]) < 60_000
    assert result._repr_html_() == html


def test_notebooks_see_the_tables_of_a_budget():
    budget = hasim.budget(
        DATA, rates={"crash": "12/y"}, replications=2, pairs=0, quiet="20s", jobs=1,
        overrides={"vary": {}},
    )  # fmt: skip
    html = budget._repr_html_()
    assert html.count("<table>") == 2
    assert "<caption>minutes a year by fault</caption>" in html
    assert ">crash</th>" in html
    assert "Uptime (every partition up)" in html


def test_two_runs_are_compared_in_pairs(result, tmp_path):
    slower = hasim.run(DATA, jobs=1, overrides={"detection.interval": "4s"}, out=tmp_path / "slow")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = hasim.compare(result, tmp_path / "slow", ["detection_time.mean", "uptime"])
    assert frame.attrs == {"settings": ["detection.interval is 4s, was 2s"], "world": []}
    row = frame.query("cell == 2 and measure == 'detection_time.mean'").iloc[0]
    means = [one.incidents.query("cell == 2")["detection_s"].mean() for one in (slower, result)]
    assert row["value"] == pytest.approx(means[0] - means[1])
    assert (row["detection.fall"], row["n"]) == (4, 3)
    short = hasim.run(DATA, jobs=1, overrides={"horizon": "50s"})
    with pytest.warns(UserWarning, match=r"the runs differ in horizon is 50s, was 1m$"):
        hasim.compare(result, short)
    with pytest.raises(CompareError, match="the seeds 5 and 6 make no pairs"):
        hasim.compare(result, hasim.run(DATA, jobs=1, seed=6))


def test_figures_by_name(result):
    figures = result.figures()
    assert set(figures) == {"intervals", "detection", "timeline"}
    number = int(result.incidents["outage_s"].idxmax()) + 1
    assert f"Incident {number}," in figures["timeline"].get_suptitle()


def test_a_run_folder_gives_the_same_result(result, tmp_path):
    kept = hasim.run(DATA, jobs=1, out=tmp_path / "run")
    read = hasim.load_run(tmp_path / "run")
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(read, name), getattr(result, name))
        pd.testing.assert_frame_equal(getattr(kept, name), getattr(result, name))
    pd.testing.assert_frame_equal(read.summary(), result.summary())
    assert read.verdicts == result.verdicts
    again = read.journal(3, 2)  # from the scenario in the folder
    assert [to_line(r) for r in again.records] == [to_line(r) for r in result.journal(3, 2).records]
    csv = pd.read_csv(tmp_path / "run" / "incidents.csv")
    assert csv["detection_s"].tolist() == result.incidents["detection_s"].tolist()


def test_a_stored_journal_is_used(tmp_path):
    folder = tmp_path / "run"
    kept = hasim.run(DATA, jobs=1, replications=1, out=folder, journals=True)
    first, stored = (
        folder / "journals" / f"{cell.stem}-replication-0000.jsonl.gz"
        for cell in kept.study.cells[:2]
    )
    simulated = hasim.run(DATA, jobs=1, replications=1).journal(1, 0)
    assert kept.journal(1, 0).records == simulated.records
    stored.write_bytes(first.read_bytes())
    assert kept.journal(1, 0).header["cell"]["detection.evidence"] == ["probe"]


def test_overrides_take_text_and_values():
    result = hasim.run(
        DATA,
        jobs=1,
        seed=9,
        replications=2,
        overrides={"vary": {}, "detection.fall": 2, "traffic.timeout": "500ms"},
    )
    assert (result.seed, result.study.replications) == (9, 2)
    assert [cell for cell, _ in result.cells] == [0]
    header = result.journal(0, 0).header
    (observer,) = header["observers"].values()
    assert observer["settings"]["detection"]["fall"] == 2
    assert header["traffic"]["timeout_ns"] == 500_000_000


def test_a_loaded_scenario_and_a_shipped_name_are_taken():
    loaded = from_data(DATA, [("replications", 1)])
    assert len(hasim.run(loaded, jobs=1).incidents) == 4
    assert len(hasim.run(loaded, jobs=1, overrides={"vary": {}}).incidents) == 1
    crash = hasim.run("crash", jobs=1, replications=1, overrides={"vary": {}})
    assert (crash.name, len(crash.incidents)) == ("crash", 1)


def test_check_gives_violations(result):
    assert hasim.run(DATA, jobs=1, replications=1, check=True).violations == []


def test_bad_input_is_told_apart(tmp_path):
    with pytest.raises(ScenarioError, match="did you mean fall"):
        hasim.run(DATA, overrides={"detection.fal": 3})
    with pytest.raises(ScenarioError, match="did you mean crash"):
        hasim.run("crsh")
    with pytest.raises(StoreError, match="no folder of a hasim run"):
        hasim.load_run(tmp_path)
    with pytest.raises(TypeError, match="expected a file, a name, a mapping"):
        hasim.run(None)
    for jobs in (0, -1, "two"):
        with pytest.raises(ValueError, match="jobs must be a whole number from 1 on"):
            hasim.run(DATA, jobs=jobs)
    with pytest.raises(ValueError, match="journals are kept in a run folder"):
        hasim.run(DATA, journals=True)


def test_results_do_not_depend_on_jobs(result):
    other = hasim.run(DATA, jobs=2)
    pd.testing.assert_frame_equal(other.incidents, result.incidents)
    pd.testing.assert_frame_equal(other.summary(), result.summary())


@pytest.mark.parametrize("wanted", [False, True])
def test_a_scenario_can_ask_for_every_message_in_its_journals(wanted):
    from hasim.truth import MessageRecord

    loaded = from_data({**DATA, "include_messages": wanted, "vary": {}, "replications": 1})
    journal = hasim.run(loaded, jobs=1).journal(0, 0)
    assert any(True for _ in journal.of(MessageRecord)) == wanted
