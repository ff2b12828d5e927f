"""What an invariant is, and what is said of one that a run breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from hasim.oracle.case import Case
from hasim.units import SECOND


class Found(NamedTuple):
    """A place where an invariant does not hold: when (nanoseconds), whose, and what was found."""

    t_ns: int
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Breach:
    """One place where the invariant of this name does not hold."""

    invariant: str
    t_ns: int
    subject: str
    text: str

    def __str__(self) -> str:
        """In words."""
        return f"{self.invariant} at {self.t_ns / SECOND:.9f} s, {self.subject}: {self.text}"


@dataclass(frozen=True, slots=True)
class Invariant:
    """Something that holds in every run; `find` yields each place where it does not.

    `meaning` says in a sentence what holds, and `breach` what it means to users if it does not.
    `each`: looked at once for the run, or for each control plane, and of those perhaps only for
    the ones that act.
    """

    name: str
    meaning: str
    breach: str
    find: Callable[[Case], Iterator[Found]]
    each: Literal["run", "acting", "observer"] = "acting"
