"""What people had, as they wrote it down, beside the value that is right; others stand elsewhere.

By number: 01: control/test_lease.py; 02, 13, 16, 21, 25, 28, 29: test_failover_cases.py; 03, 06,
15, 19, 20, 46: control/test_cases.py; 05: test_operators_at_work.py; 14: clients/test_following.py;
40, 42, 45: test_topology.py; 43, 47: rare/test_runs.py; 48: clients/test_many_gateways.py; 50:
control/test_depth.py; 51: test_evidence.py; 52: masters/test_acknowledged.py.
"""

from __future__ import annotations

from typing import Any

import pytest
from scipy.stats import kstest

import hasim
from hasim.measures import measure
from hasim.scenario.loader import from_data
from hasim.simulation.run import simulate
from tests.intervals import half_width

API: dict[str, Any] = {
    "name": "api",
    "horizon": "75s",
    "masters": [
        {
            **{"id": "api-1", "region": "zone-a", "priority": 1, "workers": 8},
            "service": {"law": "lognormal", "mean": "40ms", "cv": 1.2},
        },
        {"id": "api-2", "region": "zone-b", "priority": 2, "like": "api-1"},
        {"id": "api-3", "region": "zone-a", "priority": 3, "like": "api-1"},
    ],
    "network": {"rtt": "2ms", "local_rtt": "0.5ms", "loss": "0.1%"},
    "traffic": {
        **{"arrivals": {"law": "poisson", "rate": "40/s"}, "owned": "0%"},
        **{"timeout": "1s", "deadline": "5s", "retry": {"attempts": 2}},
    },
    "faults": [
        {
            **{"kind": "crash", "target": "random", "for": "2m"},
            "at": {"law": "uniform", "low": "20s", "high": "30s"},
        }
    ],
    "detection": {
        **{"evidence": ["probe"], "interval": "10s", "fast_interval": "10s"},
        **{"timeout": "1s", "fall": 3, "rise": 1},
    },
}


def measured(data: dict[str, Any], replications: int) -> list[Any]:
    """What is measured of each replication of a scenario's only cell."""
    loaded = from_data({"replications": replications, **data})
    (cell,) = loaded.cells
    recorded = loaded.recorded_of(cell)
    return [
        measure(simulate(cell.world, recorded, seed=1, replication=number))
        for number in range(replications)
    ]


def success(data: dict[str, Any], replications: int) -> list[float]:
    """The share of messages in time, of each replication."""
    found = []
    for one in measured(data, replications):
        settled = [row for row in one.messages if row.settled]
        found.append(sum(r.in_time for r in settled) / sum(r.messages for r in settled))
    return found


@pytest.mark.parametrize(
    ("budget", "right", "within"), [(None, 0.9993, 0.0005), ("20%", 0.9415, 0.02)]
)
def test_case_41_what_a_hidden_budget_cost(budget: str | None, right: float, within: float) -> None:
    """Two attempts: 99.93 % without a budget of retries, 94.15 % with one of 20 %."""
    retry = {"attempts": 2} | ({} if budget is None else {"budget": budget})
    data = {**API, "traffic": {**API["traffic"], "retry": retry}}
    (cell,) = from_data(data).cells
    assert (cell.world.traffic.retry.budget is None) == (budget is None)
    found = success(data, 40)
    mean = sum(found) / len(found)
    assert abs(mean - right) <= half_width(found)
    assert half_width(found) < within
    cut = [sum(row.retries_cut for row in one.clients) for one in measured(data, 3)]
    assert all(cut) if budget else not any(cut)  # and a run says so


@pytest.mark.parametrize("inner", [None, {"attempts": 3, "backoff": "1ms"}])
def test_case_10_layers_of_retries_multiply(inner: dict[str, Any] | None) -> None:
    """4 tries in the application, times 3 in the library below it: 12 requests for one."""
    retry: dict[str, Any] = {"attempts": 4, "backoff": "1ms"}
    data = {
        "horizon": "2m",
        "masters": [
            {"id": "provider", "workers": 64, "service": {"law": "constant", "mean": "10ms"}}
        ],
        "traffic": {
            **{"arrivals": {"law": "poisson", "rate": "5/s"}, "owned": "0%"},
            **{
                "timeout": "1s",
                "deadline": "30s",
                "retry": retry | ({"inner": inner} if inner else {}),
            },
        },
        "faults": [
            {"kind": "error-rate", "rate": "100%", "target": "provider", "at": "0s", "for": "10m"}
        ],
        "detection": {"evidence": ["probe"], "interval": "1s"},
    }
    for one in measured(data, 2):
        ended = [row for row in one.messages if row.settled]
        attempts = sum(row.attempts for row in ended)
        assert attempts == (12 if inner else 4) * sum(row.messages for row in ended)


@pytest.mark.parametrize("at", ["60s", "61s", "75s", "89s"])
def test_case_24_the_phase_of_checks_is_no_fixed_one(at: str) -> None:
    """A check each 30 s, two that fail: U(30, 60) s over replications, whatever `at`."""
    data = {
        "horizon": "5m",
        "masters": [{"id": "a"}, {"id": "b", "priority": 2}],
        "traffic": {"arrivals": {"law": "poisson", "rate": "2/s"}, "owned": "100%"},
        "faults": [{"kind": "crash", "target": "a", "at": at, "for": "2m"}],
        "detection": {
            **{"evidence": ["probe"], "interval": "30s", "fast_interval": "30s"},
            **{"timeout": "500ms", "fall": 2},
        },
    }
    found = [one.incidents[0].detection_s for one in measured(data, 60)]
    assert 30 <= min(found) < max(found) <= 60.1
    assert kstest(found, "uniform", args=(30, 30)).pvalue > 0.001


def test_case_44_what_takes_100_ms_takes_100_ms() -> None:
    """The median is that, and `<= 100ms` no failure, whatever the sketch of latencies rounds."""
    data = {
        "name": "constant",
        "horizon": "60s",
        "replications": 20,
        "seed": 1,
        "masters": [
            {"id": "m1", "workers": 1000, "service": {"law": "constant", "mean": "100ms"}},
            {"id": "m2", "like": "m1"},
        ],
        "network": {"rtt": "0s", "local_rtt": "0s"},
        "traffic": {"arrivals": {"law": "poisson", "rate": "50/s"}, "owned": "0%"},
        "detection": {"evidence": ["probe"]},
        "expect": {"latency.p50": "<= 100ms"},
    }
    result = hasim.run(data, jobs=1, progress=None)
    row = result.summary().set_index("measure").loc["latency.p50"]
    assert row.value == pytest.approx(0.1)
    assert [verdict.verdict for cell in result.verdicts for verdict in cell] == ["pass"]
