"""Recorded data: the figures that their sources state, small files by hand, broken lines."""

import hashlib
import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.scenario.loader import load
from hasim.scenario.tables.errors import TraceError
from hasim.scenario.tables.times import read_stamps
from hasim.scenario.traces import arrivals
from hasim.scenario.traces.arrivals import read_arrivals
from hasim.scenario.traces.matrices import read_matrix
from hasim.scenario.traces.outages import read_outages
from hasim.scenario.traces.reading import read_recorded
from hasim.scenario.traces.samples import read_jitter
from hasim.settings import from_plain
from hasim.simulation.settings import JitterTrace, MatrixTrace, TraceArrivals, WorldSettings
from hasim.simulation.settings.recordings import OutageTrace
from hasim.units import DAY, HOUR, SECOND

from .conftest import DATA, GOOD

ARRIVALS = TraceArrivals(trace=str(DATA / "azure_arrivals.csv"), column="at", unit="s")
MATRIX = MatrixTrace(matrix=str(DATA / "azure_rtt.csv"))
JITTER = JitterTrace(trace=str(DATA / "seattle_jitter.csv"), column="ratio", count_="count")
OSG = {"trace": str(DATA / "osg_outages.csv"), "unit": "s"}


def digest(values: object) -> str:
    """Tells any two arrays apart, by their last bit."""
    return hashlib.blake2b(np.ascontiguousarray(values).tobytes(), digest_size=8).hexdigest()


# -- the shipped files hold what their sources say ---------------------------
# The digests are of what the readers made of the sources' own files.


def test_azure_arrivals() -> None:
    times = read_arrivals(ARRIVALS)
    gaps = np.diff(times) / SECOND
    assert len(times) == 19_366
    assert times[0] == 0
    assert times[1] == 4_314_579_000  # 18:15:50.9951690 less 18:15:46.6805900, to the nanosecond
    assert len(gaps) / (times[-1] / SECOND) == pytest.approx(5.530, abs=5e-4)
    assert gaps.mean() == pytest.approx(0.1808, abs=5e-5)
    assert np.median(gaps) == pytest.approx(0.1184, abs=5e-5)
    assert np.quantile(gaps, 0.99) == pytest.approx(0.890, abs=5e-4)
    assert gaps.std() / gaps.mean() == pytest.approx(1.09, abs=5e-3)
    assert digest(times) == "ad3301efd3c7a303"


def test_azure_round_trip_times() -> None:
    matrix = read_matrix(MATRIX)
    values = np.array(list(matrix.values())) / 1e6
    assert len(matrix) == 132
    assert matrix["East US", "Central US"] == 29_000_000
    assert values.mean() == pytest.approx(150.4, abs=0.05)
    assert np.quantile(values, [0, 0.5, 0.9, 0.99, 1]) == pytest.approx(
        [10, 150.5, 246.8, 338.7, 340], abs=0.05
    )
    assert max(abs(matrix[a, b] - matrix[b, a]) for a, b in matrix) == 4_000_000
    assert digest([rtt for _, rtt in sorted(matrix.items())]) == "ca1315fa36cdecf9"


def test_osg_outages() -> None:
    outages = read_outages(OutageTrace(**OSG, least_outages=1))
    hours = np.array([(end - start) / HOUR for spans in outages for start, end in spans])
    assert (len(hours), len(outages)) == (1_303, 257)
    assert hours.mean() == pytest.approx(85.9, abs=0.05)
    assert np.median(hours) == pytest.approx(31.0)
    often = read_outages(OutageTrace(**OSG, least_outages=3))
    up = [(b[0] - a[1]) / HOUR for spans in often for a, b in itertools.pairwise(spans)]
    assert len(often) == 130
    assert np.mean(up) == pytest.approx(4_091.7, abs=0.05)
    assert np.median(up) == pytest.approx(1_527.5)


