"""How recordings in files are read: what all have in common, and what each kind holds."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from hasim.settings import count, duration, factor, settings
from hasim.units import DAY

NumberUnit = Literal["ns", "us", "ms", "s", "m", "h", "d"]
TimeUnit = Literal["timestamp", "ns", "us", "ms", "s", "m", "h", "d"]
DATES = (
    "yyyy-mm-dd",
    "yyyy/m/d",
    "m/d/yyyy",
    "d/m/yyyy",
    "m-d-yyyy",
    "d-m-yyyy",
    "d.m.yyyy",
    "m/d/yy",
    "d/m/yy",
    "d.m.yy",
    "d mon yyyy",
    "d-mon-yyyy",
    "d/mon/yyyy",
    "mon d yyyy",
)
"""The forms of a date that have a name; a time of day and a zone may follow each of them."""


@dataclass(frozen=True)
class ColumnName:
    """The annotation of a column: its name, or its number from 1 on; of `several`, a list."""

    optional: bool = False
    several: bool = False

    def read(self, value: object) -> str | int | tuple[str | int, ...] | None:
        """The name or number as it is; ValueError says what was expected."""
        if self.several and isinstance(value, list | tuple) and value:
            return tuple(map(ColumnName()._column, value))
        return None if value is None and self.optional else self._column(value)

    def _column(self, value: object) -> str | int:
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return value
        if isinstance(value, str) and value:
            return value
        got = "nothing" if value is None else repr(value)
        or_list = ", or a list of them" if self.several else ""
        raise ValueError(
            f"expected the name of a column, or its number from 1 on{or_list}, got {got}"
        )

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        forms: list[dict[str, Any]] = [
            {"type": "string", "minLength": 1},
            {"type": "integer", "minimum": 1},
        ]
        more: list[dict[str, Any]] = []
        if self.several:
            more.append({"type": "array", "items": {"anyOf": forms}, "minItems": 1})
        return {"anyOf": [*forms, *more, *([{"type": "null"}] if self.optional else [])]}


Column = Annotated[str | int, ColumnName()]
MaybeColumn = Annotated[str | int | None, ColumnName(optional=True)]
MaybeColumns = Annotated[
    str | int | tuple[str | int, ...] | None, ColumnName(optional=True, several=True)
]


class DateFormat:
    """The annotation of the form of a date: one of `DATES`, a pattern of strptime, or empty."""

    def read(self, value: object) -> str:
        """The form as it is; ValueError says what is wrong with it, and names the nearest."""
        if isinstance(value, str) and "%" in value:
            _check_pattern(value)
            return value
        if isinstance(value, str) and value in ("", *DATES):
            return value
        near = difflib.get_close_matches(str(value).lower(), DATES, n=1)
        hint = f"did you mean {near[0]}?" if near else f"possible: {', '.join(DATES)}"
        raise ValueError(f"unknown form {value!r}; {hint} (or a pattern: '%d.%m.%Y %H:%M')")

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"enum": ["", *DATES]}, {"type": "string", "pattern": "%"}]}


def _check_pattern(pattern: str) -> None:
    """Raise ValueError for what is no pattern of strptime."""
    try:
        datetime.strptime("", pattern)
    except re.error:
        raise ValueError(f"{pattern!r} says something twice") from None
    except ValueError as error:
        if "does not match" not in str(error):
            raise ValueError(f"no pattern of strptime: {error}") from None


FILE_KEYS = ("trace", "matrix", "checks")
"""The fields that name the file of a recording."""


@settings
class TableFile:
    """How a table is written in its file. What is left out is found by looking at the file."""

    delimiter: Literal["auto", "comma", "semicolon", "tab", "bar", "blanks"] = "auto"
    """What separates the columns; `blanks`: one or more blanks or tabs."""
    header: Annotated[
        int | None,
        count(
            "The line with the names of the columns; 0: there is none, and columns go by their "
            "numbers. Lines above it are titles, or comments that begin with #.",
            least=0,
        ),
    ] = None
    decimal: Literal["auto", "point", "comma"] = "auto"
    """What stands before the decimals of a number."""
    where: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Only rows whose column (by its name or number) has one of the values."""

    @property
    def file(self) -> Path:
        """Where the table is."""
        return Path(next(getattr(self, key) for key in FILE_KEYS if hasattr(self, key)))


@settings
class TimedFile(TableFile):
    """A table with times in it."""

    unit: TimeUnit = "timestamp"
    """The unit of times: time stamps, or numbers of this unit (since 1970, or any start)."""
    format: Annotated[str, DateFormat()] = ""
    """How the date of a time stamp is written: `m/d/yyyy`, `d.m.yyyy`, ... or a pattern of
    strptime. Empty: found, and refused where it could be two. A time without a zone is UTC."""


