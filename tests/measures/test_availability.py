from __future__ import annotations

from dataclasses import fields
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.events import FailoverChanged
from hasim.measures import measure
from hasim.measures.availability import Availability, Downtime
from hasim.measures.causes import CAUSES
from hasim.truth import StatelessServed, Writers
from tests.measures.story import LIFECYCLE, Story, happy


def causes(row: Downtime) -> dict[str, float]:
    return {c: v for c in CAUSES if (v := getattr(row, f"{c}_s"))}


def test_every_cause_has_a_column() -> None:
    assert {f"{cause}_s" for cause in CAUSES} < {f.name for f in fields(Availability)}


def test_without_faults_everything_is_up() -> None:
    service = measure(Story().journal()).service
    assert (service.uptime, service.uptime_mean, service.uptime_stateless) == (1, 1, 1)
    assert (service.down_s, causes(service), service.down_at_end) == (0, {}, False)


def test_the_shortfall_follows_the_phases() -> None:
    story = Story()
    story.fault(1, "a", 10, 90)
    story.down(10, "p1")
    story.declare("a", 13)
    happy(story, 1, "a", [13, 13.5, 15.5, 16, 18, 18.25, 20])
    story.up(19, "p1", "b")
    measured = measure(story.journal())
    expected = {
        "undetected": 3.0,
        "deciding": 1.0,
        "fencing": 2.0,
        "transferring": 2.0,
        "promoting": 0.25,
        "redirecting": 0.75,
    }
    assert causes(measured.service) == expected
    assert measured.service.uptime == pytest.approx(0.91)
    assert measured.service.uptime_mean == pytest.approx(1 - 0.09 / 3)
    assert causes(measured.partitions[0]) == expected
    assert [p.outages for p in measured.partitions] == [1, 0, 0]


def test_two_partitions_down_count_once_in_the_whole() -> None:
    story = Story()
    story.fault(1, "a", 10, 30)
    story.down(10, "p1")
    story.up(30, "p1")
    story.down(20, "p2")
    story.up(40, "p2")
    service = measure(story.journal()).service
    assert causes(service) == {"undetected": 20, "overloaded": 10}
    assert (service.down_s, service.uptime) == (30, 0.7)
    assert service.uptime_mean == pytest.approx(1 - 0.4 / 3)


def test_a_fence_of_a_candidate_is_charged_to_the_failover() -> None:
    story = Story()
    story.fault(1, "a", 5, 90)
    story.declare("a", 6)
    story.failover(1, "a", [(6, "declared"), (6, "fencing")])
    story.fenced("b", 1, 10, 70)
    story.down(10, "p2")
    story.declare("b", 12, until_s=80)
    story.up(70, "p2")
    row = measure(story.journal()).partitions[1]
    assert causes(row) == {"fencing": 2, "deciding": 58}


def test_a_mistaken_fence_is_mistaken_to_the_end() -> None:
    """The failover gives up after the fence: the restart is the mistake's downtime."""
    story = Story()
    story.declare("a", 10, until_s=80)
    story.failover(1, "a", [(10, "declared"), (10, "fencing"), (20, "failed")])
    story.fenced("a", 1, 12, 72)
    story.down(12, "p1")
    story.up(72, "p1")
    assert causes(measure(story.journal()).service) == {"mistaken": 60}


def test_a_gateway_that_never_confirmed_is_still_redirecting() -> None:
    story = Story()
    story.fault(1, "a", 10, 90)
    story.down(10, "p1")
    story.declare("a", 10)
    happy(story, 1, "a", [10, 10, 10, 10, 10, 10, 20])
    story.owner["p1"] = "b"
    story.down(15, "p1")
    story.up(24, "p1")
    assert causes(measure(story.journal()).service) == {"redirecting": 14}


def test_down_at_the_end_is_said() -> None:
    story = Story()
    story.down(90, "p3")
    service = measure(story.journal()).service
    assert (service.down_s, service.down_at_end, causes(service)) == (10, True, {"overloaded": 10})


def test_stateless_uptime() -> None:
    story = Story()
    story.truth(10, StatelessServed(False))
    story.truth(12, StatelessServed(False))
    story.truth(15, StatelessServed(True))
    story.truth(95, StatelessServed(False))
    assert measure(story.journal()).service.uptime_stateless == pytest.approx(0.9)


def test_dual_primary_seconds() -> None:
    story = Story()
    story.truth(10, Writers("p1", ("a", "b")))
    story.truth(11, Writers("p1", ("a", "b", "c")))
    story.truth(13, Writers("p1", ("b",)))
    story.truth(98, Writers("p2", ("a", "b")))
    measured = measure(story.journal())
    assert measured.service.dual_primary_s == 5
    assert [p.dual_primary_s for p in measured.partitions] == [3, 2, 0]


