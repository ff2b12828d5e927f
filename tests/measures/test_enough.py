"""k of n, of histories told by hand."""

from __future__ import annotations

from hasim.measures import measure
from hasim.measures.catalogue import find
from hasim.measures.catalogue.estimators import Mean
from hasim.measures.measured import Measured
from hasim.model import Status
from hasim.truth import MasterFenced, MasterRestarted
from tests.measures.story import Story
from tests.measures.test_availability import causes


def measured(story: Story, needed: int) -> Measured:
    """The story, as that of three masters of which so many are needed."""
    story.header["needed"] = needed
    return measure(story.journal())


def told() -> Story:
    """a is down from 10 s to 40 s, b from 20 s to 50 s; declared and taken back 5 s late."""
    story = Story()
    story.fault(1, "a", 10, 40)
    story.fault(2, "b", 20, 50)
    story.declare("a", 15, 45)
    story.declare("b", 25, 55)
    return story


def test_too_few_are_left_until_one_is_taken_back() -> None:
    """a and b down: 20 s to 40 s; a well, and not yet taken back, until 45 s."""
    found = measured(told(), 2)
    assert found.k_of_n is not None
    assert causes(found.k_of_n) == {"no_capacity": 20.0, "deciding": 5.0}
    assert not found.k_of_n.down_at_end
    share = find("uptime.k_of_n").estimator
    assert isinstance(share, Mean)
    assert share.each(found) == 0.75


def test_one_is_always_left_and_all_are_seldom_there() -> None:
    one, every = (measured(told(), needed).k_of_n for needed in (1, 3))
    assert one is not None
    assert every is not None
    assert one.down_s == 0
    assert causes(every) == {"no_capacity": 40.0, "deciding": 5.0}


def test_whoever_is_held_for_failed_by_mistake_does_not_serve() -> None:
    story = Story()
    story.declare("c", 60, 70)
    found = measured(story, 3).k_of_n
    assert found is not None
    assert causes(found) == {"mistaken": 10.0}


def test_a_restart_after_a_fence_and_maintenance_count() -> None:
    story = Story()
    story.fault(1, "a", 10, 20)
    story.declare("a", 12, 33)
    story.truth(14, MasterFenced("a", 1))
    story.truth(30, MasterRestarted("a"))
    story.status(80, "b", Status.MAINTENANCE)
    found = measured(story, 3).k_of_n
    assert found is not None
    assert causes(found) == {"no_capacity": 30.0, "fencing": 10.0, "deciding": 3.0}
    assert found.down_at_end
