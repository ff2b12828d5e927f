"""The block after a failover: what was just moved stays, unless it is a new fault that strikes it.

Where a failover does not help, another one does not either: a request that kills whoever serves it,
links that flap. So what was moved from an owner that had failed is not moved again for the same
fault, for a while, or until somebody has looked into it (orchestrator: RecoveryPeriodBlockSeconds
and ack-recovery).
"""

from __future__ import annotations

from dataclasses import dataclass

from hasim.model import Diagnosis
from hasim.services.failover.failover import Failover
from hasim.services.failover.known import Known
from hasim.services.failover.moved import Moved
from hasim.services.failover.settings import FailoverSettings
from hasim.units import format_duration


@dataclass(frozen=True, slots=True)
class Block:
    """Which failovers are blocked, by what `known` has of the moves before."""

    settings: FailoverSettings
    known: Known

    def moved(self, now: int, failover: Failover) -> None:
        """The partitions of a failover have a new owner, since their old one had failed."""
        diagnosis = self._diagnosis(failover)
        for partition in failover.partitions:
            self.known.moved[partition] = Moved(now, failover.master, diagnosis)

    def until_ns(self, failover: Failover) -> int:
        """Until when the partitions of a failover stay where they are (nanoseconds); 0: free."""
        moved = [self.known.moved.get(partition) for partition in failover.partitions]
        same = [one for one in moved if one is not None and self._counts(one, failover)]
        return max(one.at_ns for one in same) + self.settings.block_ns if same else 0

    def reason(self, now: int, failover: Failover) -> str:
        """In words why it is blocked."""
        moved = [self.known.moved.get(partition) for partition in failover.partitions]
        last = max((one for one in moved if one is not None), key=lambda one: one.at_ns)
        ago = format_duration(now - last.at_ns)
        fault = "the same fault" if self._same(last, failover) else "another fault"
        return f"what it owns was moved just before, {ago} ago from {last.source} for {fault}"

    def acknowledge(self, master: str) -> None:
        """Somebody has looked into the last moves from and to a master: no block after those."""
        self.known.moved = {
            partition: one
            for partition, one in self.known.moved.items()
            if master not in (one.source, self.known.owners.of(partition))
        }

    def _counts(self, before: Moved, failover: Failover) -> bool:
        """Whether a move before blocks this one."""
        return self.settings.blocks == "any-fault" or self._same(before, failover)

    def _same(self, before: Moved, failover: Failover) -> bool:
        """Whether a fault is held to be the one before: it shows itself in the same way."""
        now = self._diagnosis(failover)
        return Diagnosis.NONE in (now, before.diagnosis) or now is before.diagnosis

    def _diagnosis(self, failover: Failover) -> Diagnosis:
        return self.known.diagnoses.get(failover.master, Diagnosis.NONE)
