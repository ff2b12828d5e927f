"""A moving average of latency in time (EWMA), in the memory of a picker.

`values[i]` is the average in nanoseconds (0: nothing known), `counts[i]` when it was last
brought up to date. A sample weighs 1 - exp(-dt / decay) after a pause of dt.
"""

from __future__ import annotations

import math

from hasim.services.balancing.fleet import Fleet


def faded(fleet: Fleet, index: int, now: int) -> float:
    """What is left of the average at `now`: it decays toward 0 while nothing is heard."""
    pause = now - fleet.counts[index]
    return fleet.values[index] * math.exp(-pause / fleet.settings.decay_ns)


def fade(fleet: Fleet, index: int, now: int) -> float:
    """Let the average decay and keep what is left, which counts as brought up to date.

    So Finagle reads (`get` observes 0): what comes next weighs as after a pause since this
    reading, and is a peak if it is above what is left. Twice at one time is as once.
    """
    fleet.values[index] = faded(fleet, index, now)
    fleet.counts[index] = now
    return fleet.values[index]


def observe(fleet: Fleet, index: int, now: int, sample: float) -> None:
    """Take a sample into the average; the first one is the average."""
    old = fleet.values[index]
    if old == 0.0:
        fleet.values[index] = sample
    else:
        kept = math.exp(-(now - fleet.counts[index]) / fleet.settings.decay_ns)
        fleet.values[index] = old * kept + sample * (1.0 - kept)
    fleet.counts[index] = now


def observe_peak(fleet: Fleet, index: int, now: int, sample: float) -> None:
    """The same, but a sample above the average takes its place at once (Finagle PeakEwma)."""
    if sample > fleet.values[index]:
        fleet.values[index] = sample
        fleet.counts[index] = now
    else:
        observe(fleet, index, now, sample)


def sample_of(fleet: Fleet, elapsed_ns: int, failed: bool) -> float:
    """What an attempt counts for: its time, 1 ns at least; a failed one at least the penalty."""
    sample = max(1, elapsed_ns)
    if failed:
        sample = max(sample, fleet.settings.failure_penalty_ns)
    return float(sample)
