"""Invariants that users state in a line: ``always: served``, ``eventually within 30s: healthy``.

What is stated is a state (`served`, `healthy`, `one-primary`), or a number of the whole run
beside a limit (``always: outage.max < 10s``, ``always: lost-writes <= 5``).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hasim.measures.spans import Steps
from hasim.model import Status
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant
from hasim.oracle.objectives import OBJECTIVES, shown
from hasim.oracle.registry import INVARIANTS
from hasim.settings.validation import nearest
from hasim.truth import Writers
from hasim.units import SECOND, parse_duration

_FORM = re.compile(r"(always|eventually within (?P<within>\S+))\s*:\s*(?P<what>.+)")
_LIMIT = re.compile(r"(?P<name>[a-z.-]+)\s*(?P<how><=|>=|<|>)\s*(?P<limit>\S+)")
HOW: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class StatementError(ValueError):
    """A statement that cannot be read; the message says what was expected."""


def _served(case: Case) -> Steps[bool]:
    """Every partition, or the tier, is up."""
    edges: list[tuple[int, int]] = []
    for down in case.facts.downs():
        edges += [(down.span.start_ns, 1), (down.span.end_ns, -1)]
    return _none_of(edges)


def _healthy(case: Case) -> Steps[bool]:
    """Every master that is there is declared healthy."""
    times = sorted({0, *(t for steps in case.status.values() for t in steps.times_ns)})
    found = Steps(before=False)
    for t_ns in times:
        now = [steps.at(t_ns) for steps in case.status.values()]
        found.set(t_ns, all(s in (Status.HEALTHY, Status.MAINTENANCE) for s in now))
    return found


def _one_primary(case: Case) -> Steps[bool]:
    """No partition has two masters that accept its writes."""
    now: dict[str, bool] = {}
    found = Steps(before=True)
    for t_ns, writers in case.facts.records.of(Writers):
        now[writers.partition] = len(writers.masters) > 1
        found.set(t_ns, not any(now.values()))
    return found


def _none_of(edges: list[tuple[int, int]]) -> Steps[bool]:
    found, count = Steps(before=True), 0
    for t_ns, change in sorted(edges, key=lambda edge: (edge[0], -edge[1])):
        count += change
        found.set(t_ns, not count)
    return found


STATES: Mapping[str, Callable[[Case], Steps[bool]]] = {
    "served": _served,
    "healthy": _healthy,
    "one-primary": _one_primary,
}


def stated(text: str) -> Invariant:
    """The invariant that a line states. Raises StatementError."""
    form = _FORM.fullmatch(text.strip())
    if form is None:
        raise StatementError(
            f"{text!r}: expected 'always: STATE', 'eventually within 30s: STATE' or "
            f"'always: NUMBER < LIMIT'"
        )
    what, within = form["what"].strip(), form["within"]
    limit = _LIMIT.fullmatch(what)
    find: Callable[[Case], Iterator[Found]]
    if limit is not None and within is None:
        find = _of_number(text, limit)
    elif what in STATES:
        find = _State(what, 0 if within is None else _duration(text, within))
    else:
        name = limit["name"] if limit is not None else what
        known = STATES if limit is None else OBJECTIVES.known
        raise StatementError(f"{text!r}: {name!r} is none of them{nearest(name, known)}")
    return Invariant(text.strip(), text, "What was stated does not hold.", find)


def with_stated(texts: Iterable[str], known: Iterable[Invariant] | None = None) -> list[Invariant]:
    """Invariants, by default all that are known, and those that these lines state."""
    every = INVARIANTS.known.values() if known is None else known
    return [*every, *map(stated, texts)]


def _duration(text: str, written: str) -> int:
    try:
        return parse_duration(written)
    except ValueError as error:
        raise StatementError(f"{text!r}: {error}") from None


def _of_number(text: str, limit: re.Match[str]) -> Callable[[Case], Iterator[Found]]:
    name, how, written = limit["name"], limit["how"], limit["limit"]
    if name not in OBJECTIVES.known:
        raise StatementError(f"{text!r}: {name!r} is none of them{nearest(name, OBJECTIVES.known)}")
    try:
        most = float(written)
    except ValueError:
        most = _duration(text, written) / SECOND
    return _Number(name, how, written, most)


@dataclass(frozen=True)
class _Number:
    """Finds a number of the run that is not within its limit. It can be pickled."""

    name: str
    how: str
    written: str
    limit: float

    def __call__(self, case: Case) -> Iterator[Found]:
        came_to = OBJECTIVES.known[self.name](case.journal, case.facts)
        if not HOW[self.how](came_to, self.limit):
            text = f"it came to {shown(self.name, came_to)}, stated is {self.how} {self.written}"
            yield Found(case.horizon_ns, self.name, text)


@dataclass(frozen=True)
class _State:
    """Finds each time for which a state does not hold, longer than that. It can be pickled."""

    name: str
    within_ns: int

    def __call__(self, case: Case) -> Iterator[Found]:
        steps = STATES[self.name](case)
        since_ns = None if steps.before else 0
        for t_ns, holds in [
            *zip(steps.times_ns, steps.values, strict=True),
            (case.horizon_ns, True),
        ]:
            if not holds:
                since_ns = t_ns if since_ns is None else since_ns
                continue
            if since_ns is not None and t_ns - since_ns > self.within_ns:
                text = f"it does not hold for {(t_ns - since_ns) / SECOND:.9f} s"
                yield Found(since_ns, self.name, text)
            since_ns = None
