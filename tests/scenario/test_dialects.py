"""A list of outages written in any supported dialect reads back as the same outages."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.scenario.inspecting.uses import inspect
from hasim.scenario.tables.errors import TraceError
from hasim.scenario.traces.outages import read_outages
from hasim.settings import from_plain
from hasim.simulation.settings.recordings import DATES, OutageTrace
from hasim.units import SECOND

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
NAMES = ("web-1", "web 2", "db, first", 'the "old" one', "r\u00e9plica", "x" * 40)
Outage = tuple[str, int, int]
"""Resource, start and end in seconds since 1970."""


@dataclass(frozen=True)
class Written:
    """One way to write a list of outages down."""

    date: str
    clock: str
    zone: str
    delimiter: str
    titles: int
    header: bool
    lasting: bool
    decimal: str
    quoted: bool
    spaced: bool
    trailing: bool
    end: str
    mark: bool
    packed: bool
    blank: bool

    def stamp(self, time: int) -> str:
        """A time as this dialect has it."""
        if self.date in ("s", "ms"):
            return str(time if self.date == "s" else time * 1000)
        moment = datetime.fromtimestamp(time, UTC)
        if self.zone == "+01:30":
            moment = moment.astimezone(timezone(timedelta(hours=1, minutes=30)))
        parts = {
            "yyyy": f"{moment.year}",
            "yy": f"{moment.year % 100:02}",
            "mon": MONTHS[moment.month - 1],
            "mm": f"{moment.month:02}",
            "dd": f"{moment.day:02}",
            "m": f"{moment.month}",
            "d": f"{moment.day}",
        }
        text, rest = "", self.date
        while rest:
            name = next((name for name in parts if rest.startswith(name)), rest[0])
            text, rest = text + parts.get(name, name), rest[len(name) :]
        between = "T" if self.clock == "T" and self.date == "yyyy-mm-dd" else " "
        if self.clock == "am/pm":
            return f"{text}{between}{moment:%I:%M:%S %p}{self.zone}"
        return f"{text}{between}{moment:%H:%M:%S}{self.zone}"

    def lasts(self, length: int) -> str:
        """A duration in seconds, with a decimal."""
        return f"{length}{self.decimal}0"

    def text(self, outages: list[Outage]) -> str:
        """The whole file."""
        lines = io.StringIO()
        writer = csv.writer(
            lines,
            delimiter=DELIMITERS[self.delimiter],
            lineterminator="\n",
            quoting=csv.QUOTE_ALL if self.quoted else csv.QUOTE_MINIMAL,
        )
        more = [""] if self.trailing else []
        for number in range(self.titles):
            writer.writerow([f"Outages, part {number}", "", "", *more][: 1 + 3 * (number % 2)])
        if self.header:
            last = "seconds" if self.lasting else "end"
            writer.writerow(["resource", "start", last, *more])
        for name, start, end in outages:
            last = self.lasts(end - start) if self.lasting else self.stamp(end)
            writer.writerow([name, self.stamp(start), last, *more])
        text = lines.getvalue()
        if self.spaced and not self.quoted and self.delimiter != "tab":
            text = text.replace(f"{DELIMITERS[self.delimiter]}2", f"{DELIMITERS[self.delimiter]} 2")
        if self.blank:
            first, _, rest = text.partition("\n")
            text = f"{first}\n\n{rest}"
        return text.rstrip("\n").replace("\n", self.end)

    def content(self, outages: list[Outage]) -> bytes:
        """The whole file as bytes."""
        plain = self.text(outages).encode("utf-8-sig" if self.mark else "utf-8")
        return gzip.compress(plain) if self.packed else plain

    def settings(self) -> dict[str, Any]:
        """What a scenario has to say of it."""
        said: dict[str, Any] = {"least_outages": 1}
        if self.date in ("s", "ms"):
            said["unit"] = self.date
        if not self.header:
            said |= {"resource": 1, "start": 2, "end": 3}
        if self.lasting:
            said |= {"duration": "seconds" if self.header else 3}
        return said


TIME = st.integers(978_307_200, 2_145_916_800)  # 2001 to 2037: each form of the year has them
OUTAGES = st.lists(st.tuples(st.sampled_from(NAMES), TIME, st.integers(1, 2_000_000)), min_size=1,
                   max_size=6).map(lambda rows: [(n, t, t + d) for n, t, d in rows])  # fmt: skip


@st.composite
def ways(draw: st.DrawFn) -> Written:
    flag = st.booleans()
    header = draw(flag)
    date = draw(st.sampled_from((*DATES, "s", "ms")))
    return Written(
        date=date,
        clock=draw(st.sampled_from(("T", "24", "am/pm"))),
        zone=draw(st.sampled_from(("", "Z", " UTC", "+01:30"))),
        delimiter=draw(st.sampled_from(tuple(DELIMITERS))),
        titles=draw(st.integers(0, 2)) if header else 0,
        header=header,
        lasting=draw(flag),
        decimal=draw(st.sampled_from((".", ","))),
        quoted=draw(flag),
        spaced=draw(flag),
        trailing=draw(flag),
        end=draw(st.sampled_from(("\n", "\r\n"))),
        mark=draw(flag),
        packed=draw(flag),
        blank=draw(flag),
    )


def merged(outages: list[Outage]) -> list[list[tuple[int, int]]]:
    """Whose seconds are down, found one boundary at a time; from the first start on."""
    first = min(start for _, start, _ in outages)
    found = []
    for name in sorted({name for name, _, _ in outages}):
        spans = [(start - first, end - first) for own, start, end in outages if own == name]
        edges = sorted({edge for span in spans for edge in span})
        down = [
            (a, b)
            for a, b in itertools.pairwise(edges)
            if any(start <= a and b <= end for start, end in spans)
        ]
        whole: list[tuple[int, int]] = []
        for a, b in down:
            joined = whole and whole[-1][1] == a
            whole[-1:] = [(whole[-1][0], b)] if joined else [*whole[-1:], (a, b)]
        found.append([(a * SECOND, b * SECOND) for a, b in whole])
    return found


def may_be_either(way: Written, outages: list[Outage]) -> bool:
    """Whether no day of any date tells the days from the months, though some differ."""
    if "mon" in way.date or not way.date.startswith(("m/d", "d/m", "m-d", "d-m")):
        return False
    zone = timezone(timedelta(hours=1.5)) if way.zone == "+01:30" else UTC
    times = [time for _, *both in outages for time in (both[:1] if way.lasting else both)]
    moments = [datetime.fromtimestamp(time, zone) for time in times]
    return all(m.day <= 12 for m in moments) and any(m.day != m.month for m in moments)


@settings(max_examples=300, deadline=None)
@given(OUTAGES, ways())
def test_outages_read_back_from_any_dialect(tmp_path_factory, outages, way) -> None:
    path = tmp_path_factory.getbasetemp() / "dialect.csv"
    path.write_bytes(way.content(outages))
    said = {"trace": str(path), **way.settings()}
    if may_be_either(way, outages):
        with pytest.raises(TraceError, match="may be"):
            read_outages(from_plain(OutageTrace, said))
        said["format"] = way.date
    assert read_outages(from_plain(OutageTrace, said)) == merged(outages)


@settings(max_examples=100, deadline=None)
@given(OUTAGES, ways())
def test_hasim_data_finds_outages_in_any_dialect(tmp_path_factory, outages, way) -> None:
    path = tmp_path_factory.getbasetemp() / "looked.csv"
    path.write_bytes(way.content(outages))
    facts = inspect(path).facts
    assert facts.rows == len(outages)
    assert bool(facts.dialect.names) == way.header
    assert [column.kind for column in facts.columns[:3]] == [
        "text",
        "times",
        "numbers" if way.lasting else "times",
    ]


# -- against a slow reader ------------------------------------------------------------


def slowly(path: Path, pattern: str) -> list[list[tuple[int, int]]]:
    """Reads a plain file with the standard library alone, row by row."""
    outages = []
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            start, end = (
                datetime.strptime(row[name], pattern).replace(tzinfo=UTC)
                for name in ("start", "end")
            )
            outages.append((row["resource"], int(start.timestamp()), int(end.timestamp())))
    return merged(outages)


@pytest.mark.parametrize(
    ("date", "pattern"),
    [
        ("yyyy-mm-dd", "%Y-%m-%d %H:%M:%S"),
        ("m/d/yyyy", "%m/%d/%Y %H:%M:%S"),
        ("d/m/yy", "%d/%m/%y %H:%M:%S"),
        ("d.m.yyyy", "%d.%m.%Y %H:%M:%S"),
        ("d-mon-yyyy", "%d-%b-%Y %H:%M:%S"),
        ("mon d yyyy", "%b %d %Y %H:%M:%S"),
    ],
)
def test_named_forms_patterns_and_the_standard_library_agree(tmp_path, date, pattern) -> None:
    plain = Written(date, "24", "", "comma", 0, True, False, ".", False, False, False, "\n", False,
                    False, False)  # fmt: skip
    step, path = 7_654_321, tmp_path / "many.csv"
    outages = [
        (f"n{k % 7}", 978_307_200 + k * step, 978_307_200 + k * step + 1 + 997 * k)
        for k in range(150)
    ]
    path.write_bytes(plain.content(outages))
    said = {"trace": str(path), "least_outages": 1, "longest": "10000d"}
    expected = slowly(path, pattern)
    assert expected == merged(outages)
    for form in ("", date, pattern):
        assert read_outages(from_plain(OutageTrace, {**said, "format": form})) == expected
