"""Small things that each source of evidence promises, through the service that hears it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from hasim.events import (
    GatewayReport,
    Heartbeat,
    MasterTraffic,
    OpinionGiven,
    ProbeReply,
    RecordFailure,
    RecordRecovery,
    SendProbe,
    StatusChanged,
    WakeUp,
)
from hasim.model import Cause, Status
from hasim.services.detection import DetectionSettings, FailoverDetectionService
from hasim.services.detection.detectors.detector import Opinion
from hasim.services.detection.detectors.threshold import Threshold, ThresholdSettings
from hasim.services.detection.evidence.messages import MessageSettings
from hasim.services.detection.evidence.shares import Shares
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import cluster, detection


def service(masters: int = 1, **beside: Any) -> FailoverDetectionService:
    return FailoverDetectionService(detection(**beside), cluster(masters), seed=7)


def statuses(outputs: list[Any]) -> list[Status]:
    return [out.new for out in outputs if isinstance(out, StatusChanged)]


def row(master: str, failed: int, streak: int) -> MasterTraffic:
    return MasterTraffic(master, 0, failed, 0, streak, Cause.TIMEOUT, 0, failed)


def test_all_that_are_due_at_one_instant_are_pinged() -> None:
    made = service(3, evidence=["ping"], detector="down-after", tick_ns=0)
    assert len(made.start_monitoring(0)) == 3
    due_ns = made.next_wakeup()
    assert due_ns is not None
    assert made.step(due_ns, WakeUp()) == [SendProbe(f"m{n}", 2) for n in (1, 2, 3)]


def test_what_became_due_during_a_pause_is_asked_when_it_is_over() -> None:
    settings = detection(evidence=["probe"], interval_ns=10 * SECOND)
    made = FailoverDetectionService(settings, cluster(2), seed=7)
    made.start_monitoring(0)
    for master in ("m1", "m2"):
        made.step(1, ProbeReply(master, 1, Cause.OK))
    first_ns = made.next_wakeup()
    assert first_ns is not None
    frozen = json.loads(json.dumps(made.freeze()))
    for now in (first_ns - 1, first_ns, 30 * SECOND):
        other = FailoverDetectionService.restore(settings, cluster(2), frozen, seed=7)
        asked = other.start_monitoring(now)
        assert len(asked) == {first_ns - 1: 0, first_ns: 1, 30 * SECOND: 2}[now]
        assert {probe.probe for probe in asked} <= {2}


def test_a_farewell_may_have_the_number_of_the_last_heartbeat() -> None:
    """VRRP: who stops says so, and is missed after the skew alone."""
    made = [service(evidence=["heartbeat"], detector="vrrp") for _ in range(3)]
    for each in made:
        each.start_monitoring(0)
        each.step(SECOND, Heartbeat("m1", 5, SECOND - 1))
    made[1].step(SECOND, Heartbeat("m1", 5, SECOND - 1, leaving=True))
    made[2].step(SECOND, Heartbeat("m1", 4, SECOND - 1, leaving=True))  # was overtaken
    silent, left, overtaken = (each.next_wakeup() for each in made)
    assert left is not None
    assert silent is not None
    assert left < silent == overtaken


def test_nobody_takes_a_master_over_that_was_never_asked() -> None:
    """Its rhythm is that of probes; there is none before the first one was sent."""
    made = service(evidence=["probe"], initial_delay_ns=5 * SECOND, interval_ns=10 * SECOND)
    made.start_monitoring(0)
    made.step(SECOND, RecordRecovery("m1", "an operator"))
    assert made.get_healthy_masters() == ["m1"]
    assert made.rhythm("m1") is None
    made.step(5 * SECOND, WakeUp())
    made.step(5 * SECOND + 1, ProbeReply("m1", 1, Cause.OK))
    rhythm = made.rhythm("m1")
    assert rhythm is not None
    assert (rhythm.probe, rhythm.next_ns) == (2, made.next_wakeup())


def test_a_report_is_heard_by_all_that_go_by_reports() -> None:
    made = service(2, evidence=["probe", "messages", "outliers"], error_limit=9)
    made.start_monitoring(0)
    made.step(SECOND, GatewayReport("local", 1, (row("m1", 3, 3),)))
    said = made.freeze()["evidence"]
    assert made.generate_health_report(SECOND)["m1"]["failed_messages_standing"] == 3
    assert "m1" in json.dumps(said["outliers"])


@pytest.mark.parametrize(("checks", "failures"), [(0, 3), (1, 3), (4, 12)])
def test_a_faster_interval_is_wanted_even_where_no_failed_check_convicts(
    checks: int, failures: int
) -> None:
    assert MessageSettings(error_limit=3, on_error="fast-interval").watch(checks).failures == (
        failures
    )
    assert MessageSettings(error_limit=3).watch(checks).failures == (3 * checks)


def test_no_share_stands_after_it_is_excused() -> None:
    counted = Shares(0.5, 2, SECOND)
    assert counted.update(0, "g", 1, row("m1", 4, 4)) == 0
    assert counted.update(SECOND, "g", 2, row("m1", 8, 8)) == 1
    assert (counted.standing(), counted.insists(SECOND)) == (8, True)
    counted.excuse(forgive=False)
    assert (counted.standing(), counted.insists(SECOND)) == (0, False)
    assert counted.update(2 * SECOND, "g", 3, row("m1", 12, 12)) == 1
    assert counted.standing() == 4
    counted.excuse(forgive=True)  # an interval begins with the next report
    assert counted.update(9 * SECOND, "g", 4, row("m1", 16, 16)) == 0
    assert counted.update(10 * SECOND, "g", 5, row("m1", 16, 16)) == 1
    assert counted.ended == 4


def test_a_threshold_trusts_until_a_check_fails_and_again_when_one_passes() -> None:
    detector = Threshold(ThresholdSettings(fall=2))
    opinions = [detector.opinion(0)]
    for passed in (True, False, True, False, False):
        if passed:
            detector.passed(0, 1, 1)
            detector.cleared(0)
        else:
            detector.failed(0)
        opinions.append(detector.opinion(0))
    trust, suspect = Opinion.TRUST, Opinion.SUSPECT
    assert opinions == [trust, trust, suspect, trust, suspect, Opinion.CONVICT]


def test_the_report_says_for_how_many_seconds_a_verdict_has_stood() -> None:
    made = service(evidence=["probe"])
    made.start_monitoring(0)
    made.step(SECOND, ProbeReply("m1", 1, Cause.OK))
    made.step(3 * SECOND, RecordFailure("m1", "pager"))
    assert made.generate_health_report(5_500 * MILLISECOND)["m1"]["since_s"] == 2.5


# -- an observer that was asleep -------------------------------------------------------


def tilted() -> FailoverDetectionService:
    made = service(
        evidence=["ping"], detector="down-after", down_after_ns=9 * SECOND, distrust="tilt"
    )
    made.start_monitoring(0)
    made.step(1, ProbeReply("m1", 1, Cause.OK))
    return made


def test_who_was_woken_late_declares_nobody_for_the_whole_period() -> None:
    """Thirty seconds in tilt, though the master is silent; then it is looked at at once."""
    made, declared = tilted(), list[tuple[int, Status]]()
    now = 5 * SECOND  # it wanted to ping at the first second
    made.step(now, WakeUp())
    while now < 60 * SECOND:
        due_ns = made.next_wakeup()
        assert due_ns is not None
        now = max(now, due_ns)
        declared += [(now, status) for status in statuses(made.step(now, WakeUp()))]
    failed = [now for now, status in declared if status is Status.FAILED]
    assert failed[:1] == [35 * SECOND]


def test_what_comes_when_the_tilt_is_over_is_heard_besides() -> None:
    made = tilted()
    made.step(5 * SECOND, WakeUp())
    silent_ns = 34 * SECOND
    while (due_ns := made.next_wakeup()) is not None and due_ns < silent_ns:
        made.step(due_ns, WakeUp())
    out = made.step(35 * SECOND, RecordRecovery("m1", "an operator"))
    assert statuses(out) == [Status.FAILED, Status.HEALTHY]


# -- witnesses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "declared"),
    [
        ([None, None], True),
        ([10 * SECOND, None], True),
        ([10 * SECOND - 1, None], False),
        ([SECOND, SECOND], False),
    ],
)
def test_no_witness_may_have_seen_it_lately(seen: list[int | None], declared: bool) -> None:
    of = dataclasses.replace(cluster(1), observers=("here", "there", "yonder"))
    settings: DetectionSettings = detection(evidence=["probe"], fall=1, confirm="witness")
    made = FailoverDetectionService(settings, of, seed=7, observer="here")
    made.start_monitoring(0)
    made.step(1, ProbeReply("m1", 1, Cause.OK))
    made.check_master_health(SECOND, "m1")
    out = made.step(SECOND, ProbeReply("m1", 2, Cause.REFUSED))
    assert statuses(out) == [Status.SUSPECT]
    said = list[Any]()
    for peer, seen_ns in zip(("there", "yonder"), seen, strict=True):
        given = OpinionGiven(peer, "m1", 1, down=False, seen_ns=seen_ns)
        if peer == "there" and seen_ns is None and seen[1] is not None:
            continue
        said += made.step(SECOND + 5, given)
    assert (made.get_failed_masters() == ["m1"]) is declared
    if declared:
        since_s = made.generate_health_report(2 * SECOND + 5)["m1"]["since_s"]
        assert since_s == 1.0  # it is declared when the word is heard
