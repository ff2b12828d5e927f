"""Retries: when, at whom, and until when; on both data planes."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from hasim.journal import Journal
from hasim.model import Cause
from hasim.services.balancing import BalancingSettings
from hasim.services.gateway.guards import LimitSettings
from hasim.simulation.clients.results import IN_FLIGHT
from hasim.simulation.laws import Constant
from hasim.simulation.settings import (
    FixedRtt,
    HedgeSettings,
    MasterSettings,
    NetworkSettings,
    RetrySettings,
    WorldSettings,
)
from hasim.truth import AttemptRollup, MessageRecord
from hasim.units import MILLISECOND, SECOND
from tests.simulation.clients.test_balancing_theory import DEAF
from tests.simulation.planes import FAULTS, assert_equal, both
from tests.simulation.worlds import NO_LATENCY, after, lasting, masters, traffic, world

BASE_NS = 100 * MILLISECOND
TIMEOUT_NS = 30 * MILLISECOND
START_NS = 5 * SECOND
"""When faults begin: after the only probe of these runs."""


def failing(kind: str, targets: list[str], **strength: Any) -> tuple[Any, ...]:
    """A fault of some masters, to the end."""
    return tuple(
        FAULTS[kind](
            kind=kind, target=target, at=after(START_NS / SECOND), for_=lasting(1000), **strength
        )
        for target in targets
    )


def hopeless(attempts: int, kind: str = "crash", **more: Any) -> WorldSettings:
    """One master that answers nothing, so that a message takes as long as its attempts do."""
    strength = {"loss": 1.0} if kind == "packet-loss" else {}
    more.setdefault("deadline_ns", 1000 * SECOND)
    return world(
        30,
        1,
        network=NO_LATENCY,
        traffic=traffic(
            100,
            owned=0.0,
            timeout_ns=TIMEOUT_NS,
            retry=RetrySettings(attempts=attempts, backoff_ns=BASE_NS, budget=1.0, reserve=1e6),
            **more,
        ),
        faults=failing(kind, ["m1"], **strength),
        detection=DEAF,
    )


def messages_of(settings: WorldSettings) -> list[MessageRecord]:
    """The messages since the fault that have ended; the same on both data planes."""
    found = since_fault(assert_equal(both(settings)))
    assert len(found) > 1000
    return found


def since_fault(journal: Journal) -> list[MessageRecord]:
    found = (m for _, m in journal.of(MessageRecord) if m.arrived_ns >= START_NS)
    return [m for m in found if m.outcome != IN_FLIGHT]


def law_of_sum(x: float, bounds: list[float]) -> float:
    """The distribution function of a sum of independent uniforms on [0, bound]."""
    n, total = len(bounds), 0.0
    for chosen in itertools.product((0, 1), repeat=n):
        rest = x - sum(b for b, taken in zip(bounds, chosen, strict=True) if taken)
        total += (-1) ** sum(chosen) * max(0.0, rest) ** n
    return total / (math.factorial(n) * math.prod(bounds))


def distance(values: list[float], bounds: list[float]) -> float:
    """Kolmogorov and Smirnov's: how far the values' distribution is from that law."""
    law = np.array([law_of_sum(x, bounds) for x in sorted(values)])
    steps = np.arange(len(values) + 1) / len(values)
    return float(max(np.abs(law - steps[1:]).max(), np.abs(law - steps[:-1]).max()))


@pytest.mark.parametrize("kind", ["crash", "packet-loss"])
@pytest.mark.parametrize("attempts", [2, 3, 4])
def test_waits_are_uniform_between_nothing_and_the_doubled_bound(kind: str, attempts: int) -> None:
    """Full jitter: before attempt n + 1 uniform on [0, base x 2^(n - 1)], each by itself.

    A refusal comes at once, a lost message is waited for until the timeout; what is left of
    the time of a message is the sum of its waits.
    """
    spent_ns = 0 if kind == "crash" else attempts * TIMEOUT_NS
    found = messages_of(hopeless(attempts, kind))
    assert {m.attempts for m in found} == {attempts}
    waits = [(m.ended_ns - m.arrived_ns - spent_ns) / BASE_NS for m in found if m.arrived_ns < 25e9]
    assert min(waits) >= 0.0
    bounds = [2.0**n for n in range(attempts - 1)]
    assert distance(waits, bounds) < 1.95 / math.sqrt(len(waits))  # 0.1 %


def test_the_law_that_is_tested_against_is_no_other() -> None:
    """Equal jitter, no doubling, or one uniform for all waits are far away from it."""
    draws = np.random.default_rng(1).random((2, 3000))
    others = {
        "full": draws[0] + 2 * draws[1],
        "equal jitter": 0.5 + draws[0] / 2 + 1 + draws[1],
        "no doubling": draws[0] + draws[1],
        "one uniform": 3 * draws[0],
    }
    far = {name: distance(list(waits), [1.0, 2.0]) for name, waits in others.items()}
    assert far.pop("full") < 1.95 / math.sqrt(3000)
    assert min(far.values()) > 0.05


def test_no_attempt_begins_after_the_deadline() -> None:
    """Half of the waits would end after it; those messages end when the first attempt does."""
    deadline_ns = BASE_NS // 2
    found = messages_of(hopeless(2, deadline_ns=deadline_ns))
    late = [m for m in found if m.attempts == 1]
    assert {m.ended_ns - m.arrived_ns for m in late} == {0}
    assert all(m.ended_ns - m.arrived_ns < deadline_ns for m in found)
    assert abs(len(late) / len(found) - 0.5) < 4 * math.sqrt(0.25 / len(found))


@pytest.mark.parametrize(("beyond_ns", "attempts"), [(0, 1), (1, 2)])
def test_an_attempt_at_the_very_deadline_is_too_late(beyond_ns: int, attempts: int) -> None:
    rtt_ns = 10 * MILLISECOND
    settings = world(
        20,
        1,
        network=NetworkSettings(rtt=FixedRtt(rtt_ns=rtt_ns), local_rtt_ns=rtt_ns),
        traffic=traffic(
            100,
            owned=0.0,
            deadline_ns=rtt_ns + beyond_ns,
            retry=RetrySettings(attempts=2, backoff_ns=0, budget=1.0, reserve=1e6),
        ),
        faults=failing("crash", ["m1"]),
        detection=DEAF,
    )
    assert {m.attempts for m in messages_of(settings)} == {attempts}


# -- at whom ---------------------------------------------------------------------------------


def partly_dead(
    count: int,
    dead: list[str],
    attempts: int,
    algorithm: str = "least-loaded",
    kind: str = "crash",
    *,
    backoff_ns: int = 0,
    **more: Any,
) -> WorldSettings:
    """Some of the masters answer nothing, and nobody finds out."""
    more.setdefault("masters", masters(count, service=Constant(mean_ns=5 * MILLISECOND), workers=4))
    limits = more.pop("limits", LimitSettings())
    return world(
        20,
        network=NO_LATENCY,
        traffic=traffic(
            100,
            owned=0.0,
            timeout_ns=TIMEOUT_NS,
            deadline_ns=1000 * SECOND,
            retry=RetrySettings(attempts=attempts, backoff_ns=backoff_ns, budget=1.0, reserve=1e6),
            **more.pop("traffic", {}),
        ),
        faults=failing(kind, dead),
        detection=DEAF,
        balancing=BalancingSettings(algorithm=algorithm, limits=limits, table_size=251),
        **more,
    )


ALGORITHMS = ["least-loaded", "random", "two-choices", "least-latency", "maglev", "geo"]


@pytest.mark.parametrize("kind", ["crash", "power-off"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_retry_goes_to_none_of_the_masters_that_failed(kind: str, algorithm: str) -> None:
    """Two of four are dead: the third attempt is answered at the latest (Envoy previous_hosts)."""
    found = messages_of(partly_dead(4, ["m1", "m3"], 3, algorithm, kind))
    assert {m.outcome for m in found} == {Cause.OK}
    assert {m.master for m in found} <= {"m2", "m4"}
    assert max(m.attempts for m in found) == 3


def test_the_second_attempt_goes_to_another_master() -> None:
    found = messages_of(partly_dead(2, ["m1"], 2))
    assert {m.outcome for m in found} == {Cause.OK}
    assert {m.attempts for m in found} == {2}


def test_a_hundred_masters_of_which_the_five_preferred_ones_are_dead() -> None:
    """Nothing but the number of attempts limits how many are excluded, and which."""
    made = tuple(
        MasterSettings(
            id=f"m{i}",
            priority=0 if i > 95 else 1,
            service=Constant(mean_ns=5 * MILLISECOND),
        )
        for i in range(1, 101)
    )
    dead = [f"m{i}" for i in range(96, 101)]
    settings = partly_dead(100, dead, 6, "priority-all-or-nothing", masters=made)
    found = messages_of(settings)
    assert {m.outcome for m in found} == {Cause.OK}
    assert {m.attempts for m in found} == {6}


def test_with_all_of_them_dead_attempts_go_on_and_take_turns() -> None:
    """As if only the last one were known: four attempts at two masters are two each."""
    settings = partly_dead(2, ["m1", "m2"], 4)
    journal = assert_equal(both(settings))
    assert {m.attempts for m in since_fault(journal)} == {4}
    refused = attempts_at(journal, Cause.REFUSED)
    assert refused["m1"] == pytest.approx(refused["m2"], rel=0.01)


def attempts_at(journal: Journal, cause: Cause) -> dict[str, int]:
    found: dict[str, int] = {}
    for _, rollup in journal.of(AttemptRollup):
        if rollup.cause == cause:
            found[rollup.master] = found.get(rollup.master, 0) + rollup.attempts
    return found


def test_who_failed_is_not_forgotten_while_there_is_no_room() -> None:
    """A round that ended at the gateway (overflow) does not begin the list anew."""
    settings = partly_dead(
        2,
        ["m1"],
        6,
        masters=masters(2, service=Constant(mean_ns=20 * MILLISECOND), workers=4),
        limits=LimitSettings(max_requests=2),
        backoff_ns=10 * MILLISECOND,
    )
    journal = assert_equal(both(settings))
    found = since_fault(journal)
    assert sum(m.attempts > 2 for m in found) > 100  # no room the second time
    assert sum(m.outcome == Cause.OK for m in found) > 100
    assert len(found) / 2 < attempts_at(journal, Cause.REFUSED)["m1"] <= len(found)


def test_a_second_attempt_beside_the_first_avoids_those_that_failed_before() -> None:
    """Hedges: both attempts of the first round may hang; who is left answers in the second."""
    settings = partly_dead(
        3,
        ["m1", "m2"],
        2,
        kind="hang",
        traffic={"hedge": HedgeSettings(after_ns=5 * MILLISECOND, budget=1.0, reserve=1e6)},
    )
    found = messages_of(settings)
    assert {m.outcome for m in found} == {Cause.OK}
