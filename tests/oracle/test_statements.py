from __future__ import annotations

import pytest

from hasim.model import Status
from hasim.oracle import check
from hasim.oracle.statements import StatementError, stated
from hasim.truth import Writers
from tests.measures.story import Story


def breaches(text: str, story: Story) -> list[tuple[float, str]]:
    return [(b.t_ns / 1e9, b.text) for b in check(story.journal(), [stated(text)])]


def told() -> Story:
    """p1 is down from 10 s to 25 s; a is failed from 12 s to 30 s; two writers for 5 s."""
    story = Story()
    for master in "abc":
        story.status(1, master, Status.HEALTHY)
    story.down(10, "p1")
    story.declare("a", 12, 30)
    story.up(25, "p1", "b")
    story.truth(40, Writers("p2", ("a", "b")))
    story.truth(45, Writers("p2", ("b",)))
    return story


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("always: served", [10]),
        ("eventually within 15s: served", []),
        ("eventually within 14s: served", [10]),
        ("always: one-primary", [40]),
        ("eventually within 5s: one-primary", []),
        ("eventually within 10s: healthy", [12]),
        ("eventually within 20s: healthy", []),
        ("always: outage.max < 16s", []),
        ("always: outage.max < 15", [100]),
        ("always: dual-primary <= 5", []),
        ("always: dual-primary < 5s", [100]),
        ("always: downtime >= 15s", []),
    ],
)
def test_what_is_stated_holds_or_not(text: str, times: list[float]) -> None:
    assert [t for t, _ in breaches(text, told())] == times


def test_what_does_not_hold_is_told_with_its_unit() -> None:
    ((_, number),) = breaches("always: outage.max < 15", told())
    assert number == "it came to 15 s, stated is < 15"
    ((_, state),) = breaches("eventually within 14s: served", told())
    assert state == "it does not hold for 15.000000000 s"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("never: served", "expected 'always: STATE'"),
        ("always: servd", "did you mean served"),
        ("always: outage.mx < 3s", "did you mean outage.max"),
        ("eventually within soon: served", "soon"),
        ("always: outage.max < much", "much"),
    ],
)
def test_a_statement_that_cannot_be_read_says_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(StatementError, match=message):
        stated(text)
