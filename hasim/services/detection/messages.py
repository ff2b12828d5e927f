"""Message outcomes as evidence: runs of failed messages, as the gateways report them."""

from __future__ import annotations

from dataclasses import dataclass, field

from hasim.events import MasterTraffic
from hasim.model import Cause

OVERTAKEN = -1
"""A newer report of the same gateway came before, so that this one says nothing."""


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
