"""What happens at one instant happens in the order of ARCHITECTURE.md, "Time": fault, completion,
timeout, control input, arrival. By hand, on both planes, each a nanosecond apart as well."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from hasim.model import Cause
from hasim.services.balancing import BalancingSettings
from hasim.services.gateway.guards import LimitSettings
from hasim.simulation.laws import Constant
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import TraceArrivals, WorldSettings
from hasim.simulation.settings.operations import Drain
from hasim.truth import MessageRecord
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.planes import FAULTS, assert_equal, both
from tests.simulation.worlds import NO_LATENCY, after, lasting, masters, traffic, world

SERVICE_NS = 40 * MILLISECOND
BLIND = detection(evidence=("probe",), interval_ns=3600 * SECOND)
"""No health check comes between."""


def small(count: int = 1, *, timeout_ns: int = SECOND, **more: Any) -> WorldSettings:
    """Masters with one worker and no queue, a network that takes no time."""
    service = Constant(mean_ns=SERVICE_NS)
    return world(
        5,
        masters=masters(count, service=service, workers=1, queue=0),
        network=NO_LATENCY,
        traffic=dataclasses.replace(
            traffic(1, owned=0.0, timeout_ns=timeout_ns),
            arrivals=TraceArrivals(trace="", column=""),
        ),
        detection=BLIND,
        **more,
    )


def messages(settings: WorldSettings, *arrivals_ns: int) -> list[MessageRecord]:
    """What became of the messages, on both planes alike."""
    journal = assert_equal(both(settings, Recorded(arrivals_ns=np.array(arrivals_ns))))
    return [message for _, message in journal.of(MessageRecord)]


def outcomes(settings: WorldSettings, *arrivals_ns: int) -> list[Cause]:
    return [Cause(message.outcome) for message in messages(settings, *arrivals_ns)]


@pytest.mark.parametrize(("later_ns", "outcome"), [(0, Cause.RESET), (1, Cause.OK)])
def test_a_fault_comes_before_a_completion(later_ns: int, outcome: Cause) -> None:
    at = (Constant(mean_ns=SECOND + SERVICE_NS + later_ns),)
    crash = FAULTS["crash"](kind="crash", target="m1", at=at, for_=lasting(1))
    assert outcomes(small(faults=(crash,)), SECOND) == [outcome]


@pytest.mark.parametrize(("before_ns", "outcome"), [(0, Cause.OK), (1, Cause.REJECTED)])
def test_a_completion_comes_before_an_arrival(before_ns: int, outcome: Cause) -> None:
    """The only worker is free again for a message that arrives at that instant."""
    assert outcomes(small(), SECOND, SECOND + SERVICE_NS - before_ns) == [Cause.OK, outcome]


@pytest.mark.parametrize(("longer_ns", "outcome"), [(0, Cause.TIMEOUT), (1, Cause.OK)])
def test_an_answer_at_the_instant_of_the_timeout_is_too_late(
    longer_ns: int, outcome: Cause
) -> None:
    assert outcomes(small(timeout_ns=SERVICE_NS + longer_ns), SECOND) == [outcome]


@pytest.mark.parametrize(("before_ns", "outcome"), [(0, Cause.TIMEOUT), (1, Cause.OVERFLOW)])
def test_a_timeout_comes_before_an_arrival(before_ns: int, outcome: Cause) -> None:
    """A message that has timed out leaves its place to the one that arrives at that instant."""
    hang = FAULTS["hang"](kind="hang", target="m1", at=after(0.9), for_=lasting(5))
    limited = BalancingSettings(limits=LimitSettings(max_concurrency=1))
    settings = small(faults=(hang,), balancing=limited)
    assert outcomes(settings, SECOND, 2 * SECOND - before_ns) == [Cause.TIMEOUT, outcome]


@pytest.mark.parametrize(("before_ns", "chosen"), [(0, "m2"), (1, "m1")])
def test_control_input_comes_before_an_arrival(before_ns: int, chosen: str) -> None:
    """A master that is drained at that instant gets no message any more."""
    drain = Drain(do="drain", at_ns=SECOND, master="m1")
    balancing = BalancingSettings(algorithm="round-robin")
    settings = small(2, operations=(drain,), balancing=balancing)
    assert [m.master for m in messages(settings, SECOND - before_ns)] == [chosen]
