"""Attempts that wait at the gateway for room: who looks after them, and when; on both planes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from hasim.services.balancing import BalancingSettings
from hasim.services.gateway.guards import BreakerSettings, LimitSettings, OutlierSettings
from hasim.simulation.laws import Constant
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import MasterSettings, TraceArrivals
from hasim.simulation.settings.operations import Add, Drain, Undrain
from hasim.truth import MessageRecord
from hasim.units import MILLISECOND, SECOND
from tests.simulation.clients.test_balancing_theory import DEAF
from tests.simulation.planes import FAULTS, assert_equal, both
from tests.simulation.worlds import NO_LATENCY, after, lasting, traffic, world

ONE_EACH = LimitSettings(max_concurrency=1, max_queue=100)
BUSY = MasterSettings(id="m1", workers=1, service=Constant(mean_ns=30 * SECOND))
"""Whoever it serves will have given up long before."""
QUICK = MasterSettings(id="m2", workers=8, service=Constant(mean_ns=100 * MILLISECOND))


def ended(*arrivals_s: float, masters: Any, **more: Any) -> list[tuple[float, str, str]]:
    """Of messages that arrive at these times: when each ended (s), how, and its last master."""
    more.setdefault("balancing", BalancingSettings(algorithm="least-loaded", limits=ONE_EACH))
    settings = world(
        20,
        masters=masters,
        traffic=dataclasses.replace(
            traffic(1, owned=0.0, timeout_ns=4 * SECOND, deadline_ns=15 * SECOND),
            arrivals=TraceArrivals(trace="", column=""),
        ),
        network=NO_LATENCY,
        **more,
    )
    # The recording is as long as the run, so that it is not shifted.
    times = np.array([*arrivals_s, 20]) * SECOND
    journal = assert_equal(both(settings, Recorded(arrivals_ns=times.astype(np.int64))))
    return [
        (m.ended_ns / SECOND, m.outcome, m.master)
        for _, m in journal.of(MessageRecord)
        if m.arrived_ns < 20 * SECOND
    ]


@pytest.mark.parametrize(
    ("quick", "operations"),
    [
        (
            QUICK,
            (
                Drain(do="drain", at_ns=0, master="m2"),
                Undrain(do="undrain", at_ns=SECOND, master="m2"),
            ),
        ),
        (dataclasses.replace(QUICK, absent=True), (Add(do="add", at_ns=SECOND, master="m2"),)),
    ],
    ids=["undrain", "add"],
)
def test_a_master_that_is_back_takes_those_who_wait(quick: Any, operations: Any) -> None:
    """In turn, and before whoever arrives later."""
    found = ended(*[0.5] * 4, 1.05, masters=(BUSY, quick), operations=operations)
    assert found[0] == (4.5, "timeout", "m1")
    times = [time_s for time_s, _, _ in found[1:]]
    assert [(outcome, master) for _, outcome, master in found[1:]] == [("ok", "m2")] * 4
    assert times == pytest.approx([1.1, 1.2, 1.3, 1.4], abs=0.01)


CRASH = FAULTS["crash"](kind="crash", target="m2", at=after(1), for_=lasting(0.2))


@pytest.mark.parametrize(
    ("guard", "back_s"),
    [
        ({"breaker": BreakerSettings(failures=1, base_ns=SECOND)}, 2.1),
        # Ejections end only where an interval does.
        (
            {
                "outliers": OutlierSettings(
                    consecutive_failures=1,
                    interval_ns=SECOND,
                    base_ejection_ns=1500 * MILLISECOND,
                    max_ejected=1.0,
                )
            },
            3.0,
        ),
    ],
    ids=["breaker", "ejection"],
)
def test_who_waits_is_sent_as_soon_as_a_guard_lets_it(guard: Any, back_s: float) -> None:
    """Although nothing ends then: m1 is busy, and m2 had refused somebody at 1.1 s."""
    settings = BalancingSettings(algorithm="round-robin", limits=ONE_EACH, **guard)
    found = ended(0.5, 1.1, 1.2, 1.3, masters=(BUSY, QUICK), balancing=settings, faults=(CRASH,))
    assert found[:2] == [(4.5, "timeout", "m1"), (1.1, "refused", "m2")]
    assert [time_s for time_s, _, _ in found[2:]] == pytest.approx([back_s + 0.1, back_s + 0.2])
    assert [(outcome, master) for _, outcome, master in found[2:]] == [("ok", "m2")] * 2


@pytest.mark.parametrize("guard", ["breaker", "outliers"])
def test_who_waits_is_sent_though_nobody_was_left(guard: str) -> None:
    """The only master loses what it does at 1 s; who comes later does not overtake."""
    ejection = OutlierSettings(
        consecutive_failures=1,
        interval_ns=SECOND,
        base_ejection_ns=500 * MILLISECOND,
        max_ejected=1.0,
    )
    rules = {"breaker": BreakerSettings(failures=1, base_ns=SECOND), "outliers": ejection}
    only: Any = {guard: rules[guard]}
    settings = BalancingSettings(algorithm="least-loaded", limits=ONE_EACH, **only)
    slow = dataclasses.replace(QUICK, workers=1, service=Constant(mean_ns=900 * MILLISECOND))
    found = ended(0.5, 0.6, 0.7, 2.5, masters=(slow,), balancing=settings, faults=(CRASH,))
    assert found[0] == (1.0, "reset", "m2")
    assert found[1:3] == [(pytest.approx(2.9), "ok", "m2"), (pytest.approx(3.8), "ok", "m2")]
    # Beside a trial there is nobody, which is no lack of room.
    later = (2.5, "unroutable", "") if guard == "breaker" else (pytest.approx(4.7), "ok", "m2")
    assert found[3] == later


def test_a_breaker_that_opens_again_is_waited_for() -> None:
    """The trial at 2.1 s fails too: the next one is two seconds later."""
    guard = BreakerSettings(failures=1, base_ns=SECOND)
    settings = BalancingSettings(algorithm="round-robin", limits=ONE_EACH, breaker=guard)
    longer = dataclasses.replace(CRASH, for_=lasting(1.5))
    more: Any = {"balancing": settings, "faults": (longer,), "detection": DEAF}
    found = ended(0.5, 1.1, 1.2, 1.3, masters=(BUSY, QUICK), **more)
    assert found[1:3] == [(1.1, "refused", "m2"), (2.1, "refused", "m2")]
    assert found[3] == (pytest.approx(4.2), "ok", "m2")


def test_who_is_sent_after_waiting_has_a_timeout_anew() -> None:
    """As with a timeout of the queue and one of the server (HAProxy)."""
    slow = dataclasses.replace(BUSY, service=Constant(mean_ns=3 * SECOND))
    found = ended(0.5, 0.5, 0.5, 0.5, masters=(slow,))
    assert found[:2] == [(3.5, "ok", "m1"), (6.5, "ok", "m1")]
    assert found[2:] == [(4.5, "overflow", "")] * 2
