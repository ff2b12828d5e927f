"""``hasim bench`` from the command line: exit codes, formats, and what stands where."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from hasim.cli import main
from hasim.study.gate import observe

SUITE = """\
replications: {at_least: 5, at_most: 10}
margins:
  detection_time.mean: {relative: 2%}
  success: {absolute: 1%}
scenarios:
  crash:
    scenario:
      horizon: 40s
      masters:
        - {id: a}
        - {id: b, like: a, priority: 2}
      traffic: {arrivals: {law: poisson, rate: 5/s}, owned: 100%, timeout: 1s}
      faults:
        - {kind: crash, target: a, at: {law: uniform, low: 5s, high: 15s}, for: 20s}
      detection: {evidence: [probe], interval: 1s, fast_interval: 1s, fall: 3}
    measures: [detection_time.mean, success]
"""


@pytest.fixture
def suite(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE)
    return path


def bench(*args: object) -> Result:
    """The command in this process, on one core; an exception that escapes it fails the test."""
    words = ["bench", *map(str, args), "--jobs", "1"]
    return CliRunner().invoke(main, words, catch_exceptions=False)


def test_update_then_pass_then_regression(suite):
    first = bench(suite, "--update")
    assert first.exit_code == 0
    assert first.stdout == ""  # there is no old one from which it could differ
    assert "Baseline: hasim-baseline.json (1 scenario, " in first.stderr
    same = bench(suite)
    assert same.exit_code == 0
    assert same.stdout == "2 of 2 measures are identical.\npass: 2 passed\n"
    worse = bench(suite, "--set", "detection.fall=4")
    assert worse.exit_code == 1
    assert "detection_time.mean" in worse.stdout
    assert "crash: detection.fall was 3, is 4." in worse.stdout
    assert worse.stdout.splitlines()[-1].startswith("regression: ")


def test_update_prints_the_difference_and_accepts_it(suite):
    bench(suite, "--update")
    suite.write_text(SUITE.replace("fall: 3", "fall: 4"))
    update = bench(suite, "--update")
    assert update.exit_code == 0
    assert "detection_time.mean" in update.stdout
    assert "behaviour changed in 10 of 10 replications" in update.stdout
    assert bench(suite).exit_code == 0
    suite.write_text(SUITE)
    assert bench(suite).exit_code in (0, 1)  # faster than the baseline now
    assert "better" in bench(suite).stdout


def test_the_baseline_is_the_same_bytes_but_for_the_speeds(suite):
    def behaviour() -> dict[str, object]:
        bench(suite, "--update")
        plain = json.loads(Path("hasim-baseline.json").read_text())
        del plain["digest"]  # of all of it, the speeds included
        for cell in plain["cells"].values():
            del cell["speeds"]
        return plain

    assert behaviour() == behaviour()


def test_no_baseline_is_exit_code_three_and_tells_how_to_make_one(suite):
    result = bench(suite, "--baseline", "none.json")
    assert result.exit_code == 3
    assert "hasim bench --update --baseline none.json" in result.stderr


def test_another_world_is_exit_code_three(suite):
    bench(suite, "--update")
    result = bench(suite, "--set", "seed=9")
    assert result.exit_code == 3
    assert "crash: not compared: the scenario has changed" in result.stdout


def test_exact_counts_a_change_of_behaviour(suite):
    bench(suite, "--update")
    faster = ("--set", "detection.fall=2")
    assert bench(suite, *faster).exit_code == 0
    strict = bench(suite, *faster, "--exact")
    assert strict.exit_code == 1
    assert strict.stdout.splitlines()[-1].startswith("regression: behaviour changed")


@pytest.mark.parametrize(
    ("write", "args", "message"),
    [
        ({"suite.yaml": "scenarios: 3\n"}, (), "suite.yaml:1: scenarios: "),
        ({}, ("--set", "detection.fal=4"), "did you mean fall?"),
        (
            {"suite.yaml": f"{SUITE}    set:\n      detection.fal: 4\n"},
            (),
            "suite.yaml:18: detection.fal: unknown key; did you mean fall?",
        ),
        (
            {"suite.yaml": f"{SUITE}    set: {{detection.fall.x: 4}}\n"},
            (),
            "suite.yaml:17: detection.fall is 3 and has no settings of its own",
        ),
        ({"hasim-baseline.json": "no"}, (), "hasim-baseline.json: line 1: not JSON"),
        ({}, ("--save", "pdf=x"), "expected FORMAT=FILE with one of markdown, page, junit"),
        ({}, ("--save", "json=no/such.json"), "no/such.json: cannot write there: there is no fold"),
        ({}, ("--save", "json=."), ".: cannot write there: it is a folder"),
        ({}, ("--update", "--set", "detection.fall=4"), "--update with --set would make other"),
    ],
)
def test_bad_input_is_exit_code_two_and_one_message(suite, write, args, message):
    for name, text in write.items():
        Path(name).write_text(text)
    result = bench(suite, *args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_nothing_is_simulated_if_a_report_cannot_be_written(suite, monkeypatch):
    bench(suite, "--update")
    before = Path("hasim-baseline.json").read_bytes()
    monkeypatch.setattr(observe, "simulate_cell", None)  # to call it would be a crash
    assert bench(suite, "--save", "json=no/such.json").exit_code == 2
    assert bench(suite, "--update", "--set", "detection.fall=4").exit_code == 2
    assert Path("hasim-baseline.json").read_bytes() == before


@pytest.fixture
def two(suite, monkeypatch) -> Path:
    """A suite of two scenarios with its baseline, of which one crashes from now on."""
    entry = SUITE.partition("scenarios:\n")[2]
    suite.write_text(SUITE + entry.replace("crash:", "other:", 1))
    bench(suite, "--update")
    simulate = observe.simulate_cell

    def breaks(loaded, cell, replication):
        if loaded.scenario.name == "other" and replication == 3:
            raise RuntimeError("no such luck")
        return simulate(loaded, cell, replication)

    monkeypatch.setattr(observe, "simulate_cell", breaks)
    return suite


def test_a_crash_is_exit_code_four_and_the_others_are_reported(two):
    before = Path("hasim-baseline.json").read_bytes()
    saved = ("--save", "junit=out.xml", "--save", "json=out.json", "--save", "markdown=out.md")
    result = bench(two, *saved)
    assert result.exit_code == 4
    assert result.stdout.splitlines()[-1] == "error: 1 scenario crashed, 2 passed"
    assert "other: crashed: replication 3 of other failed: RuntimeError: no such luck" in (
        Path("out.md").read_text()
    )
    assert "Traceback" in result.stderr
    [tests] = ET.parse("out.xml").getroot()
    assert (tests.get("errors"), tests.get("failures")) == ("1", "0")
    [error] = tests.iter("error")
    assert error.get("message") == "replication 3 of other failed: RuntimeError: no such luck"
    assert "in breaks" in (error.text or "")
    plain = json.loads(Path("out.json").read_text())
    assert (plain["verdict"], list(plain["errors"])) == ("error", ["other"])
    assert {one["cell"] for one in plain["comparisons"]} == {"crash"}
    update = bench(two, "--update")
    assert update.exit_code == 4
    assert "no such luck" in update.stderr
    assert Path("hasim-baseline.json").read_bytes() == before


def test_a_crash_outweighs_a_regression(two):
    assert bench(two, "--set", "detection.fall=4").exit_code == 4


def test_if_all_crash_there_is_still_a_report(two, monkeypatch):
    monkeypatch.setattr(observe, "simulate_cell", lambda *_: 1 / 0)
    result = bench(two, "--save", "junit=out.xml")
    assert result.exit_code == 4
    assert result.stdout.splitlines()[-1] == "error: 2 scenarios crashed, 0 passed"
    assert ET.parse("out.xml").getroot()[0].get("errors") == "2"


def test_a_suite_that_is_not_there(suite):
    result = bench("suit.yaml")
    assert result.exit_code == 2
    assert "suit.yaml: no such file; did you mean suite.yaml?" in result.stderr


def test_formats_on_stdout_and_in_files(suite):
    bench(suite, "--update")
    result = bench(
        suite, "--set", "detection.fall=4", "--format", "json",
        "--save", "junit=out.xml", "--save", "markdown=out.md",
        "--save", "benchmark-action=out.json",
    )  # fmt: skip
    assert result.exit_code == 1
    plain = json.loads(result.stdout)
    assert plain["verdict"] == "regression"
    assert plain["comparisons"][0]["measure"] == "detection_time.mean"
    # One more probe: the interval, and 1 ms for the answer after which it is counted.
    assert plain["comparisons"][0]["difference"] == pytest.approx(1.001)
    assert ET.parse("out.xml").getroot()[0].get("failures") != "0"
    assert Path("out.md").read_text().startswith("## hasim bench: suite\n")
    (row, *_) = json.loads(Path("out.json").read_text())
    assert row["name"] == "crash: detection_time.mean"
    assert row["value"] == pytest.approx(plain["comparisons"][0]["current"])
