"""What is wrong with detection."""

from __future__ import annotations

from typing import Any

from hasim.events import ProbeReply
from hasim.model import Cause, Status
from hasim.services.detection import verdicts
from hasim.services.detection.court import Court
from hasim.services.detection.detectors.detector import Opinion
from hasim.services.detection.detectors.threshold import Threshold
from hasim.services.detection.evidence.messages import Messages
from hasim.services.detection.evidence.probes import Probes
from hasim.services.detection.evidence.runs import Runs
from hasim.services.detection.service import FailoverDetectionService
from tests.defects.registry import Patch, defect


@defect
def fall_is_off_by_one(patch: Patch) -> None:
    def opinion(self: Any, now: int) -> Opinion:
        if self.failed_in_row > self.settings.fall:
            return Opinion.CONVICT
        return Opinion.SUSPECT if self.failed_in_row else Opinion.TRUST

    patch.setattr(Threshold, "opinion", opinion)


@defect
def the_failed_run_is_not_reset(patch: Patch) -> None:
    patch.setattr(Threshold, "cleared", lambda self, now: None)


@defect
def the_passed_run_is_not_reset(patch: Patch) -> None:
    hear = Court._hear_failure

    def keeps(self: Any, now: int, health: Any, source: Any, cause: Cause) -> None:
        before = health.passed_in_row
        hear(self, now, health, source, cause)
        health.passed_in_row = before

    patch.setattr(Court, "_hear_failure", keeps)


@defect
def doubt_does_not_interrupt_the_passed_run(patch: Patch) -> None:
    patch.setattr(Court, "doubted", lambda self, master: None)


@defect
def a_late_probe_reply_is_accepted(patch: Patch) -> None:
    step = Probes.step

    def late(self: Any, now: int, item: Any) -> Any:
        probing = self.of_masters.get(getattr(item, "master", ""))
        if isinstance(item, ProbeReply) and probing is not None and item.probe <= probing.sent:
            return self._ended(now, item.master, probing, item.cause)
        return step(self, now, item)

    patch.setattr(Probes, "step", late)


@defect
def absent_masters_are_probed(patch: Patch) -> None:
    start = FailoverDetectionService.start_monitoring

    def everybody(self: Any, now: int) -> Any:
        out = start(self, now)
        absent = [h for h in self._court.health.values() if h.status is Status.MAINTENANCE]
        return out + [o for health in absent for o in self._court.begin(now, health)]

    patch.setattr(FailoverDetectionService, "start_monitoring", everybody)


@defect
def messages_acquit_a_failed_master(patch: Patch) -> None:
    step = Messages.step

    def acquits(self: Any, now: int, item: Any) -> Any:
        out = step(self, now, item)
        for traffic in getattr(item, "masters", ()):
            if traffic.answered and not traffic.streak:
                out = out + self._judge.passed(now, traffic.master, self, 0, 0)
        return out

    patch.setattr(Messages, "step", acquits)


@defect
def an_overtaken_report_counts(patch: Patch) -> None:
    update = Runs.update

    def counts(self: Any, now: int, gateway: str, sequence: int, traffic: Any) -> int:
        return update(self, now, gateway, self.sequences.get(gateway, 0) + 1, traffic)

    patch.setattr(Runs, "update", counts)


@defect
def excused_runs_are_forgotten(patch: Patch) -> None:
    patch.setattr(Runs, "excuse", lambda self, forgive: None)


@defect
def a_recovering_master_fails_quietly(patch: Patch) -> None:
    of_recovering = verdicts.VERDICTS[Status.RECOVERING]
    patch.setitem(of_recovering, verdicts.Finding.DOUBTED, Status.RECOVERING)
