"""Systems on the truth board whose rule is documented: the AWS JDBC wrapper, and nginx.

Of the wrapper there are figures, too; of nginx the law that follows from the rule is the truth.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np
from scipy.stats import expon, uniform
from truth_cell import FIGURES, Cell
from truth_faults import simulated

from hasim.events import StatusChanged
from hasim.model import Status
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from hasim.units import SECOND


def jdbc() -> Iterator[Cell]:
    """The wrapper's failure monitoring: the network goes dark so long after a query began."""
    with (FIGURES / "jdbc_efm.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            grace, interval, outage = (
                int(row[name]) for name in ("grace_ms", "interval_ms", "outage_ms")
            )
            setting = f"{grace // 1000} s, {interval // 1000} s, {row['count']}"
            real = np.array([float(row[f"{name}_ms"]) for name in ("least", "mean", "most")]) / 1000
            made = np.array(
                [
                    monitored(grace, interval, int(row["count"]), outage, replication)
                    for replication in range(5)
                ]
            )
            fault = f"dark after {outage // 1000} s"
            yield Cell("aws-jdbc-efm", setting, fault, "detection", real, made, figures=True)


def monitored(
    grace_ms: int, interval_ms: int, count: int, outage_ms: int, replication: int
) -> float:
    """Seconds from the outage of the network to the declaration; the query began at 0."""
    study = from_data(
        {
            "horizon": "3m",
            "masters": [{"id": "db"}],
            "network": {"rtt": "1ms", "local_rtt": "1ms"},
            "traffic": {"arrivals": {"law": "poisson", "rate": "0.001/s"}, "owned": "0%"},
            "failover": {"fencing": "none"},
            "detection": {
                **{"preset": "aws-jdbc-efm", "initial_delay": f"{grace_ms}ms"},
                **{"interval": f"{interval_ms}ms", "fall": count},
            },
            "faults": [{"kind": "partition", "target": "db", "at": f"{outage_ms}ms", "for": "2m"}],
        }
    )
    (cell,) = study.cells
    journal = simulate(cell.world, study.recorded_of(cell), seed=1, replication=replication)
    failed_ns = next(t for t, e in journal.of(StatusChanged) if e.new is Status.FAILED)
    return failed_ns / SECOND - outage_ms / 1000


RATE = 60.0
"""Messages a second for three servers, each of which is picked at random (nginx random)."""
READ_S = 3
"""proxy_read_timeout; 60 s if it is not set."""


def nginx() -> Iterator[Cell]:
    """max_fails=1 fail_timeout=10s, as they are if not set.

    The first request that is refused, or not answered in proxy_read_timeout, takes the server out;
    each 10 s from then on it is tried again.
    """
    masters = [
        {"id": "s1", "workers": 100, "queue": 4096, "service": {"law": "constant", "mean": "10us"}},
        *({"id": name, "like": "s1"} for name in ("s2", "s3")),
    ]
    beside = {
        "traffic": {
            **{"arrivals": {"law": "poisson", "rate": f"{RATE}/s"}, "owned": "0%"},
            **{"timeout": f"{READ_S}s", "deadline": "10s"},
            "retry": {"preset": "nginx"},
        },
        "balancing": {"algorithm": "random"},
    }
    own = {"preset": "nginx", "timeout": f"{READ_S}s"}
    first = expon(scale=3 / RATE)
    for fault, kind, law in (
        ("kill", "crash", first),
        ("stop", "hang", expon(loc=READ_S, scale=3 / RATE)),
    ):
        found = simulated(own, {"kind": kind}, masters, **beside)
        yield Cell("nginx", "as it is", fault, "detection", law, found[:, 0])
        if fault == "kill":
            back = uniform(0, 10)
            yield Cell("nginx", "as it is", fault, "recovery", back, found[:, 1])
