"""Lists of outages as people have them: read right, or refused with line and way out."""

import gzip

import pytest

from hasim.scenario.loader import load
from hasim.scenario.tables.errors import TraceError
from hasim.scenario.traces.outages import read_outages
from hasim.settings import from_plain
from hasim.simulation.settings.recordings import (
    OutageTrace,
)
from hasim.units import DAY, HOUR, MINUTE, SECOND

from .conftest import GOOD, refused

HEADER = "resource,start,end\n"
THREE = [[(0, 5 * MINUTE), (DAY, DAY + 5 * MINUTE), (2 * DAY, 2 * DAY + 5 * MINUTE)]]
"""Three outages of five minutes, one on each of three days."""


def outages(trace: str, **settings):
    return read_outages(from_plain(OutageTrace, {"trace": trace, "least_outages": 1, **settings}))


def refused_outages(trace: str, **settings) -> TraceError:
    return refused(read_outages, OutageTrace, trace=trace, least_outages=1, **settings)


# -- outages -----------------------------------------------------------------------

DIALECTS = {
    "utc": "resource,start,end\n"
    "a,2024-05-01 08:00:00 UTC,2024-05-01 08:05:00 UTC\n"
    "a,2024-05-02 08:00:00 UTC,2024-05-02 08:05:00 UTC\n"
    "a,2024-05-03 08:00:00 UTC,2024-05-03 08:05:00 UTC\n",
    "zones": "resource,start,end\n"
    "a,2024-05-01T09:00:00+01:00,2024-05-01T10:05:00+02:00\n"
    "a,2024-05-02T08:00:00.000Z,2024-05-02 08:05 GMT\n"
    "a,2024-05-03T03:00:00-0500,2024-05-03T08:05:00+00\n",
    "semicolons": "resource;start;end\n"
    "a;2024-05-01T08:00:00Z;2024-05-01T08:05:00Z\n"
    "a;2024-05-02T08:00:00Z;2024-05-02T08:05:00Z\n"
    "a;2024-05-03T08:00:00Z;2024-05-03T08:05:00Z\n",
    "blanks after commas": "resource, start, end\r\n"
    "a, 2024-05-01T08:00:00Z, 2024-05-01T08:05:00Z\r\n"
    "a, 2024-05-02T08:00:00Z, 2024-05-02T08:05:00Z\r\n"
    "a, 2024-05-03T08:00:00Z, 2024-05-03T08:05:00Z\r\n",
    "trailing commas": "resource,start,end\n"
    "a,2024-05-01T08:00:00Z,2024-05-01T08:05:00Z\n"
    "a,2024-05-02T08:00:00Z,2024-05-02T08:05:00Z,\n"
    "a,2024-05-03T08:00:00Z,2024-05-03T08:05:00Z,,\n",
    "comments above": "# a tool wrote this\n# on a Tuesday\nresource,start,end\n"
    "a,2024-05-01T08:00:00Z,2024-05-01T08:05:00Z\n"
    "a,2024-05-02T08:00:00Z,2024-05-02T08:05:00Z\n"
    "a,2024-05-03T08:00:00Z,2024-05-03T08:05:00Z\n",
    "a header that is a comment": "#resource\tstart\tend\n"
    "a\t2024-05-01T08:00:00Z\t2024-05-01T08:05:00Z\n"
    "a\t2024-05-02T08:00:00Z\t2024-05-02T08:05:00Z\n"
    "a\t2024-05-03T08:00:00Z\t2024-05-03T08:05:00Z\n",
    "blanks": "resource  start            end\n"
    "a         2024-05-01T08:00:00Z 2024-05-01T08:05:00Z\n"
    "a         2024-05-02T08:00:00Z 2024-05-02T08:05:00Z\n"
    "  a       2024-05-03T08:00:00Z 2024-05-03T08:05:00Z  \n",
    "a title, as a spreadsheet saves it": "Outages of the year,,\n,,\nresource,start,end\n"
    "a,5/1/2024 8:00,5/1/2024 8:05\na,5/2/2024 8:00,5/2/2024 8:05\na,5/3/2024 8:00,5/3/2024 8:05\n"
    "b,5/31/2024 8:00,5/31/2024 8:00\n",
    "one title": "Outages of the year\nresource,start,end\n"
    "a,01.05.2024 08:00,01.05.2024 08:05\na,02.05.2024 08:00,02.05.2024 08:05\n"
    "a,03.05.2024 08:00,03.05.2024 08:05\n",
    "words for months": "resource,start,end\n"
    "a,1 May 2024 8:00 AM,1 May 2024 8:05 AM\na,2 May 2024 8:00 am,2 May 2024 8:05 am\n"
    "a,3 May 2024 8:00 a.m.,3 May 2024 8:05 a.m.\n",
    "quotes": 'resource,start,end\n"a","2024-05-01","2024-05-01 00:05"\n'
    '"a","2024-05-02","2024-05-02 00:05"\n\n"a","2024-05-03","2024-05-03 00:05"',
    "a mark of UTF-8": "\N{BOM}resource,start,end\n"
    "a,2024-05-01T08:00:00Z,2024-05-01T08:05:00Z\n"
    "a,2024-05-02T08:00:00Z,2024-05-02T08:05:00Z\n"
    "a,2024-05-03T08:00:00Z,2024-05-03T08:05:00Z\n",
}


