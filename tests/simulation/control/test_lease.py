"""A node lease in a world: a node that loses power is detected as metallb's users saw it."""

from __future__ import annotations

import numpy as np
from scipy.stats import kstest

from hasim.events import StatusChanged
from hasim.model import Status
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.truth import FaultStarted

CASE = {
    "name": "l2-node-loss",
    "horizon": "4m",
    "masters": [
        {"id": "node1", "workers": 8, "service": {"law": "constant", "mean": "5ms"}},
        {"id": "node2", "like": "node1", "priority": 2},
        {"id": "node3", "like": "node1", "priority": 3},
    ],
    "network": {"rtt": "1ms"},
    "traffic": {"arrivals": {"law": "poisson", "rate": "0.1/s"}, "owned": "100%", "timeout": "2s"},
    "faults": [{"kind": "power-off", "target": "node1", "at": "65s", "for": "2m"}],
    "detection": {"preset": "kubernetes-node"},
    "failover": {"fencing": "none"},
    "replication": {"copies": 1, "lag": "0s"},
}
"""Status renewed each 10 s, grace 40 s, looked at each 5 s (github.com/metallb/metallb, 524)."""


def test_a_node_that_loses_power_is_detected_after_30_to_45_s() -> None:
    """U(30, 40) + U(0, 5) s over replications, whenever it happens: p10/p50/p90 33.2/37.5/41.8."""
    study = from_data(CASE)
    (cell,) = study.cells
    found = []
    for replication in range(300):
        recorded = study.recorded_of(cell)
        journal = simulate(cell.world, recorded, seed=1, replication=replication)
        start_ns = next(t_ns for t_ns, _ in journal.of(FaultStarted))
        (failed_ns,) = (t for t, e in journal.of(StatusChanged) if e.new is Status.FAILED)
        found.append((failed_ns - start_ns) / 1e9)
    assert min(found) >= 30
    assert max(found) <= 45
    assert kstest(found, trapezium).pvalue > 0.001
    assert np.abs(np.quantile(found, [0.1, 0.5, 0.9]) - [33.2, 37.5, 41.8]).max() < 0.7


def trapezium(t_s: np.ndarray) -> np.ndarray:
    """The distribution of U(30, 40) + U(0, 5)."""

    def area(x: np.ndarray) -> np.ndarray:
        return np.clip(x, 0, None) ** 2 / 2

    return (area(t_s - 30) - area(t_s - 35) - area(t_s - 40) + area(t_s - 45)) / 50
