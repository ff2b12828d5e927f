from __future__ import annotations

from hasim.measures import measure
from hasim.model import Status
from tests.measures.story import Story, happy


def test_a_plain_mistake_lasts_until_it_is_taken_back() -> None:
    story = Story()
    story.declare("a", 10, until_s=16)
    story.declare("a", 40, until_s=41)
    first, second = measure(story.journal()).mistakes
    assert (first.duration_s, first.recurrence_s, first.fault_kind) == (6, None, "")
    assert (second.duration_s, second.recurrence_s) == (1, 30)


def test_a_mistake_is_tagged_with_the_fault_that_is_no_reason() -> None:
    story = Story()
    story.fault(1, "a", 5, 9, "packet-loss", impairing=False)
    story.fault(2, "b", 5, 9, "latency-spike", impairing=False)
    story.declare("a", 10, until_s=16)
    (mistake,) = measure(story.journal()).mistakes
    assert mistake.fault_kind == "packet-loss"


def test_a_mistake_is_tagged_with_a_stall_of_the_control_plane() -> None:
    story = Story()
    story.fault(1, "", 5, 9, "observer-stall", impairing=False)
    story.declare("a", 9, until_s=16)
    story.declare("b", 20, until_s=21)
    made = measure(story.journal()).mistakes
    assert [(m.master, m.fault_kind) for m in made] == [("a", "observer-stall"), ("b", "")]


def test_a_fenced_mistake_lasts_to_the_end_of_the_restart() -> None:
    story = Story()
    story.declare("a", 10, until_s=80)
    happy(story, 1, "a", [10, 10, 12, 12, 13, 14, 15])
    story.fenced("a", 1, 12, 72)
    story.down(12, "p1")
    story.up(14.5, "p1", "b")
    measured = measure(story.journal())
    (mistake,) = measured.mistakes
    assert (mistake.duration_s, mistake.fenced, mistake.failover) == (62, True, 1)
    assert measured.failovers[0].mistaken
    assert measured.failovers[0].failover_s == 4.5
    assert measured.service.mistaken_s == measured.service.down_s == 2.5


def test_a_real_incident_and_the_end_of_the_run_cut_a_mistake_short() -> None:
    story = Story()
    story.declare("a", 10, until_s=60)
    story.fault(1, "a", 30, 50)
    story.declare("b", 90)
    first, second = measure(story.journal()).mistakes
    assert (first.duration_s, first.censored_s) == (None, 20)
    assert (second.duration_s, second.censored_s) == (None, 10)


def test_a_master_that_is_off_because_it_was_fenced_is_not_healthy() -> None:
    story = Story()
    story.fenced("b", 1, 20, 60)
    story.declare("b", 25, until_s=70)
    assert measure(story.journal()).mistakes == ()


def test_suspicion_alone_is_no_mistake() -> None:
    story = Story()
    story.status(10, "a", Status.SUSPECT)
    story.status(11, "a", Status.HEALTHY)
    assert measure(story.journal()).mistakes == ()


def test_healthy_time_leaves_incidents_out() -> None:
    story = Story()
    story.fault(1, "a", 10, 20)
    story.fault(2, "a", 15, 30)
    a, b, _ = measure(story.journal()).masters
    assert (a.impaired_s, a.healthy_s) == (20, 80)
    assert (b.impaired_s, b.healthy_s) == (0, 100)
