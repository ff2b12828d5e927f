"""Numbers as people read them: durations, shares with enough nines, estimates with intervals."""

from __future__ import annotations

import math

from hasim.study.estimates.estimate import Estimate

DASH = "-"
_SMALL_UNITS = ((1e-6, "ns", 1e9), (1e-3, "us", 1e6), (1.0, "ms", 1e3), (60.0, "s", 1.0))
RATES = {"per_hour": "/h", "per_year": "/y"}
"""Units of rates, and how they are written."""
_FEW_NINES = 0.99
_MOST_DECIMALS = 7


def seconds(value: float) -> str:
    """Seconds to three significant digits with their unit: ``850 ms``, ``2.31 s``, ``1 m 12 s``.

    From a minute on, whole seconds; from an hour on, whole minutes; from a day
    on, whole hours. Infinity is ``inf``.
    """
    if not math.isfinite(value):
        return _infinite(value)
    if value < 0:
        return "-" + seconds(-value)
    unit = _small_unit(value)
    if unit is not None:
        return f"{significant(value * unit[1])} {unit[0]}"
    return _compound(value)


def tick(value: float) -> str:
    """Seconds as a label of an axis: a round number without idle zeros, ``2.5 s``."""
    if 0 < abs(value) < 1:
        return f"{value * 1e3:.6g} ms"
    return f"{value:.6g} s" if abs(value) < 600 else seconds(value)


def percent(ratio: float) -> str:
    """A ratio as a percentage with enough nines to see what is missing: ``99.9992 %``."""
    return f"{_percent_number(ratio, _own_decimals(ratio))} %"


def significant(value: float, digits: int = 3) -> str:
    """A plain number to `digits` significant digits, never in exponent form."""
    if not math.isfinite(value):
        return _infinite(value)
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    rounded = round(value, decimals)
    # 9.996 to three digits is 10.0, not 10.00.
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded)))) if rounded else decimals
    return f"{rounded:.{decimals}f}"


def number(value: float, unit: str) -> str:
    """A value with its unit, one of those of an `Estimate`."""
    if unit == "s":
        return seconds(value)
    if unit == "ratio":
        return percent(value)
    if unit in RATES:
        return f"{significant(value)} {RATES[unit]}"
    return significant(value)


def estimate_parts(estimate: Estimate) -> tuple[str, str, str]:
    """Point and interval bounds of an estimate as texts; the bounds are in the point's unit.

    Without enough observations ``("-", "", "")``; without an interval the bounds
    are empty. A quantile that the data cannot give is ``> 2.20 s``, the value that
    it exceeds with 95 % confidence.
    """
    value, low, high = estimate.value, estimate.low, estimate.high
    if value is None or math.isnan(value):
        return DASH, "", ""
    if math.isinf(value):
        if low is None or not math.isfinite(low):
            return "inf", "", ""
        return f"> {number(low, estimate.unit)}", "", ""
    if low is None or high is None:
        return number(value, estimate.unit), "", ""
    return _with_bounds(value, low, high, estimate.unit)


def estimate_text(estimate: Estimate) -> str:
    """An estimate in one line: ``2.31 s [2.20, 2.45]``, or ``- (needs 368, has 120)``."""
    point, low, high = estimate_parts(estimate)
    if point == DASH:
        why = missing(estimate)
        return f"{DASH} ({why})" if why else DASH
    return f"{point} [{low}, {high}]" if low else point


def missing(estimate: Estimate) -> str:
    """Why an estimate has no value: ``needs 368, has 120``; empty if the reason is unknown."""
    if estimate.needed is not None:
        return f"needs {estimate.needed}, has {estimate.n}"
    return "no observations" if estimate.n == 0 else ""


def _with_bounds(value: float, low: float, high: float, unit: str) -> tuple[str, str, str]:
    """The value with its unit, and the bounds as bare numbers of the same unit and precision."""
    if unit == "ratio":
        decimals = _common_decimals(value, low, high)
        point, *bounds = (_percent_number(ratio, decimals) for ratio in (value, low, high))
        return f"{point} %", bounds[0], bounds[1]
    if unit == "s":
        small = _small_unit(value)
        if small is None:  # minutes and more: each in full
            return seconds(value), seconds(low), seconds(high)
        name, scale = small
        return (
            f"{significant(value * scale)} {name}",
            significant(low * scale),
            significant(high * scale),
        )
    return number(value, unit), significant(low), significant(high)


def _small_unit(value: float) -> tuple[str, float] | None:
    """Unit and scale below a minute, chosen after rounding: 59.97 s is a minute."""
    if value == 0:
        return "s", 1.0
    rounded = abs(float(f"{value:.3g}"))
    for below, name, scale in _SMALL_UNITS:
        if rounded < below:
            return name, scale
    return None


def _compound(value: float) -> str:
    total = round(value)
    if total < 3600:
        return f"{total // 60} m {total % 60:02d} s"
    minutes = round(value / 60)
    if minutes < 24 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} m"
    hours = round(value / 3600)
    return f"{hours // 24} d {hours % 24:02d} h"


def _own_decimals(ratio: float) -> int:
    """Decimals of a percentage that show two digits of what is missing, or three of the rest."""
    if not math.isfinite(ratio) or ratio in (0.0, 1.0):
        return 0
    if ratio >= _FEW_NINES:
        digits, shown = 2, abs(1 - ratio)
    else:
        digits, shown = 3, abs(ratio)
    # The small addend: 1 - 0.9999 is a little less than 0.0001 in binary.
    decimals = digits - 1 - math.floor(math.log10(shown * 100) + 1e-9)
    text = f"{ratio * 100:.{min(max(decimals, 0), _MOST_DECIMALS)}f}"
    return len(text.rstrip("0").partition(".")[2])


def _common_decimals(value: float, low: float, high: float) -> int:
    """Enough for the value itself and for the first digit of the interval's width."""
    width = (high - low) * 100
    if not math.isfinite(width) or width <= 0:
        return _own_decimals(value)
    of_width = min(max(1, -math.floor(math.log10(width))), _MOST_DECIMALS)
    return max(_own_decimals(value), of_width)


def _percent_number(ratio: float, decimals: int) -> str:
    if not math.isfinite(ratio):
        return _infinite(ratio)
    if ratio in (0.0, 1.0):  # exactly none or all: no false digits
        return f"{ratio * 100:.0f}"
    text = f"{ratio * 100:.{decimals}f}"
    if float(text) == 100.0:  # almost all is not all
        return f"{ratio * 100:.{max(decimals, _own_decimals(ratio))}f}"
    return text


def _infinite(value: float) -> str:
    if math.isnan(value):
        return DASH
    return "inf" if value > 0 else "-inf"
