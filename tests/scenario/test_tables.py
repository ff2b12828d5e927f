"""What is no table in UTF-8, and what errors say of a file: never what is in it."""

import gzip
from pathlib import Path

import pytest

from hasim.scenario.loader import load
from hasim.scenario.problems import ScenarioError
from hasim.scenario.traces.arrivals import read_arrivals
from hasim.simulation.settings.recordings import (
    TraceArrivals,
)

from .conftest import GOOD, refused

# -- what is no table in UTF-8 ---------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("| | fra | ams |\n|---|---|---|\n| fra | | 8 |\n", "is a Markdown table"),
        ("t\n1\n".encode("utf-16"), "is text in UTF-16, expected UTF-8: convert it, for example"),
        ("t\n1\n".encode("utf-16-be"), "looks like text in UTF-16"),
        ("\N{BOM}t\n1\n".encode("utf-32-le"), "is text in UTF-32"),
        ("t,n\nM\xfcnchen,1\n".encode("latin-1"), "is not text in UTF-8 (line 2): convert it"),
        ('{"t": 1}\n', "looks like JSON, expected a table: write it as CSV"),
        ('[{"t": 1}]\n', "looks like JSON, expected a table: write it as CSV"),
        ("<html><table></table></html>", "is HTML or XML"),
        (b"PK\x03\x04....", "is a zip archive or an Excel workbook: unpack it, or save the sheet"),
        (b"PAR1....", "is Parquet: write it as CSV"),
        (b"\x28\xb5\x2f\xfd....", "is packed with zstd: unpack it"),
        (b"\x7fELF\x01\0\0\0", "is binary"),
        (gzip.compress(b"t\n1\n", mtime=0)[:-6], "is packed with gzip, and broken"),
        (b"\x1f\x8bnothing of the kind", "is packed with gzip, and broken"),
    ],
)  # fmt: skip
def test_other_files_are_refused_with_the_way_out(file, data, said) -> None:
    error = refused(read_arrivals, TraceArrivals, trace=file(data), column="t", unit="s")
    [(setting, message)] = error.settings
    assert setting == ""
    assert message.startswith(error.file.as_posix())
    assert said in message


def test_a_folder_a_pipe_and_a_device_are_no_files(tmp_path) -> None:
    import os

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, what in ((tmp_path, "a folder"), (pipe, "no regular"), (Path("/dev/zero"), "no reg")):
        error = refused(read_arrivals, TraceArrivals, trace=str(path), column="t")
        [(_, message)] = error.settings
        assert f"cannot be read: it is {what}" in message


def test_a_line_without_an_end_is_not_read_to_its_end(file) -> None:
    for data in (b"1" * 3_000_000, b"t\n1\n" + b"2" * 2_000_000 + b"\n3\n"):
        trace = file(data)
        error = refused(read_arrivals, TraceArrivals, trace=trace, column="t", unit="s")
        [(line, _, said)] = error.lines
        assert line == (1 if data.startswith(b"11") else 3)
        assert said == "is longer than 1 MiB; expected a table, a row in each line"


def test_a_bomb_of_gzip_is_not_unpacked_to_its_end(file) -> None:
    trace = file(600 * gzip.compress(b"1\n" * 2**20), "bomb.csv.gz")
    error = refused(read_arrivals, TraceArrivals, trace=trace, column="t", unit="s")
    [(_, said)] = error.settings
    assert "has more than 512 MiB" in said


# -- what errors do not say --------------------------------------------------------------

SECRET = "root:x:0:0:hunter2:/root:/bin/sh\ndaemon:x:1:1:swordfish:/:/sbin\n"


@pytest.mark.parametrize(
    "part",
    [
        "traffic: {arrivals: {trace: secret, column: time, unit: s}}",
        "traffic: {arrivals: {trace: secret, column: 1, unit: s}}",
        "traffic: {arrivals: {trace: secret, column: 1}}",
        "traffic: {arrivals: {trace: secret, column: 1, header: 2}}",
        "traffic: {arrivals: {trace: secret, column: 1, count: 2}}",
        "network: {rtt: {matrix: secret}}",
        "network: {rtt: {matrix: secret, form: wide}}",
        "network: {rtt: {matrix: secret, source: 1, destination: 1, column: 1}}",
        "network: {jitter: {trace: secret, column: 1}}",
        "network: {jitter: {trace: secret, column: 1, where: {'1': x}}}",
        "vary: {points: {file: secret}}",
    ],
)
def test_errors_do_not_print_what_is_in_a_file_that_is_no_trace(write, tmp_path, part) -> None:
    (tmp_path / "secret").write_text(SECRET)
    with pytest.raises(ScenarioError) as caught:
        load(write(GOOD + part + "\n"))
    for word in ("root", "hunter2", "daemon", "swordfish", "sbin"):
        assert word not in str(caught.value).replace(str(tmp_path), "")


def test_a_column_that_was_meant_is_named_and_no_other(file) -> None:
    error = refused(read_arrivals, TraceArrivals, trace=file("when,secret\n1,2\n"), column="wehn")
    assert error.settings == [("column", "people.csv has no column 'wehn'; did you mean when?")]
    error = refused(read_arrivals, TraceArrivals, trace=file("when,secret\n1,2\n"), column="t")
    assert error.settings == [
        ("column", "people.csv has no column 't'; `hasim data` says what it has")
    ]
    hostile = file("\x1b[31mwhen,x\n1,2\n")
    error = refused(read_arrivals, TraceArrivals, trace=hostile, column="[31mwhen")
    assert "\x1b" not in str(error)


# -- settings of files --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "field", "message"),
    [
        ("{trac: a.csv}", "", "expected {trace: ...} or {checks: ...}"),
        ("{trace: a.csv, start: 0}", ".start", "expected the name of a column, or its number"),
        ("{trace: a.csv, start: true}", ".start", "expected the name of a column, or its number"),
        ("{trace: a.csv, end: null}", ".end", "from 1 on, got nothing"),
        ("{trace: a.csv, unit: min}", ".unit", "unknown value 'min'; possible: timestamp, ns, us"),
        ("{trace: a.csv, format: m/d/yyy}", ".format", "did you mean m/d/yyyy? (or a pattern:"),
        ("{trace: a.csv, format: '%Q'}", ".format", "no pattern of strptime: 'Q' is a bad"),
        ("{trace: a.csv, format: '%d %d'}", ".format", "'%d %d' says something twice"),
        ("{trace: a.csv, delimiter: ';'}", ".delimiter", "possible: auto, comma, semicolon, tab"),
        ("{trace: a.csv, opne: refused}", ".opne", "unknown key; did you mean open?"),
    ],
)  # fmt: skip
def test_settings_of_files_that_cannot_be(problems_of, schedule, field, message) -> None:
    [problem] = problems_of(GOOD.replace("at: 1m", f"schedule: {schedule}"))
    assert problem.field == f"faults.0.schedule{field}"
    assert message in problem.message


def test_a_law_of_service_times_says_that_a_file_will_do(problems_of) -> None:
    [problem] = problems_of(GOOD.replace("region: west", "service: {laww: constant}"))
    assert problem.message == (
        "say which: law: constant | uniform | exponential | lognormal | weibull, or "
        "{trace: ..., column: ..., unit: ...}"
    )
