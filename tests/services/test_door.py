"""What cannot be is refused at the door: the caller is told, and nothing has changed."""

from __future__ import annotations

import dataclasses
import types
import typing
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.events import (
    DrainMaster,
    FenceResult,
    GatewayReport,
    Heartbeat,
    Input,
    InputRefused,
    MasterTraffic,
    ProbeReply,
    ProbeStretch,
    RollBackFailover,
    ServiceFailed,
    SwitchAlgorithm,
    WakeUp,
)
from hasim.model import Cause, Master, Partition
from hasim.services.balancing.service import LoadBalancingService
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.control_plane import ControlPlane
from hasim.services.detection import FailoverDetectionService
from hasim.services.detection.detectors.threshold import ThresholdSettings
from hasim.services.detection.settings import DetectionSettings
from hasim.services.door import NAMED, Door, InputError, take
from hasim.services.failover import ConfirmedSettings, FailoverOrchestrator, FailoverSettings
from hasim.services.monitoring import HighAvailabilityMonitor, MonitorSettings
from hasim.settings import SettingsError
from hasim.times import Times
from hasim.units import SECOND
from tests.services.bench import Bench, cluster

CLUSTER = dataclasses.replace(cluster(3, ("near", "far")), observers=("here", "there"))
NAMES = {
    "master": ["m1", "m2", "m3"],
    "gateway": ["near", "far"],
    "partition": ["p1", "p2", "p3"],
    "observer": ["here", "there"],
    "witness": ["here", "there", "m1", "m2", "m3"],
}
KINDS = typing.get_args(Input)


def values(hint: Any, field: str) -> st.SearchStrategy[Any]:
    """What may stand in a field."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return st.none() | values(args[0], field)
    if origin is tuple:
        return st.lists(values(args[0], field), max_size=3).map(tuple)
    if hint is str:
        return st.sampled_from(NAMES[NAMED[field]]) if field in NAMED else st.text(max_size=5)
    if hint is int:
        return st.integers(0, 2**62)
    if hint is bool:
        return st.booleans()
    if hint is Times:
        return st.lists(st.integers(0, 2**62), max_size=3).map(Times)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    return records(hint)


def wrongs(hint: Any, field: str) -> st.SearchStrategy[Any]:
    """What may not."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return wrongs(args[0], field).filter(lambda value: value is not None)
    if origin is tuple:
        inner = wrongs(args[0], field).map(lambda value: (value,))
        return st.sampled_from([None, "m1", 3, ["m1"]]) | inner
    if hint is str:
        never = st.sampled_from([None, 3, 2.5, Cause, b"m1"])
        return never | st.sampled_from(["m9", "", "M1 "]) if field in NAMED else never
    if hint is int:
        return st.sampled_from([-1, 1.0, 2.5, float("nan"), True, "1", None])
    if hint is bool:
        return st.sampled_from([0, 1, "true", None])
    if hint is Times:
        return st.sampled_from([[1], (1,), None, Times([-1]), 5])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from([next(iter(hint)).value, "nonsense", None, 1, True])
    fields = typing.get_type_hints(hint)
    broken = st.sampled_from(sorted(fields)).flatmap(
        lambda name: st.builds(
            lambda made, value: dataclasses.replace(made, **{name: value}),
            records(hint),
            wrongs(fields[name], name),
        )
    )
    return broken | st.sampled_from([None, "text", {}])


def records(kind: Any) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{name: values(hint, name) for name, hint in hints.items()})


ANY_INPUT = st.sampled_from(KINDS).flatmap(records)


def broken_inputs() -> st.SearchStrategy[Any]:
    """Any input, one field of which cannot be."""
    with_fields = [kind for kind in KINDS if dataclasses.fields(kind)]
    return st.sampled_from(with_fields).flatmap(wrongs).filter(lambda made: type(made) in KINDS)


def wrongs_of(kind: Any) -> st.SearchStrategy[Any]:
    return wrongs(kind, "").filter(lambda made: type(made) is kind)


