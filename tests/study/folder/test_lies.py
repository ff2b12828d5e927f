"""A run folder that is not what was written: refused with file, line and field, never believed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hasim.cli import main
from hasim.stored import sealed
from hasim.study.folder.errors import StoreError
from hasim.study.folder.lines import outcome_line
from hasim.study.folder.reading import open_run
from hasim.study.planning.outcomes import CellInfo, Outcome

SCENARIO = """\
name: tiny
horizon: 20s
replications: 3
masters: [{id: a}, {id: b}]
traffic: {arrivals: {law: poisson, rate: 2/s}}
faults: [{kind: crash, target: a, at: 5s, for: 5s}]
vary: {detection.fall: [2, 3]}
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A run of two cells with three replications each: to copy, never to change."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "tiny.yaml").write_text(SCENARIO)
    args = ["run", str(folder / "tiny.yaml"), "--jobs", "1", "--out", str(folder / "run")]
    assert CliRunner().invoke(main, args, catch_exceptions=False).exit_code == 0
    return folder / "run"


@pytest.fixture
def run(finished, tmp_path) -> Path:
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def rows_of(run: Path, cell: int) -> Path:
    lines = (run / "cells.jsonl").read_text().splitlines()
    return run / "replications" / f"cell-{json.loads(lines[cell])['key']}.jsonl"


def refused(run: Path) -> str:
    """What is said of the folder, alike by reading, resuming and comparing."""
    with pytest.raises(StoreError) as caught:
        open_run(run)
    for args in (["resume", str(run), "--jobs", "1"], ["compare", str(run), str(run)]):
        result = CliRunner().invoke(main, args, catch_exceptions=False)
        assert result.exit_code == 2
        assert "Traceback" not in result.output
    return str(caught.value).removeprefix(f"{run}/")


CHANGED = (
    "was changed after it had been written, or is of another cell: its checksum is another one"
)


def test_a_changed_value_is_not_believed(run) -> None:
    file = rows_of(run, 0)
    text = file.read_text()
    before = text[text.index('"wall_s":') :].split(",")[0]
    file.write_text(text.replace(before, '"wall_s":0.5', 1))
    assert refused(run) == f"replications/{file.name}:1: {CHANGED}"
    file.write_text(text.replace('"horizon_s":20.0', '"horizon_s":30.0', 1))
    assert refused(run) == f"replications/{file.name}:1: {CHANGED}"


def test_rows_of_another_cell_are_not_believed(run) -> None:
    one, other = rows_of(run, 0), rows_of(run, 1)
    first, second = one.read_text(), other.read_text()
    one.write_text(second)
    other.write_text(first)
    assert refused(run) == f"replications/{one.name}:1: {CHANGED}"


def test_a_doubled_replication_is_not_believed(run) -> None:
    file = rows_of(run, 1)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines, lines[1]]))
    number = json.loads(lines[1])["replication"]
    assert refused(run) == f"replications/{file.name}:4: replication: {number} is there twice"


def test_a_replication_that_failed_may_be_there_again(run) -> None:
    file = rows_of(run, 1)
    key = file.stem.removeprefix("cell-")
    lines = file.read_text().splitlines(keepends=True)
    failed = outcome_line(
        Outcome(1, json.loads(lines[2])["replication"], 0.1, None, (), "raised"),
        CellInfo(1, {}, key),
    )
    file.write_text("".join([*lines[:2], failed, lines[2]]))
    assert len(open_run(run).outcomes) == 6
    assert open_run(run).outcomes.failed == 0


def test_cells_that_are_exchanged_are_not_believed(run) -> None:
    file = run / "cells.jsonl"
    text = file.read_text()
    file.write_text(text.replace('"cell":0', '"cell":2').replace('"cell":1', '"cell":0'))
    assert refused(run) == f"cells.jsonl:1: {CHANGED}"
    lines = text.splitlines(keepends=True)
    file.write_text("".join([*lines, lines[0]]))
    with pytest.raises(StoreError, match="cell 0 is there twice"):
        open_run(run)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"replication": -1}, "replication: expected a whole number from 0 on"),
        ({"replication": True}, "replication: expected a whole number from 0 on"),
        ({"replication": 2**31}, "replication: expected a whole number from 0 on"),
        ({"replication": "1"}, "replication: expected a whole number from 0 on"),
        ({"wall_s": -1.0}, "wall_s: expected seconds, not negative"),
        ({"wall_s": float("nan")}, "wall_s: expected seconds, not negative"),
        ({"measured": [1]}, "measured: expected a mapping"),
        ({"measured": None}, "measured: expected a mapping"),
        ({"error": None}, "error: expected text"),
        ({"violations": "none"}, "violations: expected a list of texts"),
    ],
)
def test_a_row_that_no_replication_gives_is_refused_though_it_is_whole(run, row, said) -> None:
    file = rows_of(run, 0)
    made = Outcome(0, 7, 0.1, {"n": 1}, ())
    for name, value in row.items():
        object.__setattr__(made, name, value)
    file.write_text(outcome_line(made, CellInfo(0, {}, file.stem.removeprefix("cell-"))))
    assert refused(run) == f"replications/{file.name}:1: {said}"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not an outcome of a replication: Expecting property name"),
        ("[1]", "not an outcome of a replication: expected a mapping"),
        ("{}", "not an outcome of a replication: it has no checksum"),
        ("[" * 100_000, "not an outcome of a replication: it is nested too deeply"),
        ('{"sum":"0123456789abcdef"}', "not an outcome of a replication: it has no checksum"),
    ],
)
def test_a_line_that_is_no_row(run, line, said) -> None:
    file = rows_of(run, 0)
    file.write_text(f"{line}\n{file.read_text()}")
    assert refused(run).startswith(f"replications/{file.name}:1: {said}")


