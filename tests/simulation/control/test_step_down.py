"""Fencing by the owner itself, and pg_auto_failover, whose monitor waits for that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

from hasim.events import Demote, DemoteResult, FailoverChanged, StatusChanged
from hasim.journal import Journal
from hasim.model import Status
from hasim.oracle import check
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.truth import FaultStarted
from hasim.units import SECOND

ANY_TIME = {"law": "uniform", "low": "100s", "high": "110s"}


def run(fault: dict[str, Any], replication: int = 0, **own: Any) -> Journal:
    base = {
        "horizon": "8m",
        "masters": [{"id": "a"}, {"id": "b", "standby": True, "like": "a"}],
        "network": {"rtt": "1ms", "local_rtt": "1ms"},
        "traffic": {"arrivals": {"law": "poisson", "rate": "0.2/s"}},
        "detection": {"preset": "pg-auto-failover"},
        "failover": {"preset": "pg-auto-failover"},
        "faults": [
            {"target": "a", "at": {"law": "uniform", "low": "100s", "high": "110s"}} | fault
        ],
    }
    study = from_data(base | own)
    (cell,) = study.cells
    return simulate(cell.world, study.recorded_of(cell), seed=8, replication=replication)


def moments(journal: Journal) -> tuple[float, float, float]:
    """Seconds at which the fault began, its master was declared failed, another one promoted."""
    start_ns = next(t_ns for t_ns, _ in journal.of(FaultStarted))
    down_ns = next(t_ns for t_ns, e in journal.of(StatusChanged) if e.new is Status.FAILED)
    steps = journal.of(FailoverChanged)
    made_ns = next(t_ns for t_ns, step in steps if step.trigger == "promoted")
    return start_ns / SECOND, down_ns / SECOND, made_ns / SECOND


def summed(x: np.ndarray) -> np.ndarray:
    """The distribution of the sum of two uniform laws on (0, 1)."""
    x = np.clip(x, 0, 2)
    return np.where(x < 1, x**2 / 2, 1 - (2 - x) ** 2 / 2)


def test_a_dead_node_is_unhealthy_after_20_s_of_silence_and_drained_for_30_s() -> None:
    """Its keeper reported up to a second before, and the secondary calls each second."""
    found = np.array([moments(run({"kind": "power-off", "for": "6m"}, n)) for n in range(60)])
    unhealthy = found[:, 1] - found[:, 0]
    assert 19 <= unhealthy.min() < unhealthy.max() <= 21.002
    assert kstest(unhealthy - 19, summed).pvalue > 0.01
    # Told to step down, it does not answer; then a promotion of 100 ms, and its way there and back.
    assert found[:, 2] - found[:, 1] == pytest.approx(30.1, abs=0.01)


def test_a_health_check_that_passes_speaks_for_a_node_whose_keeper_is_silent() -> None:
    """Two signals must agree: of one that lies only the heartbeats stop."""
    lies = {"kind": "lying-health", "target": "a", "at": "100s", "for": "3m"}
    hangs = {"kind": "hang", "target": "a", "at": "101s", "for": "2m"}
    journal = run({}, faults=[lies, hangs])
    assert not [e for _, e in journal.of(StatusChanged) if e.new is Status.FAILED]
    assert [e for _, e in run({}, faults=[hangs]).of(StatusChanged) if e.new is Status.FAILED]


def test_who_says_that_it_has_stepped_down_is_waited_for_no_longer() -> None:
    """A living primary that an operator declares failed obeys at once."""
    word = {"do": "declare-failed", "master": "a", "at": "100s"}
    journal = run({}, faults=[], operations=[word])
    (told_ns, _), *_ = journal.of(Demote)
    (_, answer), *_ = journal.of(DemoteResult)
    steps = journal.of(FailoverChanged)
    promoted_ns = next(t_ns for t_ns, step in steps if step.trigger == "promoted")
    assert answer.target == "a"
    assert told_ns == 100 * SECOND
    assert promoted_ns - told_ns < SECOND // 5
    assert check(journal) == []


def test_who_returns_while_it_is_drained_has_stopped_and_says_so() -> None:
    """Its 20 s are over, and it reports within a second: nobody waits for the end of the 30 s."""
    for replication in range(6):
        journal = run({"kind": "power-off", "for": "25s"}, replication)
        start_s, _, made_s = moments(journal)
        assert start_s + 25 < made_s < start_s + 26.2
        assert check(journal) == []


def test_who_does_not_hear_the_monitor_stops_by_itself() -> None:
    """Cut off from the monitor alone: it has stopped 20 s after it heard last, so that two never
    accept writes, and is made a secondary when it is back."""
    journal = run({"kind": "partition", "scope": "monitor", "for": "3m"})
    start_s, _, made_s = moments(journal)
    assert made_s - start_s > 49
    assert check(journal) == []
    assert any(order.target == "a" for _, order in journal.of(Demote))
