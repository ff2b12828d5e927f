"""How clients of known systems meet a master that fails them; on both data planes."""

from __future__ import annotations

from typing import Any

import pytest

import hasim
from hasim.measures import measure
from hasim.model import Cause
from hasim.services.balancing import BalancingSettings
from hasim.services.gateway.settings import RetryLayer
from hasim.simulation.clients.results import IN_FLIGHT
from hasim.simulation.laws import Constant
from hasim.simulation.settings import NetworkSettings, RetrySettings
from hasim.simulation.settings.network import FixedRtt
from hasim.truth import ClientRollup, MessageRecord, WritesHeld
from hasim.units import MILLISECOND, SECOND
from tests.simulation.clients.test_balancing_theory import DEAF
from tests.simulation.planes import FAULTS, assert_equal, both
from tests.simulation.worlds import NO_LATENCY, after, lasting, masters, traffic, world

SERVICE_NS = 20 * MILLISECOND
TIMEOUT_NS = 2 * SECOND


def journal_of(kind: str, count: int = 2, targets: tuple[str, ...] = ("m1",), **more: Any) -> Any:
    """Two masters of which the first fails all messages from 5 s on; nobody finds out."""
    strength = {"rate": 1.0} if kind == "error-rate" else {}
    settings = world(
        30,
        masters=masters(count, service=Constant(mean_ns=SERVICE_NS), workers=1000),
        network=more.pop("network", NO_LATENCY),
        traffic=traffic(20, owned=0.0, timeout_ns=TIMEOUT_NS, deadline_ns=1000 * SECOND, **more),
        faults=tuple(
            FAULTS[kind](kind=kind, target=t, at=after(5), for_=lasting(1000), **strength)
            for t in targets
        ),
        detection=DEAF,
        balancing=BalancingSettings(algorithm="round-robin"),
    )
    return assert_equal(both(settings))


def ended(journal: Any) -> list[MessageRecord]:
    """The messages since the fault."""
    found = (m for _, m in journal.of(MessageRecord) if m.arrived_ns >= 5 * SECOND)
    return [m for m in found if m.outcome != IN_FLIGHT]


def took_ns(found: list[MessageRecord], attempts: int) -> set[int]:
    """The latencies of messages that took so many attempts."""
    return {m.ended_ns - m.arrived_ns for m in found if m.attempts == attempts}


def test_four_attempts_of_an_application_with_three_of_its_library_are_twelve() -> None:
    """A provider that answers 429 to all (HKUDS/nanobot 2760); with one layer it is four."""
    only = {"count": 1, "targets": ("m1",)}
    retry = RetrySettings(attempts=4, backoff_ns=1, inner=RetryLayer(attempts=3, backoff_ns=1))
    assert {m.attempts for m in ended(journal_of("error-rate", **only, retry=retry))} == {12}
    retry = RetrySettings(attempts=4, backoff_ns=1)
    assert {m.attempts for m in ended(journal_of("error-rate", **only, retry=retry))} == {4}


def test_haproxy_tries_the_same_server_each_second_and_another_one_last() -> None:
    """retries 3 and option redispatch, retry-on conn-failure: three refusals, then the other."""
    retry = RetrySettings(
        attempts=4,
        on=("refused", "connect_timeout"),
        master="same-then-another",
        backoff_ns=SECOND,
        growth=1.0,
        jitter=0.0,
    )
    found = ended(journal_of("crash", retry=retry))
    assert {m.outcome for m in found} == {Cause.OK}
    assert {m.attempts for m in found} == {1, 4}
    assert took_ns(found, 4) == {3 * SECOND + SERVICE_NS}
    assert {m.master for m in found} == {"m2"}
    # An error is an answer like any other.
    found = ended(journal_of("error-rate", retry=retry))
    assert {(m.outcome, m.attempts, m.master) for m in found} == {
        (Cause.OK, 1, "m2"),
        (Cause.ERROR, 1, "m1"),
    }


