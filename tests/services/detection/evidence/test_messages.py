"""Message outcomes as evidence, against their definition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hasim.events import MasterTraffic
from hasim.model import Cause
from hasim.services.detection.evidence.messages import OVERTAKEN, MessageEvidence


def traffic(streak: int) -> MasterTraffic:
    return MasterTraffic("m1", 0, streak, 0, streak, Cause.ERROR, 0)


def test_old_failures_are_excused_once_the_master_is_healthy_again() -> None:
    evidence = MessageEvidence(2)
    assert evidence.update("a", 1, traffic(5)) == 2
    evidence.excuse()
    assert evidence.update("a", 2, traffic(5)) == 0
    assert evidence.update("a", 3, traffic(6)) == 0
    assert evidence.update("a", 4, traffic(7)) == 1


def test_a_report_that_was_overtaken_is_known_as_such() -> None:
    evidence = MessageEvidence(2)
    assert evidence.update("a", 2, traffic(1)) == 0
    assert evidence.update("a", 1, traffic(5)) == OVERTAKEN
    assert evidence.standing() == 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=80), st.integers(1, 4))
def test_message_evidence_against_its_definition(events, limit: int) -> None:
    """Failed checks so far equal the peak of standing failures // limit since all runs ended."""
    evidence, runs, counted = MessageEvidence(limit), dict.fromkeys("abc", 0), 0
    for sequence, (gateway, failed) in enumerate(events, 1):
        runs[gateway] = runs[gateway] + 1 if failed else 0
        added = evidence.update(gateway, sequence, traffic(runs[gateway]))
        standing = sum(runs.values())
        counted = counted if standing else 0
        assert added == max(0, standing // limit - counted)
        counted = max(counted, standing // limit)
