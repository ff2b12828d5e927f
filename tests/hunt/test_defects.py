"""The hunter bites: each seeded defect is found soon, and shrunk to a few faults."""

from __future__ import annotations

import inspect

import pytest

from tests.defects import DEFECTS
from tests.defects.published import ASKED, LIST, Listed
from tests.defects.putting import hunted, killed_by

SOON = 2000
"""Worlds that it may take: two minutes on one core."""
QUICK = ("the epoch is not raised", "the failed owner is read from", "absent masters are probed")


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_fits_what_there_is(name: str) -> None:
    """What it replaces is there, and is called as what replaces it."""
    with pytest.MonkeyPatch.context() as patch:
        DEFECTS[name](patch)
        for owner, attribute, old in patch._setattr:
            new = getattr(owner, attribute)
            if inspect.isfunction(old) and inspect.isfunction(new):
                given = inspect.signature(old).parameters.values()
                named = {each.name: each for each in given if each.kind is each.KEYWORD_ONLY}
                plain = [each for each in given if each.kind is each.POSITIONAL_OR_KEYWORD]
                inspect.signature(new).bind(*plain, **named)


def test_every_defect_of_the_list_stands_here() -> None:
    assert len(LIST) == 46
    assert {listed.name for listed in LIST} <= set(DEFECTS)
    assert len(ASKED) == len(set(ASKED)) == 20
    assert set(ASKED) <= set(DEFECTS)


@pytest.mark.parametrize("name", QUICK)
def test_a_defect_is_found_and_shrunk_to_at_most_three_faults(name: str) -> None:
    _found(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(ASKED) - set(QUICK)))
def test_each_other_that_is_asked_for_is_found_and_shrunk(name: str) -> None:
    _found(name)


def _found(name: str) -> None:
    found = hunted(name, 1, SOON)
    assert found is not None
    assert len(found[1].data.get("faults", ())) <= 3


@pytest.mark.slow
@pytest.mark.parametrize("listed", LIST, ids=lambda listed: listed.what)
def test_each_of_the_list_is_seen_or_killed_by_a_test(listed: Listed) -> None:
    assert killed_by(listed.name, listed.tests) or hunted(listed.name, 1, SOON)
