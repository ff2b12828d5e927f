"""Files as people have them: each is read right, or refused with the line and the way out."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hasim.cli import main
from hasim.scenario.document import parse_document
from hasim.scenario.inspecting.uses import inspect
from hasim.scenario.loader import from_data
from hasim.scenario.tables.errors import TraceError
from hasim.simulation.recorded import Recorded
from hasim.units import MILLISECOND, MINUTE, SECOND

IN_MS = (
    "resource,start_utc,end_utc\n"
    "n1,1709287200000,1709287500000\n"
    "n1,1709373600000,1709373900000\n"
    "n1,1709460000000,1709460300000"
)
IN_UTC = """resource,start_utc,end_utc
n1,2024-03-01T10:00:00Z,2024-03-01T10:05:00Z
n1,2024-03-02T10:00:00Z,2024-03-02T10:05:00Z
n1,2024-03-03T10:00:00Z,2024-03-03T10:05:00Z
"""
DAY_MIN = 24 * 60
DAILY = [[(0, 5), (DAY_MIN, DAY_MIN + 5), (2 * DAY_MIN, 2 * DAY_MIN + 5)]]
"""In minutes from the first start: three days, five minutes each at ten o'clock."""
OUTAGES: dict[str, tuple[str, list[list[tuple[float, float]]]]] = {
    "out-ms": (IN_MS, DAILY),
    "out-trailing": (f"{IN_MS},\n", DAILY),
    "out-utc": (IN_UTC.replace("T", " ").replace("Z", " UTC"), DAILY),
    "out-space": (IN_UTC.replace(",", ", "), DAILY),
    "out-semi": ("\n".join(IN_UTC.replace(",", ";").splitlines()[:2]), [[(0, 5)]]),
    "out-comment": ("# exported by tool\n" + "\n".join(IN_MS.splitlines()[:2]), [[(0, 5)]]),
    "one-service": (
        "\n".join(line.split(",", 1)[1] for line in IN_UTC.splitlines()), DAILY),
    # An hour of that night is left out; the first in the file is the last of the three.
    "out-tz": (
        "resource,start_utc,end_utc\n"
        "n1,2024-03-31T01:30:00+01:00,2024-03-31T03:30:00+02:00\n"
        "n1,2024-03-02T10:00:30Z,2024-03-02T10:05:30Z\n"
        "n1,2024-03-03T10:00:30-0500,2024-03-03T10:05:30-05:00\n",
        [[(0, 5), (29 * 60, 29 * 60 + 5), (41189.5, 41249.5)]],
    ),
    # The second one has no end: it lasts to the last time in the file, and takes in the others.
    "out-open": (
        "resource,start_utc,end_utc\n"
        "n1,2024-03-01T10:00:00Z,2024-03-01T10:05:00Z\n"
        "n1,2024-03-02T10:00:00Z,\n"
        "n1,2024-03-03T10:00:00Z,2024-03-03T10:05:00Z\n"
        "n1,2024-03-04T10:00:00Z,2024-03-04T10:05:00Z\n",
        [[(0, 5), (DAY_MIN, 3 * DAY_MIN + 5)]],
    ),
    "durations": (
        "resource,start_utc,minutes\n"
        "n1,2024-03-01T10:00:00Z,5\nn1,2024-03-02T10:00:00Z,7\nn1,2024-03-03T10:00:00Z,9\n",
        [[(0, 5), (DAY_MIN, DAY_MIN + 7), (2 * DAY_MIN, 2 * DAY_MIN + 9)]],
    ),
    # Nodes are numbered anew in each system, so that node 0 of two systems is two.
    "failures-us-dates": (
        "System failures as recorded by operators,,,,\n"
        'System,nodenum,"Prob Started (mm/dd/yy hh:mm)","Prob Fixed (mm/dd/yy hh:mm)",'
        '"Down Time"\n'
        "2,0,6/21/2005 10:54,6/21/2005 11:00,6\n"
        "2,1,12/9/2004 8:05,12/9/2004 10:00,115\n"
        "3,0,6/21/2005 10:50,6/21/2005 11:20,30\n"
        "3,18,1/31/2005 23:50,2/1/2005 2:05,135\n",
        [[(279529, 279535)], [(0, 115)], [(279525, 279555)], [(77265, 77400)]],
    ),
    # Only starts: how long they lasted is a guess, marked as one.
    "downs-no-header": (
        "check,url,22/02/2023 13:19:04,0.000000,0\n"
        "check,url,22/02/2023 13:24:04,0.000000,0\n"
        "other,url,22/02/2023 14:19:04,0.000000,404\n",
        [[(0, 10)], [(60, 65)]],
    ),
}  # fmt: skip
LOG = """2024-10-28 00:32:59,https://app.example.org,True,0.378714
2024-10-28 00:33:03,https://www.example.org,True,2.960833
2024-10-28 00:34:42,https://app.example.org,False,10.000115
2024-10-28 00:35:04,https://www.example.org,True,0.341220
2024-10-28 00:36:43,https://app.example.org,False,10.000209
2024-10-28 00:38:44,https://app.example.org,True,0.402116
"""
MATRICES = {
    "matrix-wide": (",fra,ams,lhr\nfra,,8,13\nams,8,,9\nlhr,13,9,\n", 8.0),
    "matrix-decimal-comma": ("from;to;ms\nfra;ams;8,4\nams;lhr;9,1\nlhr;fra;13,0\n", 8.4),
}


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Recorded]:
    """What a scenario has of a file, with the lines that `hasim data` says to paste."""
    monkeypatch.chdir(tmp_path)

    def made(name: str, content: str | bytes, use: str, **more: Any) -> Recorded:
        path = Path(name)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        found = {one.use: one for one in inspect(path).uses}[use]
        assert not found.refused
        data = {"horizon": "10ms", **parse_document(found.settings, "pasted").data}
        loaded = from_data({**data, **more}, source=tmp_path / "scenario.yaml")
        return loaded.recorded_of(loaded.cells[0])

    return made


