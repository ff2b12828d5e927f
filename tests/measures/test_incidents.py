from __future__ import annotations

import pytest

from hasim.measures import measure
from hasim.measures.incidents import Incident
from hasim.model import Status
from tests.measures.story import Story, happy


def one(story: Story) -> Incident:
    (incident,) = measure(story.journal()).incidents
    return incident


def test_detected_and_failed_over() -> None:
    story = Story()
    story.fault(1, "a", 10, 80, "hang")
    story.down(10, "p1")
    story.status(12, "a", Status.SUSPECT)
    story.declare("a", 13.5, until_s=90)
    happy(story, 1, "a", [13.5, 13.5, 15.5, 15.6, 16, 16.1, 16.4])
    story.up(16.3, "p1", "b")
    story.answered(16.9, "p1")
    incident = one(story)
    assert incident.outcome == "detected"
    assert incident.kind == "hang"
    assert incident.detection_s == 3.5
    assert incident.censored_s is None
    assert incident.suspected_at_s == 12
    assert incident.declared_at_s == 13.5
    assert incident.cured_at_s == 80
    assert incident.partitions == 1
    assert incident.outage_s == pytest.approx(6.3)
    assert incident.first_ok_s == pytest.approx(6.9)


def test_declared_at_the_very_start_takes_no_time() -> None:
    story = Story()
    story.fault(1, "a", 10, 20)
    story.declare("a", 10)
    assert one(story).detection_s == 0


def test_censored_by_the_cure() -> None:
    story = Story()
    story.fault(1, "a", 10, 12)
    story.down(10, "p1")
    story.up(12, "p1")
    incident = one(story)
    assert (incident.outcome, incident.detection_s, incident.censored_s) == ("censored", None, 2)
    assert incident.outage_s == 2
    assert (incident.first_ok_s, incident.first_ok_censored_s) == (None, 90)


def test_censored_by_the_end_of_the_run() -> None:
    story = Story()
    story.fault(1, "a", 95, None)
    story.down(95, "p1")
    incident = one(story)
    assert (incident.outcome, incident.censored_s, incident.cured_at_s) == ("censored", 5, None)
    assert (incident.outage_s, incident.outage_censored_s) == (None, 5)


@pytest.mark.parametrize(
    ("declared_s", "outcome", "mistakes"),
    [(11.999, "detected", 0), (12, "late", 0), (14.5, "late", 0), (14.501, "censored", 1)],
)
def test_late_is_within_interval_plus_timeout_after_the_cure(
    declared_s: float, outcome: str, mistakes: int
) -> None:
    story = Story()
    story.fault(1, "a", 10, 12)
    story.declare("a", declared_s, until_s=20)
    measured = measure(story.journal())
    assert measured.incidents[0].outcome == outcome
    assert len(measured.mistakes) == mistakes
    assert (measured.incidents[0].censored_s == 2) == (outcome != "detected")


def test_a_declaration_in_the_window_that_meets_the_next_incident_detects_that() -> None:
    story = Story()
    story.fault(1, "a", 10, 12)
    story.fault(2, "a", 13, 30)
    story.declare("a", 14)
    first, second = measure(story.journal()).incidents
    assert (first.outcome, second.outcome, second.detection_s) == ("censored", "detected", 1)


def test_already_declared_is_excluded() -> None:
    story = Story()
    story.fault(1, "a", 10, 20)
    story.declare("a", 12, until_s=30)
    story.fault(2, "a", 25, 40)
    first, second = measure(story.journal()).incidents
    assert first.outcome == "detected"
    assert second.outcome == "already declared"
    assert (second.detection_s, second.censored_s) == (None, None)


def test_a_relapse_while_recovering_is_no_new_declaration() -> None:
    story = Story()
    story.fault(1, "a", 10, 20)
    story.declare("a", 12)
    story.status(22, "a", Status.RECOVERING)
    story.fault(2, "a", 23, 40)
    story.status(24, "a", Status.FAILED)
    assert [i.outcome for i in measure(story.journal()).incidents] == [
        "detected",
        "already declared",
    ]


def test_in_maintenance_is_excluded() -> None:
    story = Story()
    story.status(5, "a", Status.MAINTENANCE)
    story.fault(1, "a", 10, 20)
    assert one(story).outcome == "maintenance"


def test_overlapping_faults_are_one_incident_of_the_earliest_still_active() -> None:
    story = Story()
    story.fault(1, "a", 10, 20, "slow")
    story.fault(2, "a", 15, 40, "crash")
    story.fault(3, "a", 18, 30, "hang")
    story.declare("a", 25)
    incident = one(story)
    assert (incident.kind, incident.fault, incident.faults) == ("crash", 2, 3)
    assert (incident.started_at_s, incident.cured_at_s, incident.detection_s) == (10, 40, 15)


def test_touching_faults_are_one_incident_and_other_masters_are_apart() -> None:
    story = Story()
    story.fault(1, "a", 10, 20)
    story.fault(2, "ab", 20, 30, "region-outage")
    rows = measure(story.journal()).incidents
    assert [(i.number, i.master, i.started_at_s, i.cured_at_s) for i in rows] == [
        (1, "a", 10, 30),
        (2, "b", 20, 30),
    ]


