"""What `hasim data` says of a file: facts by hand, and lines to paste that load."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hasim.report.inspection import as_text
from hasim.scenario.document import parse_document
from hasim.scenario.inspecting.uses import Inspection, inspect
from hasim.scenario.loader import from_data
from hasim.settings.validation import SettingsError

from .conftest import DATA
from .test_check_logs import LOG
from .test_outage_files import DIALECTS, DOWNS, OPEN, US
from .test_rtt_and_arrival_files import RPM

PER_USE = {
    "arrivals": "traffic",
    "counts": "traffic",
    "outages": "faults",
    "checks": "faults",
    "rtt": "network",
    "jitter": "network",
    "service": "masters",
}


def uses(found: Inspection) -> dict[str, str]:
    return {use.use: use.found for use in found.uses}


def pasted(found: Inspection, source: Path) -> list[Any]:
    """The scenarios that come of pasting, one for each use that is not refused."""
    worlds = []
    for use in found.uses:
        assert not use.refused
        data: dict[str, Any] = {
            "horizon": "10ms",
            "masters": [{"id": "m1"}],
            **parse_document(use.settings, "pasted").data,
        }
        assert PER_USE[use.use] in data
        sites = list(dict.fromkeys(site for pair in _sites(data, source) for site in pair))
        for master in data["masters"]:
            master["region"] = sites[0] if sites else "local"
        loaded = from_data(data, source=source.parent / "scenario.yaml")
        worlds.append(loaded.recorded_of(loaded.cells[0]))
    return worlds


def _sites(data: dict[str, Any], source: Path) -> list[tuple[str, str]]:
    from hasim.scenario.traces.matrices import read_matrix
    from hasim.settings import from_plain
    from hasim.simulation.settings.recordings import MatrixTrace

    rtt = data.get("network", {}).get("rtt")
    return list(read_matrix(from_plain(MatrixTrace, {**rtt, "matrix": str(source)}))) if rtt else []


@pytest.fixture
def looked(file, monkeypatch, tmp_path):
    """Looks at a file beside a scenario, and pastes what comes of it."""
    monkeypatch.chdir(tmp_path)

    def look(content: str | bytes, name: str = "people.csv", **layout: Any) -> Inspection:
        path = Path(file(content, name))
        found = inspect(name, **layout)
        pasted(found, path)
        assert all(len(line) <= 80 for line in as_text(found).splitlines())
        return found

    return look


# -- uses ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", DIALECTS)
def test_outages_are_found_however_they_are_written(looked, name) -> None:
    found = uses(looked(DIALECTS[name]))
    assert list(found) == ["outages"]
    assert found["outages"].startswith("3 outages of 1 resource that have 3 or more in 2d")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (US, {"outages": "3 outages of 2 resources in 5d15h, lasting 5m to 30m"}),
        (DOWNS, {"arrivals": "3 arrivals", "outages": "2 outages of 2 resources in 12h46m"}),
        (
            LOG,
            {
                "checks": "2 outages of 2 resources in 2m, lasting 55s to 2m",
                "jitter": "4 ratios to the median, p99 1.59, max 1.6",
                "service": "4 times, mean 625ms, p99 992ms",
            },
        ),
        (RPM, {"counts": "390 messages in 3m, 2.17 a second, in bins of 1m"}),
        ("time\n2024-05-01T10:00:00Z\n2024-05-01T10:00:07Z\n2024-05-01T10:00:16Z\n",
         {"arrivals": "3 arrivals in 16s, 0.188 a second"}),
        ("ts,status\n1714557600,200\n1714557607,200\n1714557616,500\n",
         {"arrivals": "3 arrivals in 16s, 0.188 a second"}),
        (",fra,ams\nfra,,8\nams,8,\n", {"rtt": "2 sites, 1 pairs, 8ms"}),
        ("from;to;rtt_us\nfra;ams;8,4\nams;lhr;9,1\n", {"rtt": "3 sites, 2 of 3 pairs, 0.0084ms"}),
        ("resource,start,minutes\na,2024-05-01,5\na,2024-05-02,7\n",
         {"outages": "2 outages of 1 resource in 1d, lasting 5m to 7m"}),
        ("n,latency_ms\n1,5\n2,7\n3,90\n",
         {"jitter": "3 ratios to the median", "service": "3 times, mean 34ms, p99 88.3ms"}),
        ("a,b\nx,y\nz,w\n", {}),
    ],
)  # fmt: skip
def test_uses_are_found_and_tried(looked, content, expected) -> None:
    found = uses(looked(content))
    assert list(found) == list(expected)
    for use, text in expected.items():
        assert found[use].startswith(text), found[use]


def test_the_shipped_recordings(monkeypatch) -> None:
    monkeypatch.chdir(DATA)
    expected = {
        "azure_arrivals": "19,366 arrivals in 58m22s, 5.53 a second",
        "azure_rtt": "12 sites, 66 pairs, 10ms to 340ms",
        "elb_requests": "40,272 messages in 2d, 0.233 a second, in bins of 5m",
        "web_checks": "25 outages of 3 resources that have 3 or more in 6m19s",
        "osg_outages": "1,141 outages of 130 resources that have 3 or more",
        "seattle_jitter": "89,739 ratios to the median, p99 21.3, max 3.47e+03",
    }
    for name, text in expected.items():
        found = inspect(f"{name}.csv")
        assert found.uses[0].found.startswith(text)
        [recorded] = pasted(found, DATA / f"{name}.csv")[:1]
        if name == "azure_arrivals":
            assert len(recorded.arrivals_ns) == 19_366


def test_what_would_be_read_wrongly_is_refused(file) -> None:
    swapped = DIALECTS["utc"].replace("start,end", "end,start")
    [use] = inspect(file(swapped)).uses
    assert use.refused[0] == (
        "line 2: end: ends before it starts, and so do all: are the two columns swapped? "
        "(start: end, end: start)"
    )
    assert "As outages it would be refused:\n  line 2: end:" in as_text(inspect(file(swapped)))


def test_what_the_file_does_not_say_is_marked(looked) -> None:
    dates = DIALECTS["a title, as a spreadsheet saves it"].replace("5/31/2024", "5/5/2024")
    [use] = looked(dates).uses
    assert "format: m/d/yyyy  # a guess: the file does not say\n" in use.settings
    [use] = looked("at\n0\n1.5\n2\n").uses
    assert "unit: s  # a guess: the file does not say\n" in use.settings


def test_open_outages_are_noted(looked) -> None:
    [use] = looked(OPEN.format(nothing="")).uses
    assert use.notes == (
        "people.csv: line 3: an outage without an end is taken to last to the last time in the "
        "file (open: to-end)",
    )


# -- facts --------------------------------------------------------------------------


def test_how_a_table_is_written(looked) -> None:
    facts = looked(US).facts
    assert (facts.dialect.delimiter, facts.dialect.header, facts.dialect.first) == ("comma", 2, 3)
    assert (facts.rows, facts.last_line, facts.encoding) == (3, 5, "UTF-8")
    assert [column.kind for column in facts.columns] == [
        "numbers",
        "numbers",
        "times",
        "times",
        "numbers",
    ]
    assert facts.columns[2].form == "m/d/yyyy"
    assert looked(gzip.compress(RPM.encode())).facts.encoding == "UTF-8, packed with gzip"
    assert looked(DIALECTS["a mark of UTF-8"]).facts.encoding == "UTF-8 with a mark"


def test_times_their_order_and_their_gaps(looked) -> None:
    rng = np.random.default_rng(2)
    minutes = np.delete(np.arange(500), [7, 100, 101])
    stamps = np.datetime64("2024-05-01T00:00") + minutes.astype("timedelta64[m]")
    rows = "".join(f"{stamp},{n}\n" for stamp, n in zip(stamps, rng.poisson(9, 497), strict=True))
    time, requests = looked(f"time,requests\n{rows}").facts.columns
    assert time.course is not None
    assert (time.course.back, time.course.gaps) == (0, 2)
    assert (time.course.step_ns, time.course.longest_ns) == (60 * 10**9, 180 * 10**9)
    assert (requests.kind, requests.whole, requests.distinct < 30) == ("numbers", True, True)
    text = as_text(inspect("people.csv"))
    assert "in order, mostly 1m apart, 2 gaps of up to 3m" in text
    back = looked("t\n2024-05-03\n2024-05-01\n2024-05-02\n").facts.columns[0].course
    assert back is not None
    assert (back.back, back.step_ns // 10**9) == (1, 86400)


def test_cells_that_are_empty_or_of_another_kind_are_counted(looked) -> None:
    facts = looked("n,name\n1,x\n,y\n-,z\nseven,x\n2.5,x\n3,x\n").facts
    number, name = facts.columns
    assert (number.kind, number.empty, number.broken, number.broken_line) == ("numbers", 2, 1, 5)
    assert (number.low, number.high, number.whole) == (1.0, 3.0, False)
    assert (name.kind, name.distinct) == ("text", 3)
    assert "2 empty, 1 that are none (from line 5 on)" in as_text(inspect("people.csv"))


def test_a_comma_that_may_be_either_is_told(file) -> None:
    found = inspect(file("name;n\na;1,250\nb;2,500\n"))
    assert found.facts.columns[1].doubt.startswith("its comma may stand before decimals")


def test_a_layout_can_be_said(looked) -> None:
    found = looked("10\n20\n30\n", header=1)
    assert found.facts.columns[0].name == "10"
    assert found.facts.rows == 2
    with pytest.raises(SettingsError, match="delimiter"):
        inspect("people.csv", delimiter=";")


def test_names_that_a_terminal_would_obey_are_not_shown(looked) -> None:
    text = as_text(looked("\x1b[2Jtime,n\n2024-05-01T10:00:00Z,x\n2024-05-01T10:00:09Z,y\n"))
    assert "\x1b" not in text
    assert "  1    times (yyyy-mm-dd)" in text


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("n\x01,m", "its name has control characters, so give its number"),
        ("n" * 81 + ",m", "its name is longer than 80 characters, so give its number"),
        ("n,n", "another column has its name, so give its number"),
    ],
)
def test_why_a_column_is_told_by_its_number_is_said(looked, header: str, why: str) -> None:
    found = looked(f"{header}\n1,2\n2,3\n")
    assert found.facts.columns[0].said == 1
    assert why in " ".join(as_text(found).split())
    assert "so give its number" not in as_text(looked("n,m\n1,2\n2,3\n"))
