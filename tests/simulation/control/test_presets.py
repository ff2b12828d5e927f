"""How long systems take to see a fault, by the numbers that follow from their documentation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import kstest

from hasim.events import StatusChanged
from hasim.model import Status
from hasim.services.detection import DetectionSettings
from hasim.services.detection.registry import PRESETS
from hasim.services.failover import FailoverSettings, NoFencingSettings
from hasim.simulation.settings.faults import Crash, Hang, NetworkPartition, PowerOff
from hasim.units import SECOND
from tests.simulation.worlds import NO_LATENCY, after, lasting, run, traffic, world

FORMS = {
    # A phase of the interval, the checks that are still needed, and what each of them waits for.
    ("haproxy", "crash"): (2 * 2, 2),
    ("haproxy", "hang"): (3 * 2 + 2 * 2, 2),
    ("envoy", "crash"): (2 * 3, 3),
    ("envoy", "hang"): (3 * 1 + 2 * 3, 3),
    ("kubernetes", "crash"): (2 * 10, 10),
    ("kubernetes", "hang"): (2 * 10 + 1, 10),
    ("aws-alb", "crash"): (30, 30),
    ("aws-alb", "hang"): (30 + 5, 30),  # mean 50 s
    # Refused at once; connected and not answered for 2 s; not connected for 4 s.
    ("route53", "crash"): (2 * 30, 30),
    ("route53", "hang"): (2 * 30 + 2, 30),
    ("route53", "power-off"): (2 * 30 + 4, 30),
    # Three advertisements and a skew of 156/256 s, less the age of the last one that was heard.
    ("keepalived", "crash"): (2 + 156 / 256, 1),
    ("keepalived", "hang"): (2 + 156 / 256, 1),
    # The leader key lasts 30 s, and was renewed up to 10 s before; the watch takes up to 10 ms.
    ("patroni", "crash"): (20.005, 10),
    ("patroni", "power-off"): (20.005, 10),
    # Token and consensus of two nodes, less the age of the last round of the token.
    ("corosync", "crash"): (6.5, 0.1),
    ("corosync", "power-off"): (6.5, 0.1),
    # A second, the pause of 3 s and 5.226 deviations of 100 ms, less the age of the last one.
    ("akka", "crash"): (3.5226, 1),
    # 8 ln 10 mean gaps: by then 99 gaps of a second, and the long one with which they begin.
    ("cassandra", "crash"): (8 * math.log(10) * 1.01 - 1, 1),
}
"""Least detection time and width of the uniform law, in seconds."""
ELSEWHERE = {
    *("nginx", "aws-jdbc-efm"),  # below
    "pg-auto-failover",  # test_step_down
    "orchestrator",  # test_orchestrator
    "kubernetes-node",  # test_lease: what metallb's users saw
    "sentinel",  # test_sentinel: what was measured of it
    *("consul-lan", "consul-wan"),  # test_gossip: memberlist's suspicion timeouts
}
"""Presets that another law checks, and where."""


def detection_times(detection: DetectionSettings, kind: str, count: int) -> np.ndarray:
    fault = {"crash": Crash, "hang": Hang, "power-off": PowerOff}[kind](
        kind=kind, target="m1", at=after(100), for_=lasting(1000)
    )
    settings = world(
        200, 1, network=NO_LATENCY, traffic=traffic(0.01), detection=detection, faults=(fault,)
    )
    times = []
    for replication in range(count):
        changes = run(settings, seed=4, replication=replication).of(StatusChanged)
        declared = next(t_ns for t_ns, event in changes if event.new is Status.FAILED)
        times.append(declared / SECOND - 100)
    return np.array(times)


@pytest.mark.parametrize(("preset", "kind"), FORMS)
def test_presets_meet_what_follows_from_their_documentation(preset: str, kind: str) -> None:
    low, width = FORMS[preset, kind]
    times = detection_times(DetectionSettings.of_preset(preset), kind, 150)
    assert low - 1e-6 <= times.min() < times.max() <= low + width + 1e-6
    assert kstest(times, "uniform", args=(low, width)).pvalue > 0.001


@pytest.mark.parametrize(("version", "low"), [(2, 4 + 55 / 256), (3, 4 + 2 * 55 / 256)])
def test_vrrps_skew_is_of_a_second_or_of_the_interval(version: int, low: float) -> None:
    """Adverts each 2 s, a backup with priority 201: U(2, 3) adverts and the skew."""
    made = DetectionSettings.of_preset(
        "keepalived", heartbeat_interval="2s", priority=201, vrrp_version=version
    )
    times = detection_times(made, "crash", 150)
    assert low - 1e-6 <= times.min() < times.max() <= low + 2 + 1e-6
    assert kstest(times, "uniform", args=(low, 2)).pvalue > 0.001


def test_no_preset_is_shipped_that_nothing_checks() -> None:
    assert {*(preset for preset, _ in FORMS), *ELSEWHERE} == set(PRESETS.shipped)


@pytest.mark.parametrize("kind", ["crash", "hang"])
def test_nginx_takes_a_server_out_after_one_failed_message(kind: str) -> None:
    """max_fails=1, fail_timeout=10s: with the next message, at once or when it times out."""
    made = DetectionSettings.of_preset("nginx")
    fault = {"crash": Crash, "hang": Hang}[kind](
        kind=kind, target="m1", at=after(100), for_=lasting(33)
    )
    asked = traffic(40, owned=0.0, timeout_ns=3 * SECOND)
    settings = world(
        200,
        2,
        network=NO_LATENCY,
        traffic=asked,
        detection=made,
        faults=(fault,),
        failover=FailoverSettings(fencing=NoFencingSettings()),
    )
    for replication in range(10):
        changes = [
            (t_ns / SECOND - 100, event.new)
            for t_ns, event in run(settings, seed=4, replication=replication).of(StatusChanged)
            if event.master == "m1" and event.new in (Status.FAILED, Status.HEALTHY)
        ]
        (down, _), (up, _) = (change for change in changes if change[0] >= 0)
        least = 0 if kind == "crash" else 3
        # A message that was under way when the process froze times out the sooner.
        assert least - 0.2 <= down < least + 0.5
        # Tried again each 10 s: by then it answers, or (hung) the trial under way does.
        assert 33 <= up <= 43 + 0.5


@pytest.mark.parametrize(("outage_s", "measured_s"), [(5, 41.111), (10, 36.110), (20, 26.109)])
def test_the_jdbc_wrapper_counts_from_the_start_of_the_query(
    outage_s: int, measured_s: float
) -> None:
    """30 s, then three probes 5 s apart, and 5 s for the last; PluginPipelinePerformanceResults."""
    fault = NetworkPartition(kind="partition", target="m1", at=after(outage_s), for_=lasting(100))
    made = DetectionSettings.of_preset("aws-jdbc-efm")
    settings = world(
        100, 1, network=NO_LATENCY, traffic=traffic(0.01), detection=made, faults=(fault,)
    )
    changes = run(settings).of(StatusChanged)
    declared = next(t_ns for t_ns, event in changes if event.new is Status.FAILED)
    assert declared / SECOND == pytest.approx(30 + 3 * 5, abs=1e-6)
    assert declared / SECOND - outage_s == pytest.approx(measured_s, rel=0.05)