@pytest.mark.parametrize(
    ("least", "scale", "expected"),
    [(1, 1, "e9e725eab2aa6d1f"), (3, 1, "f8fec07ac17b2978"), (15, 6500, "d84d68efe48cbab9")],
)
def test_osg_outages_to_the_nanosecond(least: int, scale: float, expected: str) -> None:
    """Also by which resource comes when: masters replay the resources in this order."""
    outages = read_outages(OutageTrace(**OSG, least_outages=least, time_scale=scale))
    assert digest([t for spans in outages for span in spans for t in span]) == expected


def test_osg_outages_before_they_are_merged() -> None:
    frame = pd.read_csv(DATA / "osg_outages.csv")
    hours = (frame.end - frame.start) / 3600
    assert (len(frame), frame.start.min()) == (1_492, 0)
    assert hours.mean() == pytest.approx(77.46, abs=5e-3)
    assert hours.max() <= 30 * 24
    assert np.quantile(hours, [0.5, 0.9, 0.99]) == pytest.approx([24.0, 215.8, 671.0], abs=0.05)


def test_seattle_jitter() -> None:
    """Each value is its own ratio: the median of all of them is 1, as that of each pair was."""
    frame = pd.read_csv(DATA / "seattle_jitter.csv", converters={"ratio": float})
    ratios = read_jitter(JITTER)
    assert (len(frame), len(ratios), np.median(ratios)) == (1_994, 89_739, 1.0)
    np.testing.assert_array_equal(ratios, np.repeat(frame.ratio, frame["count"]))
    assert digest(ratios) == "4721a576f8647618"


RECORDINGS = [
    *("azure_arrivals", "azure_rtt", "elb_requests"),
    *("osg_outages", "seattle_jitter", "web_checks"),
]


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_recording_has_its_source_and_licence(name: str) -> None:
    assert (DATA / f"{name}.LICENSE").stat().st_size > 500
    source = (DATA / f"{name}.SOURCE.md").read_text(encoding="utf-8")
    for word in ("Origin", "Derived", "Licence", "Attribution", "Check"):
        assert word in source
    assert {path.stem for path in DATA.glob("*.csv")} == set(RECORDINGS)


# -- small files by hand -----------------------------------------------------


@pytest.fixture
def csv(tmp_path):
    def write(text: str) -> str:
        path = tmp_path / "trace.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_arrivals_are_sorted_from_zero_and_scaled(csv) -> None:
    file = csv("t,x\n5.5,a\n2,b\n\n3.000000001,c\n")
    exact = read_arrivals(TraceArrivals(trace=file, column="t", unit="s"))
    assert exact.tolist() == [0, 1_000_000_001, 3_500_000_000]
    fast = read_arrivals(TraceArrivals(trace=file, column="t", unit="ms", time_scale=2))
    assert fast.tolist() == [0, 500_000, 1_750_000]
    with pytest.raises(ValueError, match="read-only"):
        exact[0] = 1


def test_large_numbers_stay_exact(csv) -> None:
    file = csv("t\n1700000000000000001\n1700000000000000003\n")
    assert read_arrivals(TraceArrivals(trace=file, column="t", unit="ns")).tolist() == [0, 2]


