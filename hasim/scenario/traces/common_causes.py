"""What recorded failures had in common: those that began at once, by place (beta factors)."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hasim.scenario.traces.outages import found_outages
from hasim.simulation.settings.recordings import OutageTrace
from hasim.units import MINUTE, SECOND

AT_ONCE_NS = MINUTE
"""Failures that begin within less than this of the first are one event: a minute, since logs that
operators write have no seconds."""
Z = 1.959964
"""The normal quantile of a 95 % interval."""
Failure = tuple[int, tuple[str, ...]]
"""When it began (nanoseconds), and what failed: its place, the largest first, and its name."""


@dataclass(frozen=True)
class Shared:
    """Failures that several of one place had at once.

    `share` is that of all failures, the beta factor of the place, with a 95 % interval. So much of
    it would come by `chance`, if each failed by itself. `hit` failed in such an event in the mean,
    of `there` that stood at the place.
    """

    share: float
    low: float
    high: float
    chance: float
    events: int
    hit: float
    there: float


@dataclass(frozen=True)
class CommonCauses:
    """The failures of a recording, as events that struck one or several at once.

    `levels` has what was shared at each level of places, the largest first. Of one resource,
    `mean_ns` is the time between its failures, and an outage lasts `lasts_ns` in the mean
    with the coefficient of variation `cv`, those left out that a replay leaves out (`longest`).
    """

    failures: int
    resources: int
    events: int
    levels: tuple[Shared, ...]
    mean_ns: float
    lasts_ns: float
    cv: float


def common_causes(trace: OutageTrace) -> CommonCauses:
    """What the outages of a recording, whose rows name places, have in common.

    Needs a `resource` of several columns, places first. The share of failures in events that
    struck several is the usual estimate of the beta factor (NUREG/CR-4780, 1988; NUREG/CR-5485,
    1998); its interval is that of a ratio over events (delta method). Raises TraceError.
    """
    found = found_outages(trace)
    failures = sorted(zip(found.starts.tolist(), found.resources, strict=True))
    depth = len(found.resources[0]) - 1
    events = list(events_of(failures))
    lasting_ns = found.ends - found.starts
    lasting = lasting_ns[(lasting_ns > 0) & (lasting_ns <= trace.longest_ns)] / SECOND
    levels = tuple(_shared(failures, events, level) for level in range(1, depth + 1))
    mean_s = float(lasting.mean()) if len(lasting) else 0.0
    return CommonCauses(
        failures=sum(map(len, events)),
        resources=len({name for _, name in failures}),
        events=len(events),
        levels=levels,
        mean_ns=_between_ns(failures),
        lasts_ns=mean_s * SECOND,
        cv=float(lasting.std() / mean_s) if mean_s else 0.0,
    )


def events_of(failures: Sequence[Failure]) -> Iterator[set[tuple[str, ...]]]:
    """What failed at once at each of the largest places, in the order of time within each."""
    for _, own in by_place(failures).items():
        begun_ns, struck = -AT_ONCE_NS, set[tuple[str, ...]]()
        for start_ns, name in own:
            if struck and start_ns - begun_ns >= AT_ONCE_NS:
                yield struck
                struck = set()
            if not struck:
                begun_ns = start_ns
            struck.add(name)
        yield struck


def by_place(failures: Sequence[Failure], level: int = 1) -> dict[tuple[str, ...], list[Failure]]:
    """The failures at each place of a level, in their order."""
    found: dict[tuple[str, ...], list[Failure]] = {}
    for failure in failures:
        found.setdefault(failure[1][:level], []).append(failure)
    return found


def _level_of(struck: set[tuple[str, ...]]) -> int:
    """The level of the smallest place that holds all that an event struck; 0 if that is one."""
    if len(struck) == 1:
        return 0
    alike = itertools.takewhile(lambda names: len(set(names)) == 1, zip(*struck, strict=True))
    return len(list(alike))


def _shared(
    failures: Sequence[Failure], events: Sequence[set[tuple[str, ...]]], level: int
) -> Shared:
    sizes = np.array([len(struck) for struck in events], dtype=np.float64)
    ours = np.array([_level_of(struck) == level for struck in events])
    there: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for _, name in failures:
        there.setdefault(name[:level], set()).add(name)
    struck = [next(iter(event))[:level] for event, its in zip(events, ours, strict=True) if its]
    share = float(sizes[ours].sum() / sizes.sum())
    n = len(sizes)
    residuals = np.where(ours, sizes, 0.0) - share * sizes
    spread = math.sqrt(float((residuals**2).sum()) * n / max(n - 1, 1)) / float(sizes.sum())
    return Shared(
        share=share,
        low=max(0.0, share - Z * spread),
        high=min(1.0, share + Z * spread),
        chance=_chance(failures, level),
        events=int(ours.sum()),
        hit=float(sizes[ours].mean()) if struck else 0.0,
        there=float(np.mean([len(there[place]) for place in struck])) if struck else 0.0,
    )


def _chance(failures: Sequence[Failure], level: int) -> float:
    """The share of failures that another one of the place would meet, if they were independent.

    Of Poisson processes, one of the others begins in the same minute with 1 - exp(-r w).
    """
    met = 0.0
    for own in by_place(failures, level).values():
        span_ns = own[-1][0] - own[0][0]
        for count in Counter(name for _, name in own).values():
            if span_ns:
                met -= count * math.expm1(-(len(own) - count) / span_ns * AT_ONCE_NS)
    return met / len(failures)


def _between_ns(failures: Sequence[Failure]) -> float:
    """The mean time between failures of one resource, each watched as long as its place."""
    whole_ns = failures[-1][0] - failures[0][0]
    watched_ns = 0
    for own in by_place(failures).values():
        span_ns = own[-1][0] - own[0][0] or whole_ns
        watched_ns += span_ns * len({name for _, name in own})
    return watched_ns / len(failures)
