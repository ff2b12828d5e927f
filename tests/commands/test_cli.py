"""The command line, in process and as real processes: results, exit codes, messages."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import hasim
from hasim.appended import write
from hasim.cli import main
from hasim.journal import Record, read

ROOT = Path(hasim.__file__).parent.parent
SCENARIO = """\
name: tiny
horizon: 60s
replications: 3
seed: 5
masters:
  - {id: a}
  - {id: b, like: a, priority: 2}
  - {id: c, like: a, priority: 3}
traffic: {arrivals: {law: poisson, rate: 10/s}, owned: 100%, timeout: 1s}
faults:
  - {kind: crash, target: owner-of:p1, at: {law: uniform, low: 5s, high: 15s}, for: 30s}
detection: {interval: 2s}
vary:
  detection.fall: [1, 4]
"""


@pytest.fixture
def tiny(tmp_path, monkeypatch) -> Path:
    """A scenario file of two cells, which two seconds suffice for; the test runs beside it."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tiny.yaml"
    path.write_text(SCENARIO)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """The folder of a run of that scenario with two replications: to copy, never to change."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "tiny.yaml").write_text(SCENARIO)
    run = ("run", folder / "tiny.yaml", "--jobs", 1, "--replications", 2, "--journals")
    assert cli(*run, "--out", folder / "out").exit_code == 0
    return folder / "out"


def cli(*args: object) -> Result:
    """A command in this process; an exception that escapes it fails the test."""
    result = CliRunner().invoke(main, list(map(str, args)), catch_exceptions=False)
    assert "Traceback" not in result.stderr
    return result


def process(*args: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command as a process of its own, in the current folder."""
    return subprocess.run(
        [sys.executable, "-m", "hasim", *map(str, args)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


# -- run ---------------------------------------------------------------------------


def test_run_prints_a_row_per_cell_and_tells_the_folder_on_stderr(tiny):
    result = cli("run", tiny, "--jobs", 1)
    assert result.exit_code == 0
    assert "fall=1" in result.stdout
    assert "fall=4" in result.stdout
    assert "Seed 5, 3 replications of 2 cells" in result.stdout
    (folder,) = Path("hasim-runs").iterdir()
    assert folder.name.startswith("tiny-2")
    assert f"Run folder: {folder}" in result.stderr
    assert str(folder) not in result.stdout


def test_run_folder_holds_tables_summary_and_figures(tiny):
    cli("run", tiny, "--jobs", 1, "--out", "out", "--journals", "--messages")
    out = Path("out")
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["state"], manifest["replications_done"]) == ("COMPLETED", 6)
    rows = list(csv.DictReader((out / "incidents.csv").open()))
    assert [row["incident"] for row in rows] == [str(n) for n in range(1, 7)]
    assert {(row["detection.fall"], row["master"], row["kind"]) for row in rows} == {
        ("1", "a", "crash"),
        ("4", "a", "crash"),
    }
    summary = json.loads((out / "summary.json").read_text())
    assert summary["cells"][0]["varied"] == {"detection.fall": 1}
    assert summary["cells"][0]["measures"]["detected"]["value"] == 1.0
    for name in ("failovers", "mistakes", "masters", "messages", "alerts", "summary"):
        assert (out / f"{name}.csv").read_text().startswith("cell,detection.fall,"), name
    assert (out / "summary.md").read_text().startswith("| fall |")
    for figure in ("intervals", "detection", "timeline"):
        assert (out / "figures" / f"{figure}.png").read_bytes().startswith(b"\x89PNG")
    journals = sorted(path.name for path in (out / "journals").iterdir())
    assert manifest["cells"] == 2
    stems = cell_stems(out)
    assert journals == sorted(
        f"{stem}-replication-{r:04}.jsonl.gz" for stem in stems for r in range(3)
    )
    assert read(out / "journals" / journals[4]).header["replication"] == 1
    with gzip.open(out / "messages" / f"{stems[0]}-replication-0000.csv.gz", "rt") as text:
        messages = list(csv.DictReader(text))
    counted = csv.DictReader((out / "messages.csv").open())
    same = [r for r in counted if (r["cell"], r["replication"]) == ("0", "0")]
    assert len(messages) == sum(int(row["messages"]) for row in same) > 400


def test_without_the_flags_no_journal_and_no_message_is_kept(tiny):
    cli("run", tiny, "--jobs", 1, "--out", "out", "--replications", 1)
    assert not Path("out/journals").exists()
    assert not Path("out/messages").exists()


def test_json_is_the_same_for_any_jobs_hash_seed_and_folder(tiny):
    first = process(
        "run", tiny, "--jobs", 1, "--format", "json", "--out", "one", PYTHONHASHSEED="0"
    )
    second = process(
        "run", tiny, "--jobs", 2, "--format", "json", "--out", "two", PYTHONHASHSEED="42"
    )
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert first.stdout == second.stdout
    data = json.loads(first.stdout)
    assert (data["scenario"], data["seed"], len(data["cells"])) == ("tiny", 5, 2)
    tables = sorted(p.name for p in Path("one").glob("*.csv"))
    assert len(tables) == 8
    for name in tables:
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes(), name


def test_another_seed_gives_other_numbers(tiny):
    once = ("run", tiny, "--jobs", 1, "--format", "csv", "--replications", 1)
    one, two = cli(*once, "--out", "one"), cli(*once, "--out", "two", "--seed", 6)
    assert one.stdout != two.stdout


def test_csv_and_markdown_are_tables(tiny):
    text = cli("run", tiny, "--jobs", 1, "--format", "csv", "--out", "one").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["detection.fall"] for row in rows} == {"1", "4"}
    assert float(next(r for r in rows if r["measure"] == "uptime")["value"]) < 1
    text = cli("run", tiny, "--jobs", 1, "--format", "markdown", "--out", "two").stdout
    table, *notes = text.rstrip().split("\n\n")
    assert [line.count("|") for line in table.splitlines()] == [12] * 4
    assert not any("|" in note for note in notes)


