"""Probes as evidence: each master's health endpoint is asked, again and again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from hasim.events import Input, Output, ProbeReply, ProbeStretch, SendProbe
from hasim.model import Cause, Cluster, Status
from hasim.services.agenda import NEVER, Agenda
from hasim.services.detection.evidence.source import (
    Judge,
    Source,
    SourceSettings,
    unknown_master,
)
from hasim.services.detection.rhythm import Rhythm
from hasim.services.detection.verdicts import SETTLED
from hasim.services.frozen import freeze, thaw
from hasim.settings import duration, settings
from hasim.units import MILLISECOND, SECOND, format_duration

OK = Cause.OK


@settings
class ProbeSettings(SourceSettings):
    """Answers of the health endpoint."""

    WITH_NAME: ClassVar[tuple[str, ...]] = ("when",)
    """Goes with the choice of evidence, not with the settings beside it."""

    interval_ns: Annotated[
        int,
        duration(
            "Time between probes of a master whose verdict is settled.",
            source="HAProxy inter (default 2 s); 30 s as AWS ALB",
            above=0,
        ),
    ] = 30 * SECOND
    fast_interval_ns: Annotated[
        int,
        duration(
            "Time between probes while a change of the verdict is pending.",
            source="HAProxy fastinter",
            above=0,
        ),
    ] = 500 * MILLISECOND
    timeout_ns: Annotated[
        int,
        duration(
            "A probe without an answer after this time has failed.",
            source="HAProxy timeout check",
            above=0,
        ),
    ] = 500 * MILLISECOND
    when: Literal["always", "in-doubt"] = "always"
    """`in-doubt`: a master that is declared healthy is not probed, other evidence watches it."""

    @property
    def period_ns(self) -> int:
        """The interval."""
        return self.interval_ns

    @property
    def news_ns(self) -> int:
        """One interval, and one probe that was sent just before the cure."""
        return self.interval_ns + self.timeout_ns

    def problems(self) -> Iterator[tuple[str, str]]:
        """A fast interval or a timeout that is longer than the interval."""
        shown = format_duration(self.interval_ns)
        if self.fast_interval_ns > self.interval_ns:
            yield "fast_interval", f"is longer than the interval, {shown}"
        if self.timeout_ns > self.interval_ns:
            yield "timeout", f"is longer than the interval, {shown}"


@dataclass(slots=True)
class Probing:
    """The probes of one master; at most one of a deadline and a next time is set (nanoseconds)."""

    sent: int = 0
    failed: int = 0
    deadline_ns: int | None = None
    next_ns: int | None = None


class Probes(Source):
    """Sends probes and tells how they end: an answer, or none in time.

    The rhythm is HAProxy's: the next probe follows the completion of the last one by
    `interval`, or by `fast_interval` while a change of the verdict is pending. The first probe
    goes out at once, the second one after the part of the interval that chance says: by then
    probes do not come in herds, and nothing that happens at a set time meets a set phase.
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset({ProbeReply, ProbeStretch})
    WHAT: ClassVar[str] = "probe"

    settings: ProbeSettings

    def __init__(self, settings: ProbeSettings, judge: Judge, cluster: Cluster) -> None:
        self.settings = settings
        self._spares_healthy = settings.when == "in-doubt"
        self._judge = judge
        self._probing = {master.id: Probing() for master in cluster.masters}
        # When each master's probe times out or the next is due, as its `Probing` has it.
        self._agenda = Agenda(self._probing)

    def begin(self, now: int, master: str) -> list[Output]:
        """The first probe at once."""
        return self._send(now, master, self._probing[master])

    def end(self, master: str) -> None:
        """No more probes; the answer of one under way counts for nothing."""
        self._plan(master, self._probing[master], None)

    def resume(self, now: int, master: str) -> list[Output]:
        """A probe now, unless one is under way or planned."""
        probing = self._probing[master]
        return self.hurry(now, master) if probing.next_ns is None else []

    def hurry(self, now: int, master: str) -> list[Output]:
        """A probe now, unless one is under way."""
        probing = self._probing[master]
        return self._send(now, master, probing) if probing.deadline_ns is None else []

    def step(self, now: int, item: Input) -> list[Output]:
        """Take the answer to a probe, or what became of several. KeyError for an unknown master."""
        if isinstance(item, ProbeStretch):
            return self._take_stretch(item)
        assert isinstance(item, ProbeReply)
        probing = self._probing.get(item.master)
        if probing is None:
            raise unknown_master(item.master, self._probing)
        if probing.deadline_ns is None or item.probe != probing.sent:
            return []  # too late: it has been counted as a timeout
        return self._ended(now, item.master, probing, item.cause)

    def wake(self, now: int) -> list[Output]:
        """Send the probes that are due, and end those that nobody answered in time."""
        out: list[Output] = []
        for master in self._agenda.take_due(now):
            probing = self._probing[master]
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
        probing, status = self._probing[master], self._judge.status(master)
        if status not in SETTLED or (status is Status.HEALTHY and self._spares_healthy):
            return None
        next_ns, under_way = probing.next_ns, probing.deadline_ns is not None
        if probing.deadline_ns is not None and probing.sent > 1:
            next_ns = probing.deadline_ns + self.settings.interval_ns
        if next_ns is None:
            return None
        return Rhythm(
            probing.sent + 1,
            next_ns,
            self.settings.interval_ns,
            self.settings.timeout_ns,
            passing=status is Status.HEALTHY,
            under_way=under_way,
        )

    def hand_over(self, master: str) -> None:
        """Nothing is due that concerns the master."""
        self._agenda.set(master, NEVER)

    def take_back(self, master: str) -> None:
        """What was due is so again."""
        probing = self._probing[master]
        waits = (probing.deadline_ns, probing.next_ns, NEVER)
        self._agenda.set(master, next(time for time in waits if time is not None))

    def concerns(self, item: Input) -> Iterable[str]:
        """None: answers are of probes that were sent from here, and stretches are told in time."""
        return ()

    def report(self, master: str) -> dict[str, object]:
        """How many probes were sent, and how many of them failed."""
        probing = self._probing[master]
        return {"probes_sent": probing.sent, "probes_failed": probing.failed}

    def freeze(self) -> Any:
        """The probing of each master."""
        return freeze(self._probing)

    def thaw(self, data: Any) -> None:
        """Go on with the probing that was frozen."""
        self._probing = thaw(dict[str, Probing], data)
        for master in self._probing:
            self.take_back(master)

    def _send(self, now: int, master: str, probing: Probing) -> list[Output]:
        probing.sent += 1
        probing.next_ns = None
        probing.deadline_ns = deadline_ns = now + self.settings.timeout_ns
        self._agenda.set(master, deadline_ns)
        self._judge.asked(now, master)
        return [SendProbe(master, probing.sent)]

    def _ended(self, now: int, master: str, probing: Probing, cause: Cause) -> list[Output]:
        assert probing.deadline_ns is not None
        number, took_ns = probing.sent, now - probing.deadline_ns + self.settings.timeout_ns
        probing.deadline_ns = None
        if cause is OK:
            out = self._judge.passed(now, master, self, number, took_ns)
        else:
            probing.failed += 1
            out = self._judge.failed(now, master, self, cause, f"probe {number}: {cause}")
        if probing.deadline_ns is None:
            self._schedule(now, master, probing)
        return out

    def _take_stretch(self, item: ProbeStretch) -> list[Output]:
        probing = self._probing.get(item.master)
        if probing is None:
            raise unknown_master(item.master, self._probing)
        if probing.deadline_ns is not None or item.probe != probing.sent + 1:
            return []  # of other probes than these
        master, times_ns, judge = item.master, item.ended_ns, self._judge
        probing.sent += item.sent
        if item.cause is OK:
            out = judge.passed_many(master, self, item.probe, times_ns, item.took_ns)
        else:
            probing.failed += len(times_ns)
            out = judge.failed_many(master, self, item.cause, item.probe, times_ns)
        if item.under_way_ns is not None:
            probing.next_ns = None
            probing.deadline_ns = item.under_way_ns + self.settings.timeout_ns
            self._agenda.set(master, probing.deadline_ns)
        elif times_ns:
            self._schedule(times_ns[-1], master, probing)
        return out

    def _schedule(self, now: int, master: str, probing: Probing) -> None:
        """Plan the next probe, counted from the completion of the last one."""
        status, wait_ns = self._judge.status(master), self.settings.interval_ns
        if status not in SETTLED:
            wait_ns = self.settings.fast_interval_ns
        elif self._spares_healthy and status is Status.HEALTHY:
            self._plan(master, probing, None)
            return
        elif probing.sent == 1:
            wait_ns = round(wait_ns * self._judge.chance.phase(master))
        probing.next_ns = next_ns = now + wait_ns
        self._agenda.set(master, next_ns)

    def _plan(self, master: str, probing: Probing, next_ns: int | None) -> None:
        """No probe is under way; the next one at this time, or none."""
        probing.deadline_ns, probing.next_ns = None, next_ns
        self._agenda.set(master, NEVER if next_ns is None else next_ns)
