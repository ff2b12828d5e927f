"""The rules of detection by threshold, written down once more: slow, from whole histories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hasim.events import (
    AddMaster,
    ConnectionClosed,
    GatewayReport,
    Input,
    Output,
    ProbeReply,
    RemoveMaster,
    SendProbe,
    StartMaintenance,
    StopMaintenance,
    WakeUp,
)
from hasim.model import Cause, Status

DEAF = (Status.FAILED, Status.RECOVERING, Status.MAINTENANCE)


@dataclass
class SlowMaster:
    """All that was found of one master since it was last acquitted.

    F: a failed check, P: a passed one, D: a message failed.
    """

    fall: int
    rise: int
    limit: int
    window_ns: int
    status: Status = Status.UNKNOWN
    found: str = ""
    probe: tuple[int, int] | None = None
    runs: dict[str, list[int]] = field(default_factory=dict)
    """By gateway, the lengths of its present run, as they were reported since the last excuse."""
    excused: dict[str, int] = field(default_factory=dict)
    against: dict[str, list[int]] = field(default_factory=dict)
    """By gateway, how many had failed in all by each report."""
    grew: dict[str, list[int]] = field(default_factory=dict)
    """By gateway, when its runs grew."""
    latest: dict[str, int] = field(default_factory=dict)
    """By gateway, the number of its latest report that told of this master."""
    peak: int = 0

    def standing(self) -> int:
        """How many failed messages stand that nothing has refuted."""
        return sum(runs[-1] - self.excused.get(g, 0) for g, runs in self.runs.items())

    def insists(self, now: int) -> bool:
        """Messages made a failed check, and one failed of late."""
        times = [time for grown in self.grew.values() for time in grown]
        return self.standing() > 0 and self.peak > 0 and max(times) > now - self.window_ns

    def acquit(self) -> None:
        """It is healthy: what stood against it is void."""
        if self.status is not Status.SUSPECT:
            self.excused = {gateway: runs[-1] for gateway, runs in self.runs.items()}
        self.status, self.found, self.peak = Status.HEALTHY, "", 0

    def failed(self) -> None:
        """A check failed, or as many messages as one is."""
        self.found += "F"
        if self.status is Status.RECOVERING or self.found.count("F") >= self.fall:
            self.status = Status.FAILED
        elif self.status is not Status.FAILED:
            self.status = Status.SUSPECT

    def closed(self) -> None:
        """Its process closed the connection, and that convicts."""
        if self.status is not Status.MAINTENANCE:
            self.found += "F"
            self.status = Status.FAILED

    def passed(self, now: int) -> None:
        """A check passed."""
        if self.status is Status.HEALTHY:
            return
        self.found += "P"
        in_row = len(self.found) - len(self.found.rstrip("P"))
        failed_before = self.status in (Status.FAILED, Status.RECOVERING)
        if self.status is Status.SUSPECT and self.insists(now):
            return
        if in_row >= (self.rise if failed_before or self.standing() else 1):
            self.acquit()
        elif self.status is Status.FAILED:
            self.status = Status.RECOVERING
        elif self.status is Status.UNKNOWN:
            self.acquit()

    def is_news(self, gateway: str, number: int) -> bool:
        """Whether no later report of the gateway told of this master; one of others may have come.

        A report leaves out masters, and what the one before told of these is still the latest.
        """
        before = self.latest.get(gateway, 0)
        self.latest[gateway] = max(before, number)
        return number > before

    def reported(self, now: int, gateway: str, streak: int, against: int) -> None:
        """A gateway reports its present run of failed messages, and how many failed in all."""
        runs = self.runs.setdefault(gateway, [])
        counts = self.against.setdefault(gateway, [0])
        grown = against - counts[-1]
        if streak <= grown or streak < self.excused.get(gateway, 0):
            self.excused[gateway] = 0  # all of it has come since: another run
        if streak and grown:
            self.grew.setdefault(gateway, []).append(now)
        counts.append(against)
        runs.append(streak)
        if streak:
            self.found += "D"
        else:
            for other, lengths in self.runs.items():
                if lengths[-1] and self.grew[other][-1] <= now - self.window_ns:
                    self.excused[other] = lengths[-1]
        standing = self.standing()
        before = self.peak if standing else 0
        self.peak = max(before, standing // self.limit)
        if self.status not in DEAF:
            for _ in range(self.peak - before):
                self.failed()


class SlowModel:
    """The verdicts on some masters, from what the service was told and the probes that it sent."""

    def __init__(
        self,
        masters: Sequence[str],
        timeout_ns: int,
        *,
        fall: int,
        rise: int,
        limit: int,
        window_ns: int,
    ) -> None:
        self.masters = {master: SlowMaster(fall, rise, limit, window_ns) for master in masters}
        self.timeout_ns = timeout_ns
        self.hears_messages = True
        self.close_convicts = False

    def sent(self, now: int, outputs: Sequence[Output]) -> None:
        """The service sent probes."""
        for output in outputs:
            if isinstance(output, SendProbe):
                self.masters[output.master].probe = (output.probe, now + self.timeout_ns)

    def take(self, now: int, item: Input) -> None:
        """The service was told this."""
        match item:
            case WakeUp():
                for master in self.masters.values():
                    if master.probe is not None and master.probe[1] <= now:
                        master.probe = None
                        master.failed()
            case ProbeReply(name, number, cause):
                master = self.masters[name]
                if master.probe is not None and master.probe[0] == number:
                    master.probe = None
                    master.passed(now) if cause is Cause.OK else master.failed()
            case ConnectionClosed(name) if self.close_convicts:
                self.masters[name].closed()
            case GatewayReport(gateway, number, rows) if self.hears_messages:
                for row in rows:
                    master = self.masters[row.master]
                    if master.is_news(gateway, number):
                        master.reported(now, gateway, row.streak, row.against)
            case StartMaintenance(name) | RemoveMaster(name):
                master = self.masters[name]
                master.status, master.probe = Status.MAINTENANCE, None
            case StopMaintenance(name) | AddMaster(name):
                master = self.masters[name]
                if master.status is Status.MAINTENANCE:
                    master.status, master.found = Status.UNKNOWN, ""