def test_time_stamps_with_zones(csv) -> None:
    file = csv("t\n2024-03-01T00:00:00Z\n2024-03-01 01:00:01+01:00\n2024-02-29T23:00:02.5-0100\n")
    times = read_arrivals(TraceArrivals(trace=file, column="t"))
    assert times.tolist() == [0, SECOND, 5 * SECOND // 2]


@given(
    st.datetimes(datetime(1700, 1, 1), datetime(2199, 12, 31)),
    st.integers(-14 * 60, 14 * 60),
)
def test_time_stamps_against_the_standard_library(moment: datetime, minutes: int) -> None:
    shifted = moment.replace(tzinfo=UTC) + timedelta(minutes=minutes)
    if not 1700 <= shifted.year < 2200:
        return
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = f"{shifted:%Y-%m-%dT%H:%M:%S.%f}{sign}{hours:02}:{rest:02}"
    since = moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    stamps = read_stamps(pa.array([text]), "yyyy-mm-dd")
    assert stamps.valid.all()
    assert stamps.ns[0] == since // timedelta(microseconds=1) * 1000


def test_a_matrix_of_one_direction_holds_both(csv) -> None:
    file = csv("source,destination,rtt\na,b,10\na,c,20\nc,a,22\n")
    assert read_matrix(MatrixTrace(matrix=file)) == {
        ("a", "b"): 10_000_000,
        ("b", "a"): 10_000_000,
        ("a", "c"): 20_000_000,
        ("c", "a"): 22_000_000,
    }


def test_jitter_is_the_ratio_to_the_median_of_the_pair(csv) -> None:
    file = csv("a,b,v\nx,y,1\nx,y,2\nx,y,6\nx,y,0\ny,x,10\ny,x,30\n")
    pairs = read_jitter(JitterTrace(trace=file, column="v", pair=("a", "b")))
    assert pairs.tolist() == [0.5, 0.5, 1.0, 1.5, 3.0]
    alone = read_jitter(JitterTrace(trace=file, column="v"))
    assert alone.tolist() == pytest.approx([1 / 6, 2 / 6, 1.0, 10 / 6, 5.0])


def test_jitter_that_was_counted_is_jitter_written_out(csv) -> None:
    settings = {"column": "v", "pair": ("a", "b")}
    counted = csv("a,b,v,n\nx,y,1,2\nx,y,2,1\ny,x,5,3\nx,y,0,7\ny,x,1,1\n")
    short = read_jitter(JitterTrace(trace=counted, **settings, count_="n"))
    each = csv("a,b,v\n" + 2 * "x,y,1\n" + "x,y,2\n" + 3 * "y,x,5\n" + 7 * "x,y,0\n" + "y,x,1\n")
    np.testing.assert_array_equal(short, read_jitter(JitterTrace(trace=each, **settings)))
    assert short.tolist() == [0.2, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0]


def test_counts_that_are_none(csv) -> None:
    rows = ["1,3", "1,0", "1,-1", "1,1.5", "1,", "1,\u0663", f"1,{'9' * 19}"]
    file = csv("\n".join(["v,n", *rows]) + "\n")
    with pytest.raises(TraceError) as caught:
        read_jitter(JitterTrace(trace=file, column="v", count_="n"))
    assert [(line, column) for line, column, _ in caught.value.lines] == [
        (line, "n") for line in range(3, 9)
    ]
    assert [said.rpartition(", got ")[2] for _, _, said in caught.value.lines] == [
        "a smaller one",
        "a smaller one",
        "one with decimals",
        "nothing",
        "text",
        "a too large one",
    ]


def test_counts_that_are_too_many(csv) -> None:
    file = csv("v,n\n1,9000000\n2,1000001\n")
    with pytest.raises(TraceError) as caught:
        read_jitter(JitterTrace(trace=file, column="v", count_="n"))
    assert caught.value.settings == [("count", "makes 10,000,001 values; the most is 10,000,000")]
    file = csv("v,n\n" + f"1,{'9' * 18}\n" * 20)  # more than 64 bits hold
    with pytest.raises(TraceError) as caught:
        read_jitter(JitterTrace(trace=file, column="v", count_="n"))
    assert caught.value.settings == [
        ("count", "makes 20,000,000,000,000,000,000 values; the most is 10,000,000")
    ]


def outages(csv, rows: str, **settings):
    file = csv("who,from,to,why\n" + rows)
    settings = {"least_outages": 1, "unit": "s", **settings}
    return read_outages(OutageTrace(trace=file, start="from", end="to", resource="who", **settings))


def test_outages_are_merged_filtered_and_scaled(csv) -> None:
    rows = "b,100,110,x\na,20,30,x\na,25,40,x\na,40,50,x\na,60,61,y\na,70,70,x\nb,5,9,x\n"
    assert outages(csv, rows) == [
        [(15 * SECOND, 45 * SECOND), (55 * SECOND, 56 * SECOND)],
        [(0, 4 * SECOND), (95 * SECOND, 105 * SECOND)],
    ]
    assert outages(csv, rows, where={"why": ("y",)}) == [[(0, SECOND)]]
    assert outages(csv, rows, time_scale=10)[0] == [
        (1_500_000_000, 4_500_000_000),
        (5_500_000_000, 5_600_000_000),
    ]
    assert outages(csv, rows, longest_ns=4 * SECOND) == [[(55 * SECOND, 56 * SECOND)], [(0, 4 * SECOND)]]  # fmt: skip  # noqa: E501


def test_longer_than_longest_is_left_out_before_merging(csv) -> None:
    assert outages(csv, f"a,0,{31 * DAY // SECOND},x\na,5,6,x\n") == [[(0, SECOND)]]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.integers(1, 10)), min_size=1)
)
def test_merging_against_a_set_of_seconds(tmp_path_factory, rows) -> None:
    path = tmp_path_factory.getbasetemp() / "merge.csv"
    lines = "".join(f"{who},{start},{start + length},x\n" for who, start, length in rows)
    path.write_text("who,from,to,why\n" + lines)
    found = outages(lambda text: str(path), "")
    first = min(start for _, start, _ in rows)
    for who, spans in zip(sorted({who for who, _, _ in rows}), found, strict=True):
        down = {s for w, start, length in rows if w == who for s in range(start, start + length)}
        covered = [s for a, b in spans for s in range(a // SECOND + first, b // SECOND + first)]
        assert sorted(down) == covered
        assert all(a[1] < b[0] for a, b in itertools.pairwise(spans))


# -- what is wrong with a file -----------------------------------------------


def test_broken_lines_are_told_with_line_and_column(csv) -> None:
    file = csv("t,x\n1,a\ntwo,b\n3,c\n,d\nnan,e\n")
    with pytest.raises(TraceError) as caught:
        read_arrivals(TraceArrivals(trace=file, column="t", unit="s"))
    assert caught.value.lines == [
        (3, "t", "expected a number (s), got text"),
        (5, "t", "expected a number (s), got nothing"),
        (6, "t", "expected a number (s), got nothing"),
    ]


@pytest.mark.parametrize(
    "text", ["2024-13-01", "now", "NaT", "2024-01-01 25:00", "0024-01-01", "2024-01-01T1:00", ""]
)
def test_bad_time_stamps(csv, text: str) -> None:
    with pytest.raises(TraceError) as caught:
        read_arrivals(TraceArrivals(trace=csv(f"t,x\n{text},1\n"), column="t"))
    [(line, column, said)] = caught.value.lines
    assert (line, column) == (2, "t")
    assert said.startswith("expected a time stamp such as 2023-11-16T18:15:46Z, got ")
    assert not text or text not in said


def test_many_broken_lines_are_counted(csv) -> None:
    with pytest.raises(TraceError) as caught:
        read_arrivals(TraceArrivals(trace=csv("t\n" + "x\n" * 50), column="t", unit="s"))
    assert len(caught.value.lines) == 11
    assert caught.value.lines[-1] == (12, "t", "and 40 more broken lines from here on")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("t,x\n1,2\n3\n", 3, "has 1 value, the header has 2 columns"),
        ("t,x\n1,2,3\n", 2, "has 3 values, the header has 2 columns"),
        ("t,x\n1,2\n\n3\n", 4, "has 1 value, the header has 2 columns"),
        ("t\n1,2\n", 2, "has 2 values, the header has 1 column"),
        (
            't,x\n1,2\n"3,4\n5,6\n',
            3,
            "has 1 value, the header has 2 columns (a quotation mark that is not closed?)",
        ),
        ("t\n", 1, "has no rows below it"),
    ],
)
def test_files_of_the_wrong_shape(csv, text, line, message) -> None:
    with pytest.raises(TraceError) as caught:
        read_arrivals(TraceArrivals(trace=csv(text), column="t", unit="s"))
    assert caught.value.lines == [(line, "", message)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "trace.csv is empty; expected a table"),
        (b"\n \n", "trace.csv is empty; expected a table"),
        (b"t,t\n1,2\n", "has more than one column 't': give its number"),
        ("t\n1\n".encode("utf-16"), "is text in UTF-16, expected UTF-8: convert it"),
        ("t\n1\n".encode("utf-16-le"), "looks like text in UTF-16, expected UTF-8: convert it"),
        (b"t\n1\n\xe9\n", "is not text in UTF-8 (line 3): convert it"),
    ],
)
def test_files_without_the_column(tmp_path, data: bytes, message: str) -> None:
    file = tmp_path / "trace.csv"
    file.write_bytes(data)
    with pytest.raises(TraceError) as caught:
        read_arrivals(TraceArrivals(trace=str(file), column="t", unit="s"))
    [(_, said)] = caught.value.settings
    assert message in said


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("5", "s, ms, us, ns, ..."),
        ("1709287200", "s, if they count from 1970"),
        ("1709287200123", "ms, if they count from 1970"),
        ("1709287200123456789", "ns, if they count from 1970"),
    ],
)
def test_numbers_where_time_stamps_are_expected_need_their_unit(csv, text, unit) -> None:
    with pytest.raises(TraceError) as caught:
        read_arrivals(TraceArrivals(trace=csv(f"t\n{text}\n"), column="t"))
    [(setting, said)] = caught.value.settings
    assert setting == "unit"
    assert said == f"t of trace.csv holds numbers: say unit: {unit}"


