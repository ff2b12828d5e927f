"""Message outcomes as evidence: runs of failed messages, as the gateways report them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from hasim.events import GatewayReport, Input, MasterTraffic, Output
from hasim.model import Cause, Cluster, Status
from hasim.services.detection.evidence.source import (
    Judge,
    Source,
    SourceSettings,
    unknown_master,
)
from hasim.services.frozen import freeze, thaw
from hasim.settings import count, settings

OVERTAKEN = -1
"""A newer report of the same gateway came before, so that this one says nothing."""
DEAF = (Status.FAILED, Status.RECOVERING, Status.MAINTENANCE)
"""Only checks can speak for a master that gets no messages, so messages do not count."""


@settings
class MessageSettings(SourceSettings):
    """Outcomes of messages."""

    ACQUITS: ClassVar[bool] = False

    error_limit: Annotated[
        int,
        count(
            "Failed messages in a row, summed over the gateways' own runs, that count as one "
            "failed check and shorten the interval.",
            source="HAProxy error-limit with on-error fail-check (default 10)",
        ),
    ] = 2

    def watched_failures(self, convicting_checks: int) -> int:
        """Those that may make the last failed check that convicts."""
        return self.error_limit * convicting_checks


@dataclass(slots=True)
class MessageEvidence:
    """Runs of failed messages at one master, one run per gateway.

    Every `limit` failures, summed over the gateways' present runs, count as one
    failed check (HAProxy ``observe layer7``, ``error-limit``, ``on-error fail-check``).
    A gateway's run ends with the first answered message, which refutes it.
    """

    limit: int
    runs: dict[str, int] = field(default_factory=dict)
    excused: dict[str, int] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    checks: int = 0
    last_cause: Cause = Cause.OK

    def update(self, gateway: str, sequence: int, traffic: MasterTraffic) -> int:
        """Take a gateway's report; returns how many failed checks it adds, or OVERTAKEN."""
        if sequence <= self.sequences.get(gateway, 0):
            return OVERTAKEN
        self.sequences[gateway] = sequence
        if traffic.streak == 0 == self.runs.get(gateway, -1):
            return 0  # nothing is new
        if traffic.streak < self.excused.get(gateway, 0):
            self.excused[gateway] = 0
        self.runs[gateway] = traffic.streak
        if traffic.streak:
            self.last_cause = traffic.last_cause
        standing = self.standing()
        if standing == 0:
            self.checks = 0
        new = max(0, standing // self.limit - self.checks)
        self.checks += new
        return new

    def standing(self) -> int:
        """Failures in the gateways' present runs that nothing has refuted or excused."""
        return sum(run - self.excused.get(gateway, 0) for gateway, run in self.runs.items())

    def excuse(self) -> None:
        """Forgive the present runs: other evidence has settled the matter."""
        self.excused = dict(self.runs)
        self.checks = 0


class Messages(Source):
    """Takes the gateways' reports: runs of failed messages become failed checks."""

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset({GatewayReport})
    WHAT: ClassVar[str] = "message"
    OF_MESSAGES: ClassVar[bool] = True

    settings: MessageSettings

    def __init__(self, settings: MessageSettings, judge: Judge, cluster: Cluster) -> None:
        self.settings = settings
        self._judge = judge
        self._of = {m.id: MessageEvidence(settings.error_limit) for m in cluster.masters}

    def step(self, now: int, item: Input) -> list[Output]:
        """Take a gateway's report. KeyError for an unknown master."""
        assert isinstance(item, GatewayReport)
        out: list[Output] = []
        for traffic in item.masters:
            evidence = self._of.get(traffic.master)
            if evidence is None:
                raise unknown_master(traffic.master, self._of)
            checks = evidence.update(item.gateway, item.sequence, traffic)
            if checks != OVERTAKEN:
                out += self._weighed(now, traffic, evidence, checks)
        return out

    def _weighed(
        self, now: int, traffic: MasterTraffic, evidence: MessageEvidence, checks: int
    ) -> list[Output]:
        judge, master, out = self._judge, traffic.master, list[Output]()
        if traffic.streak:
            judge.doubted(master)
        if not checks or judge.status(master) in DEAF:
            return out
        standing, cause = evidence.standing(), traffic.last_cause
        reason = f"{standing} messages in a row failed, the last one: {cause}"
        for _ in range(checks):
            out += judge.failed(now, master, self, cause, reason)
        return out + judge.hurry(now, master)

    def concerns(self, item: Input) -> Iterable[str]:
        """Those at which runs of failures may have become as long as a failed check."""
        assert isinstance(item, GatewayReport)
        failing = [(t.master, t.streak) for t in item.masters if t.streak]
        limit = self.settings.error_limit
        return [m for m, streak in failing if self._of[m].standing() + streak >= limit]

    def standing(self, master: str) -> Cause | None:
        """How the last failed message of the present runs ended."""
        evidence = self._of[master]
        return evidence.last_cause if evidence.standing() else None

    def excuse(self, master: str) -> None:
        """Forgive the present runs."""
        self._of[master].excuse()

    def report(self, master: str) -> dict[str, object]:
        """Failures that nothing has refuted."""
        return {"failed_messages_standing": self._of[master].standing()}

    def freeze(self) -> Any:
        """The runs at each master."""
        return freeze(self._of)

    def thaw(self, data: Any) -> None:
        """Go on with the runs that were frozen."""
        self._of = thaw(dict[str, MessageEvidence], data)
