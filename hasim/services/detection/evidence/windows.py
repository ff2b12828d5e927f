"""Failed messages within a sliding window (nginx's max_fails in fail_timeout)."""

from __future__ import annotations

from dataclasses import dataclass, field

from hasim.events import MasterTraffic
from hasim.model import Cause
from hasim.services.detection.evidence.counting import OVERTAKEN, Counting


@dataclass(slots=True)
class Windowed(Counting):
    """Failed messages at one master in the last `window_ns`, whatever was answered meanwhile.

    `limit` of them count as one failed check, and are not counted again. By nginx's
    documentation: `max_fails` unsuccessful attempts that should happen in the duration set by
    `fail_timeout`. `times_ns` are those of the reports, with how many failures each brought.
    """

    limit: int
    window_ns: int
    sequences: dict[str, int] = field(default_factory=dict)
    against: dict[str, int] = field(default_factory=dict)
    times_ns: list[int] = field(default_factory=list)
    brought: list[int] = field(default_factory=list)
    weighed: int = 0
    weighed_ns: int = 0
    last_cause: Cause = Cause.OK

    def update(self, now: int, gateway: str, sequence: int, traffic: MasterTraffic) -> int:
        """Take a gateway's report; returns how many failed checks it adds, or OVERTAKEN."""
        if sequence <= self.sequences.get(gateway, 0):
            return OVERTAKEN
        self.sequences[gateway] = sequence
        fresh = traffic.against - self.against.get(gateway, 0)
        if not fresh and not self.times_ns:
            return 0
        self.against[gateway] = traffic.against
        while self.times_ns and now - self.times_ns[0] >= self.window_ns:
            del self.times_ns[0], self.brought[0]
        if fresh > 0:
            self.last_cause = traffic.last_cause
            self.times_ns.append(now)
            self.brought.append(fresh)
        count = sum(self.brought)
        if count < self.limit:
            return 0
        self.weighed, self.weighed_ns = count, now
        self.times_ns.clear()
        self.brought.clear()
        return count // self.limit

    def restarted(self, gateway: str) -> None:
        """A new process of a gateway counts from 0; what failed of late has failed."""
        self.sequences.pop(gateway, None)
        self.against.pop(gateway, None)

    def standing(self) -> int:
        """Failures that were in the window when the last report came, or made the failed check."""
        return sum(self.brought) + self.weighed

    def insists(self, now: int) -> bool:
        """Whether enough for a failed check are within the window still."""
        return self.weighed > 0 and now - self.weighed_ns < self.window_ns

    def excuse(self, *, forgive: bool) -> None:
        """No failed check stands any more; if forgiven, the window is empty."""
        self.weighed = 0
        if forgive:
            self.times_ns.clear()
            self.brought.clear()

    def words(self) -> str:
        """How many failed in what time."""
        seconds = self.window_ns / 1e9
        return (
            f"{self.standing()} messages failed within {seconds:g} s, the last: {self.last_cause}"
        )
