"""Pings as evidence: a link to each master that is kept open, as Redis Sentinel's are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from hasim.events import ConnectionClosed, Input, Output, ProbeReply, SendProbe
from hasim.model import Cause, Cluster
from hasim.services.agenda import NEVER, Agenda
from hasim.services.detection.evidence.source import (
    Judge,
    Source,
    SourceSettings,
    unknown_master,
)
from hasim.services.frozen import freeze, thaw
from hasim.settings import duration, settings
from hasim.units import MILLISECOND, SECOND


@settings
class PingSettings(SourceSettings):
    """Pings over a link that is kept open; Sentinel's settings."""

    ping_interval_ns: Annotated[
        int,
        duration(
            "A master is pinged so long after its last pong, again after half of that if none "
            "comes, and a link that was closed is opened anew at most so often.",
            source="Redis SENTINEL_PING_PERIOD (1 s)",
            above=0,
        ),
    ] = SECOND
    tick_ns: Annotated[
        int,
        duration(
            "Pings go out at the ticks of a timer that are drawn anew: up to this much later than "
            "they could.",
            source="Redis sentinelTimer: 10 to 19 Hz, drawn at each tick; 37 ms late in the mean",
        ),
    ] = 75 * MILLISECOND

    @property
    def period_ns(self) -> int:
        """The interval."""
        return self.ping_interval_ns

    @property
    def news_ns(self) -> int:
        """The interval after which a closed link is opened anew, and a tick."""
        return self.ping_interval_ns + self.tick_ns

    @property
    def connected(self) -> bool:
        """It is told when a master closes its link."""
        return True


@dataclass(slots=True)
class Link:
    """The link to one master; times in nanoseconds. `sent`: how many pings went out."""

    open: bool = False
    sent: int = 0
    pinged_ns: int = 0
    pong_ns: int = 0
    opened_ns: int = 0
    due_ns: int = NEVER


class Pings(Source):
    """Pings each master, and tells of good answers alone; a link that is closed is opened anew.

    What is refused, or answered by an error, is no failed check: it is for the detector to say how
    long a good answer may take. A process that dies closes its links, so that it is pinged at once;
    one that hangs is noticed when its next ping waits. (redis/src/sentinel.c,
    sentinelSendPeriodicCommands, sentinelReconnectInstance. That Sentinel opens links anew when a
    ping waits for half of down-after makes no difference where each ping stands for itself.)
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset({ProbeReply, ConnectionClosed})
    WHAT: ClassVar[str] = "ping"

    settings: PingSettings

    def __init__(self, settings: PingSettings, judge: Judge, cluster: Cluster) -> None:
        self.settings = settings
        self._judge = judge
        self._links = {master.id: Link() for master in cluster.masters}
        self._agenda = Agenda(self._links)

    def begin(self, now: int, master: str) -> list[Output]:
        """Open the link and ping."""
        return self._open(now, master, self._links[master])

    def end(self, master: str) -> None:
        """No more pings."""
        self._plan(master, self._links[master], NEVER)

    def step(self, now: int, item: Input) -> list[Output]:
        """Take a pong, or the news that a link is closed. KeyError for an unknown master."""
        assert isinstance(item, ProbeReply | ConnectionClosed)
        link = self._links.get(item.master)
        if link is None:
            raise unknown_master(item.master, self._links)
        if link.due_ns == NEVER:
            return []
        if isinstance(item, ConnectionClosed):
            self._close(now, item.master, link)
            return []
        if item.cause in (Cause.REFUSED, Cause.RESET):
            if item.probe == link.sent:
                self._close(now, item.master, link)
            return []
        link.pong_ns = now
        self._next(now, item.master, link)
        if item.cause is not Cause.OK:
            return []
        took_ns = now - link.pinged_ns if item.probe == link.sent else 0
        return self._judge.passed(now, item.master, self, item.probe, took_ns)

    def wake(self, now: int) -> list[Output]:
        """Send what is due, over links that are opened if they are closed."""
        out: list[Output] = []
        for master in self._agenda.take_due(now):
            link = self._links[master]
            out += self._ping(now, master, link) if link.open else self._open(now, master, link)
        return out

    def next_ns(self) -> int:
        """When the first ping is due."""
        return self._agenda.earliest()

    def concerns(self, item: Input) -> Iterable[str]:
        """None: pings are never handed over."""
        return ()

    def report(self, master: str) -> dict[str, object]:
        """How many pings were sent, and whether the link is open."""
        link = self._links[master]
        return {"pings_sent": link.sent, "link_open": link.open}

    def freeze(self) -> Any:
        """The links."""
        return freeze(self._links)

    def thaw(self, data: Any) -> None:
        """Go on with the links that were frozen."""
        self._links = thaw(dict[str, Link], data)
        for master, link in self._links.items():
            self._agenda.set(master, link.due_ns)

    def _open(self, now: int, master: str, link: Link) -> list[Output]:
        link.open, link.opened_ns = True, now
        return self._ping(now, master, link)

    def _close(self, now: int, master: str, link: Link) -> None:
        link.open = False
        again_ns = link.opened_ns + self.settings.ping_interval_ns
        self._plan(master, link, max(now, again_ns) + self._late_ns(master, link))

    def _ping(self, now: int, master: str, link: Link) -> list[Output]:
        link.sent += 1
        link.pinged_ns = now
        self._next(now, master, link)
        self._judge.asked(now, master)
        return [SendProbe(master, link.sent)]

    def _next(self, now: int, master: str, link: Link) -> None:
        interval_ns = self.settings.ping_interval_ns
        due_ns = max(link.pong_ns + interval_ns, link.pinged_ns + interval_ns // 2)
        self._plan(master, link, due_ns + 1 + self._late_ns(master, link))

    def _late_ns(self, master: str, link: Link) -> int:
        draw = self._judge.chance.draw(f"ticks:{master}", link.sent)
        return int(draw * self.settings.tick_ns)

    def _plan(self, master: str, link: Link, due_ns: int) -> None:
        link.due_ns = due_ns
        self._agenda.set(master, due_ns)
