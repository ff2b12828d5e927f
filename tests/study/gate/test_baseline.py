"""A baseline that lies is bad input: it names the value, and hides no regression."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hasim.cli import main
from hasim.stored import unsealed
from hasim.study.gate.baseline import (
    Baseline,
    BaselineCell,
    BaselineError,
    read_baseline,
    write_baseline,
)
from hasim.study.gate.fingerprint import Fingerprint
from hasim.study.gate.judge import judge, pair

PRINT = Fingerprint(9, 3, 1, {"completed": 1}, {"m1": 20, "m2": 300}, "0123456789abcdef")
CELL = BaselineCell(
    environment="e" * 32,
    settings={"detection": {"fall": 2}},
    values={"uptime": (0.9, 0.8, None), "outage.mean": (1.5, 0.0, 20.0)},
    fingerprints=(PRINT, PRINT, PRINT),
    speeds=(1.0, 1.5, 2.0),
)
GOOD = Baseline("mine", {"hasim": "0.1.0"}, {"a": CELL})
SUITE = """\
replications: {at_least: 5, at_most: 5}
margins: {uptime: {absolute: 0.1%}}
scenarios:
  a:
    scenario: {name: a, horizon: 20s, data_plane: reference, masters: [{id: m1}, {id: m2}],
               faults: [{kind: crash, target: m1, at: 2s, for: 7s}], detection: {interval: 1s}}
    measures: [uptime]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_baseline(GOOD, tmp_path / "baseline.json")
    return tmp_path / "baseline.json"


def refused(path: Path) -> str:
    with pytest.raises(BaselineError) as caught:
        read_baseline(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value).removeprefix(f"{path}: ")


def edited(path: Path, change: Callable[[Any], None]) -> None:
    """The file as an earlier hasim wrote it, without a digest, and changed."""
    data = json.loads(path.read_text())
    del data["digest"]
    change(data)
    path.write_text(json.dumps(data))


def test_it_is_read_back_with_and_without_a_digest(file) -> None:
    assert read_baseline(file) == GOOD
    edited(file, lambda data: None)
    assert read_baseline(file) == GOOD


def test_any_change_is_noticed_by_the_digest(file) -> None:
    text = file.read_text()
    changes = [("0.9", "0.91"), ('"fall":2', '"fall":3'), ("1.5,0.0", "0.0,1.5"), ("mine", "mime")]
    for before, after in changes:
        assert before in text
        file.write_text(text.replace(before, after, 1))
        assert refused(file) == "was changed after it had been written: its digest is another one"
    data = json.loads(text)
    data.pop("hasim_baseline")
    assert "digest" not in unsealed(data)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("NaN", "cells.a.values.uptime.0: expected a finite number, got nan"),
        ("Infinity", "cells.a.values.uptime.0: expected a finite number, got inf"),
        ("-Infinity", "cells.a.values.uptime.0: expected a finite number, got -inf"),
        ("1e999", "cells.a.values.uptime.0: expected a finite number, got inf"),
        ("1e308", "cells.a.values.uptime.0: expected 0 to 1, got 1e+308"),
        ("-0.1", "cells.a.values.uptime.0: expected 0 to 1, got -0.1"),
        ('"0.9"', "cells.a.values.uptime.0: expected a valid number"),
        ("true", "cells.a.values.uptime.0: expected a valid number"),
        ("[0.9]", "cells.a.values.uptime.0: expected a valid number"),
        ("9" * 5000, "has a number that is too large"),
    ],
)
def test_a_value_that_is_none_is_named(file, written, said) -> None:
    edited(file, lambda data: data["cells"]["a"]["values"]["uptime"].__setitem__(0, "HERE"))
    file.write_text(file.read_text().replace('"HERE"', written))
    assert refused(file) == said


def without(*path: str) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for key in path[:-1]:
            data = data[key]
        del data[path[-1]]

    return change