def test_set_and_replications_replace_what_the_file_says(tiny):
    result = cli(
        "run", tiny, "--jobs", 1, "--out", "out", "--format", "json", "--replications", 2,
        "--set", "vary={}", "--set", "detection.fall=2", "--set", "masters.b.workers=3",
    )  # fmt: skip
    data = json.loads(result.stdout)
    assert data["replications"] == 2
    assert [cell["varied"] for cell in data["cells"]] == [{}]
    assert "workers: 3" in Path("out/scenario.yaml").read_text()


@pytest.mark.parametrize(
    ("expect", "code", "verdict"),
    [
        ("outage.mean: < 30s", 0, "pass"),
        ("outage.mean: < 1ms", 1, "fail"),
        ("detection_time.p99: < 5s", 3, "undecided"),  # that takes 299 incidents
    ],
)
def test_an_expectation_decides_the_exit_code(tiny, expect, code, verdict):
    tiny.write_text(SCENARIO + f"expect: {{{expect}}}\n")
    result = cli("run", tiny, "--jobs", 1, "--set", "vary={}", "--set", "detection.fall=2")
    assert result.exit_code == code
    assert verdict in result.stdout


def test_one_failed_cell_outweighs_an_undecided_one(tiny):
    tiny.write_text(SCENARIO + 'expect: {detection_time.p99: "< 5s", detected: "<= 1%"}\n')
    assert cli("run", tiny, "--jobs", 1).exit_code == 1


def test_check_says_that_invariants_hold(tiny):
    result = cli("run", tiny, "--jobs", 1, "--check")
    assert result.exit_code == 0
    assert "Invariants hold in all 6 replications." in result.stderr


def test_check_ends_with_1_and_names_what_is_broken(tiny, monkeypatch):
    from hasim.study.execution import replication as work

    def split_brain(*args, **options):
        from hasim.simulation.run import simulate
        from hasim.truth import Writers

        journal = simulate(*args, **options)
        journal.add(journal.horizon_ns - 10, "truth", Writers("p1", ("a", "b")))
        journal.add(journal.horizon_ns - 7, "truth", Writers("p1", ("a",)))
        return journal

    monkeypatch.setattr(work, "simulate", split_brain)
    result = cli("run", tiny, "--jobs", 1, "--check", "--out", "out")
    assert result.exit_code == 1
    assert (
        "cell 0, replication 0: one-primary at 59.999999990 s, p1: a and b accepted"
        in result.stderr
    )
    assert json.loads(Path("out/manifest.json").read_text())["violations"] >= 6


def test_check_finds_a_control_plane_that_knows_more_than_its_inputs(tiny, monkeypatch):
    from hasim.study.execution import replication as work

    def clairvoyant(*args, **options):
        from hasim.events import SendProbe
        from hasim.simulation.run import simulate

        journal = simulate(*args, **options)
        at = next(i for i, r in enumerate(journal.records) if isinstance(r.body, SendProbe))
        journal.records.insert(at, Record(journal.records[at].t_ns, "effect", SendProbe("a", 999)))
        return journal

    monkeypatch.setattr(work, "simulate", clairvoyant)
    result = cli("run", tiny, "--jobs", 1, "--check", "--replications", 1)
    assert result.exit_code == 1
    assert "no-clairvoyance" in result.stderr


def test_a_failing_replication_is_reported_with_its_seed(tiny, monkeypatch):
    from hasim.study.execution import replication as work

    def broken(*args, replication, **options):
        from hasim.simulation.run import simulate

        if replication == 2:
            raise ZeroDivisionError("boom")
        return simulate(*args, replication=replication, **options)

    monkeypatch.setattr(work, "simulate", broken)
    result = CliRunner().invoke(main, ["run", str(tiny), "--jobs", "1", "--out", "out"])
    assert result.exit_code == 4
    # Which cell gets there first depends on how long the replications before took.
    assert re.search(
        r"replication 2 of cell (0 \(detection.fall=1\)|1 \(detection.fall=4\))", result.stderr
    )
    assert "the seed 5 shows it again" in result.stderr
    assert "boom" in result.stderr
    assert "kept in out" in result.stderr
    assert result.stdout == ""


