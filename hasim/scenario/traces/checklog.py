"""A log of checks, up or down, and the runs of failed ones in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hasim.scenario.tables.errors import TraceError
from hasim.scenario.tables.table import Table, read_table
from hasim.scenario.tables.times import times
from hasim.simulation.settings.recordings import CheckLog

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
UP = frozenset(
    {
        *("true", "t", "yes", "y", "1", "up", "ok", "pass", "passed", "passing", "success"),
        *("successful", "succeeded", "healthy", "alive", "online", "available", "reachable"),
    }
)
DOWN = frozenset(
    {
        *("false", "f", "no", "n", "0", "down", "ko", "fail", "failed", "failing", "failure"),
        *("error", "critical", "unhealthy", "dead", "offline", "unavailable", "unreachable"),
        "timeout",
    }
)
"""The usual words for the result of a check, in small letters."""


@dataclass(frozen=True)
class Runs:
    """Failed checks in a row, for each: whose they are, from when, to the next that passed.

    The end of a run without one is the last time in the file; `places` are the rows of the
    table in which the runs begin.
    """

    table: Table
    targets: list[str]
    starts: Ints
    ends: Ints
    is_open: Bools
    places: Ints


def runs_of(trace: CheckLog) -> Runs:
    """The runs of at least `fall` failed checks, target by target. Raises TraceError."""
    wanted: dict[str, str | int] = {"time": trace.time, "result": trace.result}
    if trace.target is not None:
        wanted["target"] = trace.target
    table = read_table(trace.file, wanted, trace)
    at = times(table, ("time",), trace)["time"]
    down = downs_of(table, trace)
    names = table.texts("target") if trace.target is not None else [""] * len(table)
    known = {name: number for number, name in enumerate(dict.fromkeys(names))}
    target = np.array([known[name] for name in names], dtype=np.int64)
    order = np.lexsort((np.arange(len(at)), at, target))  # rows of one time in their order
    begins, after, length = _stretches(target[order], down[order])
    enough = length >= trace.fall
    begins, after = begins[enough], after[enough]
    # Past the last check of its target, the next row is of another: the run is open.
    same = after < len(order)
    same[same] = target[order][after[same]] == target[order][begins[same]]
    ends = np.full(len(begins), at.max())
    ends[same] = at[order][after[same]]
    places = order[begins]
    return Runs(table, [names[p] for p in places], at[places], ends, ~same, places)


def _stretches(target: Ints, down: Bools) -> tuple[Ints, Ints, Ints]:
    """Where each run of failed checks begins, the place after it, and how long it is."""
    change = np.r_[True, (target[1:] != target[:-1]) | (down[1:] != down[:-1])]
    begins = np.flatnonzero(change)
    after = np.append(begins[1:], len(down))
    failed = down[begins]
    return begins[failed], after[failed], (after - begins)[failed]


def downs_of(table: Table, trace: CheckLog) -> Bools:
    """Which checks failed; raises TraceError for results that say neither."""
    meanings: dict[str, bool | None] = {}
    down = np.zeros(len(table), dtype=np.bool_)
    broken = []
    for place, text in enumerate(table.texts("result")):
        if text not in meanings:
            meanings[text] = _meaning(text, trace)
        means_down = meanings[text]
        if means_down is None:
            broken.append((place, "result", f"says neither up nor down{_hint(trace)}"))
        else:
            down[place] = means_down
    table.refuse(broken)
    if trace.up and not any(text in trace.up for text in meanings):
        raise TraceError(table.file, settings=[("up", "no check has such a result")])
    if trace.down and not any(text in trace.down for text in meanings):
        raise TraceError(table.file, settings=[("down", "no check has such a result")])
    return down


def _hint(trace: CheckLog) -> str:
    given = " and ".join(name for name in ("up", "down") if getattr(trace, name))
    return f" (as {given} has them)" if given else "; say which words do: up: [...], down: [...]"


def _meaning(text: str, trace: CheckLog) -> bool | None:
    """Whether a result says down; None if it says neither."""
    if text in trace.down:
        return True
    if text in trace.up:
        return False
    if trace.up or trace.down:
        # With one of them given, the rest is the other.
        return None if trace.up and trace.down else bool(trace.up)
    word = text.lower()
    if word in UP or word in DOWN:
        return word in DOWN
    if len(text) == 3 and text.isdecimal() and text[0] in "12345":  # a status of HTTP
        return int(text) >= 400
    return None
