"""What the arrays have counted, brought to the gateways that report it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from hasim.simulation.clients.compiled.layout import CAUSES, ROUTE, Memory
from hasim.simulation.clients.gateway import SimGateway

FIELDS = ROUTE.itemsize // 8
"""So many has a route; all of them have eight bytes."""
COUNTS = slice(*(list(ROUTE.fields or ()).index(f) for f in ("sent", "reported")))
"""Their places: what a gateway service counts."""


class Ledger:
    """The attempts of all gateways; a gateway's books are brought up to date when it reports."""

    def __init__(self, memory: Memory, gateways: Sequence[SimGateway], masters: int) -> None:
        routes = memory["routes"]
        self._routes = routes
        self._gateways = gateways
        self._masters = masters
        # Views of memory, since numpy's ways to a few numbers take longer than to read them.
        self._counts = memoryview(cast(Any, routes.view(np.int64)))
        self._in_flight = memoryview(cast(Any, memory["in_flight"]))
        self._sent, self._reported = routes["sent"], routes["reported"]
        self._streaks, self._marks = routes["streak"], memory["marks"].reshape(len(routes), -1)
        self._eligible = np.ones(len(routes), dtype=bool)
        self._armed = memory["gateways"]["armed"]

    def routes_of(self, gateway: int) -> slice:
        """Where the routes from a gateway are, one to each master."""
        return slice(gateway * self._masters, (gateway + 1) * self._masters)

    def rerouted(self) -> None:
        """Gateways use other tables: what they counted in a row of masters that are back ends."""
        standings = (gateway.balancer.standing for gateway in self._gateways)
        eligible = np.array([may for s in standings for may in s.eligible], dtype=bool)
        back = eligible & ~self._eligible
        self._streaks[back], self._eligible = 0, eligible
        if self._marks.size:
            self._marks[back] = -self._gateways[0].watch.window_ns

    def expect(self, now: int, gateway: int) -> None:
        """A gateway has sent its first attempt since its last regular report."""
        sender = self._gateways[gateway]
        sender.balancer.reports.expect(now)
        sender.arm()

    def report(self, gateway: int, master: int) -> None:
        """A gateway reports one master at once."""
        sender = self._gateways[gateway]
        self._write(gateway, [master])
        sender.perform(sender.balancer.reports.report((master,)))
        self._reported[gateway * self._masters + master] = 1

    def before_report(self, gateway: int) -> None:
        """A gateway is about to report: its books learn what was counted."""
        news = (self._reported[self.routes_of(gateway)] == 0).nonzero()[0].tolist()
        self._write(gateway, news)
        self._gateways[gateway].balancer.reports.learn(news)

    def after_report(self, gateway: int, *, armed: bool) -> None:
        """It has reported; `armed`: it will do so again by itself."""
        own, left = self.routes_of(gateway), self._gateways[gateway].balancer.reports.news
        self._reported[own] = 1
        if left:
            self._reported[[own.start + master for master in left]] = 0
        self._armed[gateway] = armed

    def before_start(self, gateway: int) -> None:
        """A gateway is about to start anew: its books learn of all that was counted."""
        self._write(gateway, list(range(self._masters)))

    def after_start(self, gateway: int) -> None:
        """It has: there is no news, nor are there runs of failures or latencies."""
        own = self.routes_of(gateway)
        self._reported[own] = 1
        for name in ("streak", "latency_ns", "last_cause"):
            self._routes[name][own] = 0
        if self._marks.size:
            self._marks[own] = -self._gateways[0].watch.window_ns

    def sent(self) -> tuple[int, ...]:
        """Attempts sent to each master so far."""
        by_gateway = self._sent.reshape(len(self._gateways), -1)
        return tuple(by_gateway.sum(axis=0).tolist())

    def _write(self, gateway: int, masters: list[int]) -> None:
        loads, first = self._gateways[gateway].balancer.reports.loads, gateway * self._masters
        for master in masters:
            load, route = loads[master], first + master
            begin = route * FIELDS
            counts = self._counts[begin + COUNTS.start : begin + COUNTS.stop].tolist()
            load.sent, load.answered, load.failed, load.streak, cause = counts[:5]
            load.latency_ns, load.against = counts[5:]
            load.last_cause, load.in_flight = CAUSES[cause], self._in_flight[route]