@pytest.mark.parametrize("name", DIALECTS)
def test_the_same_outages_however_they_are_written(file, name: str) -> None:
    assert outages(file(DIALECTS[name])) == THREE


@pytest.mark.parametrize("name", DIALECTS)
def test_the_same_outages_packed_with_gzip(file, name: str) -> None:
    packed = gzip.compress(DIALECTS[name].encode())
    assert outages(file(packed, "people.csv.gz")) == THREE


def test_numbers_since_1970_in_their_unit(file) -> None:
    starts = [1714550400000 + day * 86400000 for day in range(3)]
    rows = "".join(f"a,{start},{start + 300000}\n" for start in starts)
    trace = file(f"{HEADER}{rows}")
    assert outages(trace, unit="ms") == THREE
    error = refused_outages(trace)
    assert error.settings == [
        (
            "unit",
            "start of people.csv holds numbers: say unit: ms, if they count from 1970",
        )
    ]


US = (
    "What the operators wrote down,,,,\n"
    'Site,Node,"Began (mm/dd/yy hh:mm)","Mended (mm/dd/yy hh:mm)","Minutes"\n'
    "3,7,7/28/2006 9:10,7/28/2006 9:30,20\n"
    "3,7,8/2/2006 23:50,8/3/2006 0:20,30\n"
    "4,2,7/28/2006 9:10,7/28/2006 9:15,5\n"
)


@pytest.mark.parametrize(
    "settings",
    [
        {
            "start": "Began (mm/dd/yy hh:mm)",
            "end": "Mended (mm/dd/yy hh:mm)",
            "resource": "Node",
        },
        {"start": 3, "end": 4, "resource": 2},
        {"start": 3, "end": 4, "resource": 2, "format": "m/d/yyyy"},
        {"start": 3, "duration": 5, "duration_unit": "m", "resource": 2},
        {"start": 3, "end": 4, "resource": "2", "header": 2, "format": "%m/%d/%Y %H:%M"},
    ],
)
def test_a_title_a_header_with_brackets_and_dates_of_the_united_states(file, settings) -> None:
    later = (5 * 24 * 60 + 14 * 60 + 40) * MINUTE
    expected = [[(0, 5 * MINUTE)], [(0, 20 * MINUTE), (later, later + 30 * MINUTE)]]
    assert outages(file(US), **settings) == expected


def test_the_other_form_of_the_date_is_refused_with_the_line(file) -> None:
    error = refused_outages(file(US), start=3, end=4, resource=2, format="d/m/yyyy")
    assert [line for line, _, _ in error.lines] == [3, 3, 5, 5]
    assert error.lines[0][1:] == (
        "column 3",
        "expected a time stamp such as d/m/yyyy, got one of another form (see format), or a time "
        "that there is not",
    )


def test_dates_that_may_be_either_are_refused_until_it_is_said(file) -> None:
    text = f"{HEADER}a,1/1/2024 8:00,1/1/2024 8:05\na,3/4/2024 8:00,3/4/2024 8:05\n"
    error = refused_outages(file(text))
    assert error.lines == [
        (3, "start", "may be m/d/yyyy or d/m/yyyy: say which, as in format: m/d/yyyy")
    ]
    march, april = (
        outages(file(text), format=form)[0][1][0] // DAY for form in ("m/d/yyyy", "d/m/yyyy")
    )
    assert (march, april) == (63, 93)


def test_one_column_decides_for_the_other(file) -> None:
    text = f"{HEADER}a,3/4/2024 23:00,3/4/2024 23:30\na,12/4/2024 0:00,13/4/2024 0:00\n"
    assert outages(file(text)) == [[(0, 30 * MINUTE), (8 * DAY + HOUR, 9 * DAY + HOUR)]]


