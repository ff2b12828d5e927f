"""Who owns what at the start: owners, standbys, and tiers in which nobody owns anything."""

from __future__ import annotations

from typing import Any

import pytest

from hasim.events import Fence, OwnerChanged, StatusChanged
from hasim.measures import measure
from hasim.measures.measured import Measured
from hasim.scenario.loader import from_data
from hasim.scenario.problems import ScenarioError
from hasim.simulation.run import simulate
from hasim.truth import PartitionServed

PRIMARY_AND_STANDBYS: dict[str, Any] = {
    "horizon": "5m",
    "replications": 1,
    "masters": [
        {
            "id": "pg-1",
            "region": "zone-a",
            "workers": 100,
            "service": {"law": "lognormal", "mean": "5ms", "cv": 1.5},
            "state": {"size": "10GiB"},
        },
        {"id": "pg-2", "region": "zone-b", "priority": 2, "like": "pg-1", "standby": True},
        {"id": "pg-3", "region": "zone-a", "priority": 3, "like": "pg-1", "standby": True},
    ],
    "network": {"rtt": "2ms", "local_rtt": "0.5ms"},
    "traffic": {
        "arrivals": {"law": "poisson", "rate": "40/s"},
        "owned": "100%",
        "timeout": "1s",
        "deadline": "5s",
    },
    "faults": [{"kind": "crash", "target": "pg-1", "at": "100s", "for": "10m"}],
    "detection": {"evidence": ["probe"], "interval": "2s", "fast_interval": "2s", "fall": 3},
    "failover": {"fencing": "none"},
    "promotion": {"duration": "2s"},
}
API: dict[str, Any] = {
    "horizon": "400s",
    "replications": 1,
    "masters": [{"id": "a"}],
    "network": {"rtt": "0s", "local_rtt": "0s"},
    "traffic": {
        "arrivals": {"law": "poisson", "rate": "1/s"},
        "owned": "0%",
        "timeout": "1s",
        "deadline": "1s",
    },
    "detection": {
        "evidence": ["probe"],
        "interval": "10s",
        "fast_interval": "10s",
        "fall": 1,
        "rise": 1,
    },
    "faults": [{"kind": "crash", "target": "a", "at": "93s", "for": "20s"}],
}


def run(data: dict[str, Any], **more: Any) -> tuple[Any, Measured]:
    """The journal and the measures of the only run of a scenario."""
    loaded = from_data({**data, **more})
    (cell,) = loaded.cells
    journal = simulate(cell.world, loaded.recorded_of(cell), seed=1, replication=0)
    return journal, measure(journal)


def test_standbys_own_nothing_and_take_over() -> None:
    """Case 42: a database with two replicas has one partition, and loses only the failover."""
    journal, found = run(PRIMARY_AND_STANDBYS)
    assert [row.partition for row in found.partitions] == ["p1"]
    assert [event.owner for _, event in journal.of(OwnerChanged)] == ["pg-2"]
    (incident,) = found.incidents
    assert incident.outage_s is not None
    # Three probes in a distance of 2 s see the crash; then come promotion and crossings.
    assert 4.0 <= incident.outage_s - 2.0 <= 6.0 + 0.5
    assert found.service.uptime == pytest.approx(1 - incident.outage_s / 300.0, rel=1e-9)
    assert found.partitions[0].writes_lost < 40  # what had not crossed: a lag of 20 ms at 40/s


def test_absent_masters_hold_no_copy_and_standbys_do() -> None:
    """Without a standby nobody could take over."""
    masters = [dict(m) for m in PRIMARY_AND_STANDBYS["masters"]]
    for master in masters[1:]:
        master.pop("standby")
        master["absent"] = True
    _, found = run(PRIMARY_AND_STANDBYS, masters=masters)
    assert found.service.uptime == pytest.approx(100 / 300)


def test_a_tier_without_state_is_up_while_it_serves() -> None:
    """Case 45: down from the crash until detection has taken the only master back."""
    journal, found = run(API)
    changes = [(t, e.new) for t, e in journal.of(StatusChanged) if e.master == "a"]
    back_ns = next(t for t, status in changes if t > 113e9 and status == "healthy")
    assert found.service.uptime_stateless == pytest.approx(1 - (back_ns / 1e9 - 93) / 400)
    assert found.service.uptime == found.service.uptime_stateless == found.service.uptime_mean
    assert not list(journal.of(PartitionServed))
    assert found.partitions == ()


def test_what_a_tier_without_state_lacked() -> None:
    """Until the crash is seen; without another master; until the cure is seen."""
    journal, found = run(API)
    failed_ns = next(t for t, e in journal.of(StatusChanged) if e.new == "failed")
    back_ns = next(t for t, e in journal.of(StatusChanged) if t > 113e9 and e.new == "healthy")
    service = found.service
    assert service.undetected_s == pytest.approx(min(failed_ns / 1e9, 113.0) - 93.0)
    assert service.no_capacity_s == pytest.approx(max(0.0, 113.0 - failed_ns / 1e9))
    assert service.deciding_s == pytest.approx(back_ns / 1e9 - max(113.0, failed_ns / 1e9))
    (incident,) = found.incidents
    assert incident.partitions == 1
    assert incident.outage_s == pytest.approx(back_ns / 1e9 - 93.0)
    assert incident.first_ok_s is incident.first_ok_censored_s is None


