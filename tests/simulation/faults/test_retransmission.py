"""After a partition or a power cut, clients' connections are silent until TCP tries again."""

from __future__ import annotations

import math

import pytest

from hasim.events import ProbeReply
from hasim.simulation.laws import Constant
from hasim.simulation.settings import NetworkSettings
from hasim.simulation.settings.faults import Crash, NetworkPartition, PowerOff
from hasim.truth import FaultCured, MessageRecord, PartitionServed
from hasim.units import HOUR, MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.planes import assert_equal, both
from tests.simulation.worlds import after, lasting, masters, traffic, world

RTO_S = 0.2
FAULTS = {"partition": NetworkPartition, "power-off": PowerOff, "crash": Crash}


def first_arrivals(kind: str, lasts_s: float, retransmit_s: float = RTO_S) -> list[float]:
    """When messages that were sent after the cure are answered, in seconds after it."""
    fault = FAULTS[kind](kind=kind, target="m1", at=after(10), for_=lasting(lasts_s))
    settings = world(
        60,
        masters=masters(1, service=Constant(mean_ns=MILLISECOND), workers=100),
        network=NetworkSettings(
            local_rtt_ns=2 * MILLISECOND, retransmit_ns=round(retransmit_s * SECOND)
        ),
        traffic=traffic(20, timeout_ns=30 * SECOND, deadline_ns=30 * SECOND, owned=0.0),
        faults=(fault,),
        detection=detection(evidence=("probe",), interval_ns=HOUR),
    )
    journal = assert_equal(both(settings))
    (cured_ns,) = [t for t, _ in journal.of(FaultCured)]
    return [
        (m.ended_ns - cured_ns) / SECOND
        for _, m in journal.of(MessageRecord)
        if m.arrived_ns > cured_ns
    ]


@pytest.mark.parametrize("kind", ["partition", "power-off"])
@pytest.mark.parametrize("lasts_s", [0.05, 0.2, 0.7, 5.0, 10.0])
def test_the_first_answer_comes_with_the_next_retransmission(kind: str, lasts_s: float) -> None:
    """They come 1, 3, 7, ... timeouts after the first loss: RFC 6298, (5.5)."""
    tries = math.ceil(math.log2(lasts_s / RTO_S + 1) - 1e-9)
    silent_s = RTO_S * (2**tries - 1) - lasts_s
    answers = first_arrivals(kind, lasts_s)
    assert min(answers) >= silent_s + 0.003 - 1e-9
    if silent_s > 1:  # many were sent meanwhile: all of them come at once
        assert sum(abs(t - silent_s - 0.003) < 1e-6 for t in answers) > 10


@pytest.mark.parametrize(("kind", "retransmit_s"), [("crash", RTO_S), ("partition", 0.0)])
def test_a_reset_connection_and_a_new_one_wait_for_nothing(kind: str, retransmit_s: float) -> None:
    assert min(first_arrivals(kind, 10.0, retransmit_s)) < 0.5


def test_checks_take_new_connections_and_the_oracle_sees_who_waits() -> None:
    fault = NetworkPartition(kind="partition", target="m1", at=after(10), for_=lasting(10))
    settings = world(
        60,
        masters=masters(1),
        network=NetworkSettings(retransmit_ns=200 * MILLISECOND),
        traffic=traffic(20, timeout_ns=SECOND),
        faults=(fault,),
        detection=detection(evidence=("probe",), interval_ns=SECOND, fall=100),
    )
    journal = assert_equal(both(settings))
    replies = [t / SECOND for t, r in journal.of(ProbeReply) if t > 20 * SECOND]
    assert replies[0] < 21.5
    changes = [
        (t / SECOND, p.up, p.reason) for t, p in journal.of(PartitionServed) if t > 9 * SECOND
    ]
    assert changes == [(10.0, False, "partition"), (20.0, False, "latency"), (22.6, True, "")]
