"""Repair crews: how many faults are mended at a time, and what follows from that."""

from __future__ import annotations

import numpy as np
import pytest

from hasim.journal import Journal
from hasim.scenario.loader import from_data
from hasim.simulation.clock import Clock
from hasim.simulation.faults.repair import Crews
from hasim.study.estimates.statistics import t_interval
from hasim.study.execution.replication import simulate_cell
from hasim.truth import FaultCured, FaultStarted
from hasim.units import MINUTE, SECOND

DATA = {
    "name": "repair",
    "horizon": "20m",
    "masters": [{"id": "a"}, {"id": "b", "priority": 2}],
    "traffic": {"arrivals": {"law": "poisson", "rate": "0.01/s"}},
    "detection": {"evidence": "probe", "interval": "10m"},
    "failover": {"retry_interval": "10m"},
}


def of(replication: int = 0, **more: object) -> Journal:
    return simulate_cell(from_data({**DATA, **more}), 0, replication)


def broken(journal: Journal) -> list[tuple[int, int, str]]:
    """When each fault began and was cured, and whom it struck."""
    cured = {body.fault: t for t, body in journal.of(FaultCured)}
    return [
        (t, cured.get(body.fault, journal.horizon_ns), body.masters[0])
        for t, body in journal.of(FaultStarted)
    ]


@pytest.mark.parametrize(
    ("number", "ends"), [(0, [10, 20, 30]), (1, [10, 30, 60]), (2, [10, 20, 40]), (3, [10, 20, 30])]
)
def test_the_first_to_come_is_the_first_to_be_served(number: int, ends: list[int]) -> None:
    env, done = Clock(), dict[int, int]()
    crews = Crews(env, number)
    for duration in (10, 20, 30):
        crews.mend(duration, lambda duration=duration: done.update({duration: env.now}))
    env.run(until=100)
    assert list(done.values()) == ends


@pytest.mark.parametrize(("crews", "second_min"), [(0, 9), (1, 12), (2, 9)])
def test_a_fault_waits_for_the_crew_that_is_busy(crews: int, second_min: int) -> None:
    faults = [
        {"kind": "crash", "target": "a", "at": "2m", "for": "5m"},
        {"kind": "hang", "target": "b", "at": "4m", "for": "5m"},
    ]
    found = broken(of(faults=faults, repair={"crews": crews}))
    assert [(start / MINUTE, end / MINUTE) for start, end, _ in found] == [(2, 7), (4, second_min)]


def test_a_process_waits_anew_when_it_is_cured() -> None:
    """Every 3 min of health: the fault of b waits 1 min for the crew, and the next comes later."""
    faults = [
        {"kind": "crash", "target": "a", "at": "2m", "for": "3m"},
        {"kind": "hang", "target": "b", "every": "4m", "for": "2m"},
    ]
    alone = [(4, 6), (10, 12), (16, 18)]
    late = [(4, 7), (11, 13), (17, 19)]
    for crews, expected in ((0, alone), (1, late)):
        found = broken(of(faults=faults, repair={"crews": crews}))
        assert [(s / MINUTE, e / MINUTE) for s, e, on in found if on == "b"] == expected


@pytest.mark.slow
@pytest.mark.parametrize(("crews", "exact"), [(1, 0.2), (2, 1 / 9)])
def test_the_machine_repair_model(crews: int, exact: float) -> None:
    """Two masters, each up for 20 min and repaired in 10: weights 1, 1 and 1/2 (or 1/4)."""
    lasting = {"law": "exponential", "mean": "10m"}
    every = {"law": "exponential", "mean": "20m"}
    faults = [{"kind": "hang", "target": "each", "every": every, "for": lasting}]
    shares = []
    for replication in range(200):
        found = broken(of(replication, horizon="20h", faults=faults, repair={"crews": crews}))
        edges = sorted([(start, 1) for start, _, _ in found] + [(end, -1) for _, end, _ in found])
        down = np.cumsum([change for _, change in edges])
        lasts = np.diff([t for t, _ in edges], append=20 * 60 * MINUTE)
        shares.append(float(lasts[down == 2].sum() / (20 * 3600 * SECOND)))
        assert down.max() == 2
    interval = t_interval(shares)
    assert interval.low <= exact <= interval.high
    assert interval.high - interval.low < 0.1 * exact
