"""What people saw of their health checks, as they told it in public, beside what comes out here."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from scipy.stats import chi2, kstest, norm

from hasim.events import OwnerChanged, StatusChanged
from hasim.journal import Journal
from hasim.measures import measure
from hasim.model import Status
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.truth import FaultStarted

SOMETIME = {"law": "uniform", "low": "60s", "high": "70s"}
UNFENCED = {"fencing": "none"}


def journals(data: dict[str, Any], replications: int) -> Iterator[Journal]:
    study = from_data(data)
    (cell,) = study.cells
    for replication in range(replications):
        yield simulate(cell.world, study.recorded_of(cell), seed=1, replication=replication)


def detection_s(journal: Journal) -> float:
    """From the only fault to the declaration."""
    start_ns = next(t_ns for t_ns, _ in journal.of(FaultStarted))
    (failed_ns,) = (t for t, e in journal.of(StatusChanged) if e.new is Status.FAILED)
    return (failed_ns - start_ns) / 1e9


def masters(count: int, **first: Any) -> list[dict[str, Any]]:
    return [
        {"id": "m1", "workers": 8, **first},
        *({"id": f"m{n + 2}", "like": "m1"} for n in range(count - 1)),
    ]


LEADER_CHECK = {
    "horizon": "6m",
    "masters": masters(3, service={"law": "constant", "mean": "5ms"}),
    "traffic": {"arrivals": {"law": "poisson", "rate": "0.1/s"}, "timeout": "2s"},
    "detection": {
        **{"evidence": ["probe"], "interval": "1s", "fast_interval": "1s", "timeout": "30s"},
        **{"fall": 3, "rise": 1, "on_close": "fail"},
    },
    "failover": UNFENCED,
}
"""A check of the leader each second, 30 s for an answer, three tries (Elasticsearch, 36822)."""


@pytest.mark.parametrize("kind", ["power-off", "hang"])
def test_a_leader_that_falls_silent_is_missed_after_ninety_seconds(kind: str) -> None:
    fault = {
        "kind": kind,
        "target": "m1",
        "at": SOMETIME,
        "for": "3m",
    }
    found = [detection_s(journal) for journal in journals({**LEADER_CHECK, "faults": [fault]}, 20)]
    assert 92 - 1e-3 <= min(found) < max(found) <= 93 + 0.1


def test_a_leader_that_closes_its_connection_is_missed_at_once() -> None:
    fault = {
        "kind": "crash",
        "target": "m1",
        "at": SOMETIME,
        "for": "3m",
    }
    for journal in journals({**LEADER_CHECK, "faults": [fault]}, 5):
        assert detection_s(journal) < 0.2  # one crossing


def test_a_closed_connection_may_be_a_reason_to_ask() -> None:
    """The check is refused; the other two tries come a second apart."""
    fault = {
        "kind": "crash",
        "target": "m1",
        "at": SOMETIME,
        "for": "3m",
    }
    asking = {**LEADER_CHECK["detection"], "on_close": "check"}
    data = {**LEADER_CHECK, "detection": asking, "faults": [fault]}
    for journal in journals(data, 5):
        assert 2 <= detection_s(journal) < 2.5


@pytest.mark.parametrize("fault", [{"kind": "hang"}, {"kind": "slow", "speed": "0.01%"}])
def test_a_check_that_only_connects_never_sees_a_frozen_process(fault: dict[str, Any]) -> None:
    """Case 06: half of the requests fail for as long as it lasts, five of ten minutes here."""
    data = {
        "horizon": "10m",
        "masters": masters(2, health="tcp", service={"law": "constant", "mean": "20ms"}),
        "traffic": {"arrivals": {"law": "poisson", "rate": "20/s"}, "owned": "0%", "timeout": "5s"},
        "faults": [
            {
                **fault,
                "target": "m1",
                "at": {"law": "uniform", "low": "60s", "high": "65s"},
                "for": "5m",
            }
        ],
        "detection": {
            **{"evidence": ["probe"], "interval": "2s", "fast_interval": "2s", "timeout": "1s"},
            **{"fall": 3, "rise": 2},
        },
    }
    for journal in journals(data, 3):
        assert not [e for _, e in journal.of(StatusChanged) if e.new is Status.FAILED]
        found = measure(journal)
        assert found.incidents[0].detection_s is None
        settled = [row for row in found.messages if row.settled]
        answered = sum(row.in_time for row in settled) / sum(row.messages for row in settled)
        assert answered == pytest.approx(0.75, abs=0.015)


def kubelet(kind: str, at: Any) -> dict[str, Any]:
    return {
        "horizon": "4m",
        "masters": masters(2),
        "network": {"rtt": "0s", "local_rtt": "0s"},
        "traffic": {"arrivals": {"law": "poisson", "rate": "0.01/s"}, "owned": "0%"},
        "faults": [{"kind": kind, "target": "m1", "at": at, "for": "2m"}],
        "detection": {
            **{"preset": "kubernetes", "interval": "10s", "timeout": "1s", "fall": 3},
        },
        "failover": UNFENCED,
    }


@pytest.mark.parametrize("at", ["30001ms", SOMETIME])
def test_the_kubelet_needs_21_to_31_seconds_for_a_hang(at: Any) -> None:
    """Cases 19, 46 (loculus): by the clock, whatever timeouts take, and at a set time, too."""
    found = [detection_s(journal) for journal in journals(kubelet("hang", at), 200)]
    assert 21 - 1e-6 <= min(found) < max(found) <= 31 + 1e-6
    assert kstest(found, "uniform", args=(21, 10)).pvalue > 0.001


def single_check(**others: Any) -> dict[str, Any]:
    """A database is taken out after one check that takes longer than 800 ms (proxysql, 2187)."""
    return {
        "horizon": "2h",
        "masters": [
            {
                **{"id": "db1", "workers": 4, "queue": 1000, "health": "deep"},
                "service": {"law": "lognormal", "mean": "60ms", "cv": 3},
            },
            {"id": "db2", "like": "db1", "priority": 2, **others},
            {"id": "db3", "like": "db1", "priority": 3, **others},
        ],
        "traffic": {
            **{"arrivals": {"law": "poisson", "rate": "40/s"}, "owned": "100%", "timeout": "5s"},
        },
        "detection": {
            **{"evidence": ["probe"], "interval": "5s", "fast_interval": "5s", "timeout": "800ms"},
            **{"fall": 1, "rise": 1},
        },
        "failover": UNFENCED,
        "replication": {"copies": 0},
    }


@pytest.mark.parametrize(
    ("others", "published"), [({}, 4.9), ({"standby": True}, 8.0)], ids=["a third each", "one"]
)
def test_false_alarms_of_a_check_that_takes_as_long_as_a_query(
    others: dict[str, Any], published: float
) -> None:
    """Per hour of a master that owns a third of the load, or all of it."""
    if not others:  # nobody waits for a worker: checks an hour, and the lognormal's tail
        sigma2 = math.log(1 + 3**2)
        tail = norm.sf((math.log(0.8 / 0.06) + sigma2 / 2) / math.sqrt(sigma2))
        assert tail * 3600 / 5.06 == pytest.approx(published, abs=0.1)
    alarms, hours = 0, 0.0
    for journal in journals(single_check(**others), 4 if others else 2):
        owner = {"p1": "db1"}
        for _, event in journal.of(StatusChanged, OwnerChanged):
            if isinstance(event, OwnerChanged):
                owner[event.partition] = event.owner
            elif event.new is Status.FAILED and event.old is Status.HEALTHY:
                alarms += not others or event.master == owner["p1"]
        hours += 2 if others else 6
    low, high = chi2.ppf([0.0005, 0.9995], [2 * alarms, 2 * alarms + 2]) / 2
    assert low <= published * hours <= high


def test_a_check_that_is_slow_with_its_master_fails_while_that_is_so() -> None:
    """At a hundredth of the speed 100 ms are 10 s; before and after they are not 800 ms."""
    data = {
        "horizon": "5m",
        "masters": [
            {
                **{"id": "db1", "workers": 4, "health": "deep"},
                "service": {"law": "constant", "mean": "100ms"},
            },
            {"id": "db2", "like": "db1"},
        ],
        "traffic": {
            **{"arrivals": {"law": "poisson", "rate": "2/s"}, "owned": "0%"},
            **{"timeout": "30s", "deadline": "30s"},
        },
        "faults": [{"kind": "slow", "speed": "1%", "target": "db1", "at": "1m", "for": "2m"}],
        "detection": {"evidence": ["probe"], "interval": "5s", "timeout": "800ms", "fall": 1},
        "failover": UNFENCED,
    }
    for journal in journals(data, 3):
        changes = [(t, e) for t, e in journal.of(StatusChanged) if e.new is Status.FAILED]
        ((failed_ns, event),) = changes
        assert event.master == "db1"
        assert 60 <= failed_ns / 1e9 <= 66
        (back_ns,) = (
            t for t, e in journal.of(StatusChanged) if t > failed_ns and e.new is Status.HEALTHY
        )
        assert back_ns / 1e9 >= 180


@pytest.mark.parametrize(("timeout", "cascades"), [("1s", True), ("10s", False)])
def test_restarts_for_slow_checks_cascade(timeout: str, cascades: bool) -> None:
    """A check of a second through the workers restarts what is busy, which makes the rest busier.

    notifications-admin, 3206: none were restarted with ten seconds.
    """
    data = {
        "horizon": "15m",
        "masters": [
            {
                **{"id": "i1", "workers": 4, "queue": 500, "health": "deep"},
                "service": {"law": "lognormal", "mean": "250ms", "cv": 2},
            },
            {"id": "i2", "like": "i1"},
            {"id": "i3", "like": "i1"},
        ],
        "traffic": {
            **{"arrivals": {"law": "poisson", "rate": "42/s"}, "owned": "0%"},
            **{"timeout": "20s", "deadline": "20s"},
        },
        "detection": {
            **{"evidence": ["probe"], "interval": "10s", "fast_interval": "10s"},
            **{"timeout": timeout, "fall": 1, "rise": 1},
        },
        "failover": {"fencing": "confirmed"},
        "fencing_device": {"latency": "1s", "restart": "30s"},
        "balancing": {"algorithm": "round-robin"},
    }
    for journal in journals(data, 2):
        alone = beside = 0
        down: set[str] = set()
        for _, event in journal.of(StatusChanged):
            if event.new is Status.FAILED and event.master not in down:
                alone, beside = (alone, beside + 1) if down else (alone + 1, beside)
                down.add(event.master)
            elif event.new is Status.HEALTHY:
                down.discard(event.master)
        if cascades:
            assert beside > alone  # most are declared while another one restarts
        else:
            assert alone == beside == 0
