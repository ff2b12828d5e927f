"""The control plane: registration, wiring, and containment of a failing service."""

from __future__ import annotations

from typing import get_args

import pytest

from hasim.events import (
    AlertChanged,
    FenceResult,
    GatewayReport,
    Input,
    OwnerChanged,
    ProbeReply,
    RoutingAck,
    ServiceFailed,
    WakeUp,
)
from hasim.model import Cause
from hasim.services.control_plane import AMONG_OBSERVERS, PROCESS, ControlPlane
from hasim.units import SECOND
from tests.services.bench import Bench, cluster

CONCERNS = {
    "detection": ProbeReply("m1", 1, Cause.OK),
    "failover": FenceResult(1, "m1", confirmed=True),
    "balancing": RoutingAck("local", 1),
    "monitor": GatewayReport("local", 1, ()),
}


@pytest.mark.parametrize("name", CONCERNS)
def test_a_service_that_raises_does_not_stop_the_others(name: str, monkeypatch) -> None:
    bench = Bench(ControlPlane(cluster(3)))
    bench.run(SECOND)

    def broken(now, item):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(bench.control_plane.services[name], "take", broken)
    out = bench.control_plane.step(2 * SECOND, CONCERNS[name])
    assert ServiceFailed(name, "ZeroDivisionError: a bug") in out
    alerts = [o for o in out if isinstance(o, AlertChanged)]
    # A monitor that is broken itself cannot alert; the event is in the journal all the same.
    assert [a.subject for a in alerts] == ([f"service:{name}"] if name != "monitor" else [])


def test_a_failover_completes_although_the_monitor_is_broken(monkeypatch) -> None:
    bench = Bench(ControlPlane(cluster(3)), may_fail=True)
    bench.run(SECOND)

    def broken(now, event):
        raise RuntimeError("disk full")

    monkeypatch.setitem(bench.control_plane._listeners, "monitor", broken)
    bench.down["m1"] = Cause.REFUSED
    bench.run(60 * SECOND)
    assert [e.owner for e in bench.events(OwnerChanged)] == ["m2"]
    assert bench.events(ServiceFailed)


@pytest.mark.parametrize("name", CONCERNS)
def test_a_service_that_raises_when_it_is_woken_is_woken_again_after_a_second(
    name: str, monkeypatch
) -> None:
    bench = Bench(ControlPlane(cluster(3)))
    bench.run(SECOND)
    plane, woken_ns = bench.control_plane, []

    def broken(now, item):
        woken_ns.append(now)
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(plane.services[name], "take", broken)
    monkeypatch.setattr(plane.services[name], "next_wakeup", lambda: 2 * SECOND)
    plane.step(SECOND, CONCERNS[name])
    assert woken_ns == [SECOND]  # by an input: its own wake-up is not put off
    for _ in range(4):
        plane.step(plane._due_ns[name], WakeUp())
    assert woken_ns == [n * SECOND for n in (1, 2, 3, 4, 5)]


def test_the_start_verifies_that_each_service_is_healthy(monkeypatch) -> None:
    plane = ControlPlane(cluster(3))
    monkeypatch.setattr(plane.detection, "start_monitoring", lambda now: [])
    with pytest.raises(RuntimeError, match="not healthy after the start: detection"):
        plane.start(0)


def test_stop_sends_no_more_probes() -> None:
    plane = ControlPlane(cluster(3))
    plane.start(0)
    plane.stop(SECOND)
    assert plane.detection.next_wakeup() is None
    assert not plane.monitor.healthy()


def test_every_input_concerns_a_service() -> None:
    taken = frozenset[type]().union(*(s.INPUTS for s in ControlPlane(cluster(3)).services.values()))
    assert taken | {*PROCESS, *AMONG_OBSERVERS} == frozenset(get_args(Input))


def test_nobody_is_woken_before_time(monkeypatch) -> None:
    control_plane = ControlPlane(cluster(3))
    control_plane.start(0)
    woken = []
    for name, service in control_plane.services.items():
        monkeypatch.setattr(service, "take", lambda now, item, name=name: woken.append(name) or [])
    due = control_plane.next_wakeup()
    control_plane.step(due - 1, WakeUp())
    assert woken == []
    control_plane.step(due, WakeUp())
    assert woken == ["detection"]


def test_what_is_due_at_an_instant_is_done_at_that_instant() -> None:
    """A wake-up on time is enough: who is woken exactly then has nothing left to do then."""
    plane = ControlPlane(cluster(2))
    plane.start(0)
    for _ in range(50):
        due_ns = plane.next_wakeup()
        assert due_ns is not None
        plane.step(due_ns, WakeUp())
        later_ns = plane.next_wakeup()
        assert later_ns is None or later_ns > due_ns
