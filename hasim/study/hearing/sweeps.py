"""Detectors with a parameter that is swept: how they are written, and the usual ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hasim.services.detection.registry import DETECTORS
from hasim.settings.validation import nearest
from hasim.study.hearing.contest import DetectorError, parse_detector
from hasim.units import MILLISECOND, SECOND, parse_duration

UNITS = (("s", SECOND), ("ms", MILLISECOND), ("us", 1000), ("ns", 0.001))
POINTS = 7
"""Values between the bounds of a range, in equal ratios."""


@dataclass(frozen=True)
class Sweep:
    """A detector, its fixed settings, and the values of the one that is swept, as written."""

    detector: str
    parameter: str = ""
    values: tuple[str, ...] = ()
    fixed: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The detector and what is fixed."""
        more = ",".join(f"{name}={value}" for name, value in self.fixed.items())
        return f"{self.detector}:{more}" if more else self.detector

    def written(self, value: str) -> str:
        """The detector with one value, as users write it."""
        pairs = [f"{name}={one}" for name, one in self.fixed.items()]
        if self.parameter:
            pairs.insert(0, f"{self.parameter}={value}")
        return f"{self.detector}:{','.join(pairs)}" if pairs else self.detector


def parse_sweep(text: str) -> Sweep:
    """``timeout:down_after=1s..8s`` or ``threshold:fall=1|2|3``. Raises DetectorError."""
    name, _, rest = text.partition(":")
    if name not in DETECTORS.known:
        raise DetectorError(f"unknown detector {name!r}{nearest(name, list(DETECTORS.known))}")
    pairs = [pair.partition("=") for pair in filter(None, rest.split(","))]
    swept = [(key, value) for key, _, value in pairs if ".." in value or "|" in value]
    if len(swept) > 1:
        raise DetectorError(f"{text}: only one setting of a detector can be swept")
    others = ",".join("".join(pair) for pair in pairs if (pair[0], pair[2]) not in swept)
    fixed = parse_detector(f"{name}:{others}")[1]
    if not swept:
        return Sweep(name, values=("",), fixed=fixed)
    key, value = swept[0]
    values = tuple(value.split("|")) if "|" in value else _between(text, value)
    return Sweep(name, key, values, fixed)


def _between(text: str, value: str) -> tuple[str, ...]:
    """The values of a range: numbers, whole numbers or durations."""
    low, _, high = value.partition("..")
    expected = f"{text}: expected a range such as 1s..8s or 1..16, got {value!r}"
    try:
        bounds = float(low), float(high)
        show: Callable[[float], str] = _whole if low.isdecimal() and high.isdecimal() else _number
    except ValueError:
        try:
            bounds = float(parse_duration(low)), float(parse_duration(high))
        except ValueError:
            raise DetectorError(expected) from None
        show = _duration
    if not 0 < bounds[0] < bounds[1]:
        raise DetectorError(f"{expected}: the first bound is above 0, and below the second")
    return tuple(dict.fromkeys(show(v) for v in np.geomspace(*bounds, POINTS).tolist()))


def _whole(value: float) -> str:
    return str(round(value))


def _number(value: float) -> str:
    return f"{value:.3g}"


def _duration(value_ns: float) -> str:
    """Three digits that count, in the greatest unit that gives a whole number before them."""
    unit, scale = next((u, n) for u, n in UNITS if value_ns >= n)
    return f"{value_ns / scale:.3g}{unit}"


def usual_sweeps(interval_ns: int) -> list[Sweep]:
    """The detectors that are compared unless others are asked for, by the interval of the evidence.

    Margins from a twentieth of the interval to five of them; phi-accrual without Akka's pause,
    which would hide what its threshold does.
    """

    def span(low: float, high: float) -> str:
        return f"{_duration(low * interval_ns)}..{_duration(high * interval_ns)}"

    least = _duration(interval_ns / 20)
    return [
        parse_sweep(text)
        for text in (
            f"timeout:down_after={span(1.05, 6)}",
            f"nfd-e:margin={span(0.05, 5)}",
            f"2w-fd:margin={span(0.05, 5)}",
            "bertier:of_spread=1..32",
            f"phi-accrual:threshold=1..32,acceptable_pause=0s,min_deviation={least}",
            "phi-exponential:threshold=0.5..3",
            "threshold:fall=1|2|3|4",
        )
    ]
