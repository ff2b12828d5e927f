"""The smallest world that still breaks the same invariant: what is not needed is taken away."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from hasim.hunt.drawing import Data
from hasim.hunt.running import Ran, run
from hasim.oracle import Invariant
from hasim.scenario.problems import ScenarioError
from hasim.units import MILLISECOND, SECOND, format_duration, parse_duration

GROUPS = (
    *("faults", "operations", "masters", "balancing", "observer", "accession", "monitor"),
    *("replication", "promotion", "fencing_device", "failover", "detection", "network", "traffic"),
)
Step = str | int
"""A key, or a position in a list."""
MOST_RUNS = 250
"""So many smaller worlds are tried."""


class Shrinker:
    """Tries smaller worlds one after the other, and keeps each that breaks the same.

    Delta debugging by parts (Zeller, Hildebrandt 2002): lists lose halves, then single items;
    settings go back to their defaults; numbers become round. `asked` is called before each run,
    and may raise to stop.
    """

    def __init__(
        self,
        found: Ran,
        holds: Callable[[Ran], bool],
        asked: Callable[[], None] = lambda: None,
        only: Sequence[Invariant] | None = None,
        groups: Sequence[str] = GROUPS,
    ) -> None:
        self.best, self.runs = found, 0
        self._holds, self._asked, self._only = holds, asked, only
        self._groups = groups

    def shrink(self) -> Ran:
        """Until nothing smaller breaks the same, or enough was tried."""
        self._shorter()
        before = None
        while before != self.best.data and self.runs < MOST_RUNS:
            before = self.best.data
            for key in self._groups:
                if isinstance(self.best.data.get(key), list):
                    self._list(key)
            for place in range(len(self.best.data.get("tiers", ()))):
                self._list("tiers", place, "masters")
            for path in _special(self.best.data) if "masters" in self._groups else ():
                self._try(_with(self.best.data, path, None))
            for key in self._groups:
                self._settings((key,))
                for place in range(len(self.best.data.get("tiers", ()))):
                    self._settings(("tiers", place, key))
            self._rounder()
        return self.best

    def _shorter(self) -> None:
        """The run ends soon after the first breach: every further one is cheaper by that."""
        whole_ns = parse_duration(self.best.data["horizon"])
        for breach in self.best.breaches[:1]:
            for after_ns in (SECOND, 10 * SECOND):
                end_ns = (breach.t_ns + after_ns) // SECOND * SECOND + SECOND
                if end_ns < whole_ns and self._try(_until(self.best.data, end_ns)):
                    return

    def _try(self, data: Data) -> bool:
        if self.runs >= MOST_RUNS or data == self.best.data:
            return False
        self._asked()
        self.runs += 1
        try:
            ran = run(data, None, self._only)
        except ScenarioError:
            return False
        if not self._holds(ran):
            return False
        self.best = ran
        return True

    def _list(self, *path: Step) -> None:
        size = len(_at(self.best.data, path))
        while size:
            place = 0
            while place < len(_at(self.best.data, path)):
                items = _at(self.best.data, path)
                left = items[:place] + items[place + size :]
                if not self._try(_with(self.best.data, path, left or None)):
                    place += size
            size //= 2

    def _settings(self, path: tuple[Step, ...]) -> None:
        """A group is left out as a whole, or else one setting after the other."""
        value = _at(self.best.data, path)
        if not isinstance(value, dict) or not value:
            return
        if path[0] not in ("traffic",) and self._try(_with(self.best.data, path, None)):
            return
        for name in list(value):
            if not self._try(_with(self.best.data, (*path, name), None)):
                self._settings((*path, name))

    def _rounder(self) -> None:
        """Times become whole seconds, or tenths of one."""
        for key in ("faults", "operations"):
            for number, one in enumerate(self.best.data.get(key, ())):
                for name in ("at", "for"):
                    if not isinstance(one.get(name), str):
                        continue  # not given, or a law
                    time_ns = parse_duration(one[name])
                    for unit_ns in (10 * SECOND, SECOND, 100 * MILLISECOND):
                        rounded = max(1, round(time_ns / unit_ns)) * unit_ns
                        data = copy.deepcopy(self.best.data)
                        data[key][number][name] = format_duration(rounded)
                        if rounded == time_ns or self._try(data):
                            break


def _at(data: Data, path: tuple[Step, ...]) -> Any:
    """What is there; nothing if there is no such thing."""
    found: Any = data
    for name in path:
        found = found[name] if isinstance(name, int) else found.get(name, {})
    return found


def _with(data: Data, path: tuple[Step, ...], value: Any) -> Data:
    """A copy with another value there; None: without it."""
    found = copy.deepcopy(data)
    inside: Any = found
    for name in path[:-1]:
        inside = inside[name]
    if value is None:
        inside.pop(path[-1], None)
    else:
        inside[path[-1]] = value
    return found


def _until(data: Data, end_ns: int) -> Data:
    """The same up to a moment: without what begins later."""
    found = {**data, "horizon": format_duration(end_ns)}
    for key in ("faults", "operations"):
        if key in data:
            found[key] = [one for one in data[key] if _at_ns(one) < end_ns]
    return found


def _at_ns(one: Data) -> int:
    """When a fault, or an operation, comes (nanoseconds); the beginning, if a law says so."""
    return parse_duration(one["at"]) if isinstance(one.get("at"), str) else 0


def _special(data: Data) -> list[tuple[Step, ...]]:
    """Where something is special about a master."""
    bases = [(), *(("tiers", place) for place in range(len(data.get("tiers", ()))))]
    return [
        (*base, "masters", number, name)
        for base in bases
        for number, master in enumerate(_at(data, (*base, "masters")))
        for name in sorted(set(master) - {"id"})
    ]