def test_faults_that_do_not_impair_are_no_incidents() -> None:
    story = Story()
    story.fault(1, "a", 10, 20, "packet-loss", impairing=False)
    assert measure(story.journal()).incidents == ()


def test_a_number_used_again_is_a_new_fault() -> None:
    story = Story()
    story.fault(1, "a", 10, 12)
    story.fault(1, "a", 50, None)
    assert [i.cured_at_s for i in measure(story.journal()).incidents] == [12, None]


def test_an_outage_that_the_fence_prolongs_counts_no_good_time() -> None:
    """Well by itself while a slow fence is on its way: down, up, down again, up.

    Service was back for good after 13.1 s, of which it was down for 5.4; the first message was
    answered after 4.06 s, and not 13.2.
    """
    story = Story()
    story.fault(1, "a", 10, 14, "hang")
    story.down(10, "p1")
    story.declare("a", 11.7, until_s=90)
    story.up(14, "p1")
    story.answered(14.06, "p1")
    story.fenced("a", 1, 21.7, 81.7)
    story.down(21.7, "p1")
    happy(story, 1, "a", [11.7, 11.7, 21.7, 21.7, 22, 23.1, 23.2])
    story.up(23.1, "p1", "b")
    story.answered(23.2, "p1")
    incident = one(story)
    assert incident.outage_s == pytest.approx(5.4, abs=1e-9)
    assert incident.first_ok_s == pytest.approx(4.06, abs=1e-9)
    assert incident.restored_at_s == 23.1
    (failover,) = measure(story.journal()).failovers
    assert failover.failover_s == pytest.approx(23.1 - 11.7, abs=1e-9)
    assert failover.incident == 1


def test_the_later_troubles_of_the_new_owner_are_its_own() -> None:
    story = Story()
    story.fault(1, "a", 10, 90)
    story.down(10, "p1")
    story.declare("a", 12)
    happy(story, 1, "a", [12, 12, 13, 13, 14, 15, 16])
    story.up(15.5, "p1", "b")
    story.fault(2, "b", 50, 60)
    story.down(50, "p1")
    story.down(50, "p2")
    story.up(60, "p1")
    story.up(60, "p2")
    first, second = measure(story.journal()).incidents
    assert (first.outage_s, first.partitions) == (5.5, 1)
    assert (second.outage_s, second.partitions) == (10, 2)
    (failover,) = measure(story.journal()).failovers
    assert failover.failover_s == 3.5


def test_a_second_incident_before_the_first_failover_is_over() -> None:
    story = Story()
    story.fault(1, "a", 10, 14, "hang")
    story.down(10, "p1")
    story.up(14, "p1")
    story.declare("a", 13)
    story.failover(1, "a", [(13, "declared"), (13, "fencing"), (40, "failed")])
    story.fault(2, "a", 20, 60)
    story.down(20, "p1")
    story.up(60, "p1")
    first, second = measure(story.journal()).incidents
    assert (first.outage_s, second.outage_s) == (4, 40)


def test_the_first_answer_is_that_of_the_last_partition() -> None:
    story = Story()
    story.owner["p2"] = "a"
    story.fault(1, "a", 10, 20)
    for partition, answered_s in (("p1", 22), ("p2", 21)):
        story.down(10, partition)
        story.up(20, partition)
        story.answered(answered_s, partition)
    assert one(story).first_ok_s == 12


def test_a_master_that_owns_nothing_has_no_outage() -> None:
    story = Story()
    story.header["cluster"]["partitions"].pop(0)
    story.told = [r for r in story.told if getattr(r.body, "partition", "") != "p1"]
    story.fault(1, "a", 10, 20)
    incident = one(story)
    assert (incident.partitions, incident.outage_s, incident.outage_censored_s) == (0, None, None)


def test_recovery_runs_from_the_cure_to_healthy_and_redundancy_from_the_fault() -> None:
    story = Story()
    story.fault(1, "a", 10, 40)
    story.declare("a", 12, until_s=47)
    story.fault(2, "a", 60, 62)  # never declared
    first, second = measure(story.journal()).incidents
    assert (first.recovery_s, first.degraded_s) == (7, 37)
    assert (second.recovery_s, second.degraded_s) == (None, 2)


def test_a_late_declaration_has_to_be_taken_back_too() -> None:
    story = Story()
    story.fault(1, "a", 10, 12)
    story.declare("a", 12.5, until_s=20)
    incident = one(story)
    assert incident.outcome == "late"
    assert (incident.recovery_s, incident.degraded_s) == (8, 10)


def test_recovery_is_cut_short_by_the_next_fault_and_by_the_end() -> None:
    story = Story()
    story.fault(1, "a", 10, 20)
    story.fault(2, "a", 30, 95)
    story.declare("a", 12)  # and never taken back
    first, second = measure(story.journal()).incidents
    assert (first.recovery_s, first.recovery_censored_s) == (None, 10)
    assert (first.degraded_s, first.degraded_censored_s) == (None, 20)
    assert (second.recovery_censored_s, second.degraded_censored_s) == (5, 70)


def test_nobody_recovers_before_the_cure() -> None:
    story = Story()
    story.fault(1, "a", 10, None)
    story.declare("a", 12)
    incident = one(story)
    assert (incident.recovery_s, incident.recovery_censored_s) == (None, None)
    assert incident.degraded_censored_s == 90
