"""Matrices of round-trip times, arrivals and counts as people have them."""

import numpy as np
import pytest

from hasim.scenario.traces.arrivals import read_arrivals, read_bins
from hasim.scenario.traces.matrices import read_matrix
from hasim.settings import from_plain
from hasim.simulation.settings.recordings import (
    MatrixTrace,
    TraceArrivals,
)
from hasim.units import MINUTE, SECOND

from .conftest import refused

# -- round-trip times ----------------------------------------------------------------

PAIRS = {
    ("fra", "ams"): 8_400_000,
    ("ams", "fra"): 8_400_000,
    ("fra", "lhr"): 13_000_000,
    ("lhr", "fra"): 13_000_000,
    ("ams", "lhr"): 9_100_000,
    ("lhr", "ams"): 9_100_000,
}


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (",fra,ams,lhr\nfra,,8.4,13\nams,8.4,,9.1\nlhr,13,9.1,\n", {}),
        (",fra,ams,lhr\nfra,-,8.4,13\nams,,0,9.1\nlhr,,,n/a\n", {}),
        ("from/to;fra;ams;lhr\nfra;0;8,4;13\nams;8,4;0;9,1\nlhr;13;9,1;0\n", {}),
        ("\tfra\tams\tlhr\nams\t8400\t\t9100\nlhr\t13000\t9100\t\n", {"unit": "us"}),
        (
            "source,destination,rtt\nfra,fra,\nfra,ams,8.4\nams,lhr,9.1\nlhr,fra,13\nlhr,lhr,0\n",
            {},
        ),
        (
            "from;to;ms\nfra;ams;8,4\nams;lhr;9,1\nlhr;fra;13,0\n",
            {"source": "from", "destination": "to", "column": "ms"},
        ),
        (
            "fra;ams;8,4\nams;lhr;9,1\nlhr;fra;13,0\n",
            {"source": 1, "destination": 2, "column": 3},
        ),
    ],
)
def test_matrices_wide_and_long(file, text, settings) -> None:
    found = read_matrix(from_plain(MatrixTrace, {"matrix": file(text), **settings}))
    assert {pair: rtt for pair, rtt in found.items() if pair[0] != pair[1]} == PAIRS


def test_a_wide_matrix_of_which_a_cell_is_no_number(file) -> None:
    text = ",fra,ams\nfra,,fast\nams,8,\n"
    error = refused(read_matrix, MatrixTrace, matrix=file(text), form="wide")
    assert error.lines == [(2, "column 3", "expected a number (ms), got text")]
    twice = ",fra,ams\nfra,,8\nfra,,9\n"
    error = refused(read_matrix, MatrixTrace, matrix=file(twice), form="wide")
    assert error.lines == [(3, "", "has a site twice")]


def test_a_comma_that_may_be_either_is_refused_until_it_is_said(file) -> None:
    text = "source;destination;rtt\na;b;1,250\nb;c;2,500\n"
    error = refused(read_matrix, MatrixTrace, matrix=file(text), unit="us")
    [(line, column, said)] = error.lines
    assert (line, column) == (2, "rtt")
    assert said.startswith("a comma may stand before decimals or between thousands")
    matrix = MatrixTrace(matrix=file(text), unit="us", decimal="comma")
    assert read_matrix(matrix)["a", "b"] == 1250


# -- arrivals ------------------------------------------------------------------------

RPM = "time,requests\n2024-05-01T10:00:00Z,120\n2024-05-01T10:01:00Z,180\n2024-05-01T10:02:00Z,90\n"


def test_counts_per_bin_are_not_taken_for_arrivals(file) -> None:
    [(setting, said)] = refused(
        read_arrivals, TraceArrivals, trace=file(RPM), column="time"
    ).settings
    assert setting == "column"
    assert said == (
        "people.csv: its times are all 1m apart, and requests holds whole numbers: these are "
        "counts per bin, and 3 rows would be 3 messages. Say `count: requests`, or `rows: "
        "arrivals` if each row is one arrival"
    )
    beats = TraceArrivals(trace=file(RPM), column="time", rows="arrivals")
    assert read_arrivals(beats).tolist() == [0, MINUTE, 2 * MINUTE]


def test_counts_per_bin_are_so_many_messages(file) -> None:
    bins = read_bins(TraceArrivals(trace=file(RPM), column="time", count_="requests"))
    assert bins.start_ns.tolist() == [0, MINUTE, 2 * MINUTE]
    assert bins.end_ns.tolist() == [MINUTE, 2 * MINUTE, 3 * MINUTE]
    assert bins.count.tolist() == [120, 180, 90]
    draws = np.random.default_rng(1)
    times = bins.arrivals(0, 3 * MINUTE, draws.random)
    assert len(times) == 390
    assert np.histogram(times, [0, MINUTE, 2 * MINUTE, 3 * MINUTE])[0].tolist() == [120, 180, 90]
    assert (np.diff(times) >= 0).all()
    window = bins.arrivals(MINUTE, MINUTE, draws.random)
    assert len(window) == 180
    assert 0 <= window[0] <= window[-1] < MINUTE


def test_bins_with_gaps_several_rows_and_a_scale(file) -> None:
    text = "t,n\n600,5\n0,1\n60,2\n60,3.0\n120,4\n"
    asked = {"trace": file(text), "column": "t", "count": "n", "unit": "s"}
    bins = read_bins(from_plain(TraceArrivals, asked))
    assert bins.count.tolist() == [1, 5, 4, 5]
    assert (bins.start_ns // SECOND).tolist() == [0, 60, 120, 600]
    assert (bins.end_ns // SECOND).tolist() == [60, 120, 180, 660]
    assert bins.most_in(60 * SECOND) == 5 + 4
    fast = read_bins(from_plain(TraceArrivals, {**asked, "time_scale": 60}))
    assert (fast.end_ns // SECOND).tolist() == [1, 2, 3, 11]


WHOLE = "expected a whole number from 0 on, got"


@pytest.mark.parametrize(
    ("rows", "settings", "expected"),
    [
        ("0,1\n60,2\n120,-1\n", {}, (4, "n", f"{WHOLE} a smaller one")),
        ("0,1\n60,2\n120,0.5\n", {}, (4, "n", f"{WHOLE} one with decimals")),
        (
            "0,1\n60,2\n90,3\n120,3\n180,1\n240,1\n",
            {},
            (4, "t", "begins before the bin before it is over (bin: 1m)"),
        ),
        (
            "0,1\n60,2\n",
            {"bin": "90s"},
            (3, "t", "begins before the bin before it is over (bin: 1m30s)"),
        ),
    ],
)  # fmt: skip
def test_bins_that_cannot_be(file, rows, settings, expected) -> None:
    asked = {"trace": file("t,n\n" + rows), "column": "t", "count": "n", "unit": "s", **settings}
    assert refused(read_bins, TraceArrivals, **asked).lines[0] == expected


def test_one_bin_needs_its_length(file) -> None:
    asked = {"trace": file("t,n\n0,7\n"), "column": "t", "count": "n", "unit": "s"}
    [(setting, _)] = refused(read_bins, TraceArrivals, **asked).settings
    assert setting == "bin"
    assert read_bins(from_plain(TraceArrivals, {**asked, "bin": "1m"})).end_ns.tolist() == [MINUTE]