# -- inputs ----------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(ANY_INPUT)
def test_what_can_be_passes(item: Input) -> None:
    Door(CLUSTER).check(5, item)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if dataclasses.fields(kind)])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_cannot_be_is_refused_by_all_and_changes_nothing(kind: Any, data: Any) -> None:
    item = data.draw(wrongs_of(kind))
    plane = ControlPlane(CLUSTER)
    plane.start(0)
    before = plane.freeze()
    with pytest.raises(InputError, match=rf"^{kind.__name__}\."):
        plane.step(5, item)
    for service in plane.services.values():
        with pytest.raises(InputError, match=rf"^{kind.__name__}\."):
            service.step(5, item)
    assert plane.freeze() == before
    # Whoever drives it may go on; it is no failure of a service.
    (told,) = take(plane, 5, item)
    assert isinstance(told, InputRefused)
    assert told.input == kind.__name__
    assert plane.freeze() == before


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (ProbeReply("m", 1, Cause.OK), "ProbeReply.master: unknown master 'm'; did you mean m3?"),
        (ProbeReply("m1", 1, "ok"), "ProbeReply.cause: expected one of Cause.OK, Cause.REFUSED"),
        (Heartbeat("m1", -1), "Heartbeat.number: expected a whole number from 0 on, got -1"),
        (
            GatewayReport("fra", 1, ()),
            "GatewayReport.gateway: unknown gateway 'fra'; did you mean far?",
        ),
        (
            GatewayReport("far", 1, (MasterTraffic("m7", 0, 0, 0, 0, Cause.OK, 0, 0),)),
            "GatewayReport.masters: master: unknown master 'm7'; known: m1, m2, m3",
        ),
        (
            ProbeStretch("m1", 1, Cause.OK, Times([5, -3]), Times([1, 1])),
            "ProbeStretch.ended_ns: expected times from 0 on",
        ),
        (
            SwitchAlgorithm("goe"),
            "SwitchAlgorithm.algorithm: unknown algorithm 'goe'; did you mean geo?",
        ),
        (RollBackFailover(1), "RollBackFailover.failover: unknown failover 1; there are 0"),
        ("wake up", "no input: 'wake up'"),
    ],
)
def test_the_message_says_where_and_what_was_expected(item: Any, message: str) -> None:
    plane = ControlPlane(CLUSTER)
    plane.start(0)
    with pytest.raises(InputError) as caught:
        plane.step(1, item)
    assert str(caught.value).startswith(message)


def test_unknown_names_raise_no_alert_and_fail_no_service() -> None:
    """They did: a CRITICAL alert that never ended."""
    bench = Bench(ControlPlane(CLUSTER))
    bench.run(SECOND)
    with pytest.raises(InputError):
        bench.feed(DrainMaster("m9"))
    bench.run(60 * SECOND)
    assert bench.events(ServiceFailed) == []
    assert bench.control_plane.monitor.get_active_alerts() == ()


# -- times -----------------------------------------------------------------------


@pytest.mark.parametrize("now", [-1, 1.0, True, "5", None, float("inf")])
def test_a_time_is_whole_nanoseconds(now: Any) -> None:
    plane = ControlPlane(CLUSTER)
    plane.start(0)
    before = plane.freeze()
    for machine in (plane, *plane.services.values()):
        with pytest.raises(InputError, match="expected a time in whole nanoseconds"):
            machine.step(now, WakeUp())
    assert plane.freeze() == before


def test_one_that_is_restored_refuses_times_before_the_last_that_was_seen() -> None:
    """Its clock is behind: it would wait for answers that are long overdue."""
    plane = ControlPlane(CLUSTER)
    plane.start(0)
    plane.step(7 * SECOND, ProbeReply("m1", 1, Cause.OK))
    made = ControlPlane(CLUSTER)
    made.restore(plane.freeze())
    frozen = made.freeze()
    for go_on in (made.resume, lambda now: made.step(now, WakeUp())):
        with pytest.raises(InputError, match="time runs back: 6999999999 ns, after 7000000000 ns"):
            go_on(7 * SECOND - 1)
    assert made.freeze() == frozen
    assert made.resume(7 * SECOND)


def test_an_unknown_algorithm_is_refused_by_one_that_does_not_act_yet() -> None:
    plane = ControlPlane(CLUSTER)
    plane.resume(0)  # it asks masters and gateways what they know
    with pytest.raises(InputError, match=r"SwitchAlgorithm\.algorithm: unknown algorithm 'none'"):
        plane.step(1, SwitchAlgorithm("none"))


def test_time_does_not_run_back() -> None:
    plane = ControlPlane(CLUSTER)
    plane.start(0)
    plane.step(7 * SECOND, ProbeReply("m1", 1, Cause.OK))
    before = plane.freeze()
    with pytest.raises(InputError, match="time runs back: 6999999999 ns, after 7000000000 ns"):
        plane.step(7 * SECOND - 1, WakeUp())
    assert plane.freeze() == before
    plane.step(7 * SECOND, WakeUp())


def test_a_refused_input_does_not_move_the_time() -> None:
    plane = ControlPlane(CLUSTER)
    plane.start(0)
    with pytest.raises(InputError):
        plane.step(9 * SECOND, DrainMaster("m9"))
    plane.step(SECOND, WakeUp())


# -- clusters and settings ---------------------------------------------------------

