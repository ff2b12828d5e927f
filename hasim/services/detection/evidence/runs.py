"""Failed messages in a row (HAProxy's error-limit), a run for each gateway."""

from __future__ import annotations

from dataclasses import dataclass, field

from hasim.events import MasterTraffic
from hasim.model import Cause
from hasim.services.detection.evidence.counting import OVERTAKEN, Counting


@dataclass(slots=True)
class Runs(Counting):
    """Runs of failed messages at one master, one run per gateway.

    Every `limit` failures, summed over the gateways' present runs, count as one
    failed check (HAProxy ``observe layer7``, ``error-limit``). A gateway's run ends with the
    first answered message, which also voids other gateways' runs that did not grow for
    `window_ns`. A run that does not grow is no longer fresh after that time, but
    goes on if the next message fails: so failures without an answer between them convict, however
    seldom they come.
    """

    limit: int
    window_ns: int
    runs: dict[str, int] = field(default_factory=dict)
    excused: dict[str, int] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    against: dict[str, int] = field(default_factory=dict)
    grew_ns: dict[str, int] = field(default_factory=dict)
    checks: int = 0
    last_cause: Cause = Cause.OK

    def update(self, now: int, gateway: str, sequence: int, traffic: MasterTraffic) -> int:
        """Take a gateway's report; returns how many failed checks it adds, or OVERTAKEN."""
        if sequence <= self.sequences.get(gateway, 0):
            return OVERTAKEN
        self.sequences[gateway] = sequence
        runs, streak = self.runs, traffic.streak
        if streak == 0 and not any(runs.values()):
            return 0  # nothing is new
        fresh = traffic.against - self.against.get(gateway, 0)
        self.against[gateway] = traffic.against
        if streak <= fresh or streak < self.excused.get(gateway, 0):
            self.excused[gateway] = 0  # a run of its own, not the one that was excused
        runs[gateway] = streak
        if streak and fresh:
            self.last_cause, self.grew_ns[gateway] = traffic.last_cause, now
        elif not streak:
            self._void_old(now)
        standing = self.standing()
        if standing == 0:
            self.checks = 0
        new = max(0, standing // self.limit - self.checks)
        self.checks += new
        return new

    def restarted(self, gateway: str) -> None:
        """A new process of a gateway counts from 0, and knows of no run of the old one."""
        for of_gateway in (self.sequences, self.excused, self.against, self.grew_ns):
            of_gateway.pop(gateway, None)
        if self.runs.pop(gateway, 0):
            self.checks = min(self.checks, self.standing() // self.limit)

    def standing(self) -> int:
        """Failures in the gateways' present runs that nothing has refuted or excused."""
        return sum(run - self.excused.get(gateway, 0) for gateway, run in self.runs.items())

    def insists(self, now: int) -> bool:
        """Whether there were as many as a failed check, and the last one just now."""
        if self.checks == 0 or self.standing() == 0:
            return False
        return now - max(self.grew_ns.values(), default=0) < self.window_ns

    def excuse(self, *, forgive: bool) -> None:
        """No failed check stands any more; if forgiven, the runs count afresh."""
        self.checks = 0
        if forgive:
            self.excused = dict(self.runs)

    def words(self) -> str:
        """The length of the runs."""
        return f"{self.standing()} messages in a row failed, the last one: {self.last_cause}"

    def _void_old(self, now: int) -> None:
        """Another gateway was answered: runs that have not grown of late are refuted by that."""
        for gateway, run in self.runs.items():
            if run and now - self.grew_ns.get(gateway, 0) >= self.window_ns:
                self.excused[gateway] = run