@pytest.mark.parametrize(
    "junk", [b"\x00" * 4096, b"\x93\xff\x07", b"hello", b"[1, 2", b'{"cell":\x000', b'{"cell":\xff']
)
@pytest.mark.parametrize("name", ["cells.jsonl", "replications"])
def test_what_no_row_begins_with_is_no_torn_row(run, name, junk) -> None:
    file = run / name if name == "cells.jsonl" else rows_of(run, 0)
    file.write_bytes(file.read_bytes() + junk)
    line = file.read_bytes().count(b"\n") + 1
    what = "a cell" if name == "cells.jsonl" else "an outcome of a replication"
    assert refused(run).startswith(f"{file.relative_to(run)}:{line}: not {what}: ")


@pytest.mark.parametrize("torn", [b"{", b'{"cell":', b'{"cell":1,"varied":{"name":"\xc3'])
def test_what_a_row_begins_with_may_be_a_torn_one(run, torn) -> None:
    file = run / "cells.jsonl"
    file.write_bytes(file.read_bytes() + torn)
    assert len(open_run(run).cells) == 2


# -- the manifest and the scenario ----------------------------------------------------------


def edit(run: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """A manifest that was changed by somebody who knows of digests."""
    data = json.loads((run / "manifest.json").read_text())
    data.pop("digest")
    change(data)
    (run / "manifest.json").write_text(json.dumps(sealed(data)))


def test_any_change_of_the_manifest_is_noticed(run) -> None:
    file = run / "manifest.json"
    file.write_text(file.read_text().replace('"seed": 1', '"seed": 2'))
    assert refused(run) == (
        "manifest.json: was changed after it had been written: its digest is another one"
    )


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("seed", "1", "seed: expected a whole number such as 3, got '1'"),
        ("seed", -1, "seed: must be at least 0, got -1"),
        ("replications", 0, "replications: must be at least 1, got 0"),
        ("replications", {"until": 3}, "replications: until:"),
        ("state", "DONE", "state: expected 'RUNNING', 'COMPLETED', 'INTERRUPTED' or 'FAILED'"),
        ("started", "yesterday", "started: expected a time such as 2025-01-31T23:59:59+00:00"),
        ("notes", [1], "notes.0: expected a valid string"),
        ("stops", {"0": {"replications": 3}}, "stops.0.by: is missing"),
        ("stops", {"x": {"replications": 3, "by": "cap"}}, "stops: expected the number of a cell"),
        ("checked", "yes", "checked: expected a valid boolean"),
        ("more", 1, "more: unknown field"),
    ],
)
def test_a_manifest_is_of_its_form(run, field, value, said) -> None:
    edit(run, lambda data: data.update({field: value}))
    with pytest.raises(StoreError) as caught:
        open_run(run)
    assert str(caught.value).startswith(f"{run / 'manifest.json'}: {said}")


def test_a_field_that_is_missing_is_named(run) -> None:
    edit(run, lambda data: data.pop("base"))
    assert refused(run) == "manifest.json: base: is missing"


def test_a_changed_scenario_is_not_resumed(run) -> None:
    file = run / "scenario.yaml"
    file.write_text(file.read_text().replace("horizon: 20s", "horizon: 21s"))
    assert refused(run).startswith("scenario.yaml: was changed after it had been written")


def test_a_scenario_that_a_kill_left_beside_its_place_is_found(run) -> None:
    """As after a kill between the writing of the manifest and that of the scenario."""
    file = run / "scenario.yaml"
    file.rename(run / "scenario.yaml.part")
    file.write_text("name: before\n")
    assert len(open_run(run).outcomes) == 6
    result = CliRunner().invoke(main, ["resume", str(run), "--jobs", "1"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "horizon: 20s" in file.read_text()
    assert not (run / "scenario.yaml.part").exists()


# -- what is no file ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["manifest.json", "scenario.yaml", "cells.jsonl", "rows"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_no_file_is_refused_at_once(run, name, kind) -> None:
    file = rows_of(run, 0) if name == "rows" else run / name
    file.unlink()
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to("/dev/zero")
    said = "it is a folder" if kind == "folder" else "it is no regular file (a pipe or a device)"
    assert refused(run).endswith(f"{file.name}: cannot be read: {said}")