SERVICES: dict[str, Any] = {
    "detection": (FailoverDetectionService, DetectionSettings()),
    "failover": (FailoverOrchestrator, FailoverSettings()),
    "balancing": (LoadBalancingService, BalancingSettings()),
    "monitor": (HighAvailabilityMonitor, MonitorSettings()),
}
M1, M2 = Master("m1", "west"), Master("m2", "west")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"partitions": (Partition("p1", "m7"),)}, "cluster.partitions.0.owner: no master 'm7'"),
        (
            {"masters": (dataclasses.replace(M1, absent=True), M2)},
            "cluster.partitions.0.owner: 'm1' is absent, and can own nothing",
        ),
        ({"masters": (M1, M1)}, "cluster.masters: 'm1' is named 2 times"),
        ({"gateways": ("a", "a")}, "cluster.gateways: 'a' is named 2 times"),
        ({"rtt_ns": ((1,),)}, "cluster.rtt: expected 1 rows (gateways) of 2 times (masters)"),
        ({"rtt_ns": ((1, -1),)}, "cluster.rtt: must not be negative"),
        (
            {"masters": (M1, Master("m2", "w", workers=0))},
            "cluster.masters.1.workers: must be at least 1, got 0",
        ),
        (
            {"masters": (Master("m1", "w", weight=0.0), M2)},
            "cluster.masters.0.weight: must be greater than 0, got 0.0",
        ),
    ],
)
def test_a_cluster_that_cannot_be_is_refused(service: str, change: Any, message: str) -> None:
    good = cluster(1)
    good = dataclasses.replace(good, masters=(M1, M2), gateways=("a",), rtt_ns=((1, 1),))
    kind, own = SERVICES[service]
    kind(own, good)
    with pytest.raises(SettingsError) as caught:
        kind(own, dataclasses.replace(good, **change))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("service", "bad", "message"),
    [
        (
            "detection",
            DetectionSettings(detector=ThresholdSettings(fall=0)),
            "detector.fall: must be at least 1, got 0",
        ),
        (
            "failover",
            FailoverSettings(fencing=ConfirmedSettings(attempts=0)),
            "fencing.attempts: must be at least 1, got 0",
        ),
        ("failover", FailoverSettings(transfer_timeout_ns=0), "transfer_timeout: must be greater"),
        ("balancing", BalancingSettings(report_interval_ns=-5), "report_interval: must be greater"),
        ("monitor", MonitorSettings(objective=1.5), "objective: must be at most 100%, got 150%"),
    ],
)
def test_settings_that_cannot_be_are_refused(service: str, bad: Any, message: str) -> None:
    kind, _ = SERVICES[service]
    with pytest.raises(SettingsError) as caught:
        kind(bad, CLUSTER)
    assert message in str(caught.value)
    with pytest.raises(SettingsError):
        ControlPlane(CLUSTER, **{service: bad})


# -- what a refusal says -----------------------------------------------------------

TRAFFIC = MasterTraffic("m1", 0, 0, 0, 0, Cause.OK, 0, 0)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("nonsense", "no input: 'nonsense'"),
        (DrainMaster(3), "DrainMaster.master: expected the name of a master, got 3"),
        (DrainMaster("m11"), "DrainMaster.master: unknown master 'm11'; did you mean m1?"),
        (DrainMaster("x"), "DrainMaster.master: unknown master 'x'; known: m1, m2, m3"),
        (
            ProbeReply("m1", -1, Cause.OK),
            "ProbeReply.probe: expected a whole number from 0 on, got -1",
        ),
        (
            ProbeReply("m1", 1, "ok"),
            "ProbeReply.cause: expected one of "
            + ", ".join(f"Cause.{cause.name}" for cause in Cause)
            + ", got 'ok'",
        ),
        (
            FenceResult(1, "m1", confirmed="yes"),
            "FenceResult.confirmed: expected true or false, got 'yes'",
        ),
        (RollBackFailover(1, 5), "RollBackFailover.reason: expected a text, got 5"),
    ],
)
def test_a_refusal_names_the_field_what_was_expected_and_what_came(item: Any, said: str) -> None:
    with pytest.raises(InputError) as refused:
        Door(CLUSTER).check(5, item)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (3, "expected a tuple, got 3"),
        ((TRAFFIC, "m1"), "expected a MasterTraffic, got 'm1'"),
        (
            (dataclasses.replace(TRAFFIC, master="m9"),),
            "master: unknown master 'm9'; known: m1, m2, m3",
        ),
    ],
)
def test_a_refusal_of_a_part_says_where_it_stands(wrong: Any, said: str) -> None:
    with pytest.raises(InputError) as refused:
        Door(CLUSTER).check(5, GatewayReport("near", 1, wrong))
    assert str(refused.value) == f"GatewayReport.masters: {said}"


def test_time_may_stand_still_but_neither_run_back_nor_be_anything_but_nanoseconds() -> None:
    door = Door(CLUSTER)
    for now in (0, 5, 5):
        door.check(now, WakeUp())
    for now, said in [
        (4, "time runs back: 4 ns, after 5 ns"),
        (-1, "expected a time in whole nanoseconds from 0 on, got -1"),
        (5.0, "expected a time in whole nanoseconds from 0 on, got 5.0"),
        (True, "expected a time in whole nanoseconds from 0 on, got True"),
    ]:
        for look in (
            lambda now=now: door.check(now, WakeUp()),
            lambda now=now: door.check_time(now),
        ):
            with pytest.raises(InputError) as refused:
                look()
            assert str(refused.value) == said
    door.check_time(6)
    with pytest.raises(InputError, match="after 6 ns"):
        door.check(5, WakeUp())


def test_who_sent_what_is_refused_is_told_if_it_says_so() -> None:
    plane = ControlPlane(CLUSTER)
    plane.start(0)
    for item, sender in [(DrainMaster("m9"), "m9"), (RollBackFailover(1, 5), "")]:
        (told,) = take(plane, 5, item)
        assert isinstance(told, InputRefused)
        assert (told.input, told.sender) == (type(item).__name__, sender)
