"""Where keys belong, and who counts for a master's turn: against what messages themselves meet."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.model import Cluster, Master, Partition, RoutingTable
from hasim.services.balancing import BalancingSettings
from hasim.services.balancing.chance import hash_of_text
from hasim.services.balancing.fleet import Request
from hasim.services.balancing.pickers.hashing import (
    JUMPS,
    MODULUS,
    MULTIPLIER,
    maglev_bounded,
    most_per_weight,
)
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.gateway.guards import SlowStartSettings
from hasim.services.gateway.guards.gate import share_of_turns
from hasim.services.gateway.service import GatewayService
from tests.services.balancing.fleets import fleet
from tests.services.bench import cluster

KEEPERS = [name for name, known in ALGORITHMS.items() if known.home]


def gateway(algorithm: str, of: Cluster | None = None, **more: Any) -> GatewayService:
    settings = BalancingSettings(
        algorithm=algorithm, ring_size=64, table_size=251, sessions=10_000, **more
    )
    return GatewayService(settings, of or cluster(4), "local")


@pytest.mark.parametrize("algorithm", KEEPERS)
def test_a_key_belongs_to_the_master_that_its_message_is_sent_to(algorithm: str) -> None:
    """Whoever is eligible, and however busy everybody is by then."""
    made, keys = gateway(algorithm, load_bound=1e6), range(150)
    assert made.choice.keeps_keys
    before = made.choice.homes_of(keys)
    if algorithm == "sticky":
        assert set(before) == {-1}  # it has no session yet
    for table in (("m1", "m2", "m3", "m4"), ("m1", "m3", "m4"), ("m3",)):
        made.apply_routing(0, RoutingTable(made.version + 1, table, (), algorithm))
        sent = [made.select_master(0, key=key) for key in keys]
        assert set(sent) <= set(table)
        homes = made.choice.homes_of(keys)
        assert [made.standing.ids[index] for index in homes] == sent
    made.apply_routing(0, RoutingTable(made.version + 1, (), (), algorithm))
    assert set(made.choice.homes_of(keys)) == {-1}


def test_where_any_master_will_do_no_key_belongs_anywhere() -> None:
    made = gateway("round-robin")
    assert not made.choice.keeps_keys
    assert made.choice.homes_of(range(3)) == [-1, -1, -1]


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=31),
    st.lists(st.integers(0, 3), min_size=5, max_size=5),
    st.lists(st.booleans(), min_size=5, max_size=5),
    st.integers(0, 2**63 - 1),
)
def test_a_key_jumps_from_full_masters_and_then_walks(table, in_flight, eligible, hash_) -> None:
    """Written down once more, with the jumps as a list of places."""
    of = fleet("maglev-bounded", 5, eligible=eligible, in_flight=in_flight, table_size=5)
    of = of._replace(table=table)
    most = most_per_weight(of)
    jumps = [hash_ % (MODULUS - 1) + 1]
    while len(jumps) <= JUMPS:
        jumps.append(jumps[-1] * MULTIPLIER % MODULUS)
    places = [hash_, *jumps[1:JUMPS], *(jumps[JUMPS] + step for step in range(len(table)))]
    among = [table[place % len(table)] for place in places]
    open_ = [m for m in among if eligible[m] and in_flight[m] < most * of.weight[m]]
    expected = open_[0] if open_ else -1
    assert maglev_bounded(of, Request(0, False, hash_, True, ())) == expected


def test_one_open_place_among_a_thousand_is_found_by_walking() -> None:
    """No jump of sixty-four meets it; a table without places has nobody."""
    table = [0] * 1000 + [1]
    of = fleet("maglev-bounded", 2, in_flight=[99, 0], table_size=5)._replace(table=table)
    picked = {maglev_bounded(of, Request(0, False, hash_, True, ())) for hash_ in range(200)}
    assert picked == {1}
    assert maglev_bounded(of._replace(table=[]), Request(0, False, 7, True, ())) == -1


@pytest.mark.parametrize("name", ["west", "east", "a", "some-other-gateway"])
def test_a_gateway_begins_its_turns_where_its_name_says(name: str) -> None:
    """So that not all gateways send their first messages to one master."""
    settings = BalancingSettings(algorithm="least-loaded")
    made = GatewayService(settings, cluster(5, (name, "another")), name)
    start, picked = hash_of_text(name) % 5, list[str]()
    for _ in range(6):
        picked.append(made.select_master(0) or "")
        made.record_message_corresponded(0, picked[-1], 1)
    assert picked == [f"m{(start + number) % 5 + 1}" for number in range(6)]
    assert "." not in json.dumps(made.freeze()["choice"]["counts"])  # whole numbers


TIERED = Cluster(
    tuple(
        Master(f"m{n}", region, priority, workers)
        for n, (region, priority, workers) in enumerate(
            [("w", 1, 1), ("w", 1, 3), ("w", 2, 1), ("e", 2, 2), ("e", 1, 1), ("n", 3, 4)], 1
        )
    ),
    (Partition("p1", "m1"),),
    ("local",),
    ((1, 1, 1, 9, 9, 20),),
)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_share_of_turns_is_of_those_whom_the_algorithm_would_ask_instead(algorithm: str) -> None:
    """By tier where it goes by tiers, by region where by regions; each alike, or by its weight."""
    known = ALGORITHMS[algorithm]
    made = gateway(algorithm, TIERED, slow_start=SlowStartSettings(window_ns=10**12)).choice
    for ramping in ((), (1,), (0, 1, 4)):
        for index, guard in enumerate(made.protection.guards):
            guard.back_ns = 0 if index in ramping else -1
            made.protection.pool[index] = int(index != 2)
        for index, master in enumerate(TIERED.masters):
            alike = [
                n
                for n, other in enumerate(TIERED.masters)
                if n != 2
                and (known.group != "tier" or other.priority == master.priority)
                and (known.group != "region" or other.region == master.region)
            ]
            weight = [1.0 if known.equal else m.workers for m in TIERED.masters]
            others = [n for n in alike if n not in ramping]
            expected = weight[index] / sum(weight[n] for n in alike) if others else 0.0
            found = share_of_turns(made.protection, made.fleet, index, 10**9)
            assert found == pytest.approx(expected), (algorithm, ramping, index)
