"""Alerts against truth: which incidents were told of, how soon, and which alerts told of none."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence

from hasim.findings.estimated import Estimated
from hasim.report.sheet import Column, Field, Sheet, Value

_MARGIN_S = 60.0
"""An alert so long after the end of an incident still belongs to it."""
Spell = tuple[float, float, int]
"""When an incident begins, until when an alert may tell of it, and its number."""
_COLUMNS = ("incidents", "with an alert", "median time to the alert", "alerts", "at no incident")


def alerts_sheet(result: Estimated, names: Mapping[int, str]) -> Sheet:
    """A row for each cell, by the `names` of cells."""
    incidents = _incidents(result)
    rows: list[list[Value]] = []
    for index, name in names.items():
        alerts = result.alerts[result.alerts["cell"] == index]
        delays: dict[int, float] = {}
        told = stray = 0
        for replication, subject, at_s in zip(
            alerts["replication"], alerts["subject"], alerts["raised_at_s"], strict=True
        ):
            kind, _, master = subject.partition(":")
            if kind != "master":
                continue
            told += 1
            hit = _told_of(incidents.get((index, replication, master), ()), at_s)
            if hit is None:
                stray += 1
            else:
                delays[hit[0]] = min(delays.get(hit[0], hit[1]), hit[1])
        median = statistics.median(delays.values()) if delays else None
        shown: Value = None if median is None else Field(f"{median:.2f} s", value=float(median))
        total = int((result.incidents["cell"] == index).sum())
        rows.append([name, total, len(delays), shown, told, stray])
    note = (
        "An alert about a master belongs to the incident there during which it was raised, or "
        f"within {_MARGIN_S:g} s of its end; one that belongs to none is a false alarm."
    )
    columns = [Column("cell"), *(Column(name, align="right") for name in _COLUMNS)]
    return Sheet(columns, rows, "Alerts and incidents", notes=[note])


def _incidents(result: Estimated) -> Mapping[tuple[int, int, str], Sequence[Spell]]:
    """The spells of each master in each replication, in their order."""
    frame = result.incidents
    ends = frame[["cured_at_s", "restored_at_s"]].max(axis=1).fillna(float("inf")) + _MARGIN_S
    found: dict[tuple[int, int, str], list[Spell]] = defaultdict(list)
    for cell, replication, master, start_s, end_s, number in zip(
        *(frame[name] for name in ("cell", "replication", "master", "started_at_s")),
        ends,
        frame["incident"],
        strict=True,
    ):
        found[cell, replication, master].append((start_s, end_s, int(number)))
    return found


def _told_of(spells: Sequence[Spell], at_s: float) -> tuple[int, float] | None:
    """The last incident that an alert may tell of, and how long after its start."""
    for start_s, end_s, number in reversed(spells):
        if start_s <= at_s <= end_s:
            return number, float(at_s - start_s)
    return None