def wild(seed: int) -> Story:
    """A random, mostly nonsensical run: the folds must hold whatever a journal says."""
    random = Random(seed)
    story = Story()
    for number in range(random.randrange(6)):
        start = random.uniform(0, 95)
        end = random.choice([None, min(100.0, start + random.expovariate(0.1))])
        masters = "".join(sorted(random.sample("abc", random.randint(1, 2))))
        story.fault(number, masters, start, end, impairing=random.random() < 0.7)
    for master in "abc":
        times = sorted(random.uniform(0, 100) for _ in range(random.randrange(6)))
        for t_s, until_s in zip(times[::2], times[1::2], strict=False):
            story.declare(master, t_s, until_s)
    for partition in story.owner:
        times = sorted(random.choice((5, 10, random.uniform(0, 100))) for _ in range(6))
        for index, t_s in enumerate(times[: random.randrange(7)]):
            (story.down if index % 2 == 0 else story.up)(t_s, partition)
    for number in range(random.randrange(4)):
        t_s, state, steps = random.uniform(0, 90), "declared", []
        while state and t_s < 100:
            steps.append((t_s, state))
            t_s += random.expovariate(0.5)
            state = random.choice([*LIFECYCLE.get(state, {}).values()] or [""])
        master = random.choice("abc")
        owned = tuple(sorted(random.sample(sorted(story.owner), random.randrange(3))))
        story.failover(number, master, steps, partitions=owned)
        if random.random() < 0.5:
            story.fenced(master, number, steps[0][0], min(100, steps[0][0] + 20))
    return story


def sampled_downtime(story: Story) -> float:
    """The share of 10 ms instants in which any partition is down: slow, and independent."""
    changes = [(r.t_ns, r.body) for r in story.journal().records]
    changes = [(t, b) for t, b in changes if type(b).__name__ == "PartitionServed"]
    up, index, down = dict.fromkeys(story.owner, True), 0, 0
    for tick in range(10_000):
        t_ns = tick * 10**7
        while index < len(changes) and changes[index][0] <= t_ns:
            up[changes[index][1].partition] = changes[index][1].up
            index += 1
        down += not all(up.values())
    return down / 10_000


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_invariants_of_the_folds(seed: int) -> None:
    story = wild(seed)
    measured = measure(story.journal())
    service = measured.service
    assert 0 <= service.uptime <= service.uptime_mean <= 1
    for row in (service, *measured.partitions):
        assert sum(causes(row).values()) == pytest.approx(row.down_s, abs=1e-6)
        assert row.uptime == pytest.approx(1 - row.down_s / 100, abs=1e-9)
        assert all(value > 0 for value in causes(row).values())
    assert max(p.down_s for p in measured.partitions) <= service.down_s + 1e-9
    assert 1 - service.uptime == pytest.approx(sampled_downtime(story), abs=0.003)
    for incident in measured.incidents:
        excluded = incident.outcome in ("already declared", "maintenance")
        times = [t for t in (incident.detection_s, incident.censored_s) if t is not None]
        assert len(times) == (0 if excluded else 1)
        assert all(0 <= t <= 100 for t in times)
        assert (incident.outage_s is None) or incident.outage_s > 0
    for failover in measured.failovers:
        times = [t for t in (failover.failover_s, failover.censored_s) if t is not None]
        assert len(times) == (1 if failover.partitions and not failover.retry else 0)
        assert all(0 <= t <= 100 for t in times)
    for master in measured.masters:
        assert master.impaired_s + master.healthy_s == pytest.approx(100)
    for mistake in measured.mistakes:
        assert (mistake.duration_s is None) != (mistake.censored_s is None)


def test_any_partition_up_and_how_often_the_service_went_down() -> None:
    story = Story()
    for partition, since_s, until_s in (("p1", 10, 40), ("p2", 20, 30), ("p3", 25, 60)):
        story.down(since_s, partition)
        story.up(until_s, partition)
    story.down(80, "p2")
    story.up(81, "p2")
    service = measure(story.journal()).service
    assert service.uptime_any == 1 - 5 / 100
    assert (service.down_s, service.outages) == (51, 2)


def test_downtime_of_a_planned_switchover_is_told_apart() -> None:
    story = Story()
    story.down(10, "p1")
    story.event(12, FailoverChanged(1, "a", ("p1",), "", "declared", "planned", "", ""))
    story.up(15, "p1")
    story.event(15, FailoverChanged(1, "a", ("p1",), "declared", "cancelled", "x", "", ""))
    rows = measure(story.journal()).downs
    assert [(r.started_at_s, r.ended_at_s, r.planned) for r in rows] == [
        (10, 12, False),
        (12, 15, True),
    ]
