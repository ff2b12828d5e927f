"""Watching changes nothing: a world that stops goes on as one that does not; journals the same."""

from __future__ import annotations

import pytest

import hasim
from hasim.scenario.loader import Loaded
from hasim.simulation.run import simulate
from hasim.singles import singly
from hasim.units import MILLISECOND, SECOND
from hasim.watch.sources import Replayed, Simulated

SCENARIO = {
    "name": "watched",
    "horizon": "90s",
    "replications": 1,
    "seed": 3,
    "masters": [{"id": "a"}, {"id": "b", "like": "a"}, {"id": "c", "like": "a"}],
    "traffic": {"arrivals": {"law": "poisson", "rate": "20/s"}, "owned": "50%", "timeout": "1s"},
    "faults": [{"kind": "hang", "target": "owner-of:p1", "at": "20s", "for": "30s"}],
    "detection": {"interval": "2s", "evidence": ["probe", "messages"]},
}


def loaded(**changes: object) -> Loaded:
    from hasim.api import prepare

    return prepare({**SCENARIO, **changes})


def told(journal: hasim.Journal) -> list[object]:
    """All that was recorded but the sums at the end, each probe by itself."""
    end = (
        *("TrafficRollup", "AttemptRollup", "LatencySketch", "WritesHeld"),
        *("ClientRollup", "ClientsFollowed", "MessagesHeld"),
    )
    return [r for r in singly(journal).records if type(r.body).__name__ not in end]


@pytest.mark.parametrize("plane", ["compiled", "reference"])
def test_stops_change_nothing(plane):
    found = loaded(data_plane=plane)
    point = found.cells[0]
    whole = simulate(point.world, found.recorded_of(point), seed=3, replication=0)
    source = Simulated(found)
    while source.now_ns < source.end_ns and not source.show().over:
        source.advance(source.now_ns + 370 * MILLISECOND)
        source.show()
    source.journal.header = whole.header
    assert told(source.journal) == told(whole)
    assert source.show().over


def test_a_picture_has_the_truth_and_what_is_believed():
    source = Simulated(loaded())
    source.advance(30 * SECOND)
    shown = source.show()
    a = shown.masters[0]
    assert (shown.now_s, shown.end_s, a.name) == (30.0, 90.0, "a")
    assert a.truth == ("hang",)
    assert a.status == "failed"
    assert a.suspicion >= 1
    assert [m.truth for m in shown.masters[1:]] == [(), ()]
    assert "p1" in {p for m in shown.masters[1:] for p in m.owns}
    assert (20.0, "truth", "hang strikes a") in shown.news
    assert any("a is failed" in text for _, who, text in shown.news if who == "detection")
    source.advance(80 * SECOND)
    assert source.show().masters[0].truth == ()
    source.close()


def test_every_kind_of_fault_can_be_injected():
    kinds = Simulated(loaded()).kinds
    assert {"crash", "hang", "partition", "gateway-crash", "observer-crash"} <= set(kinds)
    for kind in kinds:
        source = Simulated(loaded(faults=[]))
        source.advance(5 * SECOND)
        said = source.inject(kind, source.targets(kind)[0], 10)
        assert said.startswith(kind)
        source.advance(12 * SECOND)
        lines = [text for _, who, text in source.show().news if who == "truth"]
        assert any(text.startswith(f"{kind} strikes") for text in lines), kind
        source.advance(source.end_ns)
        lines = [text for _, who, text in source.show().news if who == "truth"]
        assert any(text.startswith(f"{kind} at") and "cured" in text for text in lines), kind


def test_the_services_react_to_what_was_injected():
    source = Simulated(loaded(faults=[]))
    source.advance(10 * SECOND)
    assert {m.status for m in source.show().masters} == {"healthy"}
    source.inject("crash", "b", 60)
    source.advance(25 * SECOND)
    assert [m.status for m in source.show().masters] == ["healthy", "failed", "healthy"]
    assert source.show().masters[1].owns == ()
    with pytest.raises(ValueError, match="unknown"):
        source.inject("crush", "b", 60)
    source.close()


def test_a_journal_shows_what_its_control_plane_knew():
    found = loaded()
    point = found.cells[0]
    journal = simulate(point.world, found.recorded_of(point), seed=3, replication=0)
    live, again = Simulated(found), Replayed(journal)
    for now_s in (5, 21, 23, 30, 60, 89):
        for source in (live, again):
            source.advance(now_s * SECOND)
        one, other = live.show(), again.show()
        assert one.masters == other.masters, now_s
        assert one.board == other.board, now_s
    again.advance(again.end_ns)
    assert again.show().over
    with pytest.raises(ValueError, match="journal"):
        again.inject("crash", "a", 1)
    live.close()
