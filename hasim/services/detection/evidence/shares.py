"""The share of messages that failed, interval by interval (Envoy's failure percentage)."""

from __future__ import annotations

from dataclasses import dataclass, field

from hasim.events import MasterTraffic
from hasim.model import Cause
from hasim.services.detection.evidence.counting import OVERTAKEN, Counting


@dataclass(slots=True)
class Shares(Counting):
    """Of the messages that ended at one master in an interval, how many failed.

    An interval ends with the first report that comes `window_ns` after it began. If at least
    `volume` messages ended in it, and the `share` of failed ones among them is reached, it counts
    as one failed check (Envoy outlier detection: failure_percentage_threshold with
    failure_percentage_request_volume, by interval). `before` has what each gateway had counted
    when the interval began: (ends, failures); `latest` what it last reported.
    """

    share: float
    volume: int
    window_ns: int
    sequences: dict[str, int] = field(default_factory=dict)
    before: dict[str, tuple[int, int]] = field(default_factory=dict)
    latest: dict[str, tuple[int, int]] = field(default_factory=dict)
    began_ns: int = -1
    ended: int = 0
    failed: int = 0
    judged_ns: int = 0
    bad: bool = False
    last_cause: Cause = Cause.OK

    def update(self, now: int, gateway: str, sequence: int, traffic: MasterTraffic) -> int:
        """Take a gateway's report; returns how many failed checks it adds, or OVERTAKEN."""
        if sequence <= self.sequences.get(gateway, 0):
            return OVERTAKEN
        self.sequences[gateway] = sequence
        self.latest[gateway] = traffic.answered + traffic.failed, traffic.against
        if traffic.streak:
            self.last_cause = traffic.last_cause
        if self.began_ns < 0:
            self.began_ns = now
        if now - self.began_ns < self.window_ns:
            return 0
        self.ended, self.failed = self._since()
        self.bad = self.ended >= self.volume and self.failed >= self.share * self.ended
        self.judged_ns = self.began_ns = now
        self.before = dict(self.latest)
        return int(self.bad)

    def restarted(self, gateway: str) -> None:
        """A new process of a gateway counts from 0; its part of this interval begins anew."""
        for of_gateway in (self.sequences, self.before, self.latest):
            of_gateway.pop(gateway, None)

    def standing(self) -> int:
        """Failures in the last interval, if they were too many."""
        return self.failed if self.bad else 0

    def insists(self, now: int) -> bool:
        """Whether they were too many in the interval that ended of late."""
        return self.bad and now - self.judged_ns < 2 * self.window_ns

    def excuse(self, *, forgive: bool) -> None:
        """No failed check stands any more; if forgiven, an interval begins."""
        self.bad = False
        if forgive:
            self.before, self.began_ns = dict(self.latest), -1

    def words(self) -> str:
        """The share, and of how many."""
        part = self.failed / self.ended if self.ended else 0.0
        return f"{part:.0%} of {self.ended} messages failed, the last one: {self.last_cause}"

    def _since(self) -> tuple[int, int]:
        """How many ended, and failed, since the interval began."""
        ended = failed = 0
        for gateway, (ends, failures) in self.latest.items():
            ends_before, failures_before = self.before.get(gateway, (0, 0))
            ended += ends - ends_before
            failed += failures - failures_before
        return ended, failed
