"""Columns of time stamps: the form of their dates, found or given, and their nanoseconds."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hasim.scenario.tables.dialect import kind_of
from hasim.scenario.tables.errors import TraceError
from hasim.scenario.tables.numbers import durations, what
from hasim.scenario.tables.table import Table, Texts
from hasim.simulation.settings.recordings import DATES, TimedFile
from hasim.units import DURATION_UNITS, SECOND

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
ISO = "yyyy-mm-dd"
EXAMPLE = "2023-11-16T18:15:46Z"
AMBIGUOUS = tuple(
    (f"m{mark}d{mark}{year}", f"d{mark}m{mark}{year}")
    for mark in "/-"
    for year in ("yyyy", "yy")
    if f"m{mark}d{mark}{year}" in DATES
)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FIRST_YEAR, LAST_YEAR = 1700, 2199
"""Nanoseconds in 64 bits reach from 1678 to 2262."""
_PARTS = {
    "yyyy": r"(?P<year>[0-9]{4})",
    "yy": r"(?P<year>[0-9]{2})",
    "mm": r"(?P<month>[0-9]{2})",
    "dd": r"(?P<day>[0-9]{2})",
    "mon": r"(?P<month>[A-Za-z]{3})[a-z]*\.?",
    "m": r"(?P<month>[0-9]{1,2})",
    "d": r"(?P<day>[0-9]{1,2})",
}
_CLOCK = (
    r"(?:(?:T|,?\s+|:)(?P<hour>HH):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})"
    r"(?:[.,](?P<fraction>[0-9]{1,9}))?)?(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?)?"
)
_ZONE = (
    r"(?:\s*(?:Z|z|UTC|GMT|(?P<sign>[+-])(?P<zone_hour>[0-9]{2})"
    r"(?::?(?P<zone_minute>[0-9]{2}))?))?"
)


@dataclass(frozen=True)
class Stamps:
    """Time stamps in nanoseconds since 1970 (UTC), and which of them could be read."""

    ns: Ints
    valid: Bools


def times(table: Table, settings: tuple[str, ...], layout: TimedFile) -> dict[str, Ints]:
    """Columns of times in nanoseconds, by their settings; all are written alike.

    Raises TraceError with every value that is none.
    """
    if layout.unit != "timestamp":
        return {s: durations(table, s, layout.unit, layout.decimal) for s in settings}
    texts = [table.columns[setting] for setting in settings]
    form = layout.format or _found_form(table, settings, texts)
    found = {s: read_stamps(t, form) for s, t in zip(settings, texts, strict=True)}
    broken = [
        (int(place), setting, _expected(texts[number][int(place)].as_py(), form))
        for number, (setting, stamps) in enumerate(found.items())
        for place in np.flatnonzero(~stamps.valid)
    ]
    if broken and not any(stamps.valid.any() for stamps in found.values()):
        _refuse_numbers(table, settings)
    table.refuse(broken)
    return {setting: stamps.ns for setting, stamps in found.items()}


def _refuse_numbers(table: Table, settings: tuple[str, ...]) -> None:
    """Raise TraceError if the times are all numbers, with the unit that they seem to have."""
    for setting in settings:
        texts = [text for text in table.texts(setting) if kind_of(text) != "nothing"]
        if texts and all(text.isdecimal() for text in texts):
            unit = epoch_unit(float(texts[0]))
            of = f"unit: {unit}, if they count from 1970" if unit else "unit: s, ms, us, ns, ..."
            text = f"{table.called[setting]} of {table.file.name} holds numbers: say {of}"
            raise TraceError(table.file, settings=[("unit", text)])


def _found_form(table: Table, settings: tuple[str, ...], texts: list[Texts]) -> str:
    """The form that fits all columns; raises TraceError where two fit and differ."""
    whole = pa.concat_arrays(texts)
    form, other = forms_of(whole)
    if not other:
        return form
    one, two = read_stamps(whole, form), read_stamps(whole, other)
    place = int(np.argmax(one.ns != two.ns))
    number, row = divmod(place, len(texts[0]))
    [line] = table.lines([row])
    text = f"may be {form} or {other}: say which, as in format: {form}"
    raise TraceError(table.file, lines=[(line, table.called[settings[number]], text)])


def forms_of(texts: Texts) -> tuple[str, str]:
    """The form of most dates in a column, and another that fits as well but says other days."""
    sample = texts[:: max(1, len(texts) // 2000)]
    count = {form: int(read_stamps(sample, form).valid.sum()) for form in DATES}
    best = max(DATES, key=lambda form: count[form])
    for one, two in AMBIGUOUS:
        if best in (one, two):
            first, second = read_stamps(texts, one), read_stamps(texts, two)
            if (first.valid != second.valid).any():
                return (one, "") if first.valid.sum() > second.valid.sum() else (two, "")
            both = first.valid & second.valid
            if (first.ns != second.ns)[both].any():
                return one, two
    return best, ""


def read_stamps(texts: Texts, form: str) -> Stamps:
    """The time stamps of a column, with dates in this form (`DATES`, or a strptime pattern)."""
    if form not in DATES:
        return _by_strptime(texts, form)
    parts = pc.extract_regex(texts, pattern=_pattern(form))
    matched: Bools = parts.is_valid().to_numpy(False)
    if not matched.any():
        return Stamps(np.zeros(len(texts), dtype=np.int64), matched)
    get = functools.partial(_part, parts)
    year = get("year")
    month = _month_numbers(parts.field("month")) if "mon" in form else get("month")
    if "yyyy" not in form:  # as strptime, after POSIX
        year = np.where(year < 69, year + 2000, year + 1900)
    valid = matched & (year >= FIRST_YEAR) & (year <= LAST_YEAR) & (month >= 1) & (month <= 12)
    day = get("day")
    months = np.where(valid, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    valid &= (day >= 1) & (days.astype("datetime64[M]") == months)
    seconds, in_day = _clock(parts)
    shift, in_zone = _zone(parts)
    valid &= in_day & in_zone
    whole = days.astype(np.int64) * 86400 + seconds - shift
    ns = np.where(valid, whole, 0) * SECOND + _fraction(parts.field("fraction"))
    return Stamps(np.where(valid, ns, 0), valid)


@functools.cache
def _pattern(form: str) -> str:
    """The regular expression (RE2) of a form with its time of day and its zone."""
    date, rest = "", form
    while rest:
        name = next((name for name in _PARTS if rest.startswith(name)), "")
        date += _PARTS[name] if name else r",?\s+" if rest[0] == " " else f"[{rest[0]}]"
        rest = rest[len(name) or 1 :]
    hour = "[0-9]{2}" if form == ISO else "[0-9]{1,2}"
    return f"^{date}{_CLOCK.replace('HH', hour)}{_ZONE}$"


def _part(parts: Any, name: str) -> Ints:
    """A part of the stamps as numbers; what is not there is 0."""
    texts = parts.field(name)
    texts = pc.if_else(pc.equal(texts, ""), "0", texts)
    found: Ints = pc.fill_null(texts.cast(pa.int64()), 0).to_numpy(False)
    return found


def _month_numbers(texts: Texts) -> Ints:
    place = pc.index_in(pc.utf8_lower(texts), value_set=pa.array(MONTHS))
    found: Ints = pc.fill_null(place, -1).to_numpy(False).astype(np.int64) + 1
    return found


def _clock(parts: Any) -> tuple[Ints, Bools]:
    """Seconds since midnight, and which times of day there are."""
    hour, minute, second = (_part(parts, name) for name in ("hour", "minute", "second"))
    half = pc.utf8_lower(parts.field("half"))
    afternoon = pc.fill_null(pc.equal(half, "p"), False).to_numpy(False)
    twelve = afternoon | pc.fill_null(pc.equal(half, "a"), False).to_numpy(False)
    valid = (hour < 24) & (minute < 60) & (second < 60)
    valid &= ~twelve | ((hour >= 1) & (hour <= 12))
    hour = np.where(twelve, hour % 12 + 12 * afternoon, hour)
    return hour * 3600 + minute * 60 + second, valid


def _zone(parts: Any) -> tuple[Ints, Bools]:
    """Seconds that the zone is before UTC, and which zones there are."""
    hours, minutes = _part(parts, "zone_hour"), _part(parts, "zone_minute")
    west = pc.fill_null(pc.equal(parts.field("sign"), "-"), False).to_numpy(False)
    seconds = hours * 3600 + minutes * 60
    return np.where(west, -seconds, seconds), (hours < 24) & (minutes < 60)


def _fraction(texts: Texts) -> Ints:
    """Nanoseconds of the digits behind the point."""
    digits = pc.utf8_rpad(pc.fill_null(texts, ""), 9, "0")
    found: Ints = digits.cast(pa.int64()).to_numpy(False)
    return found


def _by_strptime(texts: Texts, pattern: str) -> Stamps:
    """By pandas, which knows the patterns of strptime."""
    import pandas as pd

    series = pd.Series(texts.to_pylist(), dtype=object)
    found = pd.to_datetime(series, format=pattern, errors="coerce", utc=True)
    known: Bools = found.dt.year.between(FIRST_YEAR, LAST_YEAR).to_numpy(dtype=np.bool_)
    ns = found.where(known).dt.as_unit("ns").astype("int64").to_numpy()
    return Stamps(np.where(known, ns, 0).astype(np.int64), known)


def _expected(text: str, form: str) -> str:
    """What was expected instead of a value, which itself is not told."""
    kind, got = kind_of(text), what(text)
    if kind == "number":
        unit = epoch_unit(float(text)) if text.isdecimal() else ""
        of = f"unit: {unit}, if it counts from 1970" if unit else "unit: s, ms, us, ns, m, h or d"
        got += f", which needs its unit ({of})"
    elif kind == "time":
        got = "one of another form (see format), or a time that there is not"
    return f"expected a time stamp such as {EXAMPLE if form == ISO else form}, got {got}"


def epoch_unit(number: float) -> str:
    """The unit in which a number since 1970 is a time between 2000 and 2100; empty if in none."""
    for unit in ("s", "ms", "us", "ns"):
        seconds = number * DURATION_UNITS[unit] / SECOND
        if 946_684_800 <= seconds < 4_102_444_800:
            return unit
    return ""
