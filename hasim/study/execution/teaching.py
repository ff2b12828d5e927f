"""Algorithms of the user's own in worker processes.

They start afresh and know the algorithms that hasim comes with. Others they learn
by reference: the module and name of each function, which they import. A lambda, or a function
of a script or notebook, cannot be found that way; its study stays in the process that knows it.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Collection
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from hasim.services.balancing.registry import ALGORITHMS, SHIPPED, Algorithm
from hasim.study.execution.batches import Work


class NotImportableError(ValueError):
    """An algorithm that the workers of a cluster cannot import; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """An algorithm by reference: what else there is to it, and its functions as (module, name)."""

    name: str
    rest: dict[str, Any]
    functions: dict[str, tuple[str, str]]

    def learn(self) -> None:
        """Import the functions and register the algorithm, unless that was done before.

        Raises ImportError if a module or a function is not there.
        """
        known = ALGORITHMS.get(self.name)
        if known is not None and lesson_of(self.name, known) == self:
            return
        if self.name not in SHIPPED:
            ALGORITHMS.pop(self.name, None)  # the module may register it when it is imported
        found = {role: self._imported(*place) for role, place in self.functions.items()}
        ALGORITHMS[self.name] = Algorithm(**self.rest, **found)

    def _imported(self, module: str, name: str) -> Any:
        try:
            return attrgetter(name)(importlib.import_module(module))
        except (ImportError, AttributeError) as error:
            raise ImportError(
                f"the algorithm {self.name} needs {module}.{name}, which this worker cannot "
                f"import ({error}): install the module wherever workers run"
            ) from error


def lesson_of(name: str, algorithm: Algorithm) -> Lesson | None:
    """The reference to an algorithm; None if one of its functions cannot be imported."""
    rest: dict[str, Any] = {}
    functions: dict[str, tuple[str, str]] = {}
    for field in dataclasses.fields(algorithm):
        value = getattr(algorithm, field.name)
        if not callable(value):
            rest[field.name] = value
            continue
        module, own = getattr(value, "__module__", ""), getattr(value, "__qualname__", "")
        if not module or module == "__main__" or not _leads_to(value, module, own):
            return None
        functions[field.name] = module, own
    return Lesson(name, rest, functions)


def _leads_to(value: Any, module: str, name: str) -> bool:
    try:
        return bool(attrgetter(name)(importlib.import_module(module)) is value)
    except (ImportError, AttributeError):
        return False


@dataclass(frozen=True, slots=True)
class Taught:
    """Work for processes that first have to learn some algorithms."""

    work: Work
    lessons: tuple[Lesson, ...]

    def __call__(self, cell: int, replication: int) -> Any:
        """Learn what this process does not know yet, then do one task."""
        for lesson in self.lessons:
            lesson.learn()
        return self.work(cell, replication)


def taught(work: Work, names: Collection[str]) -> Work | None:
    """The work for worker processes; None if they cannot import what is used."""
    if not names:
        return work
    lessons = [lesson_of(name, ALGORITHMS[name]) for name in names]
    found = tuple(lesson for lesson in lessons if lesson is not None)
    return Taught(work, found) if len(found) == len(lessons) else None


def what_to_do(names: Collection[str]) -> str:
    """Which algorithms workers cannot import, and what to do about it."""
    lacking = [name for name in names if lesson_of(name, ALGORITHMS[name]) is None]
    return (
        f"worker processes cannot import {', '.join(lacking)}: all functions of an algorithm must "
        "stand at the top level of a module that can be imported, not in a script or notebook, "
        "and be no lambda"
    )