def test_dry_run_estimates_and_leaves_nothing_behind(tiny):
    result = cli("run", tiny, "--dry-run", "--jobs", 2)
    assert result.exit_code == 0
    fields = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert fields["cells"] == "2"
    assert fields["replications"] == "3 per cell, 6 in all"
    messages = float(fields["messages"].removeprefix("about ").replace(",", ""))
    assert messages == pytest.approx(10 * 60 * 6, rel=0.3)  # rate x horizon x replications
    assert "with 2 jobs" in fields["seconds"]
    assert [p.name for p in Path().iterdir()] == ["tiny.yaml"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_keeps_what_was_finished(tiny, jobs):
    running = subprocess.Popen(
        [sys.executable, "-m", "hasim", "run", str(tiny), "--replications", "5000",
         "--jobs", str(jobs), "--out", "out"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        for _ in range(600):
            stored = list(Path("out/replications").glob("*.jsonl"))
            if len(stored) == 2 and all(path.stat().st_size for path in stored):
                break
            running.poll()
            signal.sigtimedwait([], 0.1)
    finally:
        os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    kept = len(hasim.load_run("out").study.outcomes)
    assert kept >= 2
    assert f"Interrupted: {kept} of 10000 replications are kept in out" in err
    assert json.loads(Path("out/manifest.json").read_text())["state"] == "INTERRUPTED"
    partial = hasim.load_run("out")
    assert len(partial.incidents) == kept
    assert set(partial.summary()["measure"]) > {"uptime", "detected"}


# -- studies -----------------------------------------------------------------------

UNTIL = "{until: {uptime: 5%, outage.mean: 1%}, at_least: 4, at_most: 7, events: 2}"


@pytest.fixture
def without_figures(monkeypatch):
    """For tests of many runs, of which figures would take most of the time."""
    import hasim.findings.exports

    monkeypatch.setattr(hasim.findings.exports, "draw", lambda result: {})


@pytest.mark.usefixtures("without_figures")
def test_a_study_has_one_folder_and_grows_in_it(tiny):
    first = cli("study", tiny, "--jobs", 1, "--replications", 1, "--format", "json")
    assert first.exit_code == 0
    second = cli("study", tiny, "--jobs", 1, "--format", "json")
    assert [path.name for path in Path("hasim-runs").iterdir()] == ["tiny"]
    at_once = cli("run", tiny, "--jobs", 1, "--out", "out", "--format", "json")
    assert second.stdout == at_once.stdout != first.stdout
    other = cli("study", tiny, "--jobs", 1, "--set", "detection.rise=3")
    assert other.exit_code == 2
    assert "hasim-runs/tiny: holds a run of other settings (detection.rise is 3, was 2)" in (
        other.stderr
    )


@pytest.mark.usefixtures("without_figures")
def test_each_cell_tells_how_many_replications_it_took_and_why(tiny):
    run = ("run", tiny, "--jobs", 1, "--set", f"replications={UNTIL}", "--out", "out")
    data = json.loads(cli(*run, "--format", "json").stdout)
    assert data["replications"]["until"] == {"uptime": "5%", "outage.mean": "1%"}
    for cell in data["stopping"]:
        assert (cell["replications"], cell["stopped"]) == (7, "cap")
        assert "outage.mean: half-width" in cell["missing"]
        assert "uptime" not in cell["missing"]
    assert [cell["measures"]["uptime"]["n"] for cell in data["cells"]] == [7, 7]
    precise = (*run, "--set", "replications.until={uptime: 5%}")
    table = cli(*precise)
    assert "Seed 5, 4 replications of 2 cells" in " ".join(table.stdout.split())
    rows = [line.split() for line in table.stdout.splitlines() if "precision" in line]
    assert rows == [["fall=1", "4", "precision"], ["fall=4", "4", "precision"]]
    assert "| fall=1 | 4 | precision |  |" in cli(*precise, "--format", "markdown").stdout
    stopping = csv.DictReader(Path("out/stopping.csv").read_text().splitlines())
    assert [(row["detection.fall"], row["replications"]) for row in stopping] == [
        ("1", "4"),
        ("4", "4"),
    ]
    cli("run", tiny, "--jobs", 1, "--out", "out")
    assert not Path("out/stopping.csv").exists()


def test_a_slow_start_without_effect_is_told(tiny):
    """By validate and by run, on stderr; it is no mistake."""
    slow = ("--set", "balancing.slow_start={}")
    hashing = ("--set", "vary.balancing.algorithm=[least-loaded, maglev, ring-hash]")
    assert "slow_start" not in cli("validate", tiny, *hashing).stderr
    assert "slow_start" not in cli("validate", tiny, *slow).stderr
    for command in ("validate", tiny), ("run", tiny, "--dry-run"):
        said = cli(*command, *slow, *hashing).stderr
        assert "balancing.slow_start has no effect with maglev and ring-hash" in said


KEYED = """\
name: keyed
horizon: 20s
replications: 2
seed: 5
masters: [{id: a, workers: 8}, {id: b, like: a}, {id: c, like: a}]
traffic: {arrivals: {law: poisson, rate: 50/s}, owned: 0%, keys: {number: 100}}
operations: [{do: drain, master: b, at: 10s}]
vary: {balancing.algorithm: [ring-hash, random]}
expect: {churn: < 60%, churn.needless: <= 0%, balance.least_to_mean: "> 1%"}
"""


def test_keys_that_move_are_told_beside_what_had_to(tiny):
    Path("keyed.yaml").write_text(KEYED)
    run = ("run", "keyed.yaml", "--jobs", 1, "--out", "out")
    lines = [line.split() for line in cli(*run).stdout.splitlines()]
    (ring,) = [words for words in lines if words[:2] == ["ring-hash", "2"]]
    assert ["random", *"------"] in lines
    assert ring[4:6] == ["33.3", "%"]
    assert ring[2:4] == ring[6:8]  # all that moved had lost its master
    assert ring[8:] == ["0.0", "%", "0.0", "%"]
    (drain,) = [words for words in lines if "drain" in words and "ring-hash" in words]
    assert drain[-4:] == ring[2:6]
    with Path("out/churn.csv").open() as rows:
        assert [row["algorithm"] for row in csv.DictReader(rows)] == ["ring-hash"] * 2
    cells = json.loads(cli(*run, "--format", "json").stdout)["cells"]
    ring_hash, at_random = (cell["measures"] for cell in cells)
    assert ring_hash["churn.ideal"]["value"] == pytest.approx(1 / 3)
    assert ring_hash["churn.needless"]["value"] == 0
    assert at_random["churn"]["value"] is None
    assert at_random["peak_to_mean"]["value"] > 1


def test_the_table_of_operations_says_what_its_columns_mean(tiny):
    Path("keyed.yaml").write_text(KEYED)
    shown = cli("run", "keyed.yaml", "--jobs", 1, "--out", "out").stdout
    table, _, note = shown.partition("Looked at: the 20 s before an operation and the 120 s after")
    assert "settled" in table
    lines = table.splitlines()
    (drain,) = [line for line in lines if "drain" in line and "ring-hash" in line]
    below = lines[lines.index(drain) + 1].split()
    assert below[:3] == ["10.0", "s", "b"]  # when, and on what
    assert len(below[3:]) == 3  # intervals of: routed after, load moved, messages lost
    assert all(re.fullmatch(r"[\d.]+-[\d.]+", each) for each in below[3:])
    assert "Settled: from then on the shares of each second" in note
    assert "are within 5 % of the new ones" in " ".join(note.split())


def test_the_work_of_a_study_is_told_from_the_least_to_the_most(tiny):
    tiny.write_text(SCENARIO.replace("replications: 3", f"replications: {UNTIL}"))
    assert cli("validate", tiny).stdout == f"{tiny}: valid: 2 cells, 4 to 7 replications each\n"
    fields = dict(
        line.split(maxsplit=1) for line in cli("run", tiny, "--dry-run").stdout.splitlines()
    )
    assert fields["replications"] == "4 to 7 per cell, 8 to 14 in all"


def test_a_dry_run_says_how_many_replications_a_p99_takes(tiny):
    """368 incidents bound it on both sides; a fault of each of three masters, at one time, is 3."""
    tiny.write_text(SCENARIO.replace("owner-of:p1", "each"))
    fields = dict(
        line.split(maxsplit=1) for line in cli("run", tiny, "--dry-run").stdout.splitlines()
    )
    assert fields["p99"] == "368 incidents; about 3 a replication: 123 replications per cell"


@pytest.mark.parametrize(
    ("folder", "message"),
    [("none", "it does not exist"), ("full", "it has no manifest.json")],
)
def test_what_is_no_run_cannot_be_resumed(tiny, folder, message):
    Path("full").mkdir()
    result = cli("resume", folder)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{folder}: no folder of a hasim run ({message})" in result.stderr


# -- bad input ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["rnu"], "Did you mean run?"),
        (["run"], "Missing argument"),
        (["run", "tiny.yaml", "--sed", "1"], "--seed"),
        (["run", "tiny.yaml", "--jobs", "0"], "--jobs"),
        (["run", "tiny.yaml", "--format", "xml"], "xml"),
        (["run", "tiny.yaml", "--set", "fall"], "expected PATH=VALUE"),
        (["run", "tiny.yaml", "--set", "detection.fal=3"], "did you mean fall?"),
        (["run", "tiny.yaml", "--out", "full"], "full: not empty"),
        (["run", "tiny.yaml", "--out", ""], "--out: expected the name of a new folder"),
        (["run", "tiny.yaml", "--out", "tiny.yaml/x"], "tiny.yaml/x: cannot write there"),
        (["run", "full"], "full: is a folder, expected a scenario file"),
        (["explain", "tiny.yaml", "--incident", "1"], "run (it is no folder)"),
        (["explain", "none", "--incident", "1"], "run (it does not exist)"),
        (["run", "quickstrat"], "did you mean quickstart?"),
        (["validate", "tny.yaml"], "did you mean tiny.yaml?"),
        (["new", "a b"], "expected a name"),
        (["new", ""], "'': expected a name"),
        (["new", "tiny"], "exists already"),
        (["replay", "nowhere.jsonl"], "nowhere.jsonl"),
        (["replay", "tiny.yaml"], "tiny.yaml:1: not a hasim journal: not JSON"),
        (["explain", "full", "--incident", "1"], "no folder of a hasim run"),
        (["explain", "full"], "--incident"),
        (["compare", "full", "full"], "no folder of a hasim run"),
        (["compare", "full"], "no folder of a hasim run"),
        (["compare"], "Missing argument"),
        (
            ["run", "tiny.yaml", "--baseline", "detection.fal=4"],
            "Error: --baseline detection.fal=4: baseline.detection.fal: is not varied; did you",
        ),
        (
            ["study", "tiny.yaml", "--baseline", "detection.fall=3"],
            "Error: --baseline detection.fall=3: baseline.detection.fall: no cell has 3; there",
        ),
    ],
)
def test_bad_input_ends_with_2_and_one_clear_message(tiny, args, message):
    Path("full").mkdir()
    Path("full/thesis.txt").write_text("mine")
    result = cli(*args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_every_problem_of_a_file_has_its_line(tiny):
    tiny.write_text(SCENARIO.replace("interval: 2s", "intervall: 2s").replace("10/s", "-1/s"))
    result = cli("run", tiny)
    assert result.exit_code == 2
    lines = result.stderr.removeprefix("Error: ").splitlines()
    assert lines[0].startswith(f"{tiny}:9: traffic.arrivals.rate: ")
    assert lines[1].startswith(f"{tiny}:12: detection.intervall: unknown key; did you mean")


def test_a_fault_of_hasim_itself_is_not_called_bad_input(tiny, monkeypatch):
    import hasim.findings.exports

    def broken(result, folder):
        raise ValueError("a bug")

    monkeypatch.setattr(hasim.findings.exports, "export", broken)
    result = CliRunner().invoke(main, ["run", str(tiny), "--jobs", "1", "--replications", "1"])
    assert result.exit_code == 4
    assert "Traceback" in result.stderr
    assert result.stderr.endswith("ValueError: a bug\n")


def test_a_real_process_ends_with_2_without_a_traceback(tiny):
    done = process("run", "tiny.yaml", "--set", "horizon=0s")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert "horizon" in done.stderr


def test_version_and_help():
    assert cli("--version").stdout.strip() == f"hasim {hasim.__version__}"
    text = cli("--help").stdout
    for name in ("run", "list", "validate", "algorithms", "replay", "explain", "compare"):
        assert f"\n  {name} " in text


def test_a_pipe_that_closes_early_is_no_disaster(tiny):
    command = f"{sys.executable} -m hasim schema | head -1"
    done = subprocess.run(
        command, shell=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "{\n"
    assert "Traceback" not in done.stderr


# -- scenarios ---------------------------------------------------------------------


def test_list_names_every_shipped_scenario_with_what_it_shows():
    rows = json.loads(cli("list", "--format", "json").stdout)
    assert [row["scenario"] for row in rows] == sorted(
        path.stem for path in (ROOT / "scenarios").glob("*.yaml")
    )
    assert all(len(row["shows"].split()) >= 3 and Path(row["path"]).exists() for row in rows)
    table = cli("list").stdout
    assert all(f" {row['scenario']} " in table and row["shows"] in table for row in rows)


@pytest.mark.parametrize("columns", [60, 80, 160])
def test_list_fits_the_terminal_and_nothing_is_cut(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = cli("list").stdout.splitlines()
    assert max(map(len, lines)) <= columns
    assert "sends it most of the traffic" in re.sub(r"\s+", " ", "\n".join(lines))


def test_new_writes_a_scenario_that_is_valid_and_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli("new", "mine").stdout == "mine.yaml\n"
    result = cli("validate", "mine.yaml")
    assert result.exit_code == 0
    assert result.stdout.startswith("mine.yaml: valid: ")
    assert cli("run", "mine.yaml", "--jobs", 1, "--replications", 1).exit_code in (0, 3)


def test_schema_is_a_json_schema_of_scenarios(tiny):
    from jsonschema import Draft202012Validator
    from ruamel.yaml import YAML

    schema = json.loads(cli("schema").stdout)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(YAML(typ="safe", pure=True).load(SCENARIO))


def test_algorithms_come_from_the_settings():
    from hasim.services.balancing.registry import ALGORITHMS
    from hasim.services.detection.detectors.threshold import ThresholdSettings

    rows = {row["path"]: row for row in json.loads(cli("algorithms", "--format", "json").stdout)}
    assert rows["detection.interval"]["default"] == "30s"
    assert rows["detection.interval"]["kind"] == "duration"
    assert "HAProxy" in rows["detection.interval"]["source"]
    assert rows["detection.fall"]["default"] == str(ThresholdSettings().fall)
    assert rows["balancing.algorithm"]["choices"] == list(ALGORITHMS)
    assert rows["failover.fencing"]["meaning"]
    text = cli("algorithms").stdout
    words = " ".join(text.split())  # what is long is broken into lines
    assert all(
        f"{path} = {row['default']}" in words for path, row in rows.items() if row["default"]
    )
    for path in ("balancing.algorithm", "detection.detector", "faults.kind"):
        assert all(len(about) > 10 for about in rows[path]["about"])
    assert rows["faults.slow.speed"]["default"] == "10%"
    assert "transfer-failure" in rows["faults.kind"]["choices"]
    assert all(row["meaning"] for row in rows.values())


def test_algorithms_are_found_by_words():
    found = json.loads(cli("algorithms", "Slow", "start", "--format", "json").stdout)
    assert "balancing.slow_start.window" in [row["path"] for row in found]
    assert all("slow" in str(row).lower() and "start" in str(row).lower() for row in found)
    miss = cli("algorithms", "detecton")
    assert miss.exit_code == 2
    assert "nothing says 'detecton'. Did you mean detection?" in miss.stderr
    assert (
        len(list(csv.DictReader(io.StringIO(cli("measures", "rto", "--format", "csv").stdout))))
        == 4
    )


def test_algorithms_show_what_is_off_and_every_group_of_a_scenario():
    from hasim.scenario.schema import Scenario
    from hasim.settings import fields_by_user_name

    rows = {row["path"]: row for row in json.loads(cli("algorithms", "--format", "json").stdout)}
    for guard in ("slow_start", "outliers", "breaker"):
        assert rows[f"balancing.{guard}"]["default"] == "off"
        inside = [row for path, row in rows.items() if path.startswith(f"balancing.{guard}.")]
        assert len(inside) >= 3
        assert all(row["kind"] or row["default"] in ("true", "false") for row in inside)
        assert any(row["source"] for row in inside)
    window = rows["balancing.slow_start.window"]
    assert (window["default"], window["range"]) == ("30s", "above 0")
    assert rows["balancing.load_bound"]["range"] == "above 1.0"
    assert rows["detection.fall"]["range"] == "from 1"
    assert rows["traffic.retry.budget"]["range"] == "from 0 to 100%"
    assert rows["traffic.hedge.after"]["default"] == "0s"
    assert rows["traffic.arrivals"]["default"] == "{law: poisson, rate: 20/s}"
    assert rows["traffic.timeout"]["default"] == "2s"
    assert rows["masters.service"]["choices"][0] == "constant"
    assert rows["masters.service.lognormal.cv"]["default"] == "1.0"
    assert rows["network.jitter"]["default"] == "off"
    assert {"confirm-off", "roll-back"} <= set(rows["operations.do"]["choices"])
    assert rows["repair.crews"]["meaning"].startswith("Repair crews")
    tops = {path.partition(".")[0] for path in rows}
    assert tops == set(fields_by_user_name(Scenario))
    assert (
        "ties in turns"
        in dict(
            zip(
                rows["balancing.algorithm"]["choices"],
                rows["balancing.algorithm"]["about"],
                strict=True,
            )
        )["least-loaded"]
    )
    text = cli("algorithms").stdout
    assert "balancing.slow_start.window = 30s  (duration, above 0)" in text


# -- journals ----------------------------------------------------------------------


@pytest.fixture
def journal(tiny, finished) -> Path:
    """The journal of the first replication with fall=1."""
    shutil.copytree(finished, "out")
    return Path("out/journals", f"{first_cell('out')}-replication-0000.jsonl.gz")


def first_cell(folder: str) -> str:
    """How the files of the first cell of a run are named."""
    return cell_stems(Path(folder))[0]


def cell_stems(folder: Path) -> list[str]:
    """How the files of each cell are named."""
    lines = (folder / "cells.jsonl").read_text().splitlines()
    return [f"cell-{json.loads(line)['key']}" for line in lines]


def test_replay_finds_the_recorded_effects_again(journal):
    result = cli("replay", journal)
    assert result.exit_code == 0
    assert result.stdout.startswith("identical: ")


def test_replay_shows_the_first_difference_and_ends_with_1(journal):
    from hasim.events import SendProbe

    changed = read(journal)
    at = [i for i, r in enumerate(changed.records) if isinstance(r.body, SendProbe)][5]
    old = changed.records[at]
    changed.records[at] = Record(old.t_ns, old.lane, SendProbe(old.body.master, 4711))
    write(changed, Path("changed.jsonl"))
    result = cli("replay", "changed.jsonl")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == f"first difference at {old.t_ns / 1e9:.9f} s"
    assert any(line.startswith("- ") and "4711" in line for line in lines)
    assert any(line.startswith("+ ") and repr(old.body) in line for line in lines)


def test_replay_with_a_setting_tells_what_it_would_have_concluded(journal):
    result = cli("replay", journal, "--set", "detection.fall=2")
    assert result.exit_code == 0
    gone = [line for line in result.stdout.splitlines() if line.startswith("-  ")]
    new = [line for line in result.stdout.splitlines() if line.startswith("+  ")]
    assert any("a: healthy -> failed" in line for line in gone)
    assert any("a: suspect -> failed" in line for line in new)
    assert "Without an answer" in result.stderr


def test_replay_with_a_setting_that_changes_nothing_says_so(journal):
    result = cli("replay", journal, "--set", "detection.fall=1")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "the same" in result.stdout


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("detection.fal=3", "detection.fal: unknown key; did you mean fall?"),
        ("detecton.fall=3", "did you mean detection?"),
        ("detection.fall=many", "detection.fall: expected"),
        ("detection.fall.x=1", "fall is a value"),
        ("detection=3", "detection: expected a mapping"),
        ("detection.fall=[", "not valid YAML"),
        ("detection..fall=1", "'detection..fall' is no path"),
    ],
)
def test_replay_with_a_bad_setting_ends_with_2(journal, setting, message):
    result = cli("replay", journal, "--set", setting)
    assert result.exit_code == 2
    assert message in result.stderr


def test_replay_of_a_journal_without_a_cluster_says_so(tiny):
    Path("x.jsonl").write_text('{"hasim_journal": 6, "horizon_ns": 5, "observers": {"one": {}}}\n')
    result = cli("replay", "x.jsonl")
    assert result.exit_code == 2
    assert "x.jsonl:1: the header does not describe a cluster" in result.stderr


def test_replay_of_a_journal_without_an_observer_says_so(tiny):
    Path("x.jsonl").write_text('{"hasim_journal": 6, "horizon_ns": 5}\n')
    result = cli("replay", "x.jsonl")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "x.jsonl:1: the header names no observer" in result.stderr


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("unknown", "the header does not describe a cluster"),
        ("id", "not a hasim journal: cluster.masters.0.id: expected"),
    ],
)
def test_a_detector_cannot_hear_a_journal_of_masters_that_cannot_be(journal, field, said):
    head, *rest = gzip.decompress(journal.read_bytes()).decode().splitlines(keepends=True)
    header = json.loads(head)
    header["cluster"]["masters"][0][field] = 1
    Path("x.jsonl").write_text("".join([json.dumps(header) + "\n", *rest[:-1]]))
    result = cli("replay", "x.jsonl", "--detector", "phi-accrual")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Error: x.jsonl:1: {said}" in result.stderr


