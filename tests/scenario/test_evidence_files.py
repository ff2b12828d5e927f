"""Recorded evidence from files, and `hasim replay --detector`."""

from __future__ import annotations

import gzip
import json

import pytest
from click.testing import CliRunner

import hasim
from hasim.cli import main
from hasim.model import Cause
from hasim.scenario.tables.errors import TraceError
from hasim.scenario.traces.evidence import read_evidence
from hasim.units import MILLISECOND, SECOND

CHECKS = """when,host,ok,ms
2024-01-01T00:00:00Z,a,true,12
2024-01-01T00:00:00Z,b,true,13
2024-01-01T00:00:10Z,a,false,
2024-01-01T00:00:20Z,a,timeout,
2024-01-01T00:00:30Z,a,true,15
2024-01-01T00:00:10Z,b,true,14
"""
OUTAGES = """start,end,resource
2024-01-01T00:00:05Z,2024-01-01T00:00:25Z,a
"""


def file(tmp_path, name: str, text: str):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_log_of_checks(tmp_path) -> None:
    path = file(tmp_path, "checks.csv", CHECKS)
    found = read_evidence(path, {"time": "when"})
    start = found.begins_ns
    assert [(h.t_ns - start, h.cause, h.took_ns) for h in found.heard["a"]] == [
        (0, Cause.OK, 12 * MILLISECOND),
        (10 * SECOND, Cause.ERROR, 0),
        (20 * SECOND, Cause.ERROR, 0),
        (30 * SECOND, Cause.OK, 15 * MILLISECOND),
    ]
    assert found.period_ns == 10 * SECOND
    assert found.kinds == ("check",)


@pytest.mark.parametrize("packed", [False, True])
def test_json_lines_of_heartbeats_are_the_same_as_csv(tmp_path, packed) -> None:
    times = [0.0, 1.0, 2.1, 5.0, 6.0]
    table = "t\n" + "".join(f"{t}\n" for t in times)
    lines = "".join(json.dumps({"t": t}) + "\n" for t in times)
    one = read_evidence(file(tmp_path, "m.csv", table), {}, unit="s")
    if packed:
        (tmp_path / "m.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
        two = read_evidence(tmp_path / "m.jsonl.gz", {}, unit="s")
        assert list(two.heard.values()) == list(one.heard.values())
    else:
        assert read_evidence(file(tmp_path, "m.jsonl", lines), {}, unit="s") == one
    # Of a gap of three intervals two heartbeats are missing.
    assert [heard.number for heard in one.heard["m"]] == [1, 2, 3, 6, 7]


@pytest.mark.parametrize(
    ("name", "text", "columns", "said"),
    [
        ("a.csv", "x,y\n1,2\n", {}, "no column of times"),
        ("a.csv", "time,up\n1,maybe\n2,true\n", {}, "says neither up nor down"),
        ("a.csv", "time\n1\nnoon\n", {}, "expected a number"),
        ("a.csv", "time\n1\n", {}, "no rhythm"),
        ("a.csv", "time,host\n1,a\n2,a\n", {"target": "hast"}, "did you mean host"),
        ("a.jsonl", '{"time": 1}\n{"time": 2\n', {}, "is no JSON"),
        ("a.jsonl", '{"time": 1}\n[2]\n', {}, "is no object of JSON"),
        ("a.jsonl", '{"at_": 1}\n', {"time": "at"}, "has no key 'at'; did you mean at_"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path, name, text, columns, said) -> None:
    with pytest.raises(TraceError, match=said):
        read_evidence(file(tmp_path, name, text), columns, unit="s")


def test_outages_of_somebody_else_are_refused(tmp_path) -> None:
    path = file(tmp_path, "checks.csv", CHECKS)
    other = file(tmp_path, "out.csv", OUTAGES.replace(",a\n", ",c\n"))
    with pytest.raises(TraceError, match="nothing was heard of it"):
        read_evidence(path, {"time": "when"}, outages=other)


# -- on the command line --------------------------------------------------------------


def replay(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["replay", *map(str, words)])
    return result.exit_code, result.output


def test_detectors_are_compared(tmp_path) -> None:
    path, outages = file(tmp_path, "c.csv", CHECKS), file(tmp_path, "o.csv", OUTAGES)
    detectors = ("--detector", "threshold:fall=2", "--detector", "threshold:fall=3")
    code, text = replay(*detectors, "--outages", outages, "--column", "time=when", path)
    assert code == 0
    two, three = (line.split() for line in text.splitlines() if "threshold:fall" in line)
    assert two[1:6] == ["1", "1", "1", "0", "15.0"]  # declared 15 s after the outage began
    assert three[1:5] == ["1", "0", "0", "1"]
    found = hasim.hear(path, ["threshold:fall=2"], outages=outages, columns={"time": "when"})
    assert found.contestants[0].quality.detection_s == [15.0]
    verdicts = found.render("csv").splitlines()
    assert verdicts[0] == "detector,master,time_s,old,new,reason"
    assert any(",suspect,failed," in line for line in verdicts)


def test_a_detector_that_sees_nothing_says_so(tmp_path) -> None:
    path = file(tmp_path, "beats.csv", "time\n1\n2\n3\n")
    code, text = replay("--detector", "threshold", "--unit", "s", path)
    assert code == 0
    assert "threshold counts failed checks, and no heartbeat fails: it sees nothing." in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--detector", "phi"), "unknown detector 'phi'"),
        (("--detector", "nfd-e"), "reckons with heartbeats"),
        (("--detector", "timeout", "--column", "tine=when"), "did you mean time?"),
        (("--detector", "timeout", "--set", "detection.fall=2"), "give one of them"),
        (("--interval", "1s"), "needs --detector"),
        (("--detector", "timeout", "--interval", "soon"), "interval: "),
        (("--detector", "timeout", "--interval", "0s"), "must be longer than 0s"),
    ],
)
def test_what_cannot_be_asked_for(tmp_path, words, said) -> None:
    path = file(tmp_path, "c.csv", CHECKS.replace("when", "time"))
    code, text = replay(*words, path)
    assert code == 2
    assert said in " ".join(text.split())
    assert "Traceback" not in text


def test_a_line_that_is_nested_deeply_is_told_by_its_place(tmp_path) -> None:
    path = tmp_path / "beats.jsonl"
    path.write_text('{"time": 1, "host": "m"}\n' + "[" * 5000 + "\n")
    code, text = replay("--detector", "threshold", "--unit", "s", path)
    assert code == 2
    assert f"{path}:2: is nested too deeply" in text
