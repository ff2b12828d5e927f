"""Files at random: each command ends with an exit code of its own, and never with a traceback.

`HASIM_FUZZ=2000` tries so many files of each kind instead of a few.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from hasim.cli import main

TRIES = int(os.environ.get("HASIM_FUZZ", "20"))
SCENARIO = """\
name: tiny
horizon: 10s
replications: 2
masters: [{id: a}, {id: b, service: {trace: checks.csv, column: seconds, unit: s}}]
network: {rtt: {matrix: rtt.csv}}
traffic: {arrivals: {trace: counts.csv, column: time, count: n}, owned: 50%}
faults: [{kind: crash, target: each, schedule: {checks: checks.csv, least_outages: 1}}]
vary: {detection.fall: [2, 3]}
"""
FILES = {
    "checks.csv": "time,target,result,seconds\n"
    + "".join(
        f"2024-05-01T10:00:{s:02}Z,x,{'down' if 5 < s < 9 else 'up'},0.0{s}\n" for s in range(20)
    ),
    "rtt.csv": ",local\nlocal,\nother,5\n",
    "counts.csv": "time;n\n2024-05-01 10:00;12\n2024-05-01 10:01;7\n2024-05-01 10:02;30\n",
}
SUITE = """\
replications: {at_least: 5, at_most: 5}
margins: {uptime: {absolute: 0.1%}}
scenarios: {a: {scenario: {horizon: 5s, masters: [{id: m1}]}, measures: [uptime]}}
"""
TOKENS = (
    b"NaN", b"Infinity", b"-1", b"1e999", b"1e308", b"0", b"null", b"true", b'""', b"[]", b"{}",
    b"9" * 400, b"[" * 5000, b"\0", b"\xff\xfe", b"\x1b[2J", b"\n", b"\r", b",", b";", b'"', b"{",
    b"2024-13-45", b"999999999999999999999",
)  # fmt: skip


def cli(*args: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(map(str, args)))
    told = f"{result.output}{result.exception!r}" if result.exit_code == 4 else result.output
    assert "Traceback" not in result.output, told
    assert result.exit_code in (0, 1, 2, 3), told
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario with its files, a run of it with journals, a suite with its baseline."""
    folder = tmp_path_factory.mktemp("made")
    for name, text in {**FILES, "tiny.yaml": SCENARIO, "suite.yaml": SUITE}.items():
        (folder / name).write_text(text)
    run = ("run", folder / "tiny.yaml", "--jobs", 1, "--out", folder / "run", "--journals")
    assert cli(*run)[0] == 0
    bench = ("bench", folder / "suite.yaml", "--baseline", folder / "base.json", "--jobs", 1)
    assert cli(*bench, "--update")[0] == 0
    return folder


def mutated(content: bytes, rng: random.Random) -> bytes:
    """The content with a few of its bytes changed, left out, put in, or put twice."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        if not data:
            break
        at = rng.randrange(len(data))
        end = min(len(data), at + rng.choice((1, 1, 4, 30, 400)))
        match rng.randrange(6):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at:end]
            case 2:
                data[at:at] = data[at:end]
            case 3:
                data[at:at] = rng.choice(TOKENS)
            case 4:
                del data[at:]
            case _:
                data[at : min(len(data), at + rng.randint(1, 5))] = rng.choice(TOKENS)
    return bytes(data)


def try_files(made: Path, tmp_path: Path, names: list[str], use: Callable[[Path], object]) -> None:
    rng = random.Random(f"{sorted(names)[0]} {TRIES}")
    for number in range(TRIES):
        here = tmp_path / str(number)
        shutil.copytree(made, here)
        name = rng.choice(names)
        file = here / name
        file.write_bytes(mutated(file.read_bytes(), rng))
        use(here)
        shutil.rmtree(here)


def test_traces(made, tmp_path) -> None:
    def use(here: Path) -> None:
        cli("validate", here / "tiny.yaml")
        for name in FILES:
            cli("data", here / name)

    try_files(made, tmp_path, list(FILES), use)


def test_scenarios(made, tmp_path) -> None:
    try_files(made, tmp_path, ["tiny.yaml"], lambda here: cli("validate", here / "tiny.yaml"))


def test_run_folders(made, tmp_path) -> None:
    names = [f"run/{name}" for name in ("manifest.json", "cells.jsonl", "scenario.yaml")]
    rows = [str(file.relative_to(made)) for file in (made / "run").glob("replications/*")]

    def use(here: Path) -> None:
        cli("compare", here / "run", made / "run")
        cli("resume", here / "run", "--jobs", 1)

    try_files(made, tmp_path, [*names, *rows], use)


def test_journals(made, tmp_path) -> None:
    """Plain ones: in an archive, any change is noticed by its checksum."""
    import gzip

    packed = next((made / "run").glob("journals/*"))
    (made / "plain.jsonl").write_bytes(gzip.decompress(packed.read_bytes()))

    def use(here: Path) -> None:
        cli("replay", here / "plain.jsonl")
        cli("replay", here / "plain.jsonl", "--set", "detection.fall=3")

    try_files(made, tmp_path, ["plain.jsonl"], use)


def test_journals_of_a_run(made, tmp_path) -> None:
    packed = [str(file.relative_to(made)) for file in (made / "run").glob("journals/*")]
    try_files(made, tmp_path, packed, lambda here: cli("explain", here / "run", "--incident", 1))


def test_baselines(made, tmp_path) -> None:
    def use(here: Path) -> None:
        data = (here / "base.json").read_bytes()
        if b'"digest"' in data:  # as an earlier hasim wrote it: any change is noticed by a digest
            at = data.rindex(b'"digest"')
            (here / "base.json").write_bytes(data[: data.rindex(b",", 0, at)] + b"}")
        cli("bench", here / "suite.yaml", "--baseline", here / "base.json", "--jobs", 1)

    try_files(made, tmp_path, ["base.json", "suite.yaml"], use)
