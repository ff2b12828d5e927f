"""How evenly loads are shared, by the usual indices, over all masters and over available ones."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hasim.events import (
    AddMaster,
    DrainMaster,
    PublishRouting,
    RemoveMaster,
    StartMaintenance,
    StopMaintenance,
    UndrainMaster,
)
from hasim.measures.facts import Facts
from hasim.measures.spans import Steps
from hasim.model import SERVED, Master, Status
from hasim.truth import AttemptRollup, TrafficRollup
from hasim.units import SECOND, seconds

WINDOW_NS = 10 * SECOND
"""The windows of the traffic's roll-up."""
UNAVAILABLE = (Status.FAILED, Status.RECOVERING, Status.MAINTENANCE)
ORDERS: tuple[tuple[type[Any], bool], ...] = (
    (DrainMaster, False),
    (UndrainMaster, True),
    *((kind, True) for kind in (StartMaintenance, StopMaintenance, AddMaster, RemoveMaster)),
)
"""Whether a master is not drained after an order; one that left and is back is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The balance of load over the masters that were available in a window of 10 s.

    A message counts once, in the window of its arrival, at the last master that was tried (of two
    attempts at once, at the one that answered); `messages` are those of the available masters.
    None: there were not two masters available, or they had no load.
    """

    start_s: float
    messages: int
    jain: float | None
    peak_to_mean: float | None
    least_to_mean: float | None
    cv: float | None
    settled: int = 0
    """Messages, of all masters, whose deadline lies within the run."""
    in_time: int = 0
    """Those of them that were answered by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The balance of load over masters that were available, and rates, over the whole run.

    Jain's index (1 is even, 1/n all on one), the largest and smallest load over the mean,
    and the coefficient of variation: of the messages per worker of the masters that are
    available at the time (see `windows_of`), so that a crash is no imbalance: means over the
    windows, weighted by their messages. A message counts once, at the last master that was tried:
    attempts that failed before are not in it. `hasim.measures.load.Load` has the indices of
    all attempts, per worker of all masters, available or not: there a black hole shows even if
    retries elsewhere make up for it.

    `offered_per_s` counts messages, `attempts_per_s` the attempts on masters that they took,
    `throughput_per_s` the answers, in time or not. `switches_per_min` counts new routing tables.
    """

    jain: float | None
    peak_to_mean: float | None
    least_to_mean: float | None
    cv: float | None
    offered_per_s: float
    attempts_per_s: float
    throughput_per_s: float
    switches_per_min: float


def balance_of(facts: Facts, windows: Sequence[Window]) -> Balance:
    """The balance of a run, whose windows are given."""
    horizon_s = seconds(facts.horizon_ns)
    attempts = answered = 0
    for _, rollup in facts.records.of(AttemptRollup):
        attempts += rollup.attempts
        answered += rollup.attempts if rollup.cause in SERVED else 0
    versions = {body.table.version for _, body in facts.records.of(PublishRouting)}
    return Balance(
        **over_windows(windows),
        offered_per_s=sum(r.messages for _, r in facts.records.of(TrafficRollup)) / horizon_s,
        attempts_per_s=attempts / horizon_s,
        throughput_per_s=answered / horizon_s,
        switches_per_min=60 * len(versions) / horizon_s,
    )


def jain_index(loads: Sequence[float]) -> float | None:
    """(sum x)^2 / (n sum x^2): 1 is even, 1/n all on one; None without any load.

    Jain, Chiu, Hawe 1984.
    """
    squares = sum(x * x for x in loads)
    return sum(loads) ** 2 / (len(loads) * squares) if squares else None


def peak_to_mean(loads: Sequence[float]) -> float | None:
    """The largest over the mean; None without any load."""
    total = sum(loads)
    return max(loads) * len(loads) / total if total else None


def least_to_mean(loads: Sequence[float]) -> float | None:
    """The smallest over the mean; None without any load."""
    total = sum(loads)
    return min(loads) * len(loads) / total if total else None


