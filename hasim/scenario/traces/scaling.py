"""Recorded times divided by a scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hasim.scenario.tables.errors import TraceError
from hasim.units import LONGEST_NS, format_duration

Ints = NDArray[np.int64]


def scaled(times: Ints, time_scale: float, file: Path) -> Ints:
    """Times in nanoseconds, divided and rounded; raises TraceError if they leave the clock."""
    if time_scale == 1:
        return times
    longest = int(times.max())
    if longest >= LONGEST_NS * time_scale:
        shown = format_duration(longest)
        message = f"too small: {shown} divided by it are more than 292 years"
        raise TraceError(file, settings=[("time_scale", message)])
    return np.rint(times / time_scale).astype(np.int64)


def from_first(times: Ints, file: Path) -> Ints:
    """Times counted from the first of them; raises TraceError if they span more than a clock."""
    if int(times.max()) - int(times.min()) > LONGEST_NS:
        text = f"{file.name} spans more than 292 years: is it another unit?"
        raise TraceError(file, settings=[("unit", text)])
    found: Ints = times - times.min()
    return found


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """The array, read-only since it is shared."""
    array.setflags(write=False)
    return array
