"""Requests between tiers on the reference data plane: those that masters make for messages."""

from __future__ import annotations

from typing import Any

import numpy as np

from hasim.model import SERVED
from hasim.services.gateway.effects import Settle
from hasim.simulation.clients.reference.plane import MessagePlane
from hasim.simulation.clients.results import IN_FLIGHT
from hasim.simulation.clients.traffic import Messages, Traffic, draw
from hasim.simulation.clock import ARRIVAL, Call
from hasim.simulation.masters.job import Job
from hasim.simulation.masters.master import SimMaster

CHUNK = 4096


class Asked(Messages):
    """Messages whose arrivals nobody knows beforehand: they are drawn some at a time."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._drawn = 0
        super().__init__(draw(traffic, 0, np.zeros(0, dtype=np.int64)))

    def add(self, now: int, gateway: int) -> int:
        """One more, now; its number."""
        if self.count == self._drawn:
            self._draw()
        number = self.count
        self.count += 1
        self.arrival_ns.append(now)
        self.gateway.append(gateway)
        return number

    def _draw(self) -> None:
        """The numbers of the next ones."""
        more = Messages(draw(self._traffic, self._drawn, np.zeros(CHUNK, dtype=np.int64)))
        self._drawn += CHUNK
        for name, column in vars(more).items():
            own: Any = getattr(self, name)
            if name == "demand_ns":
                for law, demands in column.items():
                    own[law].extend(demands)
            elif isinstance(own, list) and name not in ("arrival_ns", "gateway"):
                own.extend(column)


class RequestPlane(MessagePlane):
    """Runs the requests that the masters of the tier before make, each at a gateway of its own.

    They are numbered in the order in which they are made. The worker of whoever makes one waits.
    """

    def __init__(self, *parts: Any, **more: Any) -> None:
        self._askers: dict[int, tuple[SimMaster, Job]] = {}
        super().__init__(*parts, **more)

    def _messages_of(self, traffic: Traffic) -> Messages:
        return Asked(traffic)

    def take(self, number: int, master: SimMaster, job: Job) -> None:
        """Master `number` of the tier before asks, for a job of its own."""
        messages = self.messages
        assert isinstance(messages, Asked)
        made = messages.add(self.env.now, number)
        self.outcome.append(IN_FLIGHT)
        self.ended_ns.append(0)
        self.master.append("")
        self.tries.append(0)
        self._askers[made] = (master, job)
        Call(self.env, 0, ARRIVAL, self._come, made, self._key + made * messages.attempts)

    def _come(self, event: Call) -> None:
        self._dispatchers[self.messages.gateway[event.load]].arrive(event.load)

    def _settled(self, end: Settle, served_ns: int) -> None:
        super()._settled(end, served_ns)
        master, job = self._askers.pop(end.message)
        master.answered(job, well=end.cause in SERVED)
