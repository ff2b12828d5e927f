"""The door of the services: what cannot be is refused before it changes anything.

An input that nobody can have sent (an unknown name, a text where one of several names stands, a
negative or a broken number), and a time that runs back, raise `InputError` to the caller. That
is no failure of a service. What was sent and is of no use any more is another matter: a service
takes it, and says so by `InputRefused`.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Collection, Mapping
from enum import Enum
from typing import Any, NamedTuple, Protocol, TypeGuard

from hasim.events import Input, InputRefused, Output
from hasim.model import Cluster
from hasim.settings.validation import nearest
from hasim.times import Times

Names = Mapping[str, Collection[str]]
"""What there is of each kind of name: masters, gateways, partitions, observers, those of whom an
opinion may come (observers and masters), and algorithms, where somebody is told of these."""
Look = Callable[[Any, Names], str]
"""What is wrong with a value; empty if nothing is."""
Looks = tuple[tuple[str, Look], ...]
"""By field of a record, in their order."""


class Form(NamedTuple):
    """What records of one kind may be."""

    kind: type[Any]
    fits: Callable[[Any, Names], bool]
    """Whether a value is such a record, and nothing is wrong with it."""
    looks: Looks


NAMED = {
    "master": "master",
    "target": "master",
    "source": "master",
    "sources": "master",
    "to": "master",
    "waits_for": "master",
    "gateway": "gateway",
    "peer": "witness",
    "partition": "partition",
    "partitions": "partition",
}
"""By the name of a field, what the text in it names."""


class InputError(ValueError):
    """An input, or its time, that cannot be. Nothing was changed by it."""


class Door:
    """Looks at each input of a cluster's services, and at its time."""

    def __init__(self, cluster: Cluster, algorithms: Collection[str] = ()) -> None:
        self._names: Names = {
            "master": frozenset(master.id for master in cluster.masters),
            "gateway": frozenset(cluster.gateways),
            "observer": frozenset(cluster.observers),
            "witness": frozenset((*cluster.observers, *(m.id for m in cluster.masters))),
            "partition": frozenset(partition.id for partition in cluster.partitions),
            "algorithm": algorithms,
        }
        self._now = 0

    @property
    def last_ns(self) -> int:
        """The last time that was seen (nanoseconds)."""
        return self._now

    def go_on(self, last_ns: int) -> None:
        """Somebody before has seen this time already: an earlier one is refused."""
        self._now = max(self._now, last_ns)

    def check(self, now: int, item: Input) -> None:
        """Raise InputError, with the field and what was expected, unless the input can be."""
        kind: Any = type(item)
        if kind not in INPUTS:
            raise InputError(f"no input: {item!r}")
        form = _form(kind)
        if not form.fits(item, self._names):
            raise InputError(f"{kind.__name__}.{_wrong(form, item, self._names)}")
        if type(now) is int and now >= self._now:
            self._now = now
        else:
            self.check_time(now)

    def check_time(self, now: int) -> None:
        """Raise InputError unless `now` is whole nanoseconds, and not before the last time."""
        if type(now) is not int or now < 0:
            raise InputError(f"expected a time in whole nanoseconds from 0 on, got {now!r}")
        if now < self._now:
            raise InputError(f"time runs back: {now} ns, after {self._now} ns")
        self._now = now


class Steps(Protocol):
    """A machine that takes inputs."""

    def step(self, now: int, item: Input) -> list[Output]:
        """Take one."""
        ...


def take(machine: Steps, now: int, item: Input) -> list[Output]:
    """What a machine answers to an input; of one that cannot be, that it was refused.

    For drivers, which go on and journal it.
    """
    try:
        return machine.step(now, item)
    except InputError as error:
        sender = next((str(getattr(item, f)) for f in _SENDERS if hasattr(item, f)), "")
        return [InputRefused(type(item).__name__, sender, str(error))]


_SENDERS = ("gateway", "master", "target")


# -- what each kind of value may be ------------------------------------------------


INPUTS = frozenset(typing.get_args(Input))


@functools.cache
def _form(kind: type[Any]) -> Form:
    """What to look at in a record; found out once."""
    hints = typing.get_type_hints(kind)
    looks = tuple((f.name, _look(hints[f.name], f.name)) for f in dataclasses.fields(kind))
    return Form(kind, _fitting(kind, looks), looks)


