"""The detection service against its rules, stated independently."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from hasim.events import (
    ConnectionClosed,
    GatewayReport,
    GiveOpinion,
    Heartbeat,
    MasterTraffic,
    OpinionAsked,
    ProbeReply,
    SendProbe,
    StartMaintenance,
    StatusChanged,
    StopMaintenance,
    WakeUp,
)
from hasim.model import Cause, Diagnosis, Status
from hasim.services.detection import DetectionSettings, FailoverDetectionService
from hasim.services.detection.evidence.messages import MessageSettings
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import cluster, detection

GATEWAYS = ("local", "a", "b", "c", "g")


def started(**settings) -> FailoverDetectionService:
    service = FailoverDetectionService(detection(**settings), cluster(1, GATEWAYS))
    service.start_monitoring(0)
    return service


def healthy(**settings) -> FailoverDetectionService:
    service = started(**settings)
    service.step(0, ProbeReply("m1", 1, Cause.OK))
    return service


SEQUENCE = itertools.count(1)


def report(streak: int, gateway: str = "local", cause: Cause = Cause.TIMEOUT) -> GatewayReport:
    traffic = MasterTraffic("m1", 0, streak, 0, streak, cause, 0, streak)
    return GatewayReport(gateway, next(SEQUENCE), (traffic,))


def statuses(outputs) -> list[Status]:
    return [o.new for o in outputs if isinstance(o, StatusChanged)]


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


def test_maintenance_is_silence_without_consequences() -> None:
    service = healthy()
    assert statuses(service.step(SECOND, StartMaintenance("m1"))) == [Status.MAINTENANCE]
    assert service.next_wakeup() is None
    assert service.step(2 * SECOND, report(10)) == []
    back = service.step(3 * SECOND, StopMaintenance("m1"))
    assert statuses(back) == [Status.UNKNOWN]
    assert isinstance(back[-1], SendProbe)


def test_probes_start_spread_over_the_interval() -> None:
    service = FailoverDetectionService(detection(interval_ns=30 * SECOND), cluster(3))
    service.start_monitoring(0)
    for master in ("m1", "m2", "m3"):
        service.step(MILLISECOND, ProbeReply(master, 1, Cause.OK))
    for master, due_s in (("m1", 10), ("m2", 20), ("m3", 30)):
        assert service.next_wakeup() == MILLISECOND + due_s * SECOND
        (probe,) = service.step(MILLISECOND + due_s * SECOND, WakeUp())
        assert probe == SendProbe(master, 2)
        service.step(MILLISECOND + due_s * SECOND, ProbeReply(master, 2, Cause.OK))


def test_a_report_that_was_overtaken_says_nothing() -> None:
    service = healthy(error_limit=2)
    early, late = report(3), report(0)
    service.step(SECOND, late)
    assert service.step(SECOND, early) == []
    assert service.generate_health_report(SECOND)["m1"]["failed_messages_standing"] == 0


def test_an_overtaken_report_still_tells_of_masters_that_the_newer_one_leaves_out() -> None:
    service = FailoverDetectionService(detection(error_limit=2), cluster(2, GATEWAYS))
    service.start_monitoring(0)
    for master in ("m1", "m2"):
        service.step(0, ProbeReply(master, 1, Cause.OK))
    of_m2 = GatewayReport("g", 2, (MasterTraffic("m2", 1, 0, 0, 0, Cause.OK, 0, 0),))
    of_m1 = GatewayReport("g", 1, (MasterTraffic("m1", 0, 2, 0, 2, Cause.TIMEOUT, 0, 2),))
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


def test_probes_that_pass_refute_no_messages_until_none_has_failed_for_a_while() -> None:
    service = healthy(error_limit=3, fall=3, rise=2, error_window_ns=5 * SECOND)
    assert statuses(service.step(SECOND, report(3))) == [Status.SUSPECT]
    passed = []
    for probe, at_s in enumerate((1, 2, 3, 5, 6, 7), 2):
        service.check_master_health(at_s * SECOND, "m1")
        passed.append(statuses(service.step(at_s * SECOND, ProbeReply("m1", probe, Cause.OK))))
    assert passed == [[], [], [], [], [Status.HEALTHY], []]


def test_messages_without_an_answer_convict_however_seldom_they_come() -> None:
    """Gray failure at one message in a minute: suspected twice, then failed."""
    service = healthy(error_limit=2, fall=2, rise=2, error_window_ns=5 * SECOND)
    said, probe = [], 1
    for number in range(1, 5):
        at = number * 60 * SECOND
        said += statuses(service.step(at, report(number)))
        for wait in (0, 1, 6):
            service.check_master_health(at + wait * SECOND, "m1")
            probe = service.generate_health_report(at)["m1"]["probes_sent"]
            if number < 4:
                said += statuses(
                    service.step(at + wait * SECOND, ProbeReply("m1", probe, Cause.OK))
                )
    assert said == [
        *(Status.SUSPECT, Status.HEALTHY),
        *(Status.SUSPECT, Status.HEALTHY),
        *(Status.SUSPECT, Status.FAILED),  # as many as two failed checks, in one report
    ]


def test_a_failure_on_somebodys_word_takes_as_many_passed_probes_as_any_other() -> None:
    service = healthy(rise=2)
    for probe in (2, 3, 4):
        service.check_master_health(SECOND, "m1")
        service.step(SECOND, ProbeReply("m1", probe, Cause.OK))
    service.record_failure(SECOND, "m1", "pager")
    service.check_master_health(SECOND, "m1")
    assert statuses(service.step(SECOND, ProbeReply("m1", 5, Cause.OK))) == [Status.RECOVERING]


def test_in_maintenance_nobody_is_asked() -> None:
    service = healthy()
    service.step(SECOND, StartMaintenance("m1"))
    assert service.check_master_health(SECOND, "m1") == []
    assert service.next_wakeup() is None


def test_evidence_that_acquits_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing speaks for a failed master"):
        DetectionSettings(evidence=(MessageSettings(),))
    asked = detection(evidence=["messages"], interval_ns=7 * SECOND)
    assert asked.evidence == (
        MessageSettings(),
        ProbeSettings(interval_ns=7 * SECOND, when="in-doubt"),
    )


def test_what_detection_says_of_itself() -> None:
    made = detection(interval_ns=10 * SECOND, timeout_ns=SECOND, fall=3, rise=4, error_limit=5)
    assert made.period_ns == 10 * SECOND
    assert made.late_window_ns == 11 * SECOND
    assert made.recovery_ns == 61 * SECOND  # one that times out, five intervals after it

    assert made.watch.failures == 15
    assert made.heartbeat_ns == 0
    assert detection(evidence=["probe"]).watch.failures == 0


def test_a_message_that_fails_interrupts_the_run_of_passed_probes() -> None:
    """One attempt without an answer is no failed check, but what has passed before it lapses."""
    service = healthy(error_limit=5, fall=1, rise=2)
    service.record_failure(SECOND, "m1", "pager")

    def asked(reply: Cause = Cause.OK) -> list[Status]:
        (probe,) = service.check_master_health(SECOND, "m1")
        return statuses(service.step(SECOND, ProbeReply("m1", probe.probe, reply)))

    assert asked() == [Status.RECOVERING]
    assert statuses(service.step(SECOND, report(1))) == []
    assert asked() == []
    assert asked() == [Status.HEALTHY]


def test_a_master_that_is_absent_is_not_asked_before_it_joins() -> None:
    both = cluster(2)
    first, second = both.masters
    absent = dataclasses.replace(
        both,
        masters=(first, dataclasses.replace(second, absent=True)),
        partitions=both.partitions[:1],
    )
    service = FailoverDetectionService(detection(), absent)
    started = service.start_monitoring(0)
    assert [o.master for o in started if isinstance(o, SendProbe)] == ["m1"]
    assert service.get_all_master_statuses()["m2"] is Status.MAINTENANCE


def test_the_report_tells_how_much_is_suspected_unless_it_is_away() -> None:
    service = started(evidence=["heartbeat"], detector="timeout", down_after="10s")
    service.step(0, Heartbeat("m1", 1, 0))
    assert service.generate_health_report(5 * SECOND)["m1"]["suspicion"] == pytest.approx(0.5)
    service.step(5 * SECOND, StartMaintenance("m1"))
    assert service.generate_health_report(9 * SECOND)["m1"]["suspicion"] == 0.0


def test_whoever_has_stopped_says_so() -> None:
    service = healthy()
    assert service.healthy() is True
    service.stop_monitoring(SECOND)
    assert service.healthy() is False
    assert service.freeze()["running"] is False
    assert service.step(2 * SECOND, WakeUp()) == []


def test_another_observer_is_told_for_how_long_a_master_was_not_seen() -> None:
    made = dataclasses.replace(cluster(1, GATEWAYS), observers=("a", "b"))
    service = FailoverDetectionService(detection(), made, observer="a")
    service.start_monitoring(0)
    (never,) = service.step(SECOND, OpinionAsked("b", "m1", 1))
    assert never == GiveOpinion("b", "m1", 1, down=False)
    service.step(2 * SECOND, ProbeReply("m1", 1, Cause.OK))
    (seen,) = service.step(5 * SECOND, OpinionAsked("b", "m1", 2))
    assert seen == GiveOpinion("b", "m1", 2, down=False, seen_ns=3 * SECOND)


def test_evidence_that_convicts_by_itself_says_of_what() -> None:
    """A connection that is reset is a process that has died, whatever else is known."""
    service = healthy(evidence=["probe"], on_close="fail")
    out = service.step(SECOND, ConnectionClosed("m1"))
    (verdict,) = (o for o in out if isinstance(o, StatusChanged))
    assert (verdict.new, verdict.diagnosis) == (Status.FAILED, Diagnosis.PROCESS_DOWN)


def test_freshness_points_count_from_when_a_heartbeat_was_sent() -> None:
    """NFD-S: due an interval and the shift after its sending, however long it was under way."""
    service = started(
        evidence=["heartbeat"], detector="nfd-s", heartbeat_interval="1s", shift="500ms"
    )
    service.step(10 * SECOND, Heartbeat("m1", 1, 10 * SECOND - 300 * MILLISECOND))
    assert service.next_wakeup() == 10 * SECOND + 1200 * MILLISECOND
    half_ns = 10 * SECOND + 600 * MILLISECOND
    assert service.generate_health_report(half_ns)["m1"]["suspicion"] == pytest.approx(0.5)


def test_freshness_points_need_heartbeats() -> None:
    for evidence in (["probe"], ["messages"], ["heartbeat"]):
        found = [why for _, why in detection(evidence=evidence, detector="nfd-s").problems()]
        missing = "nfd-s reckons with heartbeats: evidence must have heartbeat" in found
        assert missing is (evidence != ["heartbeat"])
