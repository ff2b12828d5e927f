"""Presets of failover beside what is documented of the systems: Patroni, keepalived."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest, uniform

from hasim.events import FailoverChanged, Heartbeat, StatusChanged
from hasim.journal import Journal
from hasim.model import Status
from hasim.scenario.loader import from_data
from hasim.services.failover.registry import PRESETS
from hasim.simulation.run import simulate
from hasim.truth import FaultStarted
from hasim.units import SECOND
from tests.study.standins import script

pigsty = script("truth_pigsty")
RUNS = 80
ELSEWHERE = {
    "sentinel",  # test_sentinel_failover: what was measured of it
    "orchestrator",  # test_orchestrator
    "pacemaker",  # test_pacemaker
    "kubernetes",  # test_manual_fencing
    "pg-auto-failover",  # test_step_down
}


def journals(runs: int, **own: Any) -> Iterator[Journal]:
    """Runs of a primary and a standby, of which the first dies after some minutes."""
    fault = {
        "kind": "power-off",
        "target": "a",
        "at": {"law": "uniform", "low": "300s", "high": "420s"},
    }
    base = {
        "horizon": "12m",
        "masters": [{"id": "a", "state": {"size": "1MiB"}}, {"id": "b", "standby": True}],
        "network": {"rtt": "0s", "local_rtt": "0s"},
        "promotion": {"duration": "0s"},
        "traffic": {"arrivals": {"law": "poisson", "rate": "0.1/s"}},
        "faults": [fault],
    }
    base["masters"][1] |= {"like": "a"}
    study = from_data(base | own)
    (cell,) = study.cells
    for replication in range(runs):
        yield simulate(cell.world, study.recorded_of(cell), seed=9, replication=replication)


def times(journal: Journal) -> tuple[float, float]:
    """Seconds from the fault to the declaration, and from there to the promotion."""
    start_ns = next(t_ns for t_ns, _ in journal.of(FaultStarted))
    declared_ns = next(t for t, event in journal.of(StatusChanged) if event.new is Status.FAILED)
    steps = journal.of(FailoverChanged)
    promoted_ns = next(t_ns for t_ns, step in steps if step.trigger == "promoted")
    return (declared_ns - start_ns) / SECOND, (promoted_ns - declared_ns) / SECOND


def test_each_that_ships_is_checked() -> None:
    assert {"patroni", "keepalived"} | ELSEWHERE == set(PRESETS.shipped)


def test_patronis_key_runs_out_uniformly_within_the_last_loop() -> None:
    """A crash of the host with ttl 30 and loop_wait 10: 20 to 30 s; the watch takes 10 ms."""
    own = {"detection": {"preset": "patroni"}, "failover": {"preset": "patroni"}}
    found = np.array([sum(times(journal)) for journal in journals(RUNS, **own)])
    assert kstest(found, uniform(20.0, 10.01).cdf).pvalue > 0.01
    assert found.min() >= 20.0
    assert found.max() <= 30.02


@pytest.mark.parametrize("mode", ["fast", "norm", "safe", "wide"])
def test_the_phases_are_those_that_pigsty_publishes(mode: str) -> None:
    """Least, mean and most of each, which are published in whole seconds."""
    rows = [r for r in pigsty.published() if (r["mode"], r["fault"]) == (mode, "node")]
    assert [row["phase"] for row in rows] == list(pigsty.PHASES)
    loop_s = int(rows[0]["loop_s"])
    made = pigsty.predicted(int(rows[0]["ttl_s"]), loop_s, "node", RUNS)
    for row, values, width_s in zip(rows, made.T, (loop_s, loop_s, 2), strict=True):
        least, mean, most = (float(row[f"{name}_s"]) for name in ("least", "mean", "most"))
        assert least <= values.min() < least + 0.1 * width_s
        assert most - 0.1 * width_s < values.max() <= most + 0.001
        error = width_s / np.sqrt(12 * RUNS)  # of the mean of a uniform law
        assert values.mean() == pytest.approx(mean, abs=0.5 + 3 * error)


@pytest.mark.parametrize("priority", [1, 100, 254])
def test_a_vrrp_backup_takes_over_after_three_adverts_and_its_skew(priority: int) -> None:
    """VRRP 2: 3 x advert + (256 - priority) / 256 s after the last advertisement."""
    detection = {"preset": "keepalived", "priority": priority}
    own = {"detection": detection, "failover": {"preset": "keepalived"}}
    for journal in journals(10, **own):
        start_ns = next(t_ns for t_ns, _ in journal.of(FaultStarted))
        beats = [t_ns for t_ns, beat in journal.of(Heartbeat) if beat.master == "a"]
        last_ns = max(t_ns for t_ns in beats if t_ns <= start_ns)
        taken_ns = start_ns + round(sum(times(journal)) * SECOND)
        expected_ns = 3 * SECOND + SECOND * (256 - priority) // 256
        assert abs(taken_ns - last_ns - expected_ns) <= 1000


@pytest.mark.parametrize("priority", [1, 100, 254])
@pytest.mark.parametrize("version", [2, 3])
def test_a_clean_stop_is_taken_over_after_the_skew_alone(priority: int, version: int) -> None:
    """Priority 0 in the last advertisement; in VRRP 3 the skew is a part of the interval."""
    detection = {"preset": "keepalived", "priority": priority, "vrrp_version": version}
    own = {"detection": detection | {"heartbeat_interval": "2s"}}
    stop = {"kind": "crash", "target": "a", "announced": True}
    stop["at"] = {"law": "uniform", "low": "300s", "high": "420s"}
    for journal in journals(5, faults=[stop], failover={"preset": "keepalived"}, **own):
        skew_ns = version_s(version) * SECOND * (256 - priority) // 256
        taken_ns = round(sum(times(journal)) * SECOND)
        assert abs(taken_ns - skew_ns) <= 1000


def version_s(version: int) -> int:
    """What the skew is a part of, where advertisements go out each 2 s."""
    return 1 if version == 2 else 2


def test_a_vrrp_master_of_higher_priority_preempts_when_it_returns() -> None:
    fault = {"kind": "crash", "target": "a", "at": "60s", "for": "30s"}
    own = {"detection": {"preset": "keepalived"}, "failover": {"preset": "keepalived"}}
    (journal,) = journals(1, faults=[fault], horizon="3m", **own)
    back_ns = next(
        t_ns
        for t_ns, event in journal.of(StatusChanged)
        if event.master == "a" and event.new is Status.HEALTHY and t_ns > 90 * SECOND
    )
    took = [(t, s.candidate) for t, s in journal.of(FailoverChanged) if s.trigger == "promoted"]
    assert [candidate for _, candidate in took] == ["b", "a"]
    assert took[1][0] - back_ns < SECOND // 100
    own["failover"] |= {"failback": "manual"}  # nopreempt
    (journal,) = journals(1, faults=[fault], horizon="3m", **own)
    took = [(t, s.candidate) for t, s in journal.of(FailoverChanged) if s.trigger == "promoted"]
    assert [candidate for _, candidate in took] == ["b"]
