"""Probes as evidence: each master's health endpoint is asked, again and again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from hasim.events import ConnectionClosed, Input, Output, ProbeReply, ProbeStretch, SendProbe
from hasim.model import Cause, Cluster, Status
from hasim.services.agenda import NEVER, Agenda
from hasim.services.detection.evidence.pace import Pace
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.services.detection.evidence.source import Judge, Source, unknown_master
from hasim.services.detection.rhythm import Rhythm
from hasim.services.detection.verdicts import SETTLED
from hasim.services.frozen import freeze, thaw

OK = Cause.OK


@dataclass(slots=True)
class Probing:
    """The probes of one master; at most one of a deadline and a next time is set (nanoseconds).

    `tick_ns`: the last tick of its clock, without jitter, where probes go by the clock.
    """

    sent: int = 0
    failed: int = 0
    deadline_ns: int | None = None
    next_ns: int | None = None
    tick_ns: int = 0


class Probes(Source):
    """Sends probes and tells how they end: an answer, or none in time.

    There is one probe of a master at a time. The first goes out at once (or after a delay), the
    second one after the part of the interval that chance says: by then probes do not come in
    herds, and nothing that happens at a set time meets a set phase.
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset(
        {ProbeReply, ProbeStretch, ConnectionClosed}
    )
    WHAT: ClassVar[str] = "probe"

    settings: ProbeSettings

    def __init__(self, settings: ProbeSettings, judge: Judge, cluster: Cluster) -> None:
        self.settings = settings
        self._spares_healthy = settings.when == "in-doubt"
        self._judge = judge
        self._pace = Pace(settings, judge.chance)
        self._patience_ns = settings.patience_ns
        self.of_masters = {master.id: Probing() for master in cluster.masters}
        # When each master's probe times out or the next is due, as its `Probing` has it.
        self._agenda = Agenda(self.of_masters)

    def begin(self, now: int, master: str) -> list[Output]:
        """The first probe at once, or after the initial delay."""
        probing, delay_ns = self.of_masters[master], self.settings.initial_delay_ns
        if self._pace.by_clock:
            phase_ns = self._pace.first_ns(master)
            probing.tick_ns = now + delay_ns + phase_ns - self.settings.interval_ns
        if not delay_ns:
            return self._send(now, master, probing)
        self._plan(master, probing, now + delay_ns)
        return []

    def end(self, master: str) -> None:
        """No more probes; the answer of one under way counts for nothing."""
        self._plan(master, self.of_masters[master], None)

    def restarted(self, now: int) -> list[Output]:
        """Probes that are under way, or have become due, are sent now."""
        out: list[Output] = []
        for master, probing in self.of_masters.items():
            due = probing.next_ns is not None and probing.next_ns <= now
            if due or probing.deadline_ns is not None:
                out += self._send(now, master, probing)
        return out

    def resume(self, now: int, master: str) -> list[Output]:
        """A probe now, unless one is under way or planned."""
        probing = self.of_masters[master]
        return self.hurry(now, master) if probing.next_ns is None else []

    def hurry(self, now: int, master: str) -> list[Output]:
        """A probe now, unless one is under way."""
        probing = self.of_masters[master]
        return self._send(now, master, probing) if probing.deadline_ns is None else []

    def step(self, now: int, item: Input) -> list[Output]:
        """Take the answer to a probe, or what became of several, or a connection that is closed.

        KeyError for an unknown master.
        """
        if isinstance(item, ProbeStretch):
            return self._take_stretch(item)
        assert isinstance(item, ProbeReply | ConnectionClosed)
        probing = self.of_masters.get(item.master)
        if probing is None:
            raise unknown_master(item.master, self.of_masters)
        if isinstance(item, ConnectionClosed):
            return self._closed(now, item.master)
        if probing.deadline_ns is None or item.probe != probing.sent:
            return []  # too late: it has been counted as a timeout
        return self._ended(now, item.master, probing, item.cause)

    def wake(self, now: int) -> list[Output]:
        """Send the probes that are due, and end those that nobody answered in time."""
        out: list[Output] = []
        for master in self._agenda.take_due(now):
            probing = self.of_masters[master]
            if probing.deadline_ns is None:
                out += self._send(now, master, probing)
            else:
                out += self._ended(now, master, probing, Cause.TIMEOUT)
        return out

    def next_ns(self) -> int:
        """When the first probe is due or times out."""
        return self._agenda.earliest()

    def rhythm(self, master: str) -> Rhythm | None:
        """The interval, if the verdict on the master is settled and probes are sent then."""
        probing, status = self.of_masters[master], self._judge.status(master)
        if status not in SETTLED or (status is Status.HEALTHY and self._spares_healthy):
            return None
        pace, wait_ns = self._pace, self._pace.wait_ns(status)
        next_ns, tick_ns, under_way = probing.next_ns, probing.tick_ns, False
        if probing.deadline_ns is not None and probing.sent > 1:
            under_way = True
            next_ns, tick_ns = self._following(probing.deadline_ns, master, probing)
        if next_ns is None or not probing.sent:
            return None

        def jitter_ns(number: int) -> int:
            return pace.jitter_ns(master, number, wait_ns)

        return Rhythm(
            probing.sent + 1,
            next_ns,
            wait_ns,
            self._patience_ns,
            passing=status is Status.HEALTHY,
            under_way=under_way,
            tick_ns=tick_ns if pace.by_clock else None,
            jitter_ns=jitter_ns if pace.jittered else None,
        )

    def hand_over(self, master: str) -> None:
        """Nothing is due that concerns the master."""
        self._agenda.set(master, NEVER)

    def take_back(self, master: str) -> None:
        """What was due is so again."""
        probing = self.of_masters[master]
        waits = (probing.deadline_ns, probing.next_ns, NEVER)
        self._agenda.set(master, next(time for time in waits if time is not None))

    def concerns(self, item: Input) -> Iterable[str]:
        """Who closes a connection: answers are of probes sent here, stretches are told in time."""
        return (item.master,) if isinstance(item, ConnectionClosed) else ()

    def report(self, master: str) -> dict[str, object]:
        """How many probes were sent, and how many of them failed."""
        probing = self.of_masters[master]
        return {"probes_sent": probing.sent, "probes_failed": probing.failed}

    def freeze(self) -> Any:
        """The probing of each master."""
        return freeze(self.of_masters)

    def thaw(self, data: Any) -> None:
        """Go on with the probing that was frozen."""
        self.of_masters = thaw(dict[str, Probing], data)
        for master in self.of_masters:
            self.take_back(master)

    def _send(self, now: int, master: str, probing: Probing) -> list[Output]:
        probing.sent += 1
        early = probing.next_ns is not None and now < probing.next_ns
        if early and self._pace.by_clock:  # asked between two ticks
            probing.tick_ns -= self._pace.wait_ns(self._judge.status(master))
        probing.next_ns = None
        probing.deadline_ns = deadline_ns = now + self._patience_ns
        self._agenda.set(master, deadline_ns)
        self._judge.asked(now, master)
        return [SendProbe(master, probing.sent)]

    def _ended(self, now: int, master: str, probing: Probing, cause: Cause) -> list[Output]:
        assert probing.deadline_ns is not None
        number, took_ns = probing.sent, now - probing.deadline_ns + self._patience_ns
        probing.deadline_ns = None
        if cause is OK:
            out = self._judge.passed(now, master, self, number, took_ns)
        else:
            probing.failed += 1
            out = self._failed(now, master, cause, f"probe {number}: {cause}")
        if probing.deadline_ns is None:
            self._schedule(now, master, probing)
        return out

    def _failed(self, now: int, master: str, cause: Cause, reason: str) -> list[Output]:
        """A probe failed: that is a failed check, or convicts by itself."""
        if cause in self.settings.fatal:
            return self._judge.convicted(now, master, self, cause, f"{reason}, which is fatal")
        return self._judge.failed(now, master, self, cause, reason)

    def _closed(self, now: int, master: str) -> list[Output]:
        """The process at the other end is gone."""
        if self._judge.status(master) is Status.MAINTENANCE:
            return []
        out: list[Output] = []
        if self.settings.on_close == "fail":
            reason = "it closed its connection (on_close)"
            out = self._judge.convicted(now, master, self, Cause.RESET, reason)
        return out + self.hurry(now, master)

    def _take_stretch(self, item: ProbeStretch) -> list[Output]:
        probing = self.of_masters.get(item.master)
        if probing is None:
            raise unknown_master(item.master, self.of_masters)
        if probing.deadline_ns is not None or item.probe != probing.sent + 1:
            return []  # of other probes than these
        master, times_ns, judge = item.master, item.ended_ns, self._judge
        probing.sent += item.sent
        if item.sent and self._pace.by_clock:  # at each tick one, from that planned on
            probing.tick_ns += (item.sent - 1) * self._pace.wait_ns(judge.status(master))
        if item.cause is OK:
            out = judge.passed_many(master, self, item.probe, times_ns, item.took_ns)
        else:
            probing.failed += len(times_ns)
            out = judge.failed_many(master, self, item.cause, item.probe, times_ns)
        if item.under_way_ns is not None:
            probing.next_ns = None
            probing.deadline_ns = item.under_way_ns + self._patience_ns
            self._agenda.set(master, probing.deadline_ns)
        elif times_ns:
            self._schedule(times_ns[-1], master, probing)
        return out

    def _schedule(self, now: int, master: str, probing: Probing) -> None:
        """Plan the next probe, as the last one has ended now."""
        if self._spares_healthy and self._judge.status(master) is Status.HEALTHY:
            self._plan(master, probing, None)
            return
        next_ns, probing.tick_ns = self._following(now, master, probing)
        probing.next_ns = next_ns
        self._agenda.set(master, next_ns)

    def _following(self, now: int, master: str, probing: Probing) -> tuple[int, int]:
        """When the next probe is due if the last one ends now, and the tick that it belongs to."""
        pace, number, status = self._pace, probing.sent, self._judge.status(master)
        wait_ns, tick_ns = pace.wait_ns(status), probing.tick_ns
        if pace.by_clock:
            tick_ns = next_ns = pace.tick_ns(tick_ns, wait_ns, now)
        elif number == 1 and status in SETTLED:
            return now + pace.first_ns(master), tick_ns
        else:
            next_ns = now + wait_ns
        if pace.jittered:
            next_ns = max(now, next_ns + pace.jitter_ns(master, number, wait_ns))
        return next_ns, tick_ns

    def _plan(self, master: str, probing: Probing, next_ns: int | None) -> None:
        """No probe is under way; the next one at this time, or none."""
        probing.deadline_ns, probing.next_ns = None, next_ns
        self._agenda.set(master, NEVER if next_ns is None else next_ns)
