"""Operations and the seconds around them, from journals told by hand."""

from __future__ import annotations

from hasim.events import (
    AcknowledgeFailover,
    DrainMaster,
    PublishRouting,
    RoutingConverged,
    SwitchAlgorithm,
)
from hasim.measures import measure
from hasim.model import RoutingTable
from hasim.truth import LoadSample
from tests.measures.story import Story


def switched() -> Story:
    """A drain at 30 s and a switch at 40 s; a gets 2 a second, then 1, b and c 3 and 4."""
    story = Story()
    sent, lost = [0, 0, 0], 0
    for second in range(10, 100):
        story.truth(second, LoadSample(tuple(sent), lost))
        sent = [sent[0] + (2 if second < 40 else 1), sent[1] + 3, sent[2] + 4]
        lost += second == 41
    story.tell(30, "input", DrainMaster("b"))
    story.tell(40, "input", SwitchAlgorithm("geo"))
    table = RoutingTable(7, ("a", "b", "c"), (), "geo")
    story.tell(40, "effect", PublishRouting("west", table))
    story.tell(42, "event", RoutingConverged(6))
    story.tell(43.5, "event", RoutingConverged(7))
    return story


def test_operations_are_listed_with_the_time_that_routing_took() -> None:
    rows = measure(switched().journal()).operations
    assert [(r.operation, r.done_at_s, r.do, r.subject, r.routed_s) for r in rows] == [
        (1, 30.0, "drain", "b", None),  # what was published since came of the switch
        (2, 40.0, "switch-algorithm", "geo", 3.5),
    ]


def test_routing_that_comes_much_later_is_of_something_else() -> None:
    """Of a failover, say: who acknowledges an old one changes no routing."""
    table = RoutingTable(7, ("a", "b", "c"), (), "geo")
    found = []
    for published_s in (149.9, 150.0):  # it is looked at 120 s
        story = Story(300)
        story.tell(30, "input", AcknowledgeFailover("b"))
        story.tell(published_s, "effect", PublishRouting("west", table))
        story.tell(151, "event", RoutingConverged(7))
        found += measure(story.journal()).operations
    assert [(row.do, row.routed_s) for row in found] == [
        ("acknowledge", 121.0),
        ("acknowledge", None),
    ]


def test_the_seconds_around_them_end_at_the_next_operation() -> None:
    rows = measure(switched().journal()).transients
    first = [r.offset_s for r in rows if r.operation == 1 and r.master == "a"]
    second = [r.offset_s for r in rows if r.operation == 2 and r.master == "a"]
    assert first == [float(offset) for offset in range(-20, 10)]
    assert second == [float(offset) for offset in range(-10, 59)]
    at = {(r.offset_s, r.master): (r.sent, r.lost) for r in rows if r.operation == 2}
    assert at[-1.0, "a"] == (2, 0)
    assert at[0.0, "a"] == (1, 0)
    assert at[1.0, "c"] == (4, 1)
