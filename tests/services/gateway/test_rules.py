"""The rules of an attempt's life, at their very limits."""

from __future__ import annotations

from hasim.services.gateway.rules import looks_at


def test_one_looks_when_room_opens_later_and_before_anybody_looks_anyway() -> None:
    assert looks_at(5, 6, 9)
    assert not looks_at(5, 5, 9)  # that moment is looked at already
    assert not looks_at(5, 9, 9)
