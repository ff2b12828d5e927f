"""Redis Sentinel, measured and predicted: from a killed or stopped master to the first write."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from truth_cell import FIGURES, Cell, Values

from hasim.events import FailoverChanged, LeaderElected, StatusChanged
from hasim.journal import Journal
from hasim.model import Status
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.truth import FaultStarted, MessageRecord, WritesLost
from hasim.units import SECOND

FAULTS: Mapping[str, str] = {"kill": "crash", "stop": "hang"}
MOMENTS = ("sdown_first", "sdown_second", "odown", "elected", "promoted", "write")
"""First and second +sdown, +odown, +elected-leader, +promoted-slave, the first write accepted."""
RUNS = 300


def measured(fault: str) -> Values:
    """Values from the fault to each moment; a row for each time that it was measured."""
    with (FIGURES / "redis_sentinel.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["fault"] == fault]
    return np.array([[float(row[f"{moment}_ms"]) for moment in MOMENTS] for row in rows]) / 1000


def scenario(fault: str) -> dict[str, Any]:
    """Redis as it was measured: one machine, down-after 2 s, failover-timeout 10 s, quorum 2.

    The fault strikes between two rounds of INFO to the replicas (these are at 20 and 30 s): no
    round fell between fault and promotion in any of the measured runs.
    """
    return {
        "horizon": "36s",
        "masters": [
            {"id": "redis-1", "state": {"size": "1MiB", "write": "100B"}},
            {"id": "redis-2", "like": "redis-1", "standby": True},
            {"id": "redis-3", "like": "redis-1", "standby": True},
        ],
        "network": {"rtt": "20us", "local_rtt": "20us"},
        "replication": {"copies": 2, "lag": "0s"},
        "promotion": {"duration": "1ms"},
        "traffic": {"arrivals": {"law": "constant", "rate": "100/s"}, "owned": "100%"},
        "faults": [
            {
                "kind": FAULTS[fault],
                "target": "redis-1",
                "at": {"law": "uniform", "low": "21.5s", "high": "25.5s"},
            }
        ],
        "observer": {"witnesses": ["default", "default"]},
        "detection": {"preset": "sentinel", "down_after": "2s"},
        "leadership": {"preset": "sentinel", "failover_timeout": "10s"},
        "failover": {"preset": "sentinel", "limit": "10s", "promote_timeout": "10s"},
    }


def predicted(fault: str, runs: int) -> tuple[Values, int]:
    """The same of simulated runs, and how many acknowledged writes were lost in all of them."""
    study = from_data(scenario(fault))
    (cell,) = study.cells
    rows, lost = [], 0
    for replication in range(runs):
        journal = simulate(
            cell.world, study.recorded_of(cell), seed=1, replication=replication, messages=True
        )
        rows.append(moments_of(journal))
        lost += sum(record.writes for _, record in journal.of(WritesLost))
    return np.array(rows) / SECOND, lost


def moments_of(journal: Journal) -> list[int]:
    """Nanoseconds from the fault to each moment."""
    start_ns = next(t_ns for t_ns, _ in journal.of(FaultStarted))
    doubts: dict[str, int] = {}
    odown: list[int] = []
    for record in journal.records:
        body = record.body
        if isinstance(body, StatusChanged) and record.t_ns > start_ns:
            if body.new in (Status.SUSPECT, Status.FAILED):
                doubts.setdefault(record.observer, record.t_ns)
            odown += [record.t_ns] * (body.new is Status.FAILED)
    elected = next(t_ns for t_ns, _ in journal.of(LeaderElected))
    steps = journal.of(FailoverChanged)
    promoted = next(t_ns for t_ns, step in steps if step.trigger == "promoted")
    writes = [write for _, write in journal.of(MessageRecord) if write.arrived_ns > start_ns]
    written = min(write.ended_ns for write in writes if write.outcome == "ok")
    sdown = sorted(doubts.values())[:2]
    return [t_ns - start_ns for t_ns in (*sdown, min(odown), elected, promoted, written)]


def cells() -> Iterator[Cell]:
    """Each moment after a master is killed or stopped."""
    for fault in FAULTS:
        real, (made, _) = measured(fault), predicted(fault, RUNS)
        for place, moment in enumerate(MOMENTS):
            what = moment.replace("_", ", ")
            yield Cell("sentinel", "quorum 2", fault, what, real[:, place], made[:, place])
