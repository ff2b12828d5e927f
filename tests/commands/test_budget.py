"""``hasim budget`` and `hasim.budget`: results, exit codes, messages."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import hasim
from hasim.cli import main
from hasim.scenario.problems import ScenarioError
from hasim.study.rare import runs

SCENARIO = """\
name: tiny
horizon: 60s
replications: 3
seed: 5
masters:
  - {id: a}
  - {id: b, like: a, priority: 2}
traffic: {arrivals: {law: poisson, rate: 2/s}, owned: 100%, timeout: 1s}
faults:
  - {kind: crash, target: each, at: 10s, for: 1m}
  - {kind: hang, target: a, every: 100d, for: 1m}
detection: {interval: 10s}
"""
PAGE = str(Path("hasim-runs", "tiny-budget", "report.html"))
QUICK = ("--quiet", "1h", "--pairs", "2", "--jobs", "1")
OUTAGES = """\
host,began,over,sort
x,0,10,bad
x,1010,1020,bad
x,1500,1510,good
y,100,110,bad
y,3110,3120,bad
"""


@pytest.fixture
def tiny(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tiny.yaml"
    path.write_text(SCENARIO)
    Path("outages.csv").write_text(OUTAGES)
    return path


def cli(*args: object) -> Result:
    result = CliRunner().invoke(main, list(map(str, args)), catch_exceptions=False)
    assert "Traceback" not in result.stderr
    return result


def test_a_budget_as_json(tiny):
    result = cli("budget", tiny, "--rate", "crash=12/y", *QUICK, "--format", "json")
    assert (result.exit_code, result.stderr) == (0, f"Page: {PAGE}\n")
    assert Path(PAGE).read_text(encoding="utf-8").startswith("<!doctype html>")
    (cell,) = json.loads(result.stdout)["cells"]
    crash, hang = cell["faults"]
    assert (crash["per_year"]["value"], crash["processes"]) == (pytest.approx(12), 2)
    assert (hang["per_year"]["value"], hang["origin"]) == (pytest.approx(3.6525), "every")
    parts = {(p["fault"], p["cause"]): p["minutes_per_year"] for p in cell["parts"]}
    down = crash["down_s"]["value"]
    assert parts["crash", "all"] == pytest.approx(24 * down / 60, rel=1e-4)
    assert parts["all faults", "all"] == pytest.approx(
        parts["crash", "all"] + parts["hang", "all"] + parts["overlap", "all"]
    )
    assert cell["uptime"]["value"] == pytest.approx(1 - parts["total", "all"] / 525_960)


def test_every_format_tells_the_same(tiny):
    args = ("budget", tiny, "--rate", "crash=12/y", *QUICK)
    shown = {style: cli(*args, "--format", style) for style in ("table", "csv", "markdown")}
    total = next(
        row
        for row in csv.DictReader(io.StringIO(shown["csv"].stdout))
        if (row["fault"], row["cause"]) == ("total", "all")
    )
    minutes = f"{float(total['minutes_per_year']):.3f} ["
    assert minutes in shown["table"].stdout
    assert minutes in shown["markdown"].stdout
    assert cli(*args).stdout == shown["table"].stdout


def test_from_python(tiny):
    found = hasim.budget(
        SCENARIO_DATA, rates={"crash": "12/y"}, quiet="1h", pairs=2, crude="20h", jobs=1
    )
    frame = found.table()
    assert set(frame["fault"]) >= {"crash", "hang", "overlap", "no fault", "total"}
    assert found.cells[0].plain is not None
    assert found.cells[0].plain_s == 72000
    assert json.loads(found.render("json"))["cells"][0]["crude"]["simulated_s"] == 72000
    with pytest.raises(ValueError, match=r"must be one of uptime, uptime\.mean, uptime\.k_of_n"):
        hasim.budget(SCENARIO_DATA, measure="mtbf")  # type: ignore[arg-type]


SCENARIO_DATA = {
    "name": "tiny",
    "horizon": "60s",
    "replications": 2,
    "masters": [{"id": "a"}, {"id": "b", "priority": 2}],
    "traffic": {"arrivals": {"law": "poisson", "rate": "1/s"}, "owned": "100%"},
    "faults": [
        {"kind": "crash", "target": "each", "at": "10s", "for": "1m"},
        {"kind": "hang", "target": "a", "every": "100d", "for": "1m"},
    ],
    "detection": {"interval": "10s"},
}


def test_a_rate_is_fitted_to_recorded_outages(tiny):
    """Healthy for 1000, 480 and 3000 s between outages: three in 4480 s."""
    columns = ("--column", "start=began", "--column", "end=over", "--column", "resource=host")
    trace = ("--trace", "crash=outages.csv", *columns, "--unit", "s")
    args = ("budget", tiny, *QUICK, "--format", "json", *trace)
    (crash, _) = json.loads(cli(*args).stdout)["cells"][0]["faults"]
    assert crash["per_year"]["value"] == pytest.approx(31_557_600 * 3 / 4480)
    assert crash["origin"] == "3 times between outages in outages.csv"
    # Of bad ones alone: 1000 and 3000 s.
    (crash, _) = json.loads(cli(*args, "--where", "sort=bad").stdout)["cells"][0]["faults"]
    assert crash["per_year"]["value"] == pytest.approx(31_557_600 * 2 / 4000)
    # Five outages of 10 s in three times 3120 s.
    (crash, _) = json.loads(cli(*args, "--resources", "3").stdout)["cells"][0]["faults"]
    assert crash["per_year"]["value"] == pytest.approx(31_557_600 * 5 / (3 * 3120 - 50))


@pytest.mark.parametrize(
    ("mtbf", "limit", "code", "verdict"),
    [
        ("300d", ">= 99%", 0, "pass"),
        ("10h", ">= 99.9999%", 1, "fail"),
        ("30d", ">= 99.9997%", 3, "undecided"),
    ],
)
def test_an_expectation_decides_the_exit_code(tiny, mtbf, limit, code, verdict):
    tiny.write_text(
        SCENARIO + f"projection: {{mtbf: {mtbf}}}\n"
        f'expect: {{uptime.renewal_reward: "{limit}", uptime: ">= 50%"}}\n'
    )
    result = cli("budget", tiny, *QUICK, "--replications", 8)
    assert result.exit_code == code
    assert f"Expected {limit}: {verdict}" in result.stdout
    assert cli("budget", tiny, *QUICK, "--measure", "uptime.mean").exit_code == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--rate", "crash"], "expected KIND=RATE such as crash=12/y, got 'crash'"),
        (["--rate", "crash=12"], "rate crash: expected a rate such as 12/y or 1/d, got '12'"),
        (["--rate", "crash=1/y", "--rate", "crash=2/y"], "--rate: 'crash' is given twice"),
        (["--rate", "crahs=1/y"], "did you mean crash?"),
        ([], "tiny.yaml:10: faults.0: how often does it strike?"),
        (["--quiet", "5"], "expected a duration such as"),
        (["--replications", "1"], "--replications"),
        (["--measure", "mtbf"], "mtbf"),
        (["--column", "start=x"], "--column: needs a --trace"),
        (["--resources", "5"], "--resources: needs a --trace"),
        (["--trace", "outages.csv"], "expected KIND=FILE, where KIND is a fault of the scenario"),
        (["--trace", "crahs=outages.csv"], "did you mean crash?"),
        (["--trace", "crash=outage.csv"], "did you mean outages.csv?"),
        (["--trace", "crash=outages.csv", "--column", "begin=x"], "a trace has no 'begin'"),
        (
            ["--trace", "crash=outages.csv", "--column", "start=begin"],
            "--column start=begin: outages.csv has no column 'begin'; did you mean began?",
        ),
        (
            ["--trace", "crash=outages.csv", "--column", "start=began", "--column", "end=over",
             "--column", "resource=host", "--unit", "s", "--resources", "1"],
            "--resources: outages.csv names 2 resources, more than the 1 watched",
        ),
        (
            ["--trace", "crash=outages.csv", "--column", "start=began", "--column", "end=over",
             "--column", "resource=host"],
            "began of outages.csv holds numbers: say unit: s, ms, us, ns",
        ),
        (
            ["--trace", "crash=outages.csv", "--column", "start=began", "--column", "end=over",
             "--column", "resource=host", "--unit", "s", "--where", "sort=badd"],
            "--where sort: no row has the value 'badd'; did you mean bad?",
        ),
        (["--rate", "crash=0.001/y", "--set", "faults.0.for=9000d"], "messages"),
        (
            ["--rate", "crash=1e5/s", "--set", "faults.0.for=1us", "--crude", "9d"],
            "faults.0.every: strikes",
        ),
        (["--rate", "crash=1/y", "--quiet", "0s"],
         "quiet: must be at least 10s (the rhythm of detection), to see a probe"),
        (["--rate", "crash=1/y", "--crude", "1ns"],
         "crude: must be at least 3m20s: 20 times the rhythm of detection, 10s"),
        (["--rate", "crash=1e9/y"],
         "rate crash: strikes every 0.0316 s, lasts 60 s: expected less than 5.26e+05/y"),
    ],
)  # fmt: skip
def test_bad_input_ends_with_2_and_one_clear_message(tiny, args, message):
    result = cli("budget", tiny, *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_arrivals_that_are_too_short_are_told(tiny):
    Path("arrivals.csv").write_text("t\n" + "\n".join(map(str, range(200))))
    data = {
        **SCENARIO_DATA,
        "traffic": {"arrivals": {"trace": "arrivals.csv", "column": "t", "unit": "s"}},
        "faults": [{"kind": "crash", "every": "1d", "for": "1m"}],
    }
    with pytest.raises(ScenarioError, match=r"traffic\.arrivals: the trace lasts 3m19s"):
        hasim.budget(data, jobs=1)


def test_a_scenario_without_faults_has_no_budget(tiny):
    with pytest.raises(ScenarioError, match="faults: there are none"):
        hasim.budget({**SCENARIO_DATA, "faults": []}, jobs=1)


def test_a_tier_without_state_is_budgeted_as_a_tier(tmp_path: Path) -> None:
    """Case 40: nobody wants to hear of partitions that no message touches; one down is free."""
    path = tmp_path / "api.yaml"
    path.write_text(SCENARIO.replace("owned: 100%", "owned: 0%"))
    result = CliRunner().invoke(main, ["budget", str(path), "--rate", "crash=12/y", *QUICK])
    assert result.exit_code == 0
    assert "Uptime (the tier serves)" in " ".join(result.output.split())
    found = hasim.budget(path, rates={"crash": "12/y"}, pairs=2, quiet="1h", jobs=1, progress=None)
    (cell,) = found.cells
    assert cell.budget.parts["crash", "all"].value == 0.0


def test_a_dry_run_says_what_would_be_simulated(tiny):
    wanted = ("--replications", 3, "--pairs", 2, "--quiet", "2h", "--dry-run")
    result = cli("budget", tiny, "--rate", "crash=12/y", *wanted, "--format", "csv")
    assert (result.exit_code, result.stderr) == (0, "")
    counted = {row.split(",")[1]: row.split(",")[2] for row in result.stdout.splitlines()[1:]}
    # Behind a pair stand three runs, and a quiet run is an hour long.
    assert counted == {"crash": "3", "hang": "3", "overlap": "6", "no fault": "2"}
    assert "14 runs" in cli("budget", tiny, "--rate", "crash=12/y", *wanted).stdout


def test_a_setting_is_varied_from_the_command_line(tiny):
    wanted = ("--rate", "crash=12/y", "--replications", 3, "--pairs", 2, "--dry-run")
    result = cli("budget", tiny, *wanted, "--vary", "detection.fall=2|3", "--format", "csv")
    assert {row.split(",")[0] for row in result.stdout.splitlines()[1:]} == {"fall=2", "fall=3"}
    twice = cli("budget", tiny, *wanted, *(2 * ("--vary", "detection.fall=2|3")))
    assert (twice.exit_code, "detection.fall is given twice" in twice.stderr) == (2, True)


def test_a_cluster_gives_the_same_bits(tiny):
    arguments = ("budget", tiny, "--rate", "crash=12/y", *QUICK, "--format", "json")
    alone = cli(*arguments, "--jobs", 1)
    assert cli(*arguments, "--jobs", 1, "--dask", "local").stdout == alone.stdout


def test_what_was_done_is_kept_and_gives_the_same_budget(tiny, monkeypatch):
    """As after a kill: half of the lines are there, the last one cut short."""
    args = ("budget", tiny, "--rate", "crash=12/y", *QUICK, "--format", "json", "--out", "kept")
    whole = cli(*args)
    (path,) = Path("kept").glob("*/trials.jsonl")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: len(lines) // 2]) + lines[-1][:20])
    done = []
    usual = runs.Trials.__call__

    def counted(self, cell, number):
        done.append((cell, number))
        return usual(self, cell, number)

    monkeypatch.setattr(runs.Trials, "__call__", counted)
    assert cli(*args).stdout == whole.stdout
    assert len(done) == len(lines) - len(lines) // 2
    assert sorted(path.read_text().splitlines()) == sorted("".join(lines).splitlines())
    done.clear()
    assert cli(*args, "--jobs", 1).stdout == whole.stdout
    assert not done
    assert cli(*args, "--fresh").stdout == whole.stdout
    assert len(done) == len(lines)
    other = cli(*args, "--seed", 6)
    assert other.stdout != whole.stdout
    assert len(list(Path("kept").glob("*/trials.jsonl"))) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda row: row.replace('"span_s":', '"span_s":1'),
            "was changed after it had been written",
        ),
        (lambda row: row.replace('"span_s":', '"span_s":NaN,"x":'), "expected a finite number"),
        (lambda row: row.replace('"cell":0', '"cell":"0"'), "cell: expected a valid integer"),
        (lambda row: row.replace('"run":', '"runs":'), "runs: unknown field"),
        (lambda row: "[" * 100_000, "is nested too deeply"),
        (lambda row: "7", "expected"),
    ],
)
def test_a_kept_run_that_lies_is_refused_with_its_line(tiny, change, said) -> None:
    args = ("budget", tiny, "--rate", "crash=12/y", *QUICK, "--format", "json", "--out", "kept")
    assert cli(*args).exit_code == 0
    (path,) = Path("kept").glob("*/trials.jsonl")
    first, second, *rest = path.read_text().splitlines()
    path.write_text("\n".join([first, change(second), *rest, ""]))
    result = cli(*args)
    assert result.exit_code == 2
    assert f"{path}:2: is no run: " in result.stderr
    assert said in result.stderr
    assert "--fresh begins anew" in result.stderr


def test_an_interrupted_budget_says_where_it_goes_on(tiny, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(runs.Trials, "__call__", interrupted)
    done = cli("budget", tiny, "--rate", "crash=12/y", *QUICK)
    assert done.exit_code == 130
    assert "the same command goes on from there" in done.stderr
    assert "hasim-runs/tiny-budget" in done.stderr
