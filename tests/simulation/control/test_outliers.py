"""Who stands out among the others, by the messages of all: Envoy's success rate, and latency."""

from __future__ import annotations

import math
from typing import Any

import pytest

from hasim.events import GatewayReport, MasterTraffic, StatusChanged
from hasim.journal import Journal
from hasim.model import Cause, Diagnosis, Status
from hasim.scenario.loader import from_data
from hasim.services.detection.service import FailoverDetectionService
from hasim.simulation.run import simulate
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import cluster, detection


def journal_of(count: int, *faults: dict[str, Any], **own: Any) -> Journal:
    study = from_data(
        {
            "horizon": "90s",
            "masters": [
                {"id": "m1", "workers": 8, "service": {"law": "exponential", "mean": "20ms"}},
                *({"id": f"m{n}", "like": "m1"} for n in range(2, count + 1)),
            ],
            "traffic": {
                **{"arrivals": {"law": "poisson", "rate": f"{10 * count}/s"}, "owned": "0%"},
                **{"timeout": "5s", "deadline": "5s"},
            },
            "faults": [{"at": "30s", "for": "40s", **fault} for fault in faults],
            "detection": {"evidence": "outliers", **own},
            "balancing": {"report_interval": "5s"},
            "failover": {"fencing": "none"},
        }
    )
    (cell,) = study.cells
    return simulate(cell.world, study.recorded_of(cell), seed=1, replication=0)


def failed(journal: Journal) -> list[StatusChanged]:
    return [event for _, event in journal.of(StatusChanged) if event.new is Status.FAILED]


SLOW = {"kind": "slow", "speed": "5%"}


def test_one_that_is_slow_among_others_is_failed() -> None:
    first, *again = failed(journal_of(4, {**SLOW, "target": "m2"}))
    assert first.master == "m2"
    assert first.diagnosis is Diagnosis.GRAY_FAILURE
    assert "the others' median" in first.reason
    assert {event.master for event in again} <= {"m2"}  # its checks pass, and it comes back


def test_if_all_are_slow_nobody_is_failed() -> None:
    """What HAProxy's maintainers feared of a limit on latency: you disable all."""
    assert failed(journal_of(4, {**SLOW, "target": "all"})) == []


@pytest.mark.parametrize(("count", "seen"), [(4, False), (5, True)])
def test_among_four_nobody_is_far_enough_off_by_envoys_rule(count: int, seen: bool) -> None:
    """sqrt(n - 1) deviations at most: 1.73 of four, 2 of five, and 1.9 are asked for."""
    assert (math.sqrt(count - 1) > 1.9) is seen
    fault = {"kind": "error-rate", "rate": "60%", "target": "m3"}
    found = failed(journal_of(count, fault, latency_factor=0))
    assert {event.master for event in found} == ({"m3"} if seen else set())


def told(latencies_ms: tuple[float, ...], **own: Any) -> list[str]:
    """Who is failed by two reports of 100 answers each from every master, 10 s apart."""
    made = cluster(len(latencies_ms))
    service = FailoverDetectionService(detection(evidence=["outliers"], **own), made)
    service.start_monitoring(0)
    out = []
    for sequence in (1, 2):
        rows = tuple(
            MasterTraffic(
                f"m{number}", 100 * sequence, 0, 0, 0, Cause.OK, round(ms * MILLISECOND), 0
            )
            for number, ms in enumerate(latencies_ms, 1)
        )
        report = GatewayReport("local", sequence, rows)
        out += service.step(10 * SECOND * sequence, report)
    return [e.master for e in out if isinstance(e, StatusChanged) and e.new is Status.FAILED]


def test_the_worst_go_first_and_never_all_of_them() -> None:
    assert told((20, 20, 20, 500)) == ["m4"]
    assert told((20, 20, 20, 20, 800, 500)) == ["m5", "m6"]
    assert told((20, 20, 20, 20, 800, 500), most_outliers="20%") == ["m5"]
    assert told((500, 500, 500, 500)) == []
    assert told((20, 20, 20, 90)) == []  # no more than the margin
    assert told((20, 500)) == []  # too few to compare
    assert told((20, 20, 20, 500), latency_factor=0) == []