@pytest.mark.parametrize("name", OUTAGES)
def test_outages(name: str, recorded: Callable[..., Recorded]) -> None:
    content, minutes = OUTAGES[name]
    found = recorded(f"{name}.csv", content, "outages", masters=[{"id": "m1"}])
    expected = [[(start * MINUTE, end * MINUTE) for start, end in own] for own in minutes]
    assert sorted(found.outages[0]) == sorted(expected)


def test_outages_packed(recorded: Callable[..., Recorded]) -> None:
    packed = gzip.compress(IN_MS.encode())
    found = recorded("out-ms.csv.gz", packed, "outages", masters=[{"id": "m1"}])
    assert found.outages[0] == [[(a * MINUTE, b * MINUTE) for a, b in DAILY[0]]]


def test_what_is_a_guess_or_was_left_open_is_said(tmp_path: Path) -> None:
    path = tmp_path / "out-open.csv"
    path.write_text(OUTAGES["out-open"][0])
    (use,) = inspect(path).uses
    assert "line 3: an outage without an end is taken to last to the last time" in use.notes[0]
    path.write_text(OUTAGES["downs-no-header"][0])
    settings = {use.use: use.settings for use in inspect(path).uses}["outages"]
    assert "lasts: 5m  # a guess: the file does not say" in settings


def test_a_log_of_checks(recorded: Callable[..., Recorded]) -> None:
    """Outages are runs of False; latencies stand in the last column, those of answers alone."""
    found = recorded("log.csv", LOG, "checks", masters=[{"id": "m1"}])
    assert found.outages[0] == [[(0, 242 * SECOND)]]
    found = recorded("log.csv", LOG, "service")
    expected = [0.341220, 0.378714, 0.402116, 2.960833]
    assert sorted(found.service_ns[0]) == [pytest.approx(s * SECOND) for s in expected]
    jitter = recorded("log.csv", LOG, "jitter", masters=[{"id": "m1"}]).jitter
    assert jitter is not None
    # Medians of the two targets: of 0.378714 and 0.402116, and of 0.341220 and 2.960833.
    medians = {0.378714: 0.390415, 0.402116: 0.390415, 0.341220: 1.6510265, 2.960833: 1.6510265}
    ratios = sorted(value / median for value, median in medians.items())
    assert sorted(jitter) == [pytest.approx(ratio) for ratio in ratios]


@pytest.mark.parametrize("name", MATRICES)
def test_matrices(name: str, recorded: Callable[..., Recorded]) -> None:
    content, least_ms = MATRICES[name]
    masters = [{"id": f"m-{site}", "region": site} for site in ("fra", "ams", "lhr")]
    found = recorded(f"{name}.csv", content, "rtt", masters=masters)
    assert found.rtt_ns["fra", "ams"] == least_ms * MILLISECOND
    assert found.rtt_ns["lhr", "fra"] == 13 * MILLISECOND


def test_counts_in_bins_are_so_many_messages(recorded: Callable[..., Recorded]) -> None:
    """And not one for each row."""
    rpm = "time,requests\n2024-03-01T10:00:00Z,120\n2024-03-01T10:01:00Z,180\n"
    rpm += "2024-03-01T10:02:00Z,90\n"
    found = recorded("rpm.csv", rpm, "counts", masters=[{"id": "m1"}])
    assert found.bins is not None
    assert found.bins.count.tolist() == [120, 180, 90]
    assert found.arrivals_ns is None


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("matrix.md", "| | fra | ams |\n|---|---|---|\n| fra | | 8 |\n| ams | 8 | |\n",
         "is a Markdown table, expected one with a separator: take out the line of dashes"),
        ("out-u16.csv", IN_MS.encode("utf-16"),
         "is text in UTF-16, expected UTF-8: convert it, for example with iconv"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_the_way_out(
    name: str, content: str | bytes, says: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TraceError, match=says):
        inspect(path)


def test_ends_before_starts_are_said_to_be_that(tmp_path: Path) -> None:
    path = tmp_path / "swapped.csv"
    rows = [line.split(",") for line in IN_UTC.splitlines()[1:]]
    path.write_text("resource,start_utc,end_utc\n" + "".join(f"{r},{e},{s}\n" for r, s, e in rows))
    result = CliRunner().invoke(main, ["data", str(path)])
    assert result.exit_code == 2
    said = " ".join(result.output.split())
    assert "line 2: end_utc: ends before it starts, and so do all: are the two columns" in said
    assert "(start: end_utc, end: start_utc)" in said
