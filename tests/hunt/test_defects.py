"""The hunter bites: each seeded defect is found soon, and shrunk to a few faults."""

from __future__ import annotations

import pytest

from hasim.hunt.running import Ran, run
from hasim.hunt.search import Hunt, State
from tests.hunt.defects import DEFECTS

SOON = 400
"""Worlds that it may take: two minutes on one core."""
QUICK = ("the epoch is not raised", "the failed owner is read from")


def found(name: str) -> tuple[Hunt, Ran]:
    """A hunt with the defect, and the smallest world that breaks something by it alone."""
    hunt = Hunt(State(1))
    while hunt.state.number < SOON:
        with pytest.MonkeyPatch.context() as patch:
            DEFECTS[name](patch)
            ran = hunt.step()
        sound = set(run(ran.data).broken) if ran.broken else set()
        own = [broken for broken in ran.broken if broken not in sound]
        if own:
            with pytest.MonkeyPatch.context() as patch:
                DEFECTS[name](patch)
                return hunt, hunt.shrink(ran.only(own[0]))
    raise AssertionError(f"not found in {SOON} worlds")


@pytest.mark.parametrize("name", QUICK)
def test_a_defect_is_found_and_shrunk_to_at_most_three_faults(name: str) -> None:
    hunt, smallest = found(name)
    assert smallest.broken
    assert len(smallest.data.get("faults", ())) <= 3
    assert hunt.state.number <= SOON


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(DEFECTS) - set(QUICK)))
def test_each_other_defect_is_found_and_shrunk(name: str) -> None:
    _, smallest = found(name)
    assert len(smallest.data.get("faults", ())) <= 3
