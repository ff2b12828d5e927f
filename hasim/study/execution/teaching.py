"""What is the user's own (algorithms, detectors, ...) in worker processes.

They start afresh and know what hasim comes with. Others they learn by reference: the module
and name of each class or function, which they import. A lambda, or what stands in a script or
notebook, cannot be found that way; its study stays in the process that knows it.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Collection
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from hasim.services.balancing.registry import Algorithm
from hasim.study.execution.batches import Work
from hasim.study.planning.own_parts import KINDS, Own

WHOLE = ""
"""The role of what is one class or function, and no record of several."""


class NotImportableError(ValueError):
    """Something that the workers of a cluster cannot import; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One thing by reference: what else there is to it, and its functions as (module, name)."""

    own: Own
    rest: dict[str, Any]
    functions: dict[str, tuple[str, str]]

    def learn(self) -> None:
        """Import the functions and register it, unless that was done before.

        Raises ImportError if a module or a function is not there.
        """
        known, shipped = KINDS[self.own.what]
        name = self.own.name
        if name in known and lesson_of(self.own) == self:
            return
        if name not in shipped:
            known.pop(name, None)  # the module may register it when it is imported
        found = {role: self._imported(*place) for role, place in self.functions.items()}
        known[name] = found[WHOLE] if WHOLE in found else Algorithm(**self.rest, **found)

    def _imported(self, module: str, name: str) -> Any:
        try:
            return attrgetter(name)(importlib.import_module(module))
        except (ImportError, AttributeError) as error:
            raise ImportError(
                f"{self.own.what} {self.own.name} needs {module}.{name}, which this worker cannot "
                f"import ({error}): install the module wherever workers run"
            ) from error


def lesson_of(own: Own) -> Lesson | None:
    """The reference to one thing; None if one of its functions cannot be imported."""
    item = own.item
    parts = {WHOLE: item}
    if isinstance(item, Algorithm):
        parts = {field.name: getattr(item, field.name) for field in dataclasses.fields(item)}
    rest: dict[str, Any] = {}
    functions: dict[str, tuple[str, str]] = {}
    for role, value in parts.items():
        if not callable(value):
            rest[role] = value
            continue
        module, name = getattr(value, "__module__", ""), getattr(value, "__qualname__", "")
        if not module or module == "__main__" or not _leads_to(value, module, name):
            return None
        functions[role] = module, name
    return Lesson(own, rest, functions)


def _leads_to(value: Any, module: str, name: str) -> bool:
    try:
        return bool(attrgetter(name)(importlib.import_module(module)) is value)
    except (ImportError, AttributeError):
        return False


@dataclass(frozen=True, slots=True)
class Taught:
    """Work for processes that first have to learn some things."""

    work: Work
    lessons: tuple[Lesson, ...]

    def __call__(self, cell: int, replication: int) -> Any:
        """Learn what this process does not know yet, then do one task."""
        for lesson in self.lessons:
            lesson.learn()
        return self.work(cell, replication)


def taught(work: Work, own: Collection[Own]) -> Work | None:
    """The work for worker processes; None if they cannot import what is used."""
    if not own:
        return work
    lessons = [lesson_of(one) for one in own]
    found = tuple(lesson for lesson in lessons if lesson is not None)
    return Taught(work, found) if len(found) == len(lessons) else None


def what_to_do(own: Collection[Own]) -> str:
    """What workers cannot import, and what to do about it."""
    lacking = [one.name for one in own if lesson_of(one) is None]
    return (
        f"worker processes cannot import {', '.join(lacking)}: all classes and functions of it "
        "must stand at the top level of a module that can be imported, not in a script or "
        "notebook, and be no lambda"
    )