def coefficient_of_variation(loads: Sequence[float]) -> float | None:
    """Standard deviation (of the population) over the mean; None without any load."""
    mean = sum(loads) / len(loads) if loads else 0.0
    if not mean:
        return None
    return math.sqrt(sum((x - mean) ** 2 for x in loads) / len(loads)) / mean


INDICES: dict[str, Callable[[Sequence[float]], float | None]] = {
    "jain": jain_index,
    "peak_to_mean": peak_to_mean,
    "least_to_mean": least_to_mean,
    "cv": coefficient_of_variation,
}
"""The indices of balance, by the names of fields."""


def over_windows(windows: Sequence[Window]) -> dict[str, float | None]:
    """Each index, as the mean over windows weighted by their messages; None if there are none."""
    found: dict[str, float | None] = {}
    for name in INDICES:
        known = [(value, w.messages) for w in windows if (value := getattr(w, name)) is not None]
        weight = sum(messages for _, messages in known)
        total = sum(value * messages for value, messages in known)
        found[name] = total / weight if weight else None
    return found


def windows_of(facts: Facts) -> list[Window]:
    """The windows of 10 s in which messages arrived, by time.

    Available in a window: never declared failed, in maintenance, drained or absent in it.
    A message belongs to the window of its arrival and to the last master tried.
    """
    found = []
    counts: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])
    for _, rollup in facts.records.of(TrafficRollup):
        if rollup.settled:
            counts[rollup.start_ns][0] += rollup.messages
            counts[rollup.start_ns][1] += rollup.in_time
    for start_ns, loads, messages in _loads(facts):
        several = loads if len(loads) > 1 else []
        indices = {name: index(several) for name, index in INDICES.items()}
        settled, in_time = counts[start_ns]
        own = Window(
            start_s=seconds(start_ns),
            messages=messages,
            settled=settled,
            in_time=in_time,
            **indices,
        )
        found.append(own)
    return found


def _loads(facts: Facts) -> Iterator[tuple[int, list[float], int]]:
    """Of each window its start, the loads of the available masters, and their messages."""
    counts: defaultdict[int, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for _, rollup in facts.records.of(TrafficRollup):
        counts[rollup.start_ns][rollup.master] += rollup.messages
    orders: defaultdict[str, list[tuple[int, str, bool]]] = defaultdict(list)
    for kind, may in ORDERS:
        found: list[tuple[int, Any]] = facts.records.of(kind)
        for t_ns, order in found:
            orders[order.master].append((t_ns, "drain", may))
    usable = {m.id: _usable(facts, m, orders[m.id]) for m in facts.records.masters}
    for start_ns, by_master in sorted(counts.items()):
        masters = [m for m in facts.records.masters if _throughout(usable[m.id], start_ns)]
        own = [by_master[m.id] for m in masters]
        loads = [n / max(m.workers, 1) for n, m in zip(own, masters, strict=True)]
        yield start_ns, loads, sum(own)


def _usable(facts: Facts, master: Master, orders: list[tuple[int, str, bool]]) -> Steps[bool]:
    """Since when a master may and may not be sent messages, by what was declared and ordered."""
    changes: list[tuple[int, str, bool]] = []
    verdicts = facts.verdicts[master.id].status
    for t_ns, status in zip(verdicts.times_ns, verdicts.values, strict=True):
        if status is Status.HEALTHY or status in UNAVAILABLE:  # others change nothing
            changes.append((t_ns, "verdict", status is Status.HEALTHY))
    changes += orders
    state = {"verdict": not master.absent, "drain": True}
    steps = Steps(before=not master.absent)
    for t_ns, why, usable in sorted(changes, key=lambda change: change[0]):
        state[why] = usable
        steps.set(t_ns, all(state.values()))
    return steps


def _throughout(usable: Steps[bool], start_ns: int) -> bool:
    """Whether it holds in the whole window that begins at `start_ns`."""
    first = bisect_right(usable.times_ns, start_ns)
    until = bisect_left(usable.times_ns, start_ns + WINDOW_NS)
    return usable.at(start_ns) and all(usable.values[first:until])
