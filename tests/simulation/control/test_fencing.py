"""Ways of fencing in the simulated world: who accepts writes, and from when on."""

from __future__ import annotations

import pytest

from hasim.events import FailoverChanged, Fence, LeaseAsked, OwnerChanged
from hasim.journal import Journal
from hasim.measures import measure
from hasim.oracle import check
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.truth import MasterFenced, PartitionServed, Writers
from hasim.units import SECOND
from tests.simulation.planes import assert_equal, both

TTL, RENEW = 10, 2
LEASE = {"kind": "lease", "ttl": f"{TTL}s", "renew": f"{RENEW}s"}
CUT_OFF = {"kind": "partition", "scope": "monitor", "target": "a", "at": "60s", "for": "100s"}
ISOLATED = {**CUT_OFF, "scope": "all"}
HANG = {"kind": "hang", "target": "a", "at": "60s", "for": "100s"}


def scenario(fencing, fault, **more) -> dict:
    return {
        "name": "fencing",
        "horizon": "4m",
        "masters": [
            {"id": "a", "service": {"law": "constant", "mean": "5ms"}},
            {"id": "b", "like": "a", "priority": 2},
            {"id": "c", "like": "a", "priority": 3},
        ],
        "network": {"rtt": "10ms"},
        "traffic": {
            "arrivals": {"law": "poisson", "rate": "20/s"},
            "owned": "100%",
            "timeout": "1s",
        },
        "detection": {"evidence": ["probe"], "interval": "1s", "fast_interval": "500ms"},
        "failover": {"fencing": fencing},
        "faults": [fault] if fault else [],
        **more,
    }


def run(fencing, fault, seed: int = 1, **more) -> Journal:
    study = from_data(scenario(fencing, fault, **more))
    (cell,) = study.cells
    journal = simulate(cell.world, study.recorded_of(cell), seed=seed, replication=0)
    assert check(journal) == []
    return journal


def writers(journal: Journal, partition: str = "p1") -> list[tuple[float, tuple[str, ...]]]:
    return [(t / SECOND, w.masters) for t, w in journal.of(Writers) if w.partition == partition]


def most(journal: Journal) -> int:
    return max(len(w.masters) for _, w in journal.of(Writers))


def moved_s(journal: Journal) -> float:
    (t_ns,) = [t for t, e in journal.of(OwnerChanged) if e.partition == "p1"]
    return t_ns / SECOND


# -- leases -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_lease_runs_out_before_somebody_else_is_promoted(seed: int) -> None:
    journal = run(LEASE, CUT_OFF, seed)
    asked = [t / SECOND for t, e in journal.of(LeaseAsked) if e.master == "a" and t < 60 * SECOND]
    (stopped_s,) = [t for t, masters in writers(journal) if not masters]
    # It counts from its question, half a millisecond before that was heard; the other end from
    # the grant.
    assert stopped_s == pytest.approx(asked[-1] - 0.0005 + TTL, abs=1e-6)
    (over_ns,) = [
        t for t, e in journal.of(FailoverChanged) if e.master == "a" and e.trigger == "fenced"
    ]
    assert over_ns / SECOND == pytest.approx(asked[-1] + TTL, abs=1e-6)
    assert stopped_s < moved_s(journal) < over_ns / SECOND + 1
    assert list(journal.of(Fence)) == list(journal.of(MasterFenced)) == []
    assert most(journal) == 1


@pytest.mark.parametrize("watchdog", [True, False])
def test_a_watchdog_resets_who_sleeps_through_the_end_of_its_lease(watchdog: bool) -> None:
    journal = run({**LEASE, "watchdog": watchdog}, HANG)
    reset = [(e.master, e.failover) for _, e in journal.of(MasterFenced)]
    dual_s = measure(journal).service.dual_primary_s
    if watchdog:
        assert reset == [("a", 0)]
        assert most(journal) == 1
        assert dual_s == 0
        return
    # Awake again, it accepts writes until it looks at its lease: at most one interval.
    assert reset == []
    assert 0 < dual_s <= RENEW
    last = writers(journal)[-1]
    assert last[1] == ("b",)