@pytest.mark.parametrize("field", ["settings", "late_window_ns", "recovery_ns", "one_primary"])
def test_a_detector_cannot_hear_a_journal_of_an_observer_that_is_not_described(
    journal, field
) -> None:
    head, *rest = gzip.decompress(journal.read_bytes()).decode().splitlines(keepends=True)
    header = json.loads(head)
    del header["observers"]["observer"][field]
    Path("x.jsonl").write_text("".join([json.dumps(header) + "\n", *rest[:-1]]))
    result = cli("replay", "x.jsonl", "--detector", "phi-accrual")
    assert (result.exit_code, result.stdout) == (2, "")
    said = "Error: x.jsonl:1: the header does not describe how the observer 'observer' was set"
    assert said in " ".join(result.stderr.split())


def test_a_detector_cannot_hear_a_journal_without_a_cluster(journal):
    head, *rest = gzip.decompress(journal.read_bytes()).decode().splitlines(keepends=True)
    header = json.loads(head)
    del header["cluster"]
    Path("x.jsonl").write_text("".join([json.dumps(header) + "\n", *rest[:-1]]))
    result = cli("replay", "x.jsonl", "--detector", "phi-accrual")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: x.jsonl:1: the header does not describe a cluster" in result.stderr


@pytest.mark.parametrize("setting", [(), ("--set", "detection.fall=3")])
def test_replay_follows_an_observer_by_name(journal, setting):
    named = cli("replay", journal, *setting, "--observer", "observer")
    assert named.exit_code == 0
    assert named.stdout == cli("replay", journal, *setting).stdout
    unknown = cli("replay", journal, *setting, "--observer", "obsever")
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    message = f"{journal}:1: unknown observer 'obsever'; did you mean observer?"
    assert message in " ".join(unknown.stderr.split())


