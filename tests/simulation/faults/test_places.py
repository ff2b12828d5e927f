"""Places: who is near whom, what strikes a place at once, and the links between places."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hasim.journal import Journal
from hasim.measures.spans import Span, length_ns, union
from hasim.scenario.loader import from_data
from hasim.scenario.problems import ScenarioError
from hasim.simulation.network import gateway_endpoint, master_endpoint
from hasim.simulation.run import simulate
from hasim.simulation.settings.places import lies_in, place_named, places_at, shared_levels
from hasim.simulation.world import World
from hasim.truth import FaultCured, FaultStarted
from tests.intervals import assert_met

MASTERS = [
    {"id": "m1", "region": "eu", "zone": "a", "rack": "r1", "host": "h1"},
    {"id": "m2", "region": "eu", "zone": "a", "rack": "r1", "host": "h1"},
    {"id": "m3", "region": "eu", "zone": "a", "rack": "r2"},
    {"id": "m4", "region": "eu", "zone": "b"},
    {"id": "m5", "region": "us", "zone": "a"},
]
BASE: dict[str, Any] = {
    "horizon": "100s",
    "replications": 1,
    "masters": MASTERS,
    "network": {
        "rtt": "80ms",
        "local_rtt": "2ms",
        "near": {"zone": "1ms", "rack": "200us", "host": "20us"},
    },
    "traffic": {"arrivals": {"law": "poisson", "rate": "5/s"}, "owned": "0%"},
    "detection": {"evidence": ["probe"], "interval": "1000s"},
}


def world_of(**more: Any) -> World:
    loaded = from_data({**BASE, **more})
    return World(loaded.cells[0].world, loaded.recorded_of(loaded.cells[0]), seed=1, replication=0)


def journal_of(seed: int = 1, replication: int = 0, **more: Any) -> Any:
    loaded = from_data({**BASE, **more})
    (cell,) = loaded.cells
    return simulate(cell.world, loaded.recorded_of(cell), seed=seed, replication=replication)


def test_latency_goes_by_the_nearest_common_place() -> None:
    """On one host, in one rack, in one zone, in one region, across regions."""
    network = world_of().network
    found = [
        network.rtt_ns(master_endpoint("m1"), master_endpoint(other)) / 1e6
        for other in ("m2", "m3", "m4", "m5")
    ]
    assert found == [0.02, 1.0, 2.0, 80.0]
    assert network.rtt_ns(master_endpoint("m1"), gateway_endpoint("eu")) == 2_000_000


def test_what_is_not_given_is_as_one_level_up() -> None:
    """Without times for racks and hosts, those of the zone hold."""
    network = world_of(network={"rtt": "80ms", "local_rtt": "2ms", "near": {"zone": "1ms"}}).network
    assert network.rtt_ns(master_endpoint("m1"), master_endpoint("m2")) == 1_000_000


def test_places_are_named_by_a_name_or_by_the_end_of_a_path() -> None:
    """The zones a of two regions are two."""
    here, there = place_named("eu/a/r1/h1"), place_named("us/a")
    assert shared_levels(here, place_named("eu/a/r2")) == 2
    assert shared_levels(here, there) == 0
    assert lies_in(here, "zone:a")
    assert lies_in(there, "zone:a")
    assert lies_in(here, "zone:eu/a")
    assert not lies_in(there, "zone:eu/a")
    assert not lies_in(there, "rack:r1")
    assert list(places_at("zone", [here, there, here])) == ["zone:eu/a", "zone:us/a"]


@pytest.mark.parametrize(
    ("target", "struck"),
    [
        ("host:h1", ["m1", "m2"]),
        ("rack:r1", ["m1", "m2"]),
        ("zone:eu/a", ["m1", "m2", "m3"]),
        ("zone:a", ["m1", "m2", "m3", "m5"]),
        ("region:eu", ["m1", "m2", "m3", "m4"]),
        (["zone:b", "m5"], ["m4", "m5"]),
    ],
)
def test_a_fault_strikes_all_masters_of_a_place_at_once(target: Any, struck: list[str]) -> None:
    """Whatever its kind."""
    fault = {"kind": "power-off", "target": target, "at": "10s", "for": "5s"}
    ((_, started),) = journal_of(faults=[fault]).of(FaultStarted)
    assert list(started.masters) == struck


def test_each_place_of_a_level_has_a_schedule_of_its_own() -> None:
    """Three zones, each of which is struck as a whole."""
    fault = {"kind": "crash", "target": "each-zone", "every": {"law": "exponential", "mean": "20s"}}
    started = [e for _, e in journal_of(faults=[{**fault, "for": "1s"}]).of(FaultStarted)]
    assert {e.masters for e in started} == {("m1", "m2", "m3"), ("m4",), ("m5",)}


PAIR = {
    "masters": [{"id": "a", "zone": "z"}, {"id": "b", "zone": "z"}],
    "network": {"rtt": "0s", "local_rtt": "0s"},
    "traffic": {"arrivals": {"law": "poisson", "rate": "0.001/s"}, "owned": "0%"},
    "detection": {"evidence": ["probe"], "interval": "30d"},
    "horizon": "350h",
}


def none_left(common: dict[str, str], replications: int) -> list[float]:
    """The shares of time in which neither of two masters works: MTBF 1 h, MTTR 2 h.

    Nobody sends or looks: the injector alone acts on the world.
    """
    fault = {
        "kind": "crash",
        "target": "each",
        "every": {"law": "exponential", "mean": "1h"},
        "for": {"law": "exponential", "mean": "2h"},
        "common": common,
    }
    loaded = from_data({**BASE, **PAIR, "horizon": "1000h", "faults": [fault]})
    (cell,) = loaded.cells
    shares = []
    for replication in range(replications):
        made = World(cell.world, loaded.recorded_of(cell), seed=1, replication=replication)
        horizon_ns = made.settings.horizon_ns
        made.changes.changed()
        made.injector.schedule(made.settings.faults, horizon_ns)
        made.env.run(until=horizon_ns)
        both = [_down(made.journal, master, horizon_ns) for master in ("a", "b")]
        down_ns = sum(length_ns(of) for of in both) - length_ns(both[0] + both[1])
        shares.append(down_ns / horizon_ns)
    return shares


def _down(journal: Journal, master: str, horizon_ns: int) -> list[Span]:
    """When a master was down: its faults, which may overlap, as they really were."""
    cured = {e.fault: t for t, e in journal.of(FaultCured)}
    spans = [
        Span(t, cured.get(e.fault, horizon_ns))
        for t, e in journal.of(FaultStarted)
        if master in e.masters
    ]
    return union(spans)


@pytest.mark.parametrize(
    ("replications", "within"), [(15, 0.05), pytest.param(60, 0.02, marks=pytest.mark.slow)]
)
def test_common_causes_are_the_beta_factor_model(replications: int, within: float) -> None:
    """Both are down by a common cause, or each by a process of its own at the same time.

    Processes that alternate are independent, so that unavailabilities multiply: with rates
    (1 - beta) lambda of one master alone and beta lambda of both, u = D / (M / share + D). With
    beta = 0 it is the product of two, a quarter more with beta = 20 %, and that of one with 1.
    """
    mean_h, down_h = 1.0, 2.0

    def unavailability(share: float) -> float:
        return down_h / (mean_h / share + down_h) if share else 0.0

    def expected(beta: float) -> float:
        common, alone = unavailability(beta), unavailability(1 - beta)
        return common + (1 - common) * alone**2

    assert [expected(beta) for beta in (0.0, 1.0)] == [pytest.approx(4 / 9), pytest.approx(2 / 3)]
    assert expected(0.2) > 1.2 * expected(0.0)
    for beta in (0.0, 0.2, 1.0):
        shares = none_left({"zone": f"{beta:.0%}"} if beta else {}, replications)
        assert_met(shares, expected(beta), within)


def test_a_master_fails_as_often_with_common_causes_as_without() -> None:
    """Beta divides its failures, it adds none."""
    fault = {
        "kind": "crash",
        "target": "each",
        "every": {"law": "exponential", "mean": "1h"},
        "for": "1s",
        "common": {"zone": "30%", "region": "20%"},
    }
    hits = [0, 0, 0]
    for replication in range(10):
        for _, started in journal_of(replication=replication, faults=[fault], **PAIR).of(
            FaultStarted
        ):
            hits[0] += "a" in started.masters
            hits[1] += len(started.masters) == 2
            hits[2] += len(started.masters)
    assert hits[0] == pytest.approx(3500, abs=3 * 3500**0.5)  # 10 times 350 h, one an hour
    assert hits[1] == pytest.approx(1750, abs=3 * 1750**0.5)


def cut(direction: str = "both", **more: Any) -> World:
    fault = {"kind": "link", "target": "zone:eu/a", "other": "zone:b", "at": "0s", "for": "50s"}
    made = world_of(faults=[{**fault, "direction": direction, **more}])
    made.injector.schedule(made.settings.faults, made.settings.horizon_ns)
    made.env.run(until=1)
    return made


def test_links_between_places_are_cut_and_no_others() -> None:
    """Both ways; the links inside each place, and to others, are what they were."""
    network = cut().network
    ends = {name: master_endpoint(name) for name in ("m1", "m2", "m4", "m5")}
    assert not network.connected(ends["m1"], ends["m4"])
    assert network.connected(ends["m1"], ends["m2"])
    assert network.connected(ends["m1"], ends["m5"])
    assert network.connected(ends["m4"], gateway_endpoint("eu"))


@pytest.mark.parametrize(
    ("direction", "there", "back"), [("to", True, False), ("from", False, True)]
)
def test_links_are_cut_one_way(direction: str, there: bool, back: bool) -> None:
    """To the target: what zone b sends to it."""
    links = cut(direction).network.links
    one, other = master_endpoint("m1"), master_endpoint("m4")
    assert (links[one, other].up, links[other, one].up) == (there, back)


def test_links_lose_packets_or_are_slow() -> None:
    """Then they are not cut."""
    link = cut(loss="25%", extra="30ms").network.links[master_endpoint("m3"), master_endpoint("m4")]
    assert (link.up, link.passes, link.extra_ns) == (True, 0.75, 30_000_000)


def test_a_cut_from_the_clients_impairs() -> None:
    """From half of the clients' sites; from another zone it does not."""
    fault = {"kind": "link", "target": "m5", "other": "clients", "at": "10s", "for": "5s"}
    ((_, started),) = journal_of(faults=[fault]).of(FaultStarted)
    assert started.impairing
    ((_, started),) = journal_of(faults=[{**fault, "other": "zone:b"}]).of(FaultStarted)
    assert not started.impairing


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"target": "zone:c"}, "no master is in zone 'c'; possible: "),
        ({"target": "rak:r1"}, "no master 'rak:r1'"),
        ({"target": "zon:eu/a"}, "no master 'zon:eu/a'; did you mean zone:eu/a?"),
        ({"target": "a"}, "no master 'a'; did you mean zone:eu/a?"),
        ({"target": "each-zon"}, "did you mean each-zone"),
        ({"kind": "link", "target": "m1", "other": "client"}, "did you mean clients"),
        ({"target": "m1", "common": {"zone": "10%"}}, "needs target each, and every"),
        (
            {"target": "each", "at": None, "every": "1h", "common": {"zone": "60%", "rack": "60%"}},
            "not be more than 100% together, got 120%",
        ),
    ],
)
def test_places_that_are_not_there_are_told(fault: dict[str, Any], message: str) -> None:
    """With the nearest name."""
    given = {"kind": "crash", "at": "1s", "for": "1s", **fault}
    given = {key: value for key, value in given.items() if value is not None}
    with pytest.raises(ScenarioError, match=re.escape(message)):
        from_data({**BASE, "faults": [given]})
