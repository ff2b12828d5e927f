"""Reports that are overtaken on their way: what a gateway has said of a master later, it has said.

Counts in reports go on since the gateway's start, so that a lost report is made good by the next
one. A report leaves out the masters of which there is nothing new: one that is overtaken may be
the only one to tell of some of its masters, and is ignored for the others alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hasim.events import GatewayReport, MasterTraffic


@dataclass(slots=True)
class Latest:
    """By gateway: which process it is, and the number of its last report about each master."""

    incarnations: dict[str, int] = field(default_factory=dict)
    sequences: dict[str, dict[str, int]] = field(default_factory=dict)

    def begins(self, gateway: str, incarnation: int) -> bool:
        """Whether it is a process that was not known yet: then it counts from 0, from now on."""
        if incarnation <= self.incarnations.get(gateway, 0):
            return False
        self.incarnations[gateway] = incarnation
        self.sequences[gateway] = {}
        return True

    def told_by(self, report: GatewayReport) -> list[MasterTraffic]:
        """What a report tells that is news, once; of an earlier process nothing is."""
        if report.incarnation < self.incarnations.get(report.gateway, 0):
            return []
        numbers, sequence = self.sequences.setdefault(report.gateway, {}), report.sequence
        told: list[MasterTraffic] = []
        for row in report.masters:
            if sequence > numbers.get(row.master, -1):
                numbers[row.master] = sequence
                told.append(row)
        return told
