"""HAProxy on the truth board: its checks, and what its clients see."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from truth_cell import FIGURES, Cell
from truth_faults import simulated

from hasim.journal import Journal
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.truth import MessageRecord
from hasim.units import SECOND

RUNS = 20
"""Runs for each measured fault: some 500 for each cell."""

HAPROXY: Mapping[str, Mapping[str, Any]] = {
    "A": {"preset": "haproxy"},
    "B": {"preset": "haproxy", "interval": "1s", "fall": 2},
}
"""`inter 2s fall 3 rise 2`, which is what HAProxy does unless told otherwise; `inter 1s fall 2`."""
STRUCK: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "A": {
        "kill": {"kind": "crash"},
        "stop": {"kind": "hang"},
        "slow": {"kind": "added-delay", "extra": "2500ms"},
    },
    "B": {
        "kill": {"kind": "crash"},
        "stop": {"kind": "hang"},
        "slow": {"kind": "added-delay", "extra": "1500ms"},
    },
}


def detection() -> Iterator[Cell]:
    """Detection and recovery of a killed, a stopped and a slow server, in two settings.

    Faults begin at a phase that is drawn, and end where those that were measured ended.
    """
    measured: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    ends: dict[tuple[str, str], list[int]] = defaultdict(list)
    with (FIGURES / "haproxy_detection.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            times = float(row["detected_ms"]) / 1000, float(row["recovered_ms"]) / 1000
            measured[row["setting"], row["fault"]].append(times)
            ends[row["setting"], row["fault"]].append(int(row["up_after_ms"]))
    for (setting, fault), times in measured.items():
        # An answer is late only if somebody works for it; other servers would change nothing.
        health = "deep" if fault == "slow" else "shallow"
        server = {"id": "s1", "health": health, "health_work": "1ms"}
        kind = STRUCK[setting][fault]
        predicted = simulated(HAPROXY[setting], kind, [server], ends[setting, fault])
        for what, real, made in zip(
            ("detection", "recovery"), np.array(times).T, predicted.T, strict=True
        ):
            yield Cell("haproxy", setting, fault, what, real, made)


# -- clients ---------------------------------------------------------------------------------

LATE_S = 0.5
"""An answer that takes longer is late."""


def clients() -> Iterator[Cell]:
    """Errors and late answers that a fault costs clients, without and with `option redispatch`.

    The faults end when the measured ones did: so long after they were detected.
    """
    measured: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    with (FIGURES / "haproxy_client_errors.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            measured[row["fault"], row["redispatch"]].append(row)
    for (fault, redispatch), rows in measured.items():
        kind, found = STRUCK["A"][fault]["kind"], np.empty((0, 2))
        for row in rows:
            runs = suffered(kind, f"{row['up_after_ms']}ms", redispatch=redispatch == "1")
            found = np.vstack([found, list(runs)])
        setting = "redispatch" if redispatch == "1" else "A"
        for place, name in enumerate(("client_errors", "slow_ok")):
            real = np.array([float(row[name]) for row in rows])
            what = ("messages failed", "messages late")[place]
            yield Cell("haproxy", setting, fault, what, real, found[:, place], within=1.0)


def suffered(fault: str, after: str, *, redispatch: bool) -> Iterator[tuple[float, float]]:
    """Of each run with one fault: messages that failed, and those that were late."""
    study = from_data(
        {
            "horizon": "36s",
            "masters": [
                {
                    **{"id": "s1", "workers": 50, "queue": 4096},
                    "service": {"law": "constant", "mean": "500us"},
                },
                {"id": "s2", "like": "s1"},
                {"id": "s3", "like": "s1"},
            ],
            "network": {"rtt": "100us", "local_rtt": "100us"},
            "traffic": {
                **{"arrivals": {"law": "constant", "rate": "100/s"}, "owned": "0%"},
                **{"connect_timeout": "1s", "timeout": "3s", "deadline": "10s"},
                "retry": {"preset": "haproxy-redispatch" if redispatch else "haproxy"},
            },
            "balancing": {"algorithm": "round-robin"},
            "failover": {"fencing": "none"},
            "detection": dict(HAPROXY["A"]),
            "faults": [
                {
                    **{"kind": fault, "target": "s1", "from": "declaration", "for": after},
                    "at": {"law": "uniform", "low": "4s", "high": "8s"},
                }
            ],
        }
    )
    (cell,) = study.cells
    for replication in range(RUNS):
        recorded = study.recorded_of(cell)
        yield failed_and_late(
            simulate(cell.world, recorded, seed=1, replication=replication, messages=True)
        )


def failed_and_late(journal: Journal) -> tuple[float, float]:
    """How many messages failed, and how many were answered late."""
    messages = [message for _, message in journal.of(MessageRecord)]
    answered = [message for message in messages if message.outcome == "ok"]
    late = sum(m.ended_ns - m.arrived_ns > LATE_S * SECOND for m in answered)
    return len(messages) - len(answered), late