DOWNS = (
    "check,url,22/02/2023 13:19:04,0.0,0\n"
    "check,url,22/02/2023 13:24:04,0.0,0\n"
    "other,url,23/02/2023 02:00:11,0.0,404\n"
)


def test_a_file_without_a_header_says_so_and_has_columns_by_number(file) -> None:
    error = refused_outages(file(DOWNS), start="began")
    [(line, column, said)] = error.lines
    assert (line, column) == (1, "")
    assert said.startswith("is data, and no header with 'began', 'end', 'resource': give the ")
    assert "numbers of the columns, as in start: 1 (`hasim data people.csv` lists them)" in said
    assert outages(file(DOWNS), start=3, resource=1, lasts="1m") == [
        [(0, MINUTE), (5 * MINUTE, 6 * MINUTE)],
        [(12 * HOUR + 41 * MINUTE + 7 * SECOND, 12 * HOUR + 42 * MINUTE + 7 * SECOND)],
    ]
    [(setting, said)] = refused_outages(file(DOWNS), start=9, resource=1, lasts="1m").settings
    assert (setting, said) == ("start", "people.csv has no column 9; it has 5")


def test_durations_instead_of_ends(file) -> None:
    rows = [f"a,2024-05-0{day}T08:00:00Z,5\n" for day in (1, 2, 3)]
    text = f"resource,start,minutes\n{''.join(rows)}"
    assert outages(file(text), duration="minutes", duration_unit="m") == THREE
    [(setting, said)] = refused_outages(file(text)).settings
    assert setting == "end"
    assert said == (
        "people.csv has no column 'end'; `hasim data` says what it has (instead of an end: "
        "duration: COLUMN, or lasts: 5m)"
    )
    negative = file(text.replace(rows[1], rows[1].replace(",5", ",-5")))
    error = refused_outages(negative, duration="minutes")
    assert error.lines == [(3, "minutes", "must not be negative")]


def test_rows_that_are_all_of_one(file) -> None:
    rows = "".join(f"2024-05-0{day}T08:00Z,2024-05-0{day}T08:05Z\n" for day in (1, 2, 3))
    text = f"start,end\n{rows}"
    assert outages(file(text), resource=None) == THREE
    [(setting, said)] = refused_outages(file(text)).settings
    assert setting == "resource"
    assert said.endswith("(resource: null, if all rows are of one)")


OPEN = (
    "resource,start,end\n"
    "a,2024-05-01T08:00:00Z,2024-05-01T08:05:00Z\n"
    "b,2024-05-02T08:00:00Z,{nothing}\n"
    "a,2024-05-03T08:00:00Z,2024-05-03T08:05:00Z\n"
)


@pytest.mark.parametrize("nothing", ["", "-", "NULL", "n/a", "None"])
def test_an_outage_without_an_end_lasts_to_the_end_of_the_file(file, nothing) -> None:
    trace = file(OPEN.format(nothing=nothing))
    last = 2 * DAY + 5 * MINUTE
    assert outages(trace) == [[(0, 5 * MINUTE), (2 * DAY, last)], [(DAY, last)]]
    assert outages(trace, open="left-out") == [[(0, 5 * MINUTE), (2 * DAY, last)]]
    error = refused_outages(trace, open="refused")
    assert error.lines == [(3, "end", "has no end (open: to-end, or left-out)")]


def test_a_run_says_what_it_made_of_open_outages(write, tmp_path) -> None:
    (tmp_path / "open.csv").write_text(OPEN.format(nothing=""))
    schedule = "schedule: {trace: open.csv, least_outages: 1}"
    loaded = load(write(GOOD.replace("at: 1m", schedule)))
    assert loaded.remarks() == [
        f"{tmp_path / 'open.csv'}: line 3: an outage without an end is taken to last to the last "
        "time in the file (open: to-end)"
    ]


def test_ends_before_starts_are_said_to_be_that(file) -> None:
    swapped = DIALECTS["semicolons"].replace("start;end", "end;start")
    error = refused_outages(file(swapped))
    assert [(line, column) for line, column, _ in error.lines] == [
        (2, "end"),
        (3, "end"),
        (4, "end"),
    ]
    assert error.lines[0][2] == (
        "ends before it starts, and so do all: are the two columns swapped? "
        "(start: end, end: start)"
    )
    assert outages(file(swapped), start="end", end="start") == THREE
    one = DIALECTS["utc"].replace("2024-05-02 08:05:00", "2024-05-02 07:59:59")
    assert refused_outages(file(one)).lines == [(3, "end", "ends before it starts")]