@pytest.mark.parametrize("text", ["9" * 4000, "1e999999999", "1e-999999999", "9e400"])
def test_a_number_beyond_all_clocks(csv, text) -> None:
    with pytest.raises(TraceError) as caught:
        read_arrivals(TraceArrivals(trace=csv(f"t\n{text}\n1\n"), column="t", unit="s"))
    [(line, _, said)] = caught.value.lines
    assert (line, said) == (
        2,
        "expected a number (s), got a number that is too large or too long",
    )


def test_a_time_scale_that_leaves_the_clock(csv) -> None:
    trace = TraceArrivals(trace=csv("t\n0\n1\n"), column="t", unit="s", time_scale=1e-300)
    with pytest.raises(TraceError) as caught:
        read_arrivals(trace)
    [(setting, said)] = caught.value.settings
    assert (setting, said) == ("time_scale", "too small: 1s divided by it are more than 292 years")


def test_lines_are_counted_in_the_file_not_in_rows(csv) -> None:
    file = csv('t,x\n1,"two\nlines"\nbad,y\n')
    with pytest.raises(TraceError) as caught:
        read_arrivals(TraceArrivals(trace=file, column="t", unit="s"))
    assert [line for line, _, _ in caught.value.lines] == [4]


def test_a_matrix_that_contradicts_itself(csv) -> None:
    file = csv("source,destination,rtt\na,b,10\na,b,11\nb,a,-1\n")
    with pytest.raises(TraceError) as caught:
        read_matrix(MatrixTrace(matrix=file))
    assert caught.value.lines == [
        (3, "", "this pair is given twice (also in line 2)"),
        (4, "rtt", "must not be negative"),
    ]


