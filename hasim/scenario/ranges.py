"""Values that a setting takes, in a few signs: ``1s..30s:log5``, ``1..4``, ``2|3|5``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from hasim.scenario.document import parse_value
from hasim.units import MILLISECOND, SECOND, parse_duration

UNITS = (("s", SECOND), ("ms", MILLISECOND), ("us", 1000), ("ns", 0.001))
POINTS = 7
"""Values between the bounds of a range, unless their number is given."""
MOST = 1000
_STEPS = re.compile(r"(log|lin)?([0-9]+)")
EXPECTED = "expected a range such as 1s..30s:log5 or 1..4, or values such as 2|3|5"


def values_of(text: str) -> list[Any]:
    """The values, as a scenario holds them. Raises ValueError that names what was expected.

    A range has its two bounds and what is between them: in equal ratios (``:log5``, five values) or
    at equal distances (``:lin5``); without a number, all whole numbers if they are few, else seven
    in equal ratios. Values are separated by ``|``, or stand in a list as in YAML; a value may be a
    list itself (``[probe]|[probe, messages]``).
    """
    if ".." in text and "|" not in text and not text.lstrip().startswith(("[", "{", "'", '"')):
        return _between(text)
    parts = _separated(text)
    if len(parts) == 1 and text.lstrip().startswith("["):
        value = parse_value(text)
        found = list(value) if isinstance(value, list) else [value]
    else:
        found = [parse_value(part.strip()) for part in parts]
    if not found or any(value is None for value in found):
        raise ValueError(f"{EXPECTED}, got {text!r}")
    return found


def _separated(text: str) -> list[str]:
    """The parts between bars that stand in no brackets: ``[probe]|[probe, messages]`` has two."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "[{") - (sign in "]}")
        if sign == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _between(text: str) -> list[Any]:
    bounds, _, steps = text.partition(":")
    low, _, high = (part.strip() for part in bounds.partition(".."))
    way, number = _steps(text, steps.strip())
    whole = low.isdecimal() and high.isdecimal()
    if whole and not steps and int(high) - int(low) < POINTS:
        if int(low) >= int(high):
            raise ValueError(f"{EXPECTED}, the lower bound first, got {text!r}")
        return list(range(int(low), int(high) + 1))
    ends, show = _ends(text, low, high)
    least = 0.0 if way == "log" else -math.inf
    if not least < ends[0] < ends[1]:
        above = " (the lower one above 0)" if way == "log" else ""
        raise ValueError(f"{EXPECTED}, the lower bound first{above}, got {text!r}")
    places = [place / (number - 1) for place in range(number)]
    if way == "log":
        values = [ends[0] * (ends[1] / ends[0]) ** place for place in places]
    else:
        values = [ends[0] + (ends[1] - ends[0]) * place for place in places]
    return list(dict.fromkeys(show(value) for value in values))


def _steps(text: str, steps: str) -> tuple[str, int]:
    """How values are spread, and how many."""
    if not steps:
        return "log", POINTS
    match = _STEPS.fullmatch(steps)
    if match is None or not 2 <= int(match.group(2)) <= MOST:
        raise ValueError(f"{EXPECTED}: log or lin and a number from 2 to {MOST}, got {text!r}")
    return match.group(1) or "log", int(match.group(2))


def _ends(text: str, low: str, high: str) -> tuple[tuple[float, float], Callable[[float], Any]]:
    """The bounds as numbers, and how a value between them is written."""
    if low.isdecimal() and high.isdecimal():
        return (float(low), float(high)), round
    if low.endswith("%") and high.endswith("%"):
        try:
            return (float(low[:-1]), float(high[:-1])), lambda value: f"{value:.3g}%"
        except ValueError:
            raise ValueError(f"{EXPECTED}, got {text!r}") from None
    try:
        return (float(low), float(high)), lambda value: float(f"{value:.3g}")
    except ValueError:
        pass
    try:
        return (float(parse_duration(low)), float(parse_duration(high))), duration_text
    except ValueError:
        raise ValueError(f"{EXPECTED}, got {text!r}") from None


def duration_text(value_ns: float) -> str:
    """Three digits that count, in the greatest unit that gives a whole number before them."""
    unit, scale = next(((u, n) for u, n in UNITS if value_ns >= n), UNITS[-1])
    number = f"{value_ns / scale:.3g}"
    return f"{float(number):.0f}{unit}" if "e" in number else f"{number}{unit}"
