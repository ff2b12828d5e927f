"""Faults in a world, one each minute: when each was declared, and when its cure was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from truth_cell import Values

from hasim.events import StatusChanged
from hasim.journal import Journal
from hasim.model import Status
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.truth import FaultCured, FaultStarted
from hasim.units import SECOND

RUNS, FAULTS = 20, 100
"""2,000 simulated faults for each cell."""
EACH_S = 60
"""A fault strikes somewhere in the first 20 s of each minute and lasts for 14 to 34 s."""


def simulated(
    detection: Mapping[str, Any],
    fault: Mapping[str, Any],
    masters: Sequence[Mapping[str, Any]],
    **beside: Any,
) -> Values:
    """Times to the declaration of s1 and, after the cure, back; shape (faults, 2).

    `beside` is what else the scenario says.
    """
    first = [{"law": "uniform", "low": f"{s}s", "high": f"{s + 20}s"} for s in _starts()]
    study = from_data(
        {
            "horizon": f"{EACH_S * (FAULTS + 1)}s",
            "masters": list(masters),
            "network": {"rtt": "100us", "local_rtt": "100us"},
            "traffic": {"arrivals": {"law": "poisson", "rate": "0.001/s"}, "owned": "0%"},
            "failover": {"fencing": "none"},
            "detection": dict(detection),
            "faults": [
                {
                    **fault,
                    "target": "s1",
                    "at": first,
                    "for": {"law": "uniform", "low": "14s", "high": "34s"},
                }
            ],
        }
        | beside
    )
    (cell,) = study.cells
    found = [
        times
        for replication in range(RUNS)
        for times in times_in(
            simulate(cell.world, study.recorded_of(cell), seed=1, replication=replication)
        )
    ]
    return np.array(found) / SECOND


def _starts() -> range:
    return range(EACH_S, EACH_S * (FAULTS + 1), EACH_S)


def times_in(journal: Journal) -> Iterator[tuple[int, int]]:
    """Of each fault: when it was declared, and when its cure was (nanoseconds)."""
    started_ns = cured_ns = declared_ns = 0
    for t_ns, body in journal.of(FaultStarted, FaultCured, StatusChanged):
        if isinstance(body, StatusChanged) and body.master != "s1":
            continue
        if isinstance(body, FaultStarted):
            started_ns, cured_ns, declared_ns = t_ns, 0, 0
        elif isinstance(body, FaultCured):
            cured_ns = t_ns
        elif body.new is Status.FAILED:
            declared_ns = declared_ns or t_ns
        elif body.new is Status.HEALTHY and cured_ns:
            yield declared_ns - started_ns, t_ns - cured_ns
