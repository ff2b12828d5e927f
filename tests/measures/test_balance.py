"""Indices of balance, and which masters are available when."""

from __future__ import annotations

import pytest

from hasim.events import (
    AddMaster,
    DrainMaster,
    PublishRouting,
    StartMaintenance,
    UndrainMaster,
)
from hasim.measures import measure
from hasim.measures.balance import (
    coefficient_of_variation,
    jain_index,
    least_to_mean,
    peak_to_mean,
)
from hasim.model import RoutingTable, Status
from hasim.truth import TrafficRollup
from tests.measures.story import Story


@pytest.mark.parametrize(
    ("loads", "jain", "variation", "peak"),
    [
        ((2, 1, 1), 0.8889, 0.354, 1.5),
        ((1, 1, 0), 0.6667, 0.7071, 1.5),
        ((10, 10, 10, 10, 0), 0.8, 0.5, 1.25),
        ((3, 3, 3), 1.0, 0.0, 1.0),
    ],
)
def test_known_values(loads: tuple[int, ...], jain: float, variation: float, peak: float) -> None:
    assert jain_index(loads) == pytest.approx(jain, abs=5e-5)
    assert coefficient_of_variation(loads) == pytest.approx(variation, abs=5e-4)
    assert peak_to_mean(loads) == pytest.approx(peak)
    assert least_to_mean(loads) == pytest.approx(min(loads) * len(loads) / sum(loads))
    # Jain's index is 1 / (1 + variation^2).
    assert jain_index(loads) == pytest.approx(1 / (1 + variation**2), abs=5e-4)


def test_nothing_is_not_even() -> None:
    assert least_to_mean([0, 0]) is None


def test_switches_are_versions_of_the_routing_whoever_gets_them() -> None:
    story = Story(90)
    for version in (2, 3, 4):
        table = RoutingTable(version, ("a", "b"), (), "round-robin")
        for gateway in ("west", "east"):
            story.tell(10 * version, "effect", PublishRouting(gateway, table))
        story.tell(10 * version + 1, "effect", PublishRouting("east", table))  # sent again
    assert measure(story.journal()).balance.switches_per_min == pytest.approx(2.0)
    assert measure(Story().journal()).balance.switches_per_min == 0


def story_with(window: int, **messages: int) -> Story:
    story = Story()
    for master, count in messages.items():
        rollup = TrafficRollup(window * 10**10, master, "ordinary", "ok", count, count, count)
        story.truth(100, rollup)
    return story


def test_a_master_declared_failed_is_no_imbalance() -> None:
    story = story_with(3, a=50, b=50)
    story.declare("c", 25, until_s=60)
    load = measure(story.journal()).balance
    assert load.jain == load.peak_to_mean == 1.0
    assert load.cv == 0.0


def test_one_that_was_declared_within_the_window_is_left_out_of_it() -> None:
    story = story_with(2, a=50, b=25, c=5)
    story.declare("c", 25, until_s=60)
    load = measure(story.journal()).balance
    assert load.peak_to_mean == pytest.approx(50 / 37.5)


def test_windows_count_by_their_messages() -> None:
    story = story_with(0, a=60, b=30, c=30)
    for master in "abc":
        story.truth(100, TrafficRollup(10**10, master, "vip", "ok", 120, 120, 120))
    load = measure(story.journal()).balance
    assert load.peak_to_mean == pytest.approx((1.5 * 120 + 1.0 * 360) / 480)


def test_drained_and_absent_masters_are_not_available() -> None:
    story = story_with(3, a=50, b=50)
    story.tell(25, "input", DrainMaster("c"))
    assert measure(story.journal()).balance.peak_to_mean == 1.0
    story.tell(26, "input", UndrainMaster("c"))
    assert measure(story.journal()).balance.peak_to_mean == 1.5

    story = story_with(3, a=50, b=50)
    story.header["cluster"]["masters"][2]["absent"] = True
    assert measure(story.journal()).balance.peak_to_mean == 1.0
    story.tell(20, "input", AddMaster("c"))
    assert measure(story.journal()).balance.peak_to_mean == 1.0  # health is not proven yet
    story.status(28, "c", Status.HEALTHY)
    assert measure(story.journal()).balance.peak_to_mean == 1.5


def test_a_drained_master_that_was_in_maintenance_is_drained_no_more() -> None:
    story = story_with(5, a=50, b=50)
    story.tell(25, "input", DrainMaster("c"))
    story.tell(30, "input", StartMaintenance("c"))
    story.status(30, "c", Status.MAINTENANCE)
    assert measure(story.journal()).balance.peak_to_mean == 1.0
    story.status(40, "c", Status.HEALTHY)
    assert measure(story.journal()).balance.peak_to_mean == 1.5
