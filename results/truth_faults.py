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
"""A fault strikes somewhere in the first 20 s of each minute."""
LASTS = {"for": {"law": "uniform", "low": "14s", "high": "34s"}}
"""How long, if nothing else is said."""


def simulated(
    detection: Mapping[str, Any],
    fault: Mapping[str, Any],
    masters: Sequence[Mapping[str, Any]],
    ends_ms: Sequence[int] = (),
    **beside: Any,
) -> Values:
    """Times to the declaration of s1 and, after the cure, back; shape (faults, 2).

    `ends_ms`: how long after their declaration faults are cured, in turn. `beside` is what else
    the scenario says.
    """
    found: list[tuple[int, int]] = []
    for run in range(RUNS):
        lasts = [LASTS] * FAULTS
        if ends_ms:
            own = [ends_ms[(run * FAULTS + place) % len(ends_ms)] for place in range(FAULTS)]
            lasts = [{"for": f"{end}ms", "from": "declaration"} for end in own]
        found += times_in(_run(detection, fault, masters, lasts, beside, run))
    return np.array(found) / SECOND


def _run(
    detection: Mapping[str, Any],
    fault: Mapping[str, Any],
    masters: Sequence[Mapping[str, Any]],
    lasts: Sequence[Mapping[str, Any]],
    beside: Mapping[str, Any],
    replication: int,
) -> Journal:
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
                    **{**fault, **last, "target": "s1"},
                    "at": {"law": "uniform", "low": f"{start}s", "high": f"{start + 20}s"},
                }
                for start, last in zip(
                    range(EACH_S, EACH_S * FAULTS + 1, EACH_S), lasts, strict=True
                )
            ],
        }
        | beside
    )
    (cell,) = study.cells
    return simulate(cell.world, study.recorded_of(cell), seed=1, replication=replication)


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
