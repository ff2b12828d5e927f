"""What masters report of themselves, and what the power-aware algorithm makes of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from hasim.services.balancing import BalancingSettings
from hasim.services.balancing.settings import PowerSettings
from hasim.simulation.laws import Constant, Exponential
from hasim.simulation.settings import WorldSettings
from hasim.truth import AttemptRollup
from hasim.units import MILLISECOND, SECOND
from tests.simulation.planes import FAULTS, assert_equal, both
from tests.simulation.worlds import (
    NO_LATENCY,
    after,
    build,
    lasting,
    masters,
    run,
    traffic,
    world,
)

OFTEN = PowerSettings(
    report_interval_ns=SECOND, blackout_ns=2 * SECOND, expiration_ns=6 * SECOND, error_penalty=1.0
)


def powered(horizon_s: float, plane: str = "compiled", **more: Any) -> WorldSettings:
    balancing = BalancingSettings(algorithm="power-aware", power=OFTEN)
    return world(horizon_s, balancing=balancing, data_plane=plane, **more)


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("plane", ["reference", "compiled"])
def test_utilisation_is_the_time_that_workers_are_busy(plane: str, workers: int) -> None:
    """What was answered times the service time, and some of what is being served."""
    built = build(
        powered(
            10,
            plane,
            masters=masters(1, service=Constant(mean_ns=100 * MILLISECOND), workers=workers),
            traffic=traffic(5 * workers, owned=0.0),
            network=NO_LATENCY,
        )
    )
    built.messages.run(5 * SECOND)
    (master,) = built.masters.values()
    work = master.work()
    assert work.done > 12 * workers
    assert work.errors == 0
    most = work.done + workers
    assert work.done * 100 * MILLISECOND <= work.busy_ns < most * 100 * MILLISECOND


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", ["none", "crash", "hang", "slow", "error-rate", "partition"])
def test_both_planes_report_alike(kind: str, workers: int) -> None:
    faults = ()
    if kind != "none":
        faults = (FAULTS[kind](kind=kind, target="m1", at=after(8), for_=lasting(9)),)
    settings = powered(
        30,
        masters=masters(3, service=Exponential(mean_ns=40 * MILLISECOND), workers=workers, queue=6),
        traffic=traffic(20 * workers, owned=0.2, regions=("here", "there")),
        faults=faults,
    )
    assert_equal(both(settings))


def test_a_faster_master_gets_as_much_more_as_it_can_do() -> None:
    """Weights settle where utilisation is even: a master of half the speed gets half as much."""
    slow = FAULTS["slow"](kind="slow", target="m1", at=after(0), for_=lasting(400), speed=0.5)
    settings = powered(
        400,
        masters=masters(3, service=Exponential(mean_ns=20 * MILLISECOND), workers=4),
        traffic=traffic(100, owned=0.0),
        faults=(slow,),
    )
    answered = Counter({a.master: a.attempts for _, a in run(settings).of(AttemptRollup)})
    shares = [answered[m] / answered.total() for m in ("m1", "m2", "m3")]
    assert shares == pytest.approx([0.2, 0.4, 0.4], abs=0.02)