def test_explain_follows_an_observer_by_name(journal):
    named = cli("explain", "out", "--incident", 1, "--observer", "observer")
    assert named.stdout == cli("explain", "out", "--incident", 1).stdout
    unknown = cli("explain", "out", "--incident", 1, "--observer", "east")
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert "out: unknown observer 'east'; known: observer" in " ".join(unknown.stderr.split())


def test_explain_tells_of_fault_declaration_and_failover(journal):
    with_journal = cli("explain", "out", "--incident", 1)
    assert with_journal.exit_code == 0
    assert "crash at a" in with_journal.stdout
    for word in ("crash strikes a", "failed", "fenc", "promot"):
        assert word in with_journal.stdout.lower(), word
    journal.unlink()  # now the replication has to be simulated again
    assert cli("explain", "out", "--incident", 1).stdout == with_journal.stdout


def test_explain_says_that_a_kept_journal_was_cut(journal):
    whole = cli("explain", "out", "--incident", 1)
    packed = journal.read_bytes()
    journal.write_bytes(packed[: len(packed) // 2])
    cut = cli("explain", "out", "--incident", 1)
    assert (cut.exit_code, cut.stdout) == (0, whole.stdout)
    said = " ".join(cut.stderr.split())
    assert journal.name in said
    assert "its archive ends after line" in said
    assert "The replication was simulated again." in said


def test_explain_does_not_tell_another_story_than_the_run_had(journal):
    journal.unlink()
    kept = Path("out/scenario.yaml")
    kept.write_text(kept.read_text().replace("interval: 2s", "interval: 3s"))
    result = cli("explain", "out", "--incident", 1)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "out/scenario.yaml: was changed after it had been written" in result.stderr


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("manifest", "manifest.json: line 1: not a text file in UTF-8"),
        ("cells", "cells.jsonl:1: not a cell"),
        ("no-cells", "cells.jsonl: cannot be read: No such file"),
        ("scenario", "scenario.yaml: was changed after it had been written"),
        ("table", "jsonl:1: was changed after it had been written, or is of another cell"),
        ("column", "jsonl:1: was changed after it had been written, or is of another cell"),
    ],
)
def test_a_damaged_run_folder_is_told_in_one_line(journal, damage, message):
    outcomes = Path("out/replications", f"{first_cell('out')}.jsonl")
    match damage:
        case "cells":
            text = Path("out/cells.jsonl").read_text()
            Path("out/cells.jsonl").write_text("{" + text)
        case "no-cells":
            Path("out/cells.jsonl").unlink()
        case "manifest":
            Path("out/manifest.json").write_bytes(b"\xff\xfe")
        case "scenario":
            Path("out/scenario.yaml").write_bytes(b"\xff\xfe")
        case "table":
            outcomes.write_text(outcomes.read_text().replace('"incidents":[', '"others":['))
        case "column":
            outcomes.write_text(outcomes.read_text().replace('"detection_s"', '"seen_s"'))
    result = cli("compare", "out", "out")
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_explain_of_an_incident_that_is_not_there(journal):
    result = cli("explain", "out", "--incident", 99)
    assert result.exit_code == 2
    assert "no incident 99; the run has 4" in result.stderr


