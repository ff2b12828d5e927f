"""What all commands share: loudness, examples, completion, standard input, safe messages."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

import hasim
from hasim.api import prepare
from hasim.cli import main
from hasim.commands.shell import BadInput
from hasim.scenario.catalogue import folder

TINY = """\
horizon: 20s
replications: 2
masters: [{id: a}, {id: b}]
traffic: {arrivals: {law: poisson, rate: 5/s}}
faults: [{kind: crash, target: a, at: 5s, for: 5s}]
vary: {detection.fall: [1, 2]}
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def cli(*args: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, list(map(str, args)), input=stdin, catch_exceptions=False)


def process(*args: str, stdin: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hasim", *args],
        env=_environment(),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _environment() -> dict[str, str]:
    root = Path(hasim.__file__).parent.parent
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "PYTHONPATH": str(root), "TERM": "xterm", "COLUMNS": "80", "PATH": path}


# -- loudness ----------------------------------------------------------------------------


def test_the_quiet_get_results_alone_and_the_verbose_the_plan(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    run = ("run", "tiny.yaml", "--jobs", 1)
    usual, quiet, verbose = (cli(*run, *flag) for flag in ((), ("-q",), ("--verbose",)))
    assert usual.stdout == quiet.stdout == verbose.stdout != ""
    assert quiet.stderr == ""
    assert usual.stderr.startswith("Run folder: ")
    told = verbose.stderr.splitlines()
    assert told[0] == "tiny.yaml: valid: 2 cells, 2 replications each"
    assert re.match(r"Seed \d+, 1 core, run folder hasim-runs/tiny-", told[1])
    assert told[2:6] == [f"tiny: {n} of 4" for n in range(1, 5)]
    assert told[6].startswith("Took ")
    assert cli("--quiet", *run).stderr == ""


def test_warnings_and_errors_are_told_to_the_quiet(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    for seed in (1, 2):
        cli("run", "tiny.yaml", "--jobs", 1, "--seed", seed, "--out", seed)
    assert "seeds 1 and 2 differ" in cli("compare", "1", "2", "-q").stderr
    (tmp_path / "other.yaml").write_text(TINY.replace("5/s", "6/s"))
    cli("run", "other.yaml", "--jobs", 1, "--seed", 1, "--out", "other")
    said = cli("compare", "1", "other", "-q").stderr
    assert said.startswith("Warning: the runs are not of the same world")
    assert "The runs are of two scenarios" in cli("compare", "1", "other").stderr


def test_quiet_and_verbose_are_opposites():
    done = cli("--quiet", "list", "--verbose")
    assert done.exit_code == 2
    assert "--quiet and --verbose are opposites" in done.stderr


def test_the_verbose_see_where_bad_input_was_found():
    assert "Traceback" not in cli("validate", "nothing-here").stderr
    told = cli("validate", "nothing-here", "-v").stderr
    assert "Traceback" in told
    assert told.rstrip().splitlines()[-1].startswith("Error: nothing-here: no scenario")


def test_messages_obey_nobody():
    assert BadInput("\x1b[2Jx\ny").format_message() == "\\x1b[2Jx\ny"
    told = cli("validate", "-", stdin='name: "\\e[31mred\\e[0m"\n').stderr
    assert "\x1b" not in told
    told = cli("validate", "hang", "--set", "\u202e").stderr
    assert told.endswith("got '\\u202e'\n")


def test_a_word_that_is_longer_than_any_name_of_a_file():
    told = cli("validate", "[" * 5000).stderr
    assert told.startswith("Error: [[")
    assert "Traceback" not in told


@pytest.mark.parametrize("name", ["a\\0b.csv", "\\ud800.csv"])
def test_a_name_that_no_file_can_have(name):
    master = f'{{"id": "a", "service": {{"trace": "{name}", "column": "c", "unit": "s"}}}}'
    told = cli("validate", "-", stdin=f'{{"horizon": "5s", "masters": [{master}]}}').stderr
    assert "no file can have this name" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("address", "exposed"),
    [
        ("tcp://10.0.0.1:8786", True),
        ("10.0.0.1:8786", True),
        ("scheduler.example:8786", True),
        ("tcp://[2001:db8::1]:8786", True),
        ("tls://10.0.0.1:8786", False),
        ("tcp://127.0.0.1:8786", False),
        ("tcp://[::1]:8786", False),
        ("localhost:8786", False),
        ("local", False),
        ("tcp://[x", False),
    ],
)
def test_an_exposed_scheduler_is_warned_of(address, exposed):
    told = cli("run", "hang", "--set", "detection.fall=x", "--dask", address).stderr
    assert ("has no TLS: whoever reaches the scheduler can run code" in told) == exposed


def test_no_color_reaches_a_terminal(tmp_path):
    """In a real terminal of 80 columns, with and without NO_COLOR."""
    script = shutil.which("script")
    if script is None:
        pytest.skip("there is no program that makes a terminal")
    (tmp_path / "tiny.yaml").write_text(TINY + "expect: {detected: '>= 99.9%'}\n")
    seen = {}
    for name, value in (("colours", ""), ("none", "1")):
        done = subprocess.run(
            [script, "-qec", "python -m hasim run tiny.yaml --jobs 1 --quiet", "/dev/null"],
            env={**_environment(), "NO_COLOR": value},
            capture_output=True,
            timeout=120,
            check=False,
        )
        seen[name] = done.stdout.decode()
    assert re.search("\x1b\\[[0-9;]*m", seen["colours"])
    assert not re.search("\x1b\\[[0-9;]*3[0-9]m", seen["none"])


# -- examples ------------------------------------------------------------------------------


def _examples() -> list[tuple[str, str]]:
    """(command, line) of all examples that stand in a help."""
    found = []
    for name, command in {"": main, **main.commands}.items():
        shown = cli(*filter(None, [name]), "--help").stdout.partition("Examples:\n")[2]
        whole = shown.replace("\\\n", "")  # a long one goes on below
        lines = [line.strip() for line in whole.splitlines() if line.strip()]
        assert lines, f"hasim {name} --help has no example"
        assert isinstance(command, click.Command)
        found += [(name, line) for line in lines]
    return found


def test_every_help_fits_80_columns_and_its_examples_are_its_own():
    for name, line in _examples():
        assert re.search(rf"\bhasim {re.escape(name)}", line), line
        text = cli(*filter(None, [name]), "--help").stdout
        assert name or "..." not in text.partition("Commands:")[2]  # what each does is not cut
        assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(("name", "line"), _examples())
def test_every_example_is_understood(name, line, tmp_path):
    for file in ("JOURNAL", "FILE", "rtt.csv", "outages.csv"):
        (tmp_path / file).write_text("")
    for typed in re.findall(r"\bhasim ([^|>)]*)", line):
        command, *args = shlex.split(typed)
        if args == ["--help"]:
            continue
        with main.commands[command].make_context(command, args) as ctx:
            scenario = ctx.params.get("scenario")
            if scenario not in (None, "-"):
                replaced = dict(ctx.params.get("overrides") or [])
                prepare(scenario, overrides=replaced)


# -- completion ----------------------------------------------------------------------------


def completed(*args: str) -> list[str]:
    *before, incomplete = args
    complete = ShellComplete(main, {}, "hasim", "_HASIM_COMPLETE")
    return [item.value for item in complete.get_completions(before, incomplete)]


def test_commands_scenarios_paths_and_choices_are_completed():
    assert completed("ru") == ["run"]
    assert [name for name in completed("run", "prom") if name != "prom"] == [
        "promises",
        "promises-polling-only",
        "promises-rate",
    ]
    assert completed("new", "x", "--like", "quick") == ["quickstart"]
    assert completed("new", "x", "--from", "pa") == ["pacemaker", "patroni"]
    assert completed("plot", "RUN", "--figure", "t") == ["timeline"]
    assert "detection.fall=" in completed("run", "hang", "--set", "detection.f")
    assert set(completed("validate", "--set", "balancing.algorithm=least-l")) == {
        "balancing.algorithm=least-loaded",
        "balancing.algorithm=least-latency",
    }
    assert "detection.fall=" in completed("compare", "RUN", "--baseline", "detection.fal")
    assert "balancing.slow_start" in completed("algorithms", "balancing.slow")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_asks_hasim(shell):
    script = cli("completion", shell).stdout
    assert "_HASIM_COMPLETE=" in script
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=script, text=True, check=False, timeout=30)
        assert done.returncode == 0


