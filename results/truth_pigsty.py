"""Patroni as Pigsty reckons with it: its published phases of a failover beside the preset's.

Replicas look for the key when they wake, once in a loop. Pigsty's last phase, HAProxy's checks of
the new leader, is left out: here the gateways are told.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from truth_cell import FIGURES, Cell, Values

from hasim.events import FailoverChanged, Heartbeat, StatusChanged
from hasim.journal import Journal
from hasim.model import Status
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.truth import FaultStarted
from hasim.units import SECOND

FAULTS: Mapping[str, str] = {"node": "power-off", "process": "crash"}
PHASES = ("expiry", "detection", "promotion")
ROUNDED_S = 0.6
"""Published figures are whole seconds; and the mean of the runs has an error of its own."""
RUNS = 300


def published() -> Iterator[dict[str, str]]:
    """A row for each mode, fault and phase: least, mean and most, in seconds."""
    with (FIGURES / "pigsty_rto.csv").open(encoding="utf-8") as file:
        yield from csv.DictReader(file)


def scenario(ttl_s: int, loop_s: int, fault: str) -> dict[str, Any]:
    """A primary and a standby; the primary's node, or its process, dies at any time of a loop."""
    return {
        "horizon": "12m",
        "masters": [
            {"id": "a", "state": {"size": "1MiB"}},
            {"id": "b", "like": "a", "standby": True},
        ],
        "network": {"rtt": "0s", "local_rtt": "0s"},
        "promotion": {"duration": {"law": "uniform", "low": "0s", "high": "2s"}},
        "traffic": {"arrivals": {"law": "poisson", "rate": "0.1/s"}},
        "faults": [
            {
                "kind": FAULTS[fault],
                "target": "a",
                "at": {"law": "uniform", "low": "300s", "high": "420s"},
            }
        ],
        "detection": {
            "preset": "patroni",
            "heartbeat_interval": f"{loop_s}s",
            "grace": f"{ttl_s}s",
            "look_interval": f"{loop_s}s",
        },
        "failover": {
            "preset": "patroni",
            "fencing": {"kind": "lease", "ttl": f"{ttl_s}s", "renew": f"{loop_s}s"},
        },
    }


def predicted(ttl_s: int, loop_s: int, fault: str, runs: int) -> Values:
    """Seconds of each of the phases, a row for each run."""
    study = from_data(scenario(ttl_s, loop_s, fault))
    (cell,) = study.cells
    return np.array(
        [
            phases(
                simulate(cell.world, study.recorded_of(cell), seed=9, replication=replication),
                ttl_s,
            )
            for replication in range(runs)
        ]
    )


def phases(journal: Journal, ttl_s: int) -> tuple[float, float, float]:
    """From the fault to the end of the lease, from there to its detection, and to a promotion."""
    start_ns = next(t_ns for t_ns, _ in journal.of(FaultStarted))
    beats = (t_ns for t_ns, beat in journal.of(Heartbeat) if beat.master == "a")
    over_ns = max(t_ns for t_ns in beats if t_ns <= start_ns) + ttl_s * SECOND
    declared_ns = next(t for t, event in journal.of(StatusChanged) if event.new is Status.FAILED)
    steps = journal.of(FailoverChanged)
    promoted_ns = next(t_ns for t_ns, step in steps if step.trigger == "promoted")
    return (
        (over_ns - start_ns) / SECOND,
        (declared_ns - over_ns) / SECOND,
        (promoted_ns - declared_ns) / SECOND,
    )


def cells(runs: int = RUNS) -> Iterator[Cell]:
    """Each phase after a node dies, and all together after PostgreSQL alone does."""
    made: dict[tuple[str, str], Values] = {}
    for row in published():
        mode, fault, phase = row["mode"], row["fault"], row["phase"]
        if (mode, fault) not in made:
            own = predicted(int(row["ttl_s"]), int(row["loop_s"]), fault, runs)
            made[mode, fault] = own
        own = made[mode, fault]
        values = own.sum(axis=1) if phase == "all" else own[:, PHASES.index(phase)]
        real = np.array([float(row[f"{name}_s"]) for name in ("least", "mean", "most")])
        setting = f"Pigsty {mode}: ttl {row['ttl_s']} s, loop {row['loop_s']} s"
        died = "node dies" if fault == "node" else "PostgreSQL dies"
        what = {"all": "outage"}.get(phase, phase)
        yield Cell("patroni", setting, died, what, real, values, within=ROUNDED_S, extremes=True)
