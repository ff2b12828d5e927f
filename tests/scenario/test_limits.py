"""Valid is only what runs: what would overflow, or never end, is refused with the limit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hasim.scenario.rhythms import rhythm_remarks
from hasim.simulation.laws import Exponential, Lognormal, Weibull, whole_ns
from hasim.units import DAY, LONGEST_SETTING_NS

GOOD = "name: small\nhorizon: 5m\nmasters: [{id: ams-1}, {id: iad-1}]\n"
LINE = 4


@pytest.mark.parametrize(
    ("extra", "field", "message"),
    [
        (
            "traffic: {retry: {attempts: 1000000000}}",
            "traffic.retry.attempts",
            "must be at most 100, got 1000000000",
        ),
        (
            "traffic: {deadline: 9000d, retry: {backoff: 100000d}}",
            "traffic.retry.backoff",
            "must be at most 10000d, got 100000d",
        ),
        (
            "detection: {fall: 4611686018427387904}",
            "detection.fall",
            "must be at most 1000000, got 4611686018427387904",
        ),
        (
            "faults: [{kind: crash, target: all, every: {law: weibull, mean: 1h, shape: 0.005}}]",
            "faults.0.every.shape",
            "must be at least 0.01, got 0.005",
        ),
        (
            "balancing: {ring_size: 8388608}",
            "balancing.ring_size",
            "must be at most 1048576, got 8388608",
        ),
    ],
)
def test_numbers_beyond_what_works_are_refused(problems_of, extra, field, message) -> None:
    (problem,) = problems_of(GOOD + extra + "\n")
    assert (problem.line, problem.field, problem.message) == (LINE, field, message)


@pytest.mark.parametrize(
    ("extra", "field", "what"),
    [
        (
            "detection: {interval: 1ns, fast_interval: 1ns, timeout: 1ns}",
            "detection.interval",
            "probes",
        ),
        (
            "detection: {evidence: heartbeat, heartbeat_interval: 1ns, detector: timeout}",
            "detection.heartbeat_interval",
            "heartbeats",
        ),
        ("balancing: {report_interval: 1ns}", "balancing.report_interval", "reports"),
        ("monitor: {period: 1ns}", "monitor.period", "periods"),
    ],
)
def test_what_repeats_for_ever_is_refused_with_the_shortest_interval(
    problems_of, loaded, extra, field, what
) -> None:
    (problem,) = problems_of(GOOD + extra + "\n")
    assert (problem.line, problem.field) == (LINE, field)
    assert f" {what} in a run; the most is 1e+0" in problem.message
    shortest = problem.message.rpartition("an interval of ")[2].removesuffix(" here")
    assert len(loaded(GOOD + extra.replace(": 1ns", f": {shortest}") + "\n").cells) == 1


@pytest.mark.parametrize(
    "law",
    [
        Exponential(mean_ns=LONGEST_SETTING_NS),
        Lognormal(mean_ns=LONGEST_SETTING_NS, cv=100),
        Weibull(mean_ns=DAY, shape=0.05),
    ],
)
def test_no_draw_is_longer_than_64_bits_hold(law) -> None:
    """Also the rarest: the largest uniform below 1."""
    drawn = whole_ns(law, np.array([0.0, 0.5, np.nextafter(1.0, 0.0)]))
    assert drawn[-1] == LONGEST_SETTING_NS
    assert (drawn == np.rint(drawn)).all()
    assert (drawn >= 0).all()


def test_a_rhythm_that_takes_long_says_how_long(loaded) -> None:
    slow = GOOD + "detection: {interval: 50us, fast_interval: 50us, timeout: 50us}\n"
    assert loaded(slow.replace("50us", "1ms")).remarks() == []
    assert loaded(slow).remarks() == [
        "detection.interval makes 1e+07 probes in each replication: about 36 s of one core if "
        "little happens."
    ]
    (remark,) = loaded(slow + "probes: single\n").remarks()
    assert "about 228 s of one core" in remark


def test_very_many_masters_say_what_they_take(loaded) -> None:
    world = loaded(GOOD).cells[0].world
    assert not list(rhythm_remarks(dataclasses.replace(world, masters=world.masters[:1] * 4_999)))
    (remark,) = rhythm_remarks(dataclasses.replace(world, masters=world.masters[:1] * 20_000))
    assert remark == (
        "20,000 masters take about 48 s of one core in each replication, even if nothing happens."
    )