@settings
class TraceArrivals(TimedFile):
    """Recorded arrivals, or counts per bin; each replication replays a window of its own."""

    trace: str
    """A CSV file, relative to the scenario file."""
    column: Column
    """The column with the arrival times, or with the starts of the bins."""
    count_: MaybeColumn = None
    """The column with the number of messages in each bin. They arrive at random within it
    (uniformly), anew in each replication."""
    bin_ns: Annotated[
        int | None,
        duration("How long a bin is. Without: the most common step of the times.", above=0),
    ] = None
    rows: Literal["auto", "arrivals"] = "auto"
    """`arrivals`: each row is one arrival, even if the times are all the same step apart and
    stand beside whole numbers, which otherwise is refused as counts per bin."""
    time_scale: Annotated[float, factor("Times are divided by this: 2 replays twice as fast.")] = (
        1.0
    )


@settings
class JitterTrace(TableFile):
    """Recorded round-trip times: each value over its pair's median is a ratio to draw from."""

    trace: str
    """A CSV file, relative to the scenario file."""
    column: Column
    """The column with the round-trip times (any unit: only ratios are used)."""
    pair: tuple[Column, ...] = ()
    """The columns that name a pair; the median is taken per pair. Empty: one pair."""
    count_: MaybeColumn = None
    """The column that says how often a row's value was seen. Without: each row counts once."""


@settings
class MatrixTrace(TableFile):
    """Round-trip times between sites: a row for each pair, or a row and a column for each site."""

    matrix: str
    """A CSV file, relative to the scenario file."""
    source: Column = "source"
    """The column with the first site."""
    destination: Column = "destination"
    """The column with the second site."""
    column: Column = "rtt"
    """The column with the round-trip time."""
    unit: NumberUnit = "ms"
    """The unit of the round-trip times."""
    form: Literal["auto", "long", "wide"] = "auto"
    """`long`: a row for each pair. `wide`: the sites in the first column and in the header; what
    is empty is not known, and the diagonal is not read. `auto`: whichever it is."""


@settings
class SampleFile(TableFile):
    """Recorded durations in a column of a file, each as likely as any other."""

    trace: str
    """A CSV file, relative to the scenario file."""
    column: Column
    """The column with the durations."""
    unit: NumberUnit
    """The unit of that column."""
    count_: MaybeColumn = None
    """The column that says how often a row's value was seen. Without: each row counts once."""


@settings
class RecordedOutages(TimedFile):
    """What every recording of outages has: each target replays one resource's outages."""

    open: Literal["to-end", "left-out", "refused"] = "to-end"
    """An outage without an end lasts to the last time in the file (which is said), is left out,
    or is refused."""
    longest_ns: Annotated[int, duration("Longer outages are left out (placeholders).")] = 30 * DAY
    least_outages: Annotated[int, count("Resources with fewer outages are left out.")] = 3
    time_scale: Annotated[
        float, factor("Times are divided by this: 5000 turns 24 hours into 17.28 seconds.")
    ] = 1.0
    together: bool = False
    """Whether all targets replay the same stretch of time, so that outages which had a common
    cause come at once; else each has a random one of its own."""


@settings
class OutageTrace(RecordedOutages):
    """Recorded outages, a row for each: each target replays one resource's, at a random offset."""

    trace: str
    """A CSV file, relative to the scenario file."""
    start: Column = "start"
    """The column with the start of an outage."""
    end: Column = "end"
    """The column with its end."""
    duration_: MaybeColumn = None
    """The column with how long it lasted, instead of its end."""
    duration_unit: NumberUnit = "s"
    """The unit of that column."""
    lasts_ns: Annotated[
        int | None,
        duration("How long every outage lasted, where the file has only starts.", above=0),
    ] = None
    resource: MaybeColumns = "resource"
    """The column that names what failed; overlapping outages of one resource are merged. Several,
    if names are those within a place: `[rack, node]`, the largest place first; rows in which one
    of them is empty are left out (which is said). `null`: all rows are of one."""


@settings
class CheckLog(RecordedOutages):
    """A log of checks, up or down: failed checks in a row are an outage of their target.

    It lasts from the first of them to the next that passes.
    """

    checks: str
    """A CSV file, relative to the scenario file."""
    time: Column = "time"
    """The column with the time of a check."""
    target: MaybeColumn = "target"
    """The column that names what was checked. `null`: all rows are of one."""
    result: Column = "result"
    """The column that says whether it was up or down."""
    up: tuple[str, ...] = ()
    """What stands there for up. Empty: the usual words (true, up, ok, ...), 1, or a status of
    HTTP below 400."""
    down: tuple[str, ...] = ()
    """What stands there for down. Empty: the usual words (false, down, failed, ...), 0, or a
    status of HTTP from 400 on; with `up` given: everything else."""
    fall: Annotated[int, count("So many failed checks in a row are an outage.")] = 1
