"""Keys that change their master when the routing changes: counted right, alike on both planes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hasim.measures import measure
from hasim.services.balancing import BalancingSettings
from hasim.simulation.clients.churn import MOST_KEYS, Seen, least_moved, moves
from hasim.simulation.clients.traffic import STATELESS, draw_all
from hasim.simulation.settings import KeySettings, WorldSettings
from hasim.simulation.settings.operations import Drain, Remove, Switch, Undrain
from hasim.truth import KeysMoved, MessageRecord
from hasim.units import SECOND
from tests.simulation.planes import FAULTS, assert_equal, both
from tests.simulation.worlds import after, build, lasting, masters, run, traffic, world

KEEPERS = ["ring-hash", "ring-hash-bounded", "maglev", "maglev-bounded", "sticky"]


def keyed(algorithm: str, horizon_s: int = 30, keys: int = 300, **more: Any) -> WorldSettings:
    settings: dict[str, Any] = {
        "masters": masters(4, workers=16),
        "traffic": traffic(100, owned=0.0, keys=KeySettings(number=keys)),
        "balancing": BalancingSettings(algorithm=algorithm, ring_size=512, table_size=251),
        **more,
    }
    return world(horizon_s, **settings)


def drain(master: str, at_s: int) -> Drain:
    return Drain(do="drain", at_ns=at_s * SECOND, master=master)


def moved(settings: WorldSettings) -> list[KeysMoved]:
    return [body for _, body in run(settings).of(KeysMoved)]


@pytest.mark.parametrize("algorithm", KEEPERS)
def test_the_keys_of_a_drained_master_are_those_that_its_messages_had(algorithm: str) -> None:
    never_full = BalancingSettings(
        algorithm=algorithm, ring_size=512, table_size=251, load_bound=1e6
    )
    settings = keyed(algorithm, operations=(drain("m2", 15),), balancing=never_full)
    journal = assert_equal(both(settings))
    ((t_ns, found),) = journal.of(KeysMoved)
    keys = draw_all(build(settings).tiers[0]._traffic()).key.tolist()
    before: dict[int, str] = {}
    later: dict[int, str] = {}
    for _, message in journal.of(MessageRecord):
        then = before if message.arrived_ns < t_ns else later
        then.setdefault(keys[message.message], message.master)
    assert found.keys == len(before)
    assert found.left == sum(master == "m2" for master in before.values())
    assert found.joined == 0
    others = {k: m for k, m in before.items() if m != "m2" and k in later}
    assert found.needless >= sum(later[key] != master for key, master in others.items())
    assert found.ideal == pytest.approx(1 / 4)


def test_a_ring_moves_what_it_must_and_maglev_somewhat_more() -> None:
    settings = {
        name: keyed(name, operations=(drain("m2", 20),)) for name in ("ring-hash", "maglev")
    }
    (ring,), (maglev,) = map(moved, settings.values())
    assert ring.needless == 0
    assert 0 < maglev.needless < maglev.left
    for found in (ring, maglev):
        assert found.left / found.keys == pytest.approx(1 / 4, abs=0.1)


def test_a_master_that_comes_back_draws_keys_and_sessions_stay() -> None:
    back = Undrain(do="undrain", at_ns=20 * SECOND, master="m2")
    operations = (drain("m2", 10), back)
    gone, returned = moved(keyed("ring-hash", operations=operations))
    assert gone.left == pytest.approx(returned.joined, abs=0.1 * gone.left)
    assert returned.left == returned.needless == 0
    _, stayed = moved(keyed("sticky", operations=operations))
    assert stayed.left == stayed.joined == stayed.needless == 0
    assert stayed.keys > 250


def test_another_algorithm_moves_keys_without_need() -> None:
    switch = Switch(do="switch-algorithm", at_ns=10 * SECOND, algorithm="maglev")
    (found,) = moved(keyed("ring-hash", operations=(switch,)))
    assert (found.left, found.joined, found.ideal) == (0, 0, 0.0)
    assert found.needless / found.keys == pytest.approx(3 / 4, abs=0.1)
    away = Switch(do="switch-algorithm", at_ns=10 * SECOND, algorithm="round-robin")
    assert moved(keyed("ring-hash", operations=(away,))) == []


def test_nothing_is_said_without_keys_or_of_algorithms_that_keep_none() -> None:
    plain = traffic(100, owned=0.0)
    assert moved(keyed("ring-hash", traffic=plain, operations=(drain("m2", 10),))) == []
    assert moved(keyed("round-robin", operations=(drain("m2", 10),))) == []


@pytest.mark.parametrize("algorithm", KEEPERS)
def test_both_planes_agree_under_faults_at_two_gateways(algorithm: str) -> None:
    crash = FAULTS["crash"](kind="crash", target="m1", at=after(6), for_=lasting(8))
    settings = keyed(
        algorithm,
        traffic=traffic(
            60, owned=0.3, regions=("here", "there"), keys=KeySettings(number=90, law="zipf")
        ),
        faults=(crash,),
        operations=(Remove(do="remove", at_ns=22 * SECOND, master="m3"),),
    )
    journal = assert_equal(both(settings))
    rows = measure(journal).churn
    assert {row.gateway for row in rows} == {"here", "there"}
    assert sum(row.left for row in rows) > 20
    drawn = draw_all(build(settings).tiers[0]._traffic())
    for t_ns, body in journal.of(KeysMoved) if algorithm != "sticky" else ():
        mine = (drawn.gateway == ("here", "there").index(body.gateway)) & (drawn.partition < 0)
        assert body.keys == len(np.unique(drawn.key[mine & (drawn.arrival_ns < t_ns)]))


def test_of_many_keys_a_thousand_are_looked_at() -> None:
    settings = keyed("maglev", keys=4000, operations=(drain("m2", 28),))
    (found,) = moved(settings)
    assert found.keys == MOST_KEYS
    assert found.left / found.keys == pytest.approx(1 / 4, abs=0.1)


def test_seen_are_the_keys_of_stateless_messages_up_to_now() -> None:
    settings = keyed(
        "maglev", traffic=traffic(300, owned=0.5, regions=("a", "b"), keys=KeySettings(number=900))
    )
    drawn = draw_all(build(settings).tiers[0]._traffic())
    seen = Seen(build(settings).tiers[0]._traffic(), 2)
    for now in (0, SECOND, SECOND, int(drawn.arrival_ns[50]), 29 * SECOND):
        for gateway in (0, 1):
            mine = (drawn.gateway == gateway) & (drawn.partition == STATELESS)
            upto = max(now, SECOND) if now else 0  # what has been seen stays seen
            expected = np.unique(drawn.key[mine & (drawn.arrival_ns < upto)])
            assert seen.keys(gateway, now) == expected.tolist()


def test_moves_by_hand() -> None:
    homes, then = [0, 0, 1, 2, -1, 2, 2], [1, -1, 1, 3, 0, 1, -1]
    usable, usable_then = [True, True, True, False], [False, True, True, True]
    assert moves(homes, then, usable, usable_then) == (6, 2, 1, 1)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_the_least_is_one_of_n(n: int) -> None:
    every, all_but_one = [True] * n, [False] + [True] * (n - 1)
    assert least_moved([1.0] * n, every, all_but_one) == pytest.approx(1 / n)
    assert least_moved([1.0] * n, all_but_one, every) == pytest.approx(1 / n)
    assert least_moved([1.0] * n, every, every) == 0
    assert least_moved([1.0] * n, every, [False] * n) == 1
    assert least_moved([2.0] + [1.0] * n, [True] * (n + 1), [False] + [True] * n) == (
        pytest.approx(2 / (n + 2))
    )