def _fitting(kind: type[Any], looks: Looks) -> Callable[[Any, Names], bool]:
    """Whether nothing is wrong, as one expression: nearly always nothing is.

    A call for each field would be most of a report's cost, as it is with `hasim.record`.
    """
    scope: dict[str, Any] = {"kind": kind}
    tests = ["type(it) is kind"]
    for field, look in looks:
        value = f"it.{field}"
        if look is _count:
            tests.append(f"type({value}) is int and {value} >= 0")
        elif _applies(look, _name):
            tests.append(f"type({value}) is str and {value} in names[{look.args[0]!r}]")
        elif _applies(look, _member):
            scope[f"of_{field}"] = look.args[0]
            tests.append(f"type({value}) is of_{field}")
        else:
            scope[f"look_{field}"] = look
            tests.append(f"not look_{field}({value}, names)")
    made: Callable[[Any, Names], bool] = eval(f"lambda it, names: {' and '.join(tests)}", scope)
    return made


def _applies(look: Look, function: Callable[..., str]) -> TypeGuard[functools.partial[str]]:
    return isinstance(look, functools.partial) and look.func is function


def _look(hint: Any, field: str) -> Look:
    """What a value of this declared type may be."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = _look(next(arg for arg in args if arg is not types.NoneType), field)
        if inner is _count:
            return _maybe_count  # without a call of its own: each heartbeat has one
        return lambda value, names: "" if value is None else inner(value, names)
    if origin is tuple:
        each = _look(args[0], field)
        if _applies(each, _record):
            return functools.partial(_records, each.args[0])
        return functools.partial(_tuple, each)
    if field == "algorithm":
        return _algorithm
    if hint is str:
        return functools.partial(_name, NAMED[field]) if field in NAMED else _text
    if hint is int:
        return _count
    if hint is bool:
        return _flag
    if hint is Times:
        return _times
    if isinstance(hint, type) and issubclass(hint, Enum):
        return functools.partial(_member, hint)
    return functools.partial(_record, _form(hint))


def _name(kind: str, value: Any, names: Names) -> str:
    if type(value) is str and value in names[kind]:
        return ""
    if not isinstance(value, str):
        return f"expected the name of a {kind}, got {value!r}"
    return f"unknown {kind} {value!r}{nearest(value, sorted(names[kind]), otherwise='known')}"


def _algorithm(value: Any, names: Names) -> str:
    """Where no algorithms are known, whoever does know them looks."""
    return _name("algorithm", value, names) if names["algorithm"] else _text(value, names)


def _text(value: Any, names: Names) -> str:
    return "" if isinstance(value, str) else f"expected a text, got {value!r}"


def _count(value: Any, names: Names) -> str:
    if type(value) is int and value >= 0:
        return ""
    return f"expected a whole number from 0 on, got {value!r}"


def _maybe_count(value: Any, names: Names) -> str:
    if value is None or (type(value) is int and value >= 0):
        return ""
    return _count(value, names)


def _flag(value: Any, names: Names) -> str:
    return "" if isinstance(value, bool) else f"expected true or false, got {value!r}"


def _times(value: Any, names: Names) -> str:
    if isinstance(value, Times) and min(value, default=0) >= 0:
        return ""
    return f"expected times from 0 on, got {value!r}"


def _member(kind: type[Enum], value: Any, names: Names) -> str:
    if type(value) is kind:
        return ""
    known = ", ".join(f"{kind.__name__}.{member.name}" for member in kind)
    return f"expected one of {known}, got {value!r}"


def _tuple(each: Look, value: Any, names: Names) -> str:
    if not isinstance(value, tuple):
        return f"expected a tuple, got {value!r}"
    for item in value:
        wrong = each(item, names)
        if wrong:
            return wrong
    return ""


def _record(form: Form, value: Any, names: Names) -> str:
    if form.fits(value, names):
        return ""
    if type(value) is not form.kind:
        return f"expected a {form.kind.__name__}, got {value!r}"
    return _wrong(form, value, names)


def _records(form: Form, value: Any, names: Names) -> str:
    """The rows of a report, say."""
    if not isinstance(value, tuple):
        return f"expected a tuple, got {value!r}"
    fits = form.fits
    for item in value:
        if not fits(item, names):
            return _record(form, item, names)
    return ""


def _wrong(form: Form, record: Any, names: Names) -> str:
    """The first field of a record that cannot be, and why; empty if there is none."""
    for field, look in form.looks:
        wrong = look(getattr(record, field), names)
        if wrong:
            return f"{field}: {wrong}"
    return ""
