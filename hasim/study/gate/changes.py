"""Tiers 1 and 3 of one cell: how its behaviour, its settings and its speed differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hasim.study.estimates.statistics import quantile_interval
from hasim.study.execution.program import versions
from hasim.study.gate.baseline import BaselineCell
from hasim.study.gate.observe import Observed
from hasim.study.gate.outcome import Change, Speed


def change_of(
    cell: str, before: BaselineCell, after: Sequence[Observed], settings: Mapping[str, Any]
) -> Change:
    """The fingerprints of the replications that both have, and the settings."""
    differing = []
    counters: dict[str, tuple[int, int]] = {}
    n = min(len(after), before.replications)
    for replication, (old, one) in enumerate(zip(before.fingerprints, after, strict=False)):
        new = one.fingerprint
        if new is None or new == old:
            continue
        differing.append(replication)
        for name, was, now in old.differences(new):
            sums = counters.get(name, (0, 0))
            counters[name] = (sums[0] + was, sums[1] + now)
    was_set, now_set = dict(_leaves(before.settings)), dict(_leaves(settings))
    changed = _changed(was_set, now_set)
    # Selections last: there is one counter for each master.
    order = sorted(counters, key=lambda name: name.startswith("attempts"))
    sums_that_differ = {name: counters[name] for name in order if len(set(counters[name])) == 2}
    return Change(cell, n, tuple(differing), sums_that_differ, changed)


def _changed(was: Mapping[str, str], now: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """The settings that differ: (before, now) by dotted path.

    A choice may be a name alone, or a mapping of its settings: then it differs as a whole. What
    only one of them has came or went with a version of the program.
    """
    found = {path: (was[path], text) for path, text in now.items() if was.get(path, text) != text}
    for one, other, before in ((was, now, True), (now, was, False)):
        for path, text in one.items():
            inner = [f"{p[len(path) + 1 :]}: {t}" for p, t in other.items() if _in(p, path)]
            if inner:
                whole = f"{{{', '.join(inner)}}}"
                found[path] = (text, whole) if before else (whole, text)
    return found


def _in(path: str, whole: str) -> bool:
    return path.startswith(f"{whole}.")


def speed_of(cell: str, before: BaselineCell, after: Sequence[Observed], limit: float) -> Speed:
    """The median ratio of speeds, replication by replication (the same work in both)."""
    ratios = [one.speed / old for one, old in zip(after, before.speeds, strict=False) if old > 0]
    # 90 % on two sides is 95 % on each.
    found = quantile_interval(ratios, 0.5, level=0.9)
    value = 1.0 if found.value is None else found.value
    return Speed(cell, value, found.low, found.high, limit, found.n)


def changed_versions(baseline: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Versions that differ: (baseline, now) by name; of what the baseline does not know, none."""
    now = versions()
    return {
        name: (was, now.get(name, "-")) for name, was in baseline.items() if was != now.get(name)
    }


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(dotted path, text) of every setting."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}" if path else str(key))
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)