def test_nobody_is_fenced_in_a_tier_without_state() -> None:
    """Case 40: one of three API servers down takes neither partitions nor uptime with it."""
    masters = [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    failover = {"fencing": "confirmed"}
    journal, found = run(API, masters=masters, failover=failover)
    assert found.service.uptime == 1.0
    assert not list(journal.of(Fence))
    assert found.failovers == ()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"masters": [{"id": "a", "standby": True}, {"id": "b"}]}, "nothing to stand by for"),
        (
            {"masters": [{"id": "a", "standby": True}], "traffic": {"owned": "50%"}},
            "needs at least one master that is no standby",
        ),
        (
            {"faults": [{"kind": "crash", "target": "owner-of:p1", "at": "1s"}]},
            "no message is owned",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(more: dict[str, Any], message: str) -> None:
    """Standbys of nothing, partitions without owners, owners of nothing."""
    with pytest.raises(ScenarioError, match=message):
        from_data({**API, **more})


CHAIN: dict[str, Any] = {
    "horizon": "60s",
    "replications": 1,
    "traffic": {"arrivals": {"law": "poisson", "rate": "20/s"}, "owned": "0%"},
    "tiers": [
        {
            "name": "api",
            "masters": [{"id": "a"}, {"id": "b", "like": "a"}],
            "detection": {"evidence": ["probe"]},
        },
        {
            "name": "db",
            "requests": {"owned": "100%"},
            "masters": [{"id": "c", "workers": 3}, {"id": "d", "like": "c", "standby": True}],
        },
    ],
    "faults": [{"kind": "crash", "target": "owner-of:p1", "at": "20s", "for": "60s"}],
}


def test_tiers_are_written_as_a_list_and_varied_by_name() -> None:
    """Each has its own settings; a master may be like another of its tier."""
    loaded = from_data({**CHAIN, "vary": {"tiers.db.detection.interval": ["1s", "5s"]}})
    worlds = [cell.world for cell in loaded.cells]
    intervals = [[t.detection.as_written()["interval"] for t in w.tiers] for w in worlds]
    assert [found[1] for found in intervals] == ["1s", "5s"]
    assert intervals[0][0] == intervals[1][0] != "1s"
    api, db = loaded.cells[0].world.chain
    assert (api.stateless, db.stateless) == (True, False)
    assert [m.workers for m in db.masters] == [3, 3]


def test_each_tier_has_a_control_plane_of_its_own() -> None:
    """The database fails over; the API only answers with errors meanwhile."""
    journal, found = run(CHAIN)
    assert journal.tiers == ("api", "db")
    assert journal.observers == ("api", "db")
    assert [f.master for f in found.failovers] == ["c"]
    assert [row.failovers for row in found.tiers] == [0, 1]
    owners = [e.owner for _, e in journal.seen_by("db").of(OwnerChanged)]
    assert owners == ["d"]
    assert not list(journal.seen_by("api").of(OwnerChanged))
    outcomes = {row.outcome for row in found.messages}
    assert "error" in outcomes
    api, db = found.tiers
    assert db.down_s > 1.0
    assert db.overloaded_s == 0.0
    assert api.down_s == api.overloaded_s < db.down_s  # its workers wait for the database
    assert found.service.uptime <= min(api.uptime, db.uptime)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"masters": [{"id": "x"}]}, "masters: belongs into each of the tiers"),
        ({"detection": {"fall": 2}}, "detection: belongs into each of the tiers"),
        ({"faults": [{"kind": "crash", "target": "e", "at": "1s"}]}, "no master 'e'"),
        (
            {"faults": [{"kind": "crash", "target": "owner-of:p2", "at": "1s"}]},
            "there are p1 to p1",
        ),
    ],
)
def test_what_makes_no_sense_beside_tiers_is_refused(change: dict[str, Any], message: str) -> None:
    """With place, and the nearest name."""
    with pytest.raises(ScenarioError, match=message):
        from_data({**CHAIN, **change})


@pytest.mark.parametrize(
    ("number", "change", "message"),
    [
        (1, {"name": "api"}, "tiers.1.name: 'api' is named twice"),
        (1, {"masters": [{"id": "a"}]}, "tiers.1.masters.0.id: 'a' is named twice"),
        (1, {"masters": [{"id": "c", "like": "a"}]}, "tiers.1.masters.0.like: no master 'a'"),
        (0, {"requests": {"owned": "10%"}}, "tiers.0.requests: clients ask the first tier"),
        (1, {"masters": [{"id": "c", "standby": True}]}, "tiers.1.masters: needs at least one"),
        (1, {"masters": [{"id": "c", "worker": 3}]}, "tiers.1.masters.0.worker: unknown key"),
        (1, {"detection": {"intervall": "3s"}}, "tiers.1.detection.intervall: unknown key"),
    ],
)
def test_what_is_wrong_in_a_tier_is_told_with_its_place(
    number: int, change: dict[str, Any], message: str
) -> None:
    """As in a scenario of one tier."""
    tiers = [dict(tier) for tier in CHAIN["tiers"]]
    tiers[number] = {**tiers[number], **change}
    with pytest.raises(ScenarioError, match=message):
        from_data({**CHAIN, "tiers": tiers})
