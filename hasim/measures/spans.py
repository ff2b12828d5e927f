"""Half-open spans of time and step functions of time, in integer nanoseconds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The time from `start_ns` up to, and without, `end_ns`."""

    start_ns: int
    end_ns: int

    @property
    def length_ns(self) -> int:
        """Its length in nanoseconds."""
        return self.end_ns - self.start_ns

    def holds(self, t_ns: int) -> bool:
        """Whether the moment lies in the span."""
        return self.start_ns <= t_ns < self.end_ns


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time as disjoint spans in order; spans that touch become one."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start_ns <= merged[-1].end_ns:
            last = merged.pop()
            span = Span(last.start_ns, max(last.end_ns, span.end_ns))  # noqa: PLW2901
        merged.append(span)
    return merged


def length_ns(spans: Iterable[Span]) -> int:
    """Time that at least one of the spans covers."""
    return sum(span.length_ns for span in union(spans))


@dataclass
class Steps(Generic[T]):
    """A value that changes at moments; the last change at a moment is the one that holds."""

    before: T
    times_ns: list[int] = field(default_factory=list)
    values: list[T] = field(default_factory=list)

    def set(self, t_ns: int, value: T) -> None:
        """The value from `t_ns` on; times must not run back."""
        self.times_ns.append(t_ns)
        self.values.append(value)

    def at(self, t_ns: int) -> T:
        """The value at a moment, changes of that moment included."""
        index = bisect_right(self.times_ns, t_ns)
        return self.values[index - 1] if index else self.before

    def just_before(self, t_ns: int) -> T:
        """The value at the end of the nanosecond before the moment."""
        return self.at(t_ns - 1)
