"""The hunter bites: each seeded defect is found soon, and shrunk to a few faults."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from tests.defects import DEFECTS
from tests.defects.published import ASKED, LIST, NOT_LISTED, Listed, folders_of
from tests.defects.putting import hunted, killed_by

SOON = 2000
"""Worlds that it may take: two minutes on one core."""
FAILOVER = "tests/services/failover/test_{}.py::test_{}"
DETECTION = "tests/services/detection/test_detection.py::test_{}"
NEAREST = {
    "suspects are promoted": FAILOVER.format(
        "answers", "a_master_under_suspicion_takes_nothing_over"
    ),
    "a late answer is believed": FAILOVER.format(
        "failover", "an_answer_to_an_earlier_order_is_not_taken_for_this_one"
    ),
    "restore loses epochs": FAILOVER.format(
        "answers", "a_restored_plane_promotes_under_an_epoch_above_all_that_were"
    ),
    "one fencing order too many": FAILOVER.format(
        "policy", "a_device_that_refuses_is_asked_again_after_pauses_that_double"
    ),
    "the failed owner is read from": FAILOVER.format(
        "answers", "a_copy_is_fetched_from_all_but_the_candidate_and_the_failed_owner"
    ),
    "a late probe reply is accepted": DETECTION.format(
        "an_answer_after_the_timeout_counts_for_nothing"
    ),
    "doubt does not interrupt the passed run": DETECTION.format(
        "a_message_that_fails_interrupts_the_run_of_passed_probes"
    ),
    "absent masters are probed": DETECTION.format(
        "a_master_that_is_absent_is_not_asked_before_it_joins"
    ),
    "waiting has no deadline": FAILOVER.format("selection", "when_nobody_passes[wait-None-failed]"),
}
"""What once survived all tests of the services, with the one that kills it now."""
MONITOR = "tests/services/monitoring/test_monitor_machine.py::TestMonitor"
BALANCING = "tests/services/routing/test_balancing_machine.py::TestBalancing"
OF_A_MACHINE = {
    "alerts are never resolved": MONITOR,
    "the hold of alerts is ignored": MONITOR,
    "an alert that fires again keeps its clear time": MONITOR,
    "a failed master stays routed": BALANCING,
    "a recovering master stays routed": BALANCING,
    "an old acknowledgement converges": BALANCING,
    "routing is never sent again": BALANCING,
    "a restarted gateway is not told": BALANCING,
}
"""What the state machine of the service alone notices."""
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
    assert set(NOT_LISTED) <= set(DEFECTS) - {listed.name for listed in LIST}
    assert all(Path(where).is_dir() for name in DEFECTS for where in folders_of(name))


@pytest.mark.parametrize("name", QUICK)
def test_a_defect_is_found_and_shrunk_to_at_most_three_faults(name: str) -> None:
    _found(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(ASKED) - set(QUICK)))
def test_each_other_that_is_asked_for_is_found_and_shrunk(name: str) -> None:
    _found(name)


@pytest.mark.parametrize("name", OF_A_MACHINE)
def test_the_machine_of_a_service_alone_notices_it(name: str) -> None:
    assert killed_by(name, OF_A_MACHINE[name]) == f"{OF_A_MACHINE[name]}::runTest"


def _found(name: str) -> None:
    found = hunted(name, 1, SOON)
    assert found is not None
    assert len(found[1].data.get("faults", ())) <= 3


@pytest.mark.slow
@pytest.mark.parametrize("listed", LIST, ids=lambda listed: listed.what)
def test_each_of_the_list_is_seen_or_killed_by_a_test(listed: Listed) -> None:
    assert killed_by(listed.name, listed.tests) or hunted(listed.name, 1, SOON)


@pytest.mark.slow
@pytest.mark.parametrize("name", NEAREST)
def test_what_once_survived_is_killed_by_a_test_next_to_it(name: str) -> None:
    assert killed_by(name, NEAREST[name]) == NEAREST[name]