def test_without_its_control_plane_nobody_keeps_a_lease() -> None:
    """The price of leases: who grants them must be there."""
    crash = {"kind": "observer-crash", "target": "observer", "at": "60s", "for": "60s"}
    journal = run(LEASE, crash)
    gone = [t for t, masters in writers(journal) if not masters]
    assert len(gone) == 1
    assert 60 + TTL - RENEW - 0.01 <= gone[0] <= 60 + TTL
    assert writers(journal)[-1][1]
    last = {e.partition: e.up for _, e in journal.of(PartitionServed)}
    assert last == {"p1": True, "p2": True, "p3": True}


def test_leases_that_are_renewed_change_nothing() -> None:
    journal = run(LEASE, None)
    assert list(journal.of(FailoverChanged, OwnerChanged, MasterFenced)) == []
    assert [masters for _, masters in writers(journal)] == [("a",)]


# -- tokens -----------------------------------------------------------------------------


def test_an_isolated_owner_holds_its_writes_and_steps_down_when_its_token_is_refused() -> None:
    journal = run("token", ISOLATED)
    assert [masters for _, masters in writers(journal)] == [("a",), (), ("b",)]
    held, promoted = [t for t, masters in writers(journal)][1:]
    assert held == 60
    assert promoted == pytest.approx(moved_s(journal), abs=0.01)
    assert list(journal.of(Fence)) == []


def test_an_owner_that_only_the_monitor_has_lost_is_refused_the_moment_somebody_is_promoted() -> (
    None
):
    """It reaches its keepers, who have seen the later token by then."""
    journal = run("token", CUT_OFF)
    assert [masters for _, masters in writers(journal)] == [("a",), ("b",)]
    assert most(journal) == 1


def test_nobody_is_promoted_without_a_majority_of_the_keepers() -> None:
    """a is cut off, and c is down: neither a nor b has two of three."""
    down = {"kind": "power-off", "target": "c", "at": "50s", "for": "100s"}
    journal = run("token", None, faults=[{**ISOLATED, "for": "60s"}, down])
    moved = [(t / SECOND, e.owner) for t, e in journal.of(OwnerChanged) if e.partition == "p1"]
    assert all(t_s > 110 for t_s, _ in moved)  # when the first of the two is back
    unserved = [m for t, m in writers(journal) if 60 <= t < 119]
    assert unserved == [()]


# -- a device that shares the fate of what it shall fence ------------------------------------


@pytest.mark.parametrize(
    ("shares", "kind", "fenced"),
    [
        ("nothing", "power-off", True),
        ("node", "power-off", False),
        ("node", "partition", True),
        ("place", "partition", False),
        ("place", "crash", True),
    ],
)
def test_a_device_may_be_as_dead_as_its_master(shares: str, kind: str, fenced: bool) -> None:
    fault = {"kind": kind, "target": "a", "at": "60s", "for": "60s"}
    device = {"latency": "1s", "restart": "10s", "shares_fate": shares}
    journal = run("confirmed", fault, fencing_device=device)
    off = [t / SECOND for t, e in journal.of(MasterFenced) if e.master == "a"]
    assert any(t_s < 120 for t_s in off) is fenced
    moved = [t / SECOND for t, e in journal.of(OwnerChanged) if e.partition == "p1"]
    assert any(t_s < 120 for t_s in moved) is fenced


# -- both data planes -------------------------------------------------------------------


@pytest.mark.parametrize("fault", [CUT_OFF, ISOLATED, HANG], ids=["cut off", "isolated", "hang"])
@pytest.mark.parametrize("fencing", [LEASE, {**LEASE, "watchdog": False}, "token", "best-effort"])
def test_both_data_planes_agree_under_each_way_of_fencing(fencing, fault) -> None:
    study = from_data(scenario(fencing, fault))
    (cell,) = study.cells
    assert_equal(both(cell.world, study.recorded_of(cell), seed=3))
