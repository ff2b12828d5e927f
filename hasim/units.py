"""Durations, percentages, sizes and rates: text <-> numbers.

Inside hasim a time is an integer number of nanoseconds; what a user reads is
seconds, and what a user writes is text such as ``"30s"``, ``"99.99%"``,
``"64MiB"`` or ``"20/s"``.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

NANOSECOND = 1
MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
YEAR = 31_557_600 * SECOND
"""The Julian year of 365.25 days."""

DURATION_UNITS: dict[str, int] = {
    "ns": NANOSECOND,
    "us": MICROSECOND,
    "ms": MILLISECOND,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
    "d": DAY,
}
RATE_UNITS = {unit: DURATION_UNITS[unit] for unit in "smhd"} | {"y": YEAR}
SIZE_UNITS: dict[str, int] = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}

LONGEST_NS = 2**63 - 1
"""The longest duration in nanoseconds (292 years): times fit in 64 bits, also in arrays."""

LONGEST_SETTING_NS = 10_000 * DAY
"""The longest duration that a setting may be (27 years): sums of several fit in 64 bits."""

_NUMBER = r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?"
_DURATION = re.compile(rf"({_NUMBER})\s*(ns|us|ms|s|m|h|d)")
_DURATIONS = re.compile(rf"(?:{_DURATION.pattern})+")
_SIZE = re.compile(rf"({_NUMBER})\s*([KMG]i?B|B)")
_PERCENT = re.compile(rf"({_NUMBER})\s*%")
_RATE = re.compile(rf"({_NUMBER})\s*/\s*(s|m|h|d|y)")


def _unsigned(text: str) -> str:
    """The text without surrounding blanks; a sign is refused before the pattern is."""
    stripped = text.strip()
    if stripped.startswith("-"):
        raise ValueError(f"must not be negative, got {text!r}")
    return stripped


def _whole(number: str, unit: int, text: str) -> int:
    """`number` x `unit`, rounded, in decimal: exact, and no overflow to infinity."""
    value = Decimal(number)
    if value.adjusted() > 30 or value * unit > LONGEST_NS:
        raise ValueError(f"too large: {text!r}")
    return round(value * unit)


def seconds(time_ns: int) -> float:
    """Seconds as a float of a time in integer nanoseconds."""
    return time_ns / SECOND


def nanoseconds(time_s: float) -> int:
    """Integer nanoseconds nearest to a time in seconds."""
    return round(time_s * SECOND)


def parse_duration(text: str) -> int:
    """Nanoseconds of ``"30s"``, ``"250ms"`` or ``"1h30m"``.

    Raises ValueError, naming what was expected, for anything else (a bare
    number included: a duration without its unit is ambiguous), and for more
    than `LONGEST_NS`.
    """
    stripped = _unsigned(text)
    # Searched only when it fits as a whole: of digits without a unit, a search tries each place.
    parts = list(_DURATION.finditer(stripped)) if _DURATIONS.fullmatch(stripped) else []
    sizes = [DURATION_UNITS[p.group(2)] for p in parts]
    ordered = all(big > small for big, small in pairwise(sizes))
    if not parts or not ordered:
        raise ValueError(
            f"expected a duration such as 250ms, 30s or 1h30m "
            f"(units {', '.join(DURATION_UNITS)}), got {text!r}"
        )
    total = sum(_whole(p.group(1), DURATION_UNITS[p.group(2)], text) for p in parts)
    if total > LONGEST_NS:
        raise ValueError(f"too large: {text!r}")
    return total


def format_duration(time_ns: int) -> str:
    """The shortest exact text that `parse_duration` reads back: ``"1h30m"``."""
    if time_ns == 0:
        return "0s"
    sign, rest, out = ("-" if time_ns < 0 else ""), abs(time_ns), ""
    for unit in ("d", "h", "m", "s", "ms", "us", "ns"):
        count, rest = divmod(rest, DURATION_UNITS[unit])
        if count:
            out += f"{count}{unit}"
    return sign + out


def parse_percent(text: str) -> float:
    """The ratio of ``"99.99%"`` (0.9999). Raises ValueError for anything else."""
    match = _PERCENT.fullmatch(_unsigned(text))
    if match is None:
        raise ValueError(f"expected a percentage such as 99.9%, got {text!r}")
    number = Decimal(match.group(1))
    if number.adjusted() > 30:
        raise ValueError(f"too large: {text!r}")
    # In decimal, so that "99.99%" is exactly the float 0.9999.
    return float(number.scaleb(-2))


def format_percent(ratio: float) -> str:
    """A ratio as the percentage that `parse_percent` reads back: ``"99.99%"``."""
    return f"{_decimal(Decimal(repr(float(ratio))).scaleb(2))}%"


def _decimal(number: Decimal) -> str:
    """The digits of a number without trailing zeros; with an exponent only if it is tiny."""
    shown = number.normalize()
    return f"{shown:f}" if shown.adjusted() >= -6 else str(shown)


def parse_size(text: str) -> int:
    """Bytes of ``"64MiB"``, ``"4KB"`` or ``"10B"``. Raises ValueError otherwise."""
    match = _SIZE.fullmatch(_unsigned(text))
    if match is None:
        raise ValueError(
            f"expected a size such as 64MiB (units {', '.join(SIZE_UNITS)}), got {text!r}"
        )
    return _whole(match.group(1), SIZE_UNITS[match.group(2)], text)


def format_size(size_bytes: int) -> str:
    """The largest binary unit that divides the size: 65536 becomes ``"64KiB"``."""
    for unit in ("GiB", "MiB", "KiB"):
        if size_bytes and size_bytes % SIZE_UNITS[unit] == 0:
            return f"{size_bytes // SIZE_UNITS[unit]}{unit}"
    return f"{size_bytes}B"


def parse_bandwidth(text: str) -> int:
    """Bytes per second of ``"200MiB/s"``. Raises ValueError otherwise."""
    size, slash, unit = _unsigned(text).partition("/")
    if not slash or unit.strip() != "s" or _SIZE.fullmatch(size.strip()) is None:
        raise ValueError(f"expected a bandwidth such as 200MiB/s, got {text!r}")
    return parse_size(size)


def format_bandwidth(bytes_per_s: int) -> str:
    """Bytes per second as text: ``"200MiB/s"``."""
    return f"{format_size(bytes_per_s)}/s"


def parse_rate(text: str) -> float:
    """Events per second of ``"20/s"``, ``"90/m"`` or ``"12/y"`` (a year of 365.25 days).

    Raises ValueError otherwise.
    """
    match = _RATE.fullmatch(_unsigned(text))
    if match is None:
        raise ValueError(f"expected a rate such as 20/s or 90/m, got {text!r}")
    count, unit = Decimal(match.group(1)), RATE_UNITS[match.group(2)]
    if count.adjusted() > 30:
        raise ValueError(f"too large: {text!r}")
    # In fractions, so that every rate per second comes back as the very same float.
    return float(Fraction(count) * SECOND / unit)


def format_rate(per_second: float) -> str:
    """Events per second as the text that `parse_rate` reads back: ``"20/s"``."""
    return f"{_decimal(Decimal(repr(float(per_second))))}/s"