def test_settings_that_ask_in_vain(csv) -> None:
    def complaint(**settings):
        with pytest.raises(TraceError) as caught:
            outages(csv, "a,1,2,planned\n", **settings)
        return caught.value.settings

    assert complaint(where={"wy": ("x",)}) == [
        ("where.wy", "trace.csv has no column 'wy'; did you mean why?")
    ]
    assert complaint(where={"why": ("planed", "planned")}) == [
        ("where.why", "no row has the value 'planed'; did you mean planned?")
    ]
    assert complaint(least_outages=2) == [
        ("least_outages", "no resource has so many; the most is 1")
    ]


def test_problems_of_traces_in_a_scenario(problems_of, tmp_path) -> None:
    (tmp_path / "arrivals.csv").write_text("time\n0\nx\n")
    (tmp_path / "rtt.csv").write_text("source,destination,rtt\nwest,easst,10\n")
    text = GOOD.replace(
        "detection:",
        "network: {rtt: {matrix: rtt.csv}, jitter: {trace: jiter.csv, column: v}}\n"
        "traffic:\n  arrivals: {trace: arrivals.csv, column: time, unit: s}\ndetection:",
    )
    (tmp_path / "jitter.csv").write_text("v\n1\n")
    found = {(p.file.rpartition("/")[2], p.line, p.field): p.message for p in problems_of(text)}
    assert found == {
        ("arrivals.csv", 3, "time"): "expected a number (s), got text",
        ("file.yaml", 8, "network.jitter.trace"): f"no such file: {tmp_path}/jiter.csv; "
        "did you mean jitter.csv?",
        ("file.yaml", 5, "masters.1.region"): "'east' is not in the matrix; did you mean easst?",
    }
    misspelt = text.replace("column: time", "column: tiem")
    assert any(
        (p.line, p.field, p.message)
        == (10, "traffic.arrivals.column", "arrivals.csv has no column 'tiem'; did you mean time?")
        for p in problems_of(misspelt)
    )