# -- compare -----------------------------------------------------------------------


def test_comparing_a_run_with_itself_finds_nothing(finished):
    result = cli("compare", finished, finished)
    assert result.exit_code == 0
    total = result.stdout.split()[2]
    assert result.stdout == f"{total} of {total} differences are exactly 0 in every replication.\n"


def test_slower_detection_is_a_regression_and_its_undoing_none(tiny):
    cli("run", tiny, "--jobs", 1, "--replications", 8, "--out", "fast")
    slow = ("--set", "detection.fast_interval=2s", "--set", "detection.evidence=probe")
    cli("run", tiny, "--jobs", 1, "--replications", 8, "--out", "slow", *slow)
    worse = cli("compare", "fast", "slow", "--format", "json")
    assert worse.exit_code == 1
    assert "Worse: " in worse.stderr
    cells = json.loads(worse.stdout)["cells"]
    verdicts = {v["measure"]: v for v in cells[1]["verdicts"]}
    assert verdicts["detection_time.mean"]["verdict"] == "worse"
    fast, late = (hasim.load_run(name).incidents for name in ("fast", "slow"))
    by_hand = late.query("cell == 1")["detection_s"].mean() - (
        fast.query("cell == 1")["detection_s"].mean()
    )
    difference = cells[1]["measures"]["detection_time.mean"]
    assert difference["value"] == pytest.approx(by_hand)
    assert difference["low"] > 0
    better = cli("compare", "slow", "fast")
    assert better.exit_code == 0
    assert "better" in better.stdout