def test_bash_completes_what_is_typed(tmp_path):
    """The script in a real bash, with the variables that the tab key sets."""
    if not shutil.which("bash"):
        pytest.skip("there is no bash")
    program = tmp_path / "hasim"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m hasim "$@"\n')
    program.chmod(0o755)
    script = cli("completion", "bash").stdout
    typed = (
        f"{script}\nCOMP_WORDS=(hasim run quick)\nCOMP_CWORD=2\n_hasim_completion hasim\n"
        "printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    environment = _environment()
    environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", typed],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "quickstart" in done.stdout.split(), done.stderr


# -- scenario files --------------------------------------------------------------------------


def test_a_scenario_from_standard_input(tmp_path):
    valid = process("validate", "-", stdin=TINY)
    assert (valid.returncode, valid.stdout) == (0, "stdin: valid: 2 cells, 2 replications each\n")
    done = cli("run", "-", "--jobs", 1, "--out", "out", "--set", "seed=4", stdin=TINY)
    assert done.exit_code == 0
    (tmp_path / "stdin.yaml").write_text(TINY)
    file = cli("run", "stdin.yaml", "--jobs", 1, "--out", "file", "--set", "seed=4")
    assert done.stdout == file.stdout
    wrong = process("validate", "-", stdin="horizon: 1m\nmasters: [{id: a, workers: x}]\n")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("Error: <stdin>:2: masters.0.workers: ")
    assert "is not a text file in UTF-8" in (
        CliRunner().invoke(main, ["validate", "-"], input=b"\xff\xfe\xff").stderr
    )


def test_an_open_file_is_a_scenario(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    with (tmp_path / "tiny.yaml").open() as file:
        assert hasim.run(file, jobs=1).name == "tiny"
    with pytest.raises(TypeError, match="expected a file, a name"):
        hasim.run(3)


def test_validate_for_programs(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    found = json.loads(cli("validate", "tiny.yaml", "--format", "json").stdout)
    assert (found["valid"], found["problems"], found["cells"]) == (True, [], 2)
    assert (found["scenario"], found["replications"], found["traces"]) == ("tiny", 2, [])
    (tmp_path / "bad.yaml").write_text(TINY.replace("20s", "20"))
    bad = cli("validate", "bad.yaml", "--format", "json")
    assert bad.exit_code == 2
    (problem,) = json.loads(bad.stdout)["problems"]
    assert (problem["file"], problem["line"], problem["field"]) == ("bad.yaml", 1, "horizon")
    rows = cli("validate", "bad.yaml", "--format", "csv").stdout.splitlines()
    assert rows[0] == "file,line,field,message"
    assert rows[1].startswith("bad.yaml,1,horizon,")
    assert "**bad.yaml: not valid: 1 problem**" in (
        cli("validate", "bad.yaml", "--format", "markdown").stdout
    )


def test_show_prints_a_shipped_scenario_as_it_is():
    text = cli("show", "quickstart").stdout
    assert text == (folder() / "quickstart.yaml").read_text()
    miss = cli("show", "quickstrat")
    assert miss.exit_code == 2
    assert "did you mean quickstart" in miss.stderr


def test_new_like_a_shipped_scenario_runs_the_same_with_its_data_beside_it(tmp_path):
    made = cli("new", "mine", "--like", "quickstart")
    assert (made.exit_code, made.stdout) == (0, "mine.yaml\n")
    text = (tmp_path / "mine.yaml").read_text()
    assert 'name: "mine"' in text
    assert text.startswith("#")
    assert (tmp_path / "data/azure_rtt.csv").exists()
    assert (tmp_path / "data/azure_rtt.SOURCE.md").exists()
    ours, theirs = (
        json.loads(cli("validate", name, "--format", "json").stdout)
        for name in ("mine.yaml", "quickstart")
    )
    assert (ours["scenario"], theirs["scenario"]) == ("mine", "quickstart")
    assert (ours["cells"], ours["seed"]) == (theirs["cells"], theirs["seed"])
    assert all(trace.startswith(str(tmp_path)) for trace in ours["traces"])
    again = cli("new", "other", "--like", "quickstart")
    assert again.exit_code == 0  # the same data may be there
    (tmp_path / "data/azure_rtt.csv").write_text("mine")
    refused = cli("new", "third", "--like", "quickstart")
    assert refused.exit_code == 2
    assert "data/azure_rtt.csv: exists already, and is another" in refused.stderr
    assert not (tmp_path / "third.yaml").exists()
    assert cli("new", "mine", "--like", "hang").exit_code == 2
    assert "did you mean hang" in cli("new", "fourth", "--like", "hagn").stderr


# -- doctor ----------------------------------------------------------------------------------


def test_the_doctor_finds_that_hasim_works_here():
    done = cli("doctor", "--format", "json")
    found = json.loads(done.stdout)
    assert done.exit_code == 0
    checks = {check["name"]: check for check in found["checks"]}
    assert checks["data planes"]["found"].endswith("equals the reference, message by message")
    assert "numpy" in checks["libraries"]["found"]
    assert not [check for check in found["checks"] if check["verdict"] == "bad"]


def test_the_doctor_says_what_is_wrong_and_what_to_do(monkeypatch, tmp_path):
    from hasim.findings import doctor

    monkeypatch.setattr(doctor, "_requirements", lambda: ["numpy>=99", "no-such-library>=1"])
    monkeypatch.setattr(doctor, "_quota", lambda: 0.5)
    monkeypatch.setattr(doctor, "_scenarios", lambda: 1 / 0)
    monkeypatch.setattr(doctor, "_planes", lambda: doctor.Check("data planes", "skipped"))
    done = cli("doctor")
    assert done.exit_code == 1
    text = " ".join(done.stdout.split())
    assert "wanted: numpy>=99 (there is" in text
    assert "no-such-library>=1 (missing)" in text
    assert "libraries: pip install 'numpy>=99' 'no-such-library>=1'" in text
    assert "give --jobs 1." in text
    assert "ZeroDivisionError: division by zero" in text
    assert text.endswith("hasim does not work here as it should.")
    assert hasim.doctor().verdict == "bad"