def test_arrivals_must_last_as_long_as_the_run(problems_of, tmp_path) -> None:
    (tmp_path / "arrivals.csv").write_text("time\n0\n299\n")
    arrivals = "traffic: {arrivals: {trace: arrivals.csv, column: time, unit: s}}\ndetection:"
    [problem] = problems_of(GOOD.replace("detection:", arrivals))
    assert (problem.line, problem.field, problem.message) == (
        8,
        "traffic.arrivals",
        "the trace lasts 4m59s, less than the horizon, 5m",
    )


def test_a_pair_that_the_matrix_lacks(problems_of, tmp_path) -> None:
    (tmp_path / "rtt.csv").write_text("source,destination,rtt\nwest,north,10\neast,north,10\n")
    [problem] = problems_of(
        GOOD.replace("detection:", "network: {rtt: {matrix: rtt.csv}}\ndetection:")
    )
    assert problem.message == "the matrix has no round-trip time between 'east' and 'west'"


# -- reading once ------------------------------------------------------------


def test_a_file_is_read_once_for_all_cells_and_again_when_it_changes(
    loaded, tmp_path, monkeypatch
) -> None:
    file = tmp_path / "arrivals.csv"
    file.write_text("time\n0\n400\n")
    reads = []
    real = arrivals.read_table
    monkeypatch.setattr(arrivals, "read_table", lambda *a: (reads.append(a[0]), real(*a))[1])
    study = loaded(
        GOOD.replace(
            "detection:",
            "traffic: {arrivals: {trace: arrivals.csv, column: time, unit: s}}\n"
            "vary: {balancing.algorithm: [geo, priority, round-robin]}\ndetection:",
        )
    )
    first = [study.recorded_of(cell) for cell in study.cells]
    assert len(first) == 3
    assert reads == [file]
    assert all(r.arrivals_ns is first[0].arrivals_ns for r in first)
    file.write_text("time\n0\n500\n600\n")
    assert len(study.recorded_of(study.cells[0]).arrivals_ns) == 3
    assert len(reads) == 2


def test_recorded_of_the_quickstart() -> None:
    study = load(DATA.parent / "quickstart.yaml")
    recorded = study.recorded_of(study.cells[0])
    assert len(recorded.arrivals_ns) == 19_366
    assert len(recorded.rtt_ns) == 132
    assert recorded.jitter is None
    assert set(recorded.outages) == {0, 1, 2}
    assert min(len(spans) for spans in recorded.outages[0]) >= 15
    assert len(recorded.outages[0]) >= len(study.scenario.masters)


def test_no_traces_nothing_recorded() -> None:
    world = from_plain(WorldSettings, {"masters": {"id": "a"}, "horizon": "1m"})
    recorded, errors = read_recorded(world)
    assert (recorded.arrivals_ns, recorded.rtt_ns, recorded.jitter, recorded.outages) == (
        None,
        {},
        None,
        {},
    )
    assert errors == []