def test_cells_are_compared_with_a_baseline_under_the_table(tiny):
    run = ("run", tiny, "--jobs", 1, "--replications", 8, "--out", "out")
    result = cli(*run, "--baseline", "detection.fall=1")
    assert result.exit_code == 0
    table, _, below = result.stdout.partition("minus detection.fall = 1")
    assert "fall=1" in table
    assert "fall=4" in below
    assert "fall=1 " not in below
    assert "worse" in below
    found = json.loads(Path("out/summary.json").read_text())
    assert found["baseline"] == {"detection.fall": 1}
    first = found["differences"][0]
    assert (first["cell"], first["baseline"], first["measure"]) == (1, 0, "detection_time.p50")
    assert "**minus detection.fall = 1**" in Path("out/summary.md").read_text()
    frame = hasim.load_run("out").differences()
    with Path("out/differences.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(frame) == len(found["differences"])
    outage = frame.set_index("measure").loc["outage.mean"]
    times = hasim.load_run("out").incidents.groupby("cell")["outage_s"].mean()
    assert outage["value"] == pytest.approx(times[1] - times[0])
    assert (outage["method"], outage["n"]) == ("paired jackknife t", 8)
    assert "minus detection.fall = 1" in hasim.load_run("out")._repr_html_()
    again = cli("compare", "out", "--format", "markdown")
    assert again.exit_code == 0  # a cell that is worse than another is no regression
    assert again.stdout.startswith("**minus detection.fall = 1**")
    other = cli("compare", "out", "--baseline", "detection.fall=4")
    assert "minus detection.fall = 4" in other.stdout
    assert "better" in other.stdout
    # Another baseline is no other study: nothing is simulated again.
    back = cli("study", tiny, "--replications", 8, "--out", "out")
    assert "minus" not in back.stdout
    assert not Path("out/differences.csv").exists()


def test_a_baseline_that_is_not_there(tiny, finished):
    for baseline, message in (
        ("detection.fal=1", "is not varied; did you mean detection.fall?"),
        ("detection.fall=3", "no cell has 3; there are 1, 4"),
        ("detection.fall=[", "is not valid YAML"),
        ("detection.fall", "no cell is called 'detection.fall'. There are: fall=1, fall=4."),
    ):
        result = cli("run", tiny, "--baseline", baseline)
        assert result.exit_code == 2
        assert message in result.stderr
    result = cli("compare", finished, "--baseline", "detection.fall=3")
    assert result.exit_code == 2
    assert "no cell has 3; there are 1, 4" in result.stderr
    assert "give a second RUN, or --baseline" in cli("compare", finished).stderr
    both = cli("compare", finished, finished, "--baseline", "detection.fall=1")
    assert "--baseline is for the cells of one RUN, got two" in both.stderr


def test_one_replication_is_too_few_for_a_baseline(tiny):
    result = cli("run", tiny, "--replications", 1, "--baseline", "detection.fall=1")
    assert result.exit_code == 0
    assert "There is too little to compare with the baseline" in result.stdout


def test_the_warm_up_that_is_left_out_is_told(tiny):
    result = cli("run", tiny, "--replications", 2, "--set", "warm_up=6s", "--out", "out")
    told = "leaves out a warm-up (set): the first 6 s, "
    for text in (result.stdout.replace("\n", " "), Path("out/summary.md").read_text()):
        assert told in text
    assert told in hasim.load_run("out")._repr_html_()
    frame = hasim.load_run("out").warm_up
    assert list(frame["end_s"]) == [6.0, 6.0]
    assert Path("out/warm_up.csv").exists()


def test_runs_of_two_scenarios_are_compared_with_a_warning(tiny, finished):
    other = ("--set", "name=other", "--set", "detection.evidence=probe")
    cli("run", tiny, "--jobs", 1, "--replications", 2, "--out", "two", *other)
    result = cli("compare", finished, "two")
    assert "The runs are of two scenarios, tiny and other." in result.stderr
    assert "Differences of shares (%) are in percentage points." in result.stdout


def test_what_differs_between_compared_runs_is_told(tiny, finished):
    settings = ("horizon=50s", "masters.c.workers=2", "detection.rise=3")
    other = [word for setting in settings for word in ("--set", setting)]
    cli("run", tiny, "--jobs", 1, "--replications", 2, "--out", "two", *other)
    same = cli("compare", finished, finished)
    assert same.stderr == ""
    result = cli("compare", finished, "two")
    services, world = result.stderr.splitlines()[:2]
    assert services == "Settings that differ: detection.rise is 3, was 2."
    assert world == (
        "Warning: the runs are not of the same world: masters.2.workers is 2, was 8; "
        "horizon is 50s, was 1m. The differences are due to that, too."
    )


def test_runs_with_other_seeds_are_no_pairs(tiny, finished):
    cli("run", tiny, "--jobs", 1, "--replications", 2, "--out", "two", "--seed", 6)
    result = cli("compare", finished, "two")
    assert result.exit_code == 2
    assert "seeds 5 and 6 differ" in result.stderr


def test_runs_without_a_common_cell_cannot_be_compared(tiny, finished):
    cli(
        "run", tiny, "--jobs", 1, "--replications", 2, "--out", "two",
        "--set", "vary={detection.rise: [1, 2]}",
    )  # fmt: skip
    result = cli("compare", finished, "two")
    assert result.exit_code == 2
    assert "no cell in common" in result.stderr
