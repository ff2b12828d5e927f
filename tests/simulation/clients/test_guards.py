"""Guards in worlds: equal on both data planes, and against the traps that they are there for."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from hasim.model import Cause
from hasim.services.gateway.guards import (
    BreakerSettings,
    LimitSettings,
    OutlierSettings,
    SlowStartSettings,
)
from hasim.simulation.laws import Constant
from hasim.simulation.settings import FencingDeviceSettings
from hasim.truth import AttemptRollup, MessageRecord
from hasim.units import SECOND
from tests.services.bench import detection
from tests.simulation.clients.compiled.test_compiled import FACTORS, name_of, pairwise, world_of
from tests.simulation.planes import GRID_NS, assert_equal, both

GUARDS: dict[str, dict[str, Any]] = {
    "outliers": {
        "outliers": OutlierSettings(
            consecutive_failures=2,
            interval_ns=2 * SECOND,
            base_ejection_ns=SECOND,
            max_ejected=1.0,
        )
    },
    "success-rate": {
        "outliers": OutlierSettings(
            consecutive_failures=0,
            interval_ns=SECOND,
            base_ejection_ns=SECOND,
            success_rate=True,
            success_rate_hosts=2,
            success_rate_volume=5,
            stdev_factor=0.9,
            failure_share=0.5,
            failure_share_volume=4,
            failure_share_hosts=1,
        )
    },
    "breaker": {"breaker": BreakerSettings(failures=2, base_ns=50 * GRID_NS)},
    "slow-start": {"slow_start": SlowStartSettings(window_ns=8 * SECOND)},
    "panic": {"panic_threshold": 0.9},
    "concurrency": {"limits": LimitSettings(max_concurrency=1)},
    "queue": {"limits": LimitSettings(max_concurrency=1, max_queue=3)},
    "requests": {"limits": LimitSettings(max_requests=2)},
}
CASES = pairwise(
    {
        "guard": sorted(GUARDS),
        "algorithm": ["round-robin", "least-loaded", "weighted-random", "priority-spillover"],
        "kind": ["crash", "hang", "error-rate", "power-off", "partition"],
        "attempts": [1, 3],
        "workers": [1, 4],
        "grid": [False, True],
        "owned": [0.0, 0.5],
    }
)


def guarded(case: dict[str, Any]) -> Any:
    rest = {name: values[-1] for name, values in FACTORS.items()}
    settings, recorded = world_of({**rest, **case})
    # Detection is slow, so that the guards are on their own; who was fenced is back soon.
    changed = dataclasses.replace(
        settings,
        balancing=dataclasses.replace(settings.balancing, **GUARDS[case["guard"]]),
        detection=detection(evidence=("probe",), interval_ns=2 * SECOND, rise=1),
        fencing_device=FencingDeviceSettings(
            latency=Constant(mean_ns=GRID_NS), restart=Constant(mean_ns=SECOND)
        ),
    )
    return changed, recorded


@pytest.mark.parametrize("case", CASES, ids=map(name_of, CASES))
def test_equal_with_every_guard(case: dict[str, Any]) -> None:
    journal = assert_equal(both(*guarded(case)))
    assert sum(1 for _ in journal.of(MessageRecord)) > 800


@pytest.mark.parametrize("guard", sorted(GUARDS))
def test_every_guard_makes_a_difference(guard: str) -> None:
    """Else the cases above would compare nothing."""
    case = {"algorithm": "round-robin", "kind": "error-rate", "attempts": 1, "workers": 4}
    case |= {"guard": guard, "grid": False, "owned": 0.0}
    if guard in ("slow-start", "panic"):
        case["kind"] = "crash"
    settings, _ = guarded(case)
    balancing = dataclasses.replace(
        settings.balancing,
        **{name: getattr(type(settings.balancing)(), name) for name in GUARDS[guard]},
    )
    with_guard = both(settings)[1]
    without = both(dataclasses.replace(settings, balancing=balancing))[1]
    attempts, others = (
        {(a.master, a.cause): a.attempts for _, a in journal.of(AttemptRollup)}
        for journal in (with_guard, without)
    )
    assert attempts != others
    overflow = any(m.outcome == Cause.OVERFLOW for _, m in with_guard.of(MessageRecord))
    assert overflow is (guard in ("concurrency", "queue", "requests"))
