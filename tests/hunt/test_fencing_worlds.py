"""Random worlds under each way of fencing: no schedule of faults breaks an invariant.

`.ci/run` looks at 200 of each (`results/failover.py --only-worlds`), the slow test at 5,000.
"""

from __future__ import annotations

import pytest

from hasim.hunt.fenced import STRIKES, WAYS, look, world
from hasim.services.failover.registry import FENCINGS


def test_every_way_that_ships_is_tried() -> None:
    assert set(WAYS) == set(FENCINGS.shipped)


@pytest.mark.parametrize("way", WAYS)
def test_no_random_schedule_of_faults_breaks_an_invariant(way: str) -> None:
    seen = look(way, range(20))
    assert seen.broken == []
    assert seen.worlds == 20
    # By hand, most of them wait, and are called off when their owner is back.
    assert seen.failovers > 15
    assert seen.returned > 0
    assert seen.refused > 0
    assert [kind for kind in STRIKES if seen.faults[kind] < 3] == []
    if way in ("confirmed", "lease", "token", "step-down"):
        assert seen.dual_s == 0.0


@pytest.mark.parametrize("way", ["best-effort", "confirmed"])
def test_an_owner_that_was_given_all_back_may_fail_before_that_has_ended(way: str) -> None:
    """It has redirected to the owner itself, promoted anew, when the owner is declared failed."""
    seen = look(way, [171])
    assert seen.broken == []
    assert seen.failovers > 0


@pytest.mark.parametrize("way", ["best-effort", "confirmed"])
def test_what_a_process_has_ordered_that_is_forgotten_strikes_nobody(way: str) -> None:
    """Its successor remembers nothing, and declares healthy whom the device is about to strike."""
    seen = look(way, [282])
    assert seen.broken == []
    assert seen.faults["observer-crash"] == 1


def test_a_question_for_a_lease_that_was_overtaken_is_no_second_lapse() -> None:
    """The control plane hears slowly for a while: what was asked before the lapse comes after."""
    seen = look("lease", [206])
    assert seen.broken == []
    assert seen.faults["observer-slow"] == 1


def test_attempts_that_a_dead_gateway_refuses_were_at_no_master() -> None:
    assert look("token", [210]).broken == []


def test_where_nobody_passes_the_best_may_lag_further_than_allowed() -> None:
    assert look("step-down", [302]).broken == []


def test_whom_another_control_plane_promoted_anew_is_fenced_anew_if_it_is_silent() -> None:
    """The first has fenced the owner, and waits for a candidate; then another one promotes the
    owner, which does not answer when the first begins the next term."""
    seen = look("confirmed", [463])
    assert seen.broken == []
    assert seen.dual_s == 0.0


def test_one_that_was_paused_ends_an_old_alert_when_its_cause_comes_again() -> None:
    assert look("lease", [461]).broken == []


def test_a_world_is_the_same_whatever_the_fencing() -> None:
    number = next(n for n in range(20) if "failover" in world("none", n)[0])
    made = [world(way, number)[0] for way in ("none", "confirmed", "lease")]
    assert [data["failover"].pop("fencing")["kind"] for data in made] == [
        *("none", "confirmed", "lease")
    ]
    assert made[0] == made[1] == made[2]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_nor_do_five_thousand(way: str) -> None:
    assert look(way, range(20, 5_000)).broken == []
