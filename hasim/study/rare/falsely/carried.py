"""What an exchange of messages is made of: packets, attempts, losses, and all of one moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from hasim.model import Cause
from hasim.services.detection.rewinding import Memory
from hasim.study.rare.falsely.noise import Weather
from hasim.study.rare.falsely.surroundings import Path

PROBE, THERE, BACK, TELL, BEAT = range(5)
"""Kinds of crossing: a probe and its answer, a request, its answer, an accepted connection (whose
luck is that of the answer), a heartbeat."""
UNDECIDED = -2


class Crossing(NamedTuple):
    """A packet whose fate is not decided yet; `load` is what it carries."""

    kind: int
    master: str
    load: Any


class Job(NamedTuple):
    """An attempt on its way to a master, or there; `back_ns` is what its answer will take."""

    gateway: int
    attempt: int
    master: str
    since_ns: int
    expires_ns: int
    opens: bool
    back_ns: int = UNDECIDED
    cause: Cause = Cause.OK


class Loss(NamedTuple):
    """Something was lost, or comes too late, that nobody knows of until its time has come.

    By the number of the gateway, or -1 for a probe or a heartbeat.
    """

    known_ns: int
    master: str
    gateway: int


@dataclass(frozen=True, slots=True)
class Moment:
    """All there is at the time of a crossing whose fate is not decided yet."""

    now: int
    memory: Memory
    gateways: tuple[dict[str, Any], ...]
    dispatchers: tuple[dict[str, Any], ...]
    happenings: tuple[Any, ...]
    crossings: tuple[Crossing, ...]
    queues: tuple[tuple[int, tuple[Job, ...]], ...]
    weathers: dict[Path, Weather]
    losses: tuple[Loss, ...]
    told_ns: dict[str, int]
    numbers: tuple[int, int]
    target: str


class Anew:
    """Uniforms for picks and pauses that are drawn when they are asked for: futures differ."""

    def __init__(self, draws: np.random.Generator) -> None:
        self._draws = draws

    def picks(self, attempt: int) -> Callable[[], float]:
        """What gives those by which a master is picked."""
        return self._draws.random

    def backoff(self, attempt: int) -> float:
        """That of a pause."""
        return float(self._draws.random())

    def client(self, number: int) -> float:
        """That of a client."""
        return float(self._draws.random())
