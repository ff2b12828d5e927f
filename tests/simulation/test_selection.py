"""Selection in the simulated world: replicas that lag, and what they report of that."""

from __future__ import annotations

import pytest

from hasim.events import OwnerChanged, PromoteResult, ReplicaReport
from hasim.journal import Journal
from hasim.oracle import check
from hasim.scenario.loader import from_data
from hasim.scenario.problems import ScenarioError
from hasim.simulation.run import simulate
from hasim.truth import WritesLost
from hasim.units import SECOND
from tests.simulation.planes import assert_equal, both

LAG_S = 60


def study(**more):
    nodes = [{"id": "a", "service": {"law": "constant", "mean": "5ms"}}]
    nodes += [
        {"id": n, "like": "a", "standby": True, "priority": p} for n, p in (("b", 2), ("c", 3))
    ]
    return from_data(
        {
            "name": "lag",
            "horizon": "4m",
            "masters": nodes,
            "network": {"rtt": "10ms"},
            "traffic": {
                "arrivals": {"law": "poisson", "rate": "20/s"},
                "owned": "100%",
                "timeout": "1s",
            },
            "replication": {"lag": "50ms", **more.pop("replication", {})},
            "detection": {"evidence": ["probe"], "interval": "1s", "fast_interval": "500ms"},
            "failover": {"fencing": "none", **more.pop("failover", {})},
            "faults": [
                {
                    "kind": "replication-lag",
                    "target": "b",
                    "extra": f"{LAG_S}s",
                    "at": "20s",
                    "for": "3m",
                },
                {"kind": "crash", "target": "a", "at": "2m", "for": "1m"},
            ],
        }
    )


def run(**more) -> Journal:
    made = study(**more)
    (cell,) = made.cells
    journal = simulate(cell.world, made.recorded_of(cell), seed=1, replication=0)
    assert check(journal) == []
    return journal


def lost_s(journal: Journal) -> float:
    return max((lost.since_ns for _, lost in journal.of(WritesLost)), default=0) / SECOND


def owner(journal: Journal) -> str:
    return next(e.owner for _, e in journal.of(OwnerChanged))


def test_by_priority_a_lagging_replica_is_promoted_and_loses_what_it_lacks() -> None:
    """Unless the freshest copy that can be reached is fetched first: here the others are dead."""
    journal = run(failover={"fencing": "none", "selection": ["priority"]})
    assert owner(journal) == "b"
    # b fetched from c what that had: only what nobody had is lost.
    assert lost_s(journal) < LAG_S / 10


def test_by_freshness_the_one_that_keeps_up_is_promoted() -> None:
    journal = run(failover={"selection": ["freshest", "priority"]})
    assert owner(journal) == "c"
    told = [e for t, e in journal.of(ReplicaReport) if 110 * SECOND < t < 120 * SECOND]
    received = {m: max(e.copies[0].received for e in told if e.master == m) for m in "abc"}
    assert received["b"] < received["c"]
    assert received["b"] < received["a"]
    behind = {m: max(e.copies[0].behind_ns for e in told if e.master == m) for m in "ab"}
    assert behind["a"] == 0
    assert LAG_S * SECOND < behind["b"] < (LAG_S + 1) * SECOND


def test_a_limit_on_the_lag_keeps_it_back_before_anything_is_transferred() -> None:
    assert owner(run(failover={"max_lag": "10s"})) == "c"


def test_a_promotion_applies_first_what_was_received() -> None:
    quick, slow = (
        run(replication={"apply": apply}, failover={"selection": ["freshest"]})
        for apply in ("0s", "2500ms")
    )
    (quick_ns,) = [t for t, _ in quick.of(PromoteResult)][:1]
    (slow_ns,) = [t for t, _ in slow.of(PromoteResult)][:1]
    # The crash broke the stream: from then on c has applied for as long as the failover took.
    assert 0 < slow_ns - quick_ns < 2.5 * SECOND
    told = [e for t, e in slow.of(ReplicaReport) if t < 100 * SECOND and e.master == "c"]
    assert all(e.copies[0].applied <= e.copies[0].received for e in told)
    assert any(e.copies[0].applied < e.copies[0].received for e in told)


@pytest.mark.parametrize("apply", ["0s", "1s"])
def test_both_data_planes_agree(apply: str) -> None:
    made = study(replication={"apply": apply}, failover={"selection": ["freshest", "least-loaded"]})
    (cell,) = made.cells
    assert_equal(both(cell.world, made.recorded_of(cell), seed=2))


@pytest.mark.parametrize("only", [True, False])
def test_a_synchronous_standby_takes_over_and_loses_nothing(only: bool) -> None:
    """The owner waits for the first of two: the near one, though the far one has priority.

    Both data planes tell the same. (Patroni: synchronous_mode.)
    """
    study = from_data(
        {
            "horizon": "60s",
            "masters": [
                {"id": "a", "region": "here", "workers": 8, "service": "5ms"},
                {"id": "far", "like": "a", "region": "far", "priority": 2, "standby": True},
                {"id": "near", "like": "a", "priority": 3, "standby": True},
            ],
            "network": {"rtt": "400ms", "local_rtt": "1ms"},
            "traffic": {
                **{"arrivals": {"law": "poisson", "rate": "50/s"}, "owned": "100%"},
                **{"regions": ["here"], "timeout": "1s"},
            },
            "replication": {"copies": 2, "acknowledge": {"kind": "synchronous", "any": 1}},
            "detection": {"evidence": ["probe"], "interval": "1s", "fast_interval": "1s"},
            "observer": {"region": "here"},
            "failover": {"fencing": "none", "transfer": "none", "synchronous_only": only},
            "faults": [{"kind": "power-off", "target": "a", "at": "20s", "for": "1h"}],
        }
    )
    journal = assert_equal(both(study.cells[0].world))
    assert check(journal) == []
    owners = [moved.owner for _, moved in journal.of(OwnerChanged)]
    lost = sum(lost.writes for _, lost in journal.of(WritesLost))
    assert owners == ["near" if only else "far"]
    assert (lost == 0) is only


def test_synchronous_standbys_alone_need_that_somebody_is_waited_for() -> None:
    with pytest.raises(ScenarioError, match=r"failover\.synchronous_only: nobody may take over"):
        study(failover={"synchronous_only": True})
