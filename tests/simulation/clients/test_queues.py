"""Who waits for a worker: against Erlang C, and by hand; on both planes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hasim.journal import Journal
from hasim.measures import Measured, measure
from hasim.simulation.laws import Constant, Exponential
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import TraceArrivals, TrafficSettings, WorldSettings
from hasim.simulation.settings.faults import Crash
from hasim.study.estimates.summary import interval
from hasim.truth import QueueRollup
from hasim.units import MILLISECOND, SECOND
from tests.simulation.clients.test_theory import MEAN_S, erlang_c
from tests.simulation.planes import assert_equal, both
from tests.simulation.worlds import NO_LATENCY, after, lasting, masters, run, traffic, world

LEVEL = 0.999
"""These are fixed seeds, no hypotheses to be rejected one time in twenty."""


def mmc(c: int, rho: float, plane: str, replications: int) -> list[Measured]:
    """M/M/c for a minute and a half, with who waits counted."""
    settings = world(
        90,
        masters=masters(1, service=Exponential(mean_ns=20 * MILLISECOND), workers=c, queue=10**6),
        traffic=traffic(c * rho / MEAN_S, owned=0.0, timeout_ns=10**12, deadline_ns=10**12),
        network=NO_LATENCY,
        data_plane=plane,
        queues="counted",
    )
    return [measure(run(settings, seed=5, replication=number)) for number in range(replications)]


@pytest.mark.parametrize(
    ("c", "rho", "plane"),
    [
        (1, 0.5, "compiled"),
        (1, 0.7, "compiled"),
        (5, 0.5, "compiled"),
        (5, 0.8, "compiled"),
        (5, 0.5, "reference"),
    ],
)
def test_who_waits_is_erlang_c(c: int, rho: float, plane: str) -> None:
    """P(wait) = C(c, rho), Wq = C / (c mu (1 - rho)), Lq = C rho / (1 - rho): Kleinrock 1975."""
    runs = mmc(c, rho, plane, 48 if plane == "compiled" else 5)
    waits = erlang_c(c, rho)
    expected = {
        "wait.share": waits,
        "wait.mean": waits * MEAN_S / (c * (1 - rho)),
        "queue.mean": waits * rho / (1 - rho),
    }
    for name, exact in expected.items():
        found = interval(name, runs, None, LEVEL)
        assert found.low <= exact <= found.high, name
        if plane == "compiled":
            assert (found.high - found.low) / 2 < 0.25 * exact, name


def test_length_is_rate_times_wait() -> None:
    """Little: as many are in the queue on average as come in a second, times how long they wait."""
    for one in mmc(5, 0.8, "compiled", 2):
        (row,) = one.queues
        rate_per_s, wait_s = row.started / one.horizon_s, row.waited_s / row.started
        length = interval("queue.mean", [one, one], None).value
        assert length == pytest.approx(rate_per_s * wait_s, rel=0.01)  # but for who is there still


def in_line(horizon_s: float) -> WorldSettings:
    """One worker who needs a second for each of what comes at 0, 0.25 and 0.5 s."""
    return world(
        horizon_s,
        masters=masters(1, service=Constant(mean_ns=SECOND), workers=1, queue=10),
        traffic=TrafficSettings(
            arrivals=TraceArrivals(trace="", column=""),
            owned=0.0,
            timeout_ns=100 * SECOND,
            deadline_ns=100 * SECOND,
        ),
        network=NO_LATENCY,
        queues="counted",
    )


def journal_of(settings: WorldSettings) -> Journal:
    return assert_equal(
        both(settings, Recorded(arrivals_ns=np.array([0, SECOND // 4, SECOND // 2])))
    )


def told(settings: WorldSettings) -> QueueRollup:
    (found,) = (body for _, body in journal_of(settings).of(QueueRollup))
    return found


def test_the_first_is_taken_at_once_and_the_others_wait() -> None:
    wait_ns = 3 * SECOND // 4 + 3 * SECOND // 2
    assert told(in_line(4)) == QueueRollup("m1", 3, 2, wait_ns, wait_ns)


def test_who_is_there_still_counts_for_the_length_alone() -> None:
    """At 1.5 s the second one is served, after 0.75 s, and the third has waited for a second."""
    expected = QueueRollup("m1", 2, 1, 3 * SECOND // 4, 7 * SECOND // 4)
    assert told(in_line(1.5)) == expected


def test_who_is_lost_in_the_queue_counts_for_the_length_alone() -> None:
    crash = Crash(kind="crash", target="m1", at=after(1.5), for_=lasting(10))
    expected = QueueRollup("m1", 2, 1, 3 * SECOND // 4, 7 * SECOND // 4)
    assert told(dataclasses.replace(in_line(4), faults=(crash,))) == expected


def test_nothing_is_told_that_was_not_asked_for() -> None:
    asked = in_line(4)
    usual = journal_of(dataclasses.replace(asked, queues="uncounted"))
    assert not list(usual.of(QueueRollup))
    assert measure(usual).queues == ()
    assert interval("queue.mean", [measure(usual)], None).value is None
    counted = [r for r in journal_of(asked).records if not isinstance(r.body, QueueRollup)]
    assert [r.body for r in counted] == [r.body for r in usual.records]
