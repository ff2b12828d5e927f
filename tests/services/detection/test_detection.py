"""The detection service against its rules, stated independently."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.events import (
    GatewayReport,
    MasterTraffic,
    ProbeReply,
    SendProbe,
    StartMaintenance,
    StatusChanged,
    StopMaintenance,
    WakeUp,
)
from hasim.model import Cause, Diagnosis, Status
from hasim.services.detection import DetectionSettings, FailoverDetectionService
from hasim.services.detection.diagnosis import diagnose
from hasim.services.detection.messages import MessageEvidence
from hasim.services.detection.threshold import ThresholdDetector
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import cluster


def started(**settings) -> FailoverDetectionService:
    service = FailoverDetectionService(DetectionSettings(**settings), cluster(1))
    service.start_monitoring(0)
    return service


def healthy(**settings) -> FailoverDetectionService:
    service = started(**settings)
    service.step(0, ProbeReply("m1", 1, Cause.OK))
    return service


SEQUENCE = itertools.count(1)


def report(streak: int, gateway: str = "local", cause: Cause = Cause.TIMEOUT) -> GatewayReport:
    traffic = MasterTraffic("m1", 0, streak, 0, streak, cause, 0)
    return GatewayReport(gateway, next(SEQUENCE), (traffic,))


def statuses(outputs) -> list[Status]:
    return [o.new for o in outputs if isinstance(o, StatusChanged)]


@given(fall=st.integers(1, 5), checks=st.lists(st.booleans(), max_size=60))
def test_threshold_convicts_exactly_at_a_run_of_fall(fall: int, checks: list[bool]) -> None:
    """Against the definition: the last `fall` checks all failed."""
    detector = ThresholdDetector(fall, 1)
    for i, passed in enumerate(checks):
        if passed:
            detector.passed(1)
        else:
            last = checks[max(0, i - fall + 1) : i + 1]
            assert detector.failed() == (len(last) == fall and not any(last))


def test_fall_and_rise_with_probes_alone() -> None:
    service = healthy(fall=3, rise=2)
    seen = []
    for probe, cause in enumerate("FFPFFFFPFPP", 2):
        service.check_master_health(probe * SECOND, "m1")
        answer = Cause.OK if cause == "P" else Cause.REFUSED
        seen.append(statuses(service.step(probe * SECOND, ProbeReply("m1", probe, answer))))
    assert seen == [
        [Status.SUSPECT],
        [],
        [Status.HEALTHY],
        [Status.SUSPECT],
        [],
        [Status.FAILED],
        [],
        [Status.RECOVERING],
        [Status.FAILED],
        [Status.RECOVERING],
        [Status.HEALTHY],
    ]


def test_the_rhythm_of_probes() -> None:
    """interval after the completion of a settled check, fast_interval while a change is pending."""
    service = healthy(interval_ns=10 * SECOND, fast_interval_ns=SECOND, timeout_ns=SECOND // 2)
    assert service.next_wakeup() == 10 * SECOND
    assert service.step(10 * SECOND, WakeUp()) == [SendProbe("m1", 2)]
    assert service.next_wakeup() == 10 * SECOND + SECOND // 2
    assert statuses(service.step(10 * SECOND + SECOND // 2, WakeUp())) == [Status.SUSPECT]
    assert service.next_wakeup() == 11 * SECOND + SECOND // 2


def test_a_late_or_early_wakeup_is_harmless() -> None:
    service = healthy(interval_ns=10 * SECOND)
    assert service.step(9 * SECOND, WakeUp()) == []
    assert service.step(12 * SECOND, WakeUp()) == [SendProbe("m1", 2)]


def test_an_answer_after_the_timeout_counts_for_nothing() -> None:
    service = healthy(interval_ns=10 * SECOND)
    service.step(10 * SECOND, WakeUp())
    service.step(11 * SECOND, WakeUp())
    assert service.step(11 * SECOND, ProbeReply("m1", 2, Cause.OK)) == []
    assert service.get_all_master_statuses()["m1"] is Status.SUSPECT


def test_messages_count_as_one_failed_check_and_shorten_the_interval() -> None:
    service = healthy(error_limit=3, fall=2)
    assert service.step(SECOND, report(2)) == []
    suspected = service.step(SECOND, report(3))
    assert statuses(suspected) == [Status.SUSPECT]
    assert suspected[-1] == SendProbe("m1", 2)
    failed = service.step(SECOND, ProbeReply("m1", 2, Cause.REFUSED))
    assert statuses(failed) == [Status.FAILED]
    assert failed[0].diagnosis is Diagnosis.PROCESS_DOWN


def test_runs_of_several_gateways_add_up() -> None:
    service = healthy(error_limit=3)
    assert service.step(SECOND, report(1, "a")) == []
    assert service.step(SECOND, report(1, "b")) == []
    assert statuses(service.step(SECOND, report(1, "c"))) == [Status.SUSPECT]


def test_probes_alone_ignore_messages() -> None:
    service = healthy(evidence=("probe",))
    assert service.watch().failures == 0
    assert service.step(SECOND, report(100)) == []


def test_messages_that_keep_failing_convict_although_probes_pass() -> None:
    """Gray failure: the health endpoint answers, the service does not."""
    service = healthy(error_limit=2, fall=2, rise=2)
    service.step(SECOND, report(2))
    assert statuses(service.step(SECOND, ProbeReply("m1", 2, Cause.OK))) == []
    (failed,) = [o for o in service.step(SECOND, report(4)) if isinstance(o, StatusChanged)]
    assert (failed.new, failed.diagnosis) == (Status.FAILED, Diagnosis.GRAY_FAILURE)


def test_an_answered_message_lets_one_passed_probe_clear_the_suspicion() -> None:
    service = healthy(error_limit=2, rise=3)
    service.step(SECOND, report(2))
    service.step(SECOND, report(0))
    assert statuses(service.step(SECOND, ProbeReply("m1", 2, Cause.OK))) == [Status.HEALTHY]


def test_old_failures_are_excused_once_the_master_is_healthy_again() -> None:
    evidence = MessageEvidence(2)
    assert evidence.update("a", 1, report(5).masters[0]) == 2
    evidence.excuse()
    assert evidence.update("a", 2, report(5).masters[0]) == 0
    assert evidence.update("a", 3, report(6).masters[0]) == 0
    assert evidence.update("a", 4, report(7).masters[0]) == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=80), st.integers(1, 4))
def test_message_evidence_against_its_definition(events, limit: int) -> None:
    """Failed checks so far equal the peak of standing failures // limit since all runs ended."""
    evidence, runs, counted = MessageEvidence(limit), dict.fromkeys("abc", 0), 0
    for sequence, (gateway, failed) in enumerate(events, 1):
        runs[gateway] = runs[gateway] + 1 if failed else 0
        traffic = MasterTraffic("m1", 0, 0, 0, runs[gateway], Cause.ERROR, 0)
        added = evidence.update(gateway, sequence, traffic)
        standing = sum(runs.values())
        counted = counted if standing else 0
        assert added == max(0, standing // limit - counted)
        counted = max(counted, standing // limit)


def test_maintenance_is_silence_without_consequences() -> None:
    service = healthy()
    assert statuses(service.step(SECOND, StartMaintenance("m1"))) == [Status.MAINTENANCE]
    assert service.next_wakeup() is None
    assert service.step(2 * SECOND, report(10)) == []
    back = service.step(3 * SECOND, StopMaintenance("m1"))
    assert statuses(back) == [Status.UNKNOWN]
    assert isinstance(back[-1], SendProbe)


def test_probes_start_spread_over_the_interval() -> None:
    service = FailoverDetectionService(DetectionSettings(interval_ns=30 * SECOND), cluster(3))
    service.start_monitoring(0)
    for master in ("m1", "m2", "m3"):
        service.step(MILLISECOND, ProbeReply(master, 1, Cause.OK))
    due = [health.next_probe_ns for health in service._health.values()]
    assert due == [MILLISECOND + 10 * SECOND * i for i in (1, 2, 3)]


@pytest.mark.parametrize(
    ("probe", "messages", "diagnosis"),
    [
        (Cause.REFUSED, None, Diagnosis.PROCESS_DOWN),
        (Cause.TIMEOUT, Cause.TIMEOUT, Diagnosis.UNREACHABLE),
        (Cause.OK, Cause.TIMEOUT, Diagnosis.GRAY_FAILURE),
        (Cause.ERROR, None, Diagnosis.FAILING_PROBES),
        (None, Cause.RESET, Diagnosis.PROCESS_DOWN),
        (Cause.OK, None, Diagnosis.NONE),
    ],
)
def test_diagnosis(probe, messages, diagnosis: Diagnosis) -> None:
    assert diagnose(probe, messages) is diagnosis


def test_a_report_that_was_overtaken_says_nothing() -> None:
    service = healthy(error_limit=2)
    early, late = report(3), report(0)
    service.step(SECOND, late)
    assert service.step(SECOND, early) == []
    assert service.generate_health_report(SECOND)["m1"]["failed_messages_standing"] == 0


def test_an_overtaken_report_still_tells_of_masters_that_the_newer_one_leaves_out() -> None:
    service = FailoverDetectionService(DetectionSettings(error_limit=2), cluster(2))
    service.start_monitoring(0)
    for master in ("m1", "m2"):
        service.step(0, ProbeReply(master, 1, Cause.OK))
    of_m2 = GatewayReport("g", 2, (MasterTraffic("m2", 1, 0, 0, 0, Cause.OK, 0),))
    of_m1 = GatewayReport("g", 1, (MasterTraffic("m1", 0, 2, 0, 2, Cause.TIMEOUT, 0),))
    service.step(SECOND, of_m2)
    assert statuses(service.step(SECOND, of_m1)) == [Status.SUSPECT]


@pytest.mark.parametrize("evidence", [("probe",), ("messages",)])
def test_a_verdict_from_outside_is_still_probed(evidence) -> None:
    """With messages alone a healthy master is not probed; a failed one must be, to come back."""
    service = healthy(evidence=evidence, rise=1)
    service.record_failure(SECOND, "m1", "pager")
    assert service.next_wakeup() is not None
    service.step(SECOND, StartMaintenance("m1"))
    service.record_recovery(2 * SECOND, "m1", "operator")
    assert service.next_wakeup() is not None
