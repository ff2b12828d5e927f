"""A detection service that can be put back to where it was, cheaply: for many futures of one past.

Freezing goes through plain data and builds a service anew, which takes a hundred times as long as
to hear a probe. Here the fields that change are copied, those of settings are not.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import Any

from hasim.services.detection.evidence.messages import Messages
from hasim.services.detection.health import MasterHealth
from hasim.services.detection.service import FailoverDetectionService


@dataclass(frozen=True, slots=True)
class Memory:
    """All that a service knows of its masters; nobody changes what is in it."""

    health: tuple[MasterHealth, ...]
    sources: tuple[Any, ...]


class Rewindable(FailoverDetectionService):
    """The real service, alone: by probes, heartbeats, messages, or several of them.

    The state of these sources is a plain attribute by master.
    """

    def save(self) -> Memory:
        """Where it is now."""
        health = tuple(copied(one) for one in self._court.health.values())
        return Memory(health, tuple(copied(s.of_masters) for s in self._rewindable()))

    def load(self, memory: Memory) -> None:
        """Go back to where it was."""
        court = self._court
        for kept in memory.health:
            court.health[kept.master] = health = copied(kept)
            court.agenda.set(health.master, health.changes_ns)
        for source, kept in zip(self._rewindable(), memory.sources, strict=True):
            source.of_masters = copied(kept)
            for master in court.health:
                source.take_back(master)

    def failed_checks(self, master: str) -> int:
        """How many checks in a row speak against a master, where the detector counts them."""
        return int(getattr(self._court.health[master].detector, "failed_in_row", 0))

    def messages_standing(self, master: str) -> int:
        """How many failed messages nothing has refuted."""
        counted = self._sources.get("messages")
        return counted.of_masters[master].standing() if isinstance(counted, Messages) else 0

    def messages_weighed(self, master: str) -> int:
        """How many failed checks those made, where they are counted in a row."""
        counted = self._sources.get("messages")
        if not isinstance(counted, Messages):
            return 0
        return int(getattr(counted.of_masters[master], "checks", 0))

    def _rewindable(self) -> list[Any]:
        return list(self._sources.values())


_SAME = (int, float, str, bool, bytes, type(None), Enum)


def copied(value: Any) -> Any:
    """A copy that shares only what cannot change: frozen dataclasses, numbers, texts.

    Raises TypeError for an object that is none of those and no collection of them.
    """
    if isinstance(value, _SAME):
        return value
    kind: Any = type(value)
    if kind in (list, deque, tuple):
        inside = [copied(item) for item in value]
        return deque(inside, value.maxlen) if kind is deque else kind(inside)
    if kind is dict:
        return {key: copied(item) for key, item in value.items()}
    fields = _fields(kind)
    if fields is None:
        return value
    made = kind.__new__(kind)
    for name in fields:
        setattr(made, name, copied(getattr(value, name)))
    return made


@functools.cache
def _fields(kind: Any) -> tuple[str, ...] | None:
    """The fields of a dataclass that can change; None if it is frozen."""
    if not dataclasses.is_dataclass(kind):
        raise TypeError(f"cannot copy a {kind.__name__}")
    parameters: Any = kind.__dict__["__dataclass_params__"]
    if parameters.frozen:
        return None
    return tuple(field.name for field in dataclasses.fields(kind))
