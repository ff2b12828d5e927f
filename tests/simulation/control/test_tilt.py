"""Observers that distrust themselves: who was asleep declares nobody for a while."""

from __future__ import annotations

from typing import Any

import pytest

from hasim.events import StatusChanged
from hasim.model import Status
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.units import SECOND


def declared(stall_s: float, crash_s: float, **detection: Any) -> list[float]:
    """When the only master is declared failed: the observer sleeps from 20 s on."""
    study = from_data(
        {
            "horizon": "2m",
            "masters": [{"id": "a"}],
            "traffic": {"arrivals": {"law": "poisson", "rate": "0.1/s"}},
            "faults": [
                {"kind": "observer-stall", "at": "20s", "for": f"{stall_s}s"},
                {"kind": "crash", "target": "a", "at": f"{crash_s}s", "for": "80s"},
            ],
            "detection": {
                **{"evidence": "probe", "interval": "1s", "fast_interval": None},
                **{"timeout": "500ms", "fall": 2, "rise": 1, **detection},
            },
            "failover": {"fencing": "none"},
        }
    )
    (cell,) = study.cells
    journal = simulate(cell.world, study.recorded_of(cell), seed=1, replication=0)
    return [t / SECOND for t, e in journal.of(StatusChanged) if e.new is Status.FAILED]


def test_in_tilt_a_dead_master_is_suspected_and_declared_when_it_is_over() -> None:
    """Sentinel: 30 s after it was more than 2 s late."""
    ((plain,), (tilted,)) = declared(5, 22), declared(5, 22, distrust="tilt")
    assert 25 <= plain < 27
    assert tilted == pytest.approx(55)


def test_a_short_sleep_is_none() -> None:
    assert declared(1.5, 21) == declared(1.5, 21, distrust="tilt")


def test_what_fails_after_the_tilt_is_declared_as_ever() -> None:
    assert declared(5, 60) == declared(5, 60, distrust="tilt")
    long = declared(5, 60, distrust={"kind": "tilt", "tilt_period": "50s"})
    assert long == pytest.approx([75])
