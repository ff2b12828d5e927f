from __future__ import annotations

from dataclasses import replace

import pytest

from hasim.model import Cluster, Master, Partition
from hasim.services.monitoring import HighAvailabilityMonitor, MonitorSettings
from hasim.units import SECOND

CLUSTER = Cluster(
    masters=(Master("a", "west"), Master("b", "east", priority=2), Master("c", "east", 3)),
    partitions=(Partition("p1", "a"), Partition("p2", "b"), Partition("p3", "c")),
    gateways=("west", "east"),
    rtt_ns=((1, 2, 2), (2, 1, 1)),
)
# 99 % of 1000 s: 10 s may be lost.
SETTINGS = MonitorSettings(objective=0.99, period_ns=1000 * SECOND, hold_ns=10 * SECOND)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    return CLUSTER


@pytest.fixture(scope="session")
def start():
    """A monitor that was started at 0; given frozen data, one restored from it."""

    def make(data=None, **changes) -> HighAvailabilityMonitor:
        settings = replace(SETTINGS, **changes)
        if data is not None:
            return HighAvailabilityMonitor.restore(settings, CLUSTER, data)
        made = HighAvailabilityMonitor(settings, CLUSTER)
        made.initialize_monitoring(0)
        return made

    return make


@pytest.fixture
def monitor(start) -> HighAvailabilityMonitor:
    return start()