def put(value: Any, *path: Any) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("versions"), "versions: is missing"),
        (without("cells"), "cells: is missing"),
        (without("cells", "a", "environment"), "cells.a.environment: is missing"),
        (without("cells", "a", "speeds"), "cells.a.speeds: is missing"),
        (put(1, "more"), "more: unknown field"),
        (put([], "cells"), "cells: expected an object"),
        (put(None, "cells", "a"), "cells.a: expected an object"),
        (put(7, "suite"), "suite: expected a valid string"),
        (put([1.0, 2.0], "cells", "a", "speeds"),
         "cells.a.speeds: has 2 values, expected 3, one for a replication"),
        (put([0.5], "cells", "a", "values", "uptime"),
         "cells.a.values.uptime: has 1 values, expected 3, one for a replication"),
        (put(-1.0, "cells", "a", "speeds", 1), "cells.a.speeds.1: expected 0 to 1e+15, got -1"),
        (put(-1, "cells", "a", "fingerprints", 1, "probes"),
         "cells.a.fingerprints.1.probes: must be at least 0, got -1"),
        (put("x", "cells", "a", "fingerprints", 1, "attempts", "m1"),
         "cells.a.fingerprints.1.attempts.m1: expected a whole number such as 3, got 'x'"),
        (put([], "cells", "a", "fingerprints"), "cells.a.fingerprints: has no replication"),
    ],
)  # fmt: skip
def test_fields_that_are_missing_or_of_another_form_are_named(file, change, said) -> None:
    edited(file, change)
    assert refused(file).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"hasim_baseline": 1, "a": ' + "[" * 100_000, "is nested too deeply"),
        ('{"hasim_baseline": 1, "suite": "a", "suite": "b"}', "suite: is given twice"),
        ("\xff", "line 1: not a text file in UTF-8"),
        ("{}\n{}", "line 2: not JSON: Extra data (column 1)"),
    ],
)
def test_text_that_is_no_json_of_ours(file, text, said) -> None:
    file.write_bytes(text.encode("latin-1"))
    assert refused(file) == said


def test_what_is_no_file_is_refused_at_once(tmp_path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert refused(pipe) == "cannot be read: it is no regular file (a pipe or a device)"
    assert refused(tmp_path) == "cannot be read: it is a folder"
    assert (
        refused(Path("/dev/zero")) == "cannot be read: it is no regular file (a pipe or a device)"
    )


def test_a_lie_cannot_hide_a_regression(tmp_path) -> None:
    """With a value that is no number, the gate does not pass: bad input, exit code 2."""
    suite, baseline = tmp_path / "suite.yaml", tmp_path / "baseline.json"
    suite.write_text(SUITE)

    def bench(*more: str) -> Any:
        args = ["bench", str(suite), "--baseline", str(baseline), "--jobs", "1", *more]
        return CliRunner().invoke(main, args, catch_exceptions=False)

    assert bench("--update").exit_code == 0
    assert bench("--set", "detection.fall=20").exit_code == 1
    edited(baseline, put(float("nan"), "cells", "a", "values", "uptime", 0))
    told = bench("--set", "detection.fall=20")
    assert told.exit_code == 2
    assert "cells.a.values.uptime.0: expected a finite number" in told.stderr
    edited_again = json.loads(baseline.read_text().replace("NaN", "null"))
    baseline.write_text(json.dumps(edited_again))
    assert bench("--set", "detection.fall=20").exit_code == 1
    assert bench().exit_code == 3  # nothing has changed, and yet there is a value where was none


def test_a_null_does_not_count_as_identical() -> None:
    some = pair("a", "uptime", 0.001, [None, 0.9, 0.9, 0.9, 0.9], [0.9] * 5)
    most = pair("a", "uptime", 0.001, [None, None, None, 0.9, 0.9], [0.9] * 5)
    [unchanged] = judge([some], looks=1, at_cap=[True], changed=[False])
    assert (unchanged.verdict, unchanged.identical) == ("inconclusive", False)
    assert unchanged.reason == "1 replications have no value in the baseline"
    [mostly] = judge([most], looks=1, at_cap=[True], changed=[True])
    assert mostly.verdict == "inconclusive"
