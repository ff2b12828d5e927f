from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from hasim.hunt.drawing import draw, kinds
from hasim.hunt.drawing.dice import Dice
from hasim.hunt.drawing.schedule import DOWN, MEETS, faults
from hasim.hunt.drawing.swarm import FEATURES, swarm
from hasim.hunt.mutating import whole
from hasim.units import parse_duration
from tests.simulation.planes import assert_equal, both


def test_the_same_seed_and_number_give_the_same_world() -> None:
    assert draw(3, 7)[0] == draw(3, 7)[0]
    assert draw(3, 7)[0] != draw(3, 8)[0]
    assert draw(3, 7)[0] != draw(4, 7)[0]


def test_swarms_leave_out_and_take_in_every_feature_and_kind() -> None:
    swarms = [swarm(Dice(str(n)), kinds()) for n in range(300)]
    for feature in FEATURES:
        assert {feature in one for one in swarms} == {True, False}
    for kind in kinds():
        assert {kind in one.kinds for one in swarms} == {True, False}


def test_worlds_differ_in_topology_settings_and_faults() -> None:
    drawn = [draw(1, number)[0] for number in range(25)]
    assert len({len(whole(data)["masters"]) for data in drawn}) > 2
    assert len({str(whole(data)["failover"]) for data in drawn}) > 20
    assert {"tiers" in data for data in drawn} == {True, False}
    assert len({fault["kind"] for data in drawn for fault in data["faults"]}) > 8


def test_what_only_a_failover_meets_comes_while_a_master_is_out_of_service() -> None:
    met = Counter[str]()
    for number in range(300):
        dice = Dice(f"met/{number}")
        found = faults(dice, swarm(dice, kinds()), kinds(), [{"id": "m1"}, {"id": "m2"}])
        timed = [one for one in found if "at" in one]
        for first, later in pairwise(timed):
            later_ns = parse_duration(later["at"]) - parse_duration(first["at"])
            if first["kind"] in DOWN and later_ns < parse_duration(first["for"]):
                met[later["kind"]] += 1
    assert set(met) >= {*MEETS}


@pytest.mark.parametrize("number", [5, 6])
def test_both_planes_give_the_same_in_a_world_of_the_hunt(number: int) -> None:
    _, loaded = draw(11, number)
    (cell,) = loaded.cells
    assert_equal(both(cell.world, seed=loaded.scenario.seed))