def test_nginx_tries_the_next_upstream_at_once() -> None:
    """proxy_next_upstream error timeout."""
    retry = RetrySettings(
        attempts=2,
        on=("refused", "reset", "connect_timeout", "timeout"),
        backoff_ns=0,
    )
    found = ended(journal_of("crash", retry=retry))
    assert {m.outcome for m in found} == {Cause.OK}
    assert took_ns(found, 2) == {SERVICE_NS}
    found = ended(journal_of("hang", retry=retry))
    assert took_ns(found, 2) == {TIMEOUT_NS + SERVICE_NS}


@pytest.mark.parametrize(
    ("kind", "cause", "after_ns"),
    [
        ("crash", Cause.REFUSED, 0),
        ("power-off", Cause.CONNECT_TIMEOUT, SECOND // 4),
        ("packet-loss", Cause.CONNECT_TIMEOUT, SECOND // 4),
        ("hang", Cause.TIMEOUT, TIMEOUT_NS),
    ],
)
def test_a_host_that_is_off_takes_the_connect_timeout_and_a_hung_process_the_other(
    kind: str, cause: Cause, after_ns: int
) -> None:
    more = {"loss": 1.0} if kind == "packet-loss" else {}
    if more:
        found = ended(lossy())
    else:
        found = ended(journal_of(kind, 1, connect_timeout_ns=SECOND // 4))
    assert {m.outcome for m in found} == {cause}
    assert took_ns(found, 1) == {after_ns}


def lossy() -> Any:
    """A path on which everything is lost."""
    settings = world(
        10,
        1,
        network=NetworkSettings(rtt=FixedRtt(rtt_ns=0), local_rtt_ns=0, loss=1.0),
        traffic=traffic(20, owned=0.0, timeout_ns=TIMEOUT_NS, connect_timeout_ns=SECOND // 4),
        detection=DEAF,
    )
    return assert_equal(both(settings))


@pytest.mark.parametrize(("rtt_ms", "outcome"), [(249, Cause.OK), (250, Cause.CONNECT_TIMEOUT)])
def test_a_connection_takes_a_round_trip(rtt_ms: int, outcome: Cause) -> None:
    """What comes at the very end of the timeout comes too late."""
    rtt_ns = rtt_ms * MILLISECOND
    far = NetworkSettings(rtt=FixedRtt(rtt_ns=rtt_ns), local_rtt_ns=rtt_ns)
    settings = world(
        10,
        masters=masters(1, service=Constant(mean_ns=SERVICE_NS), workers=100),
        network=far,
        traffic=traffic(20, owned=0.0, connect_timeout_ns=SECOND // 4),
        detection=DEAF,
    )
    assert {m.outcome for m in ended(assert_equal(both(settings)))} == {outcome}


def test_what_a_budget_cuts_is_counted() -> None:
    """Each message would try twice more; the budget lets ten through, and a tenth of messages."""
    retry = RetrySettings(attempts=3, backoff_ns=0, budget=0.1, reserve=10.0)
    journal = journal_of("crash", 1, retry=retry)
    found = ended(journal)
    (cut,) = (body.retries_cut for _, body in journal.of(ClientRollup))
    # Each message ends with an attempt whose retry was cut, unless it had all three.
    assert cut == sum(m.attempts < 3 for m in found)
    assert sum(m.attempts - 1 for m in found) <= 10 + 0.1 * len(found)
    assert not list(journal_of("crash", 1, retry=RetrySettings(attempts=3)).of(ClientRollup))


CASE_41: dict[str, Any] = {
    "name": "api",
    "horizon": "75s",
    "replications": 60,
    "masters": [
        {
            "id": "api-1",
            "region": "zone-a",
            "workers": 8,
            "service": {"law": "lognormal", "mean": "40ms", "cv": 1.2},
        },
        {"id": "api-2", "like": "api-1", "region": "zone-b", "priority": 2},
        {"id": "api-3", "like": "api-1", "priority": 3},
    ],
    "network": {"rtt": "2ms", "local_rtt": "0.5ms", "loss": "0.1%"},
    "traffic": {
        "arrivals": {"law": "poisson", "rate": "40/s"},
        "owned": "0%",
        "timeout": "1s",
        "deadline": "5s",
    },
    "faults": [
        {
            "kind": "crash",
            "target": "random",
            "at": {"law": "uniform", "low": "20s", "high": "30s"},
            "for": "2m",
        }
    ],
    "detection": {
        "evidence": ["probe"],
        "interval": "10s",
        "fast_interval": "10s",
        "timeout": "1s",
        "fall": 3,
        "rise": 1,
    },
}


@pytest.mark.parametrize(("budget", "success"), [(None, 0.9993), ("20%", 0.9415)])
def test_two_attempts_of_an_api_that_loses_a_server(budget: str | None, success: float) -> None:
    """A third of the messages meets the dead one first until it is found out."""
    retry = {"attempts": 2} | ({"budget": budget} if budget else {})
    scenario = {**CASE_41, "traffic": {**CASE_41["traffic"], "retry": retry}}
    table = hasim.run(scenario, jobs=1, progress=None).summary().set_index("measure")
    assert table.value["success"] == pytest.approx(success, abs=0.0008 if budget is None else 0.01)
    assert (table.value["retries_cut"] > 0) == (budget is not None)


# -- errors of one's own ---------------------------------------------------------------------------


@pytest.mark.parametrize("takes_ms", [0, 5, 300])
def test_an_error_may_take_another_time_than_an_answer(takes_ms: int) -> None:
    """At once as from a process that refuses, or as long as its own timeout of a backend."""
    errors = FAULTS["error-rate"](
        kind="error-rate",
        target="m1",
        at=after(5),
        for_=lasting(1000),
        rate=0.4,
        takes_ns=takes_ms * MILLISECOND,
    )
    settings = world(
        30,
        masters=masters(1, service=Constant(mean_ns=SERVICE_NS), workers=1000),
        network=NO_LATENCY,
        traffic=traffic(50, owned=0.0),
        faults=(errors,),
        detection=DEAF,
    )
    found = [m for m in ended(assert_equal(both(settings))) if m.arrived_ns > 6 * SECOND]
    failed = [m for m in found if m.outcome == Cause.ERROR]
    assert abs(len(failed) / len(found) - 0.4) < 4 * (0.24 / len(found)) ** 0.5
    assert {m.ended_ns - m.arrived_ns for m in failed} == {takes_ms * MILLISECOND}
    others = {m.ended_ns - m.arrived_ns for m in found if m.outcome != Cause.ERROR}
    assert others == {SERVICE_NS}


def test_client_errors_are_no_failures() -> None:
    """They are served and answered; nobody tries again, and no evidence counts them."""
    settings = world(
        60,
        masters=masters(2, service=Constant(mean_ns=SERVICE_NS), workers=100),
        network=NO_LATENCY,
        traffic=traffic(50, owned=0.5, client_errors=0.3, retry=RetrySettings(attempts=3)),
    )
    journal = assert_equal(both(settings))
    found = ended(journal)
    wrong = [m for m in found if m.outcome == Cause.CLIENT_ERROR]
    assert abs(len(wrong) / len(found) - 0.3) < 4 * (0.21 / len(found)) ** 0.5
    assert {m.outcome for m in found} == {Cause.OK, Cause.CLIENT_ERROR}
    assert {m.attempts for m in found} == {1}
    assert {m.ended_ns - m.arrived_ns for m in wrong} == {SERVICE_NS}
    measured = measure(journal)
    assert sum(row.in_time for row in measured.messages) == sum(
        row.messages for row in measured.messages if row.settled and row.outcome != IN_FLIGHT
    ) + sum(row.in_time for row in measured.messages if not row.settled)
    assert not measured.mistakes
    # What is wrong is not written.
    held = sum(body.acknowledged for _, body in journal.of(WritesHeld))
    written = [m for m in messages_of_all(journal) if m.partition and m.outcome == Cause.OK]
    assert held == len(written)


def messages_of_all(journal: Any) -> list[MessageRecord]:
    return [m for _, m in journal.of(MessageRecord)]
