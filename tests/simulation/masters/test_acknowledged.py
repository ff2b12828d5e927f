"""A write is acknowledged if its client hears of it, and only then can it be lost."""

from __future__ import annotations

import pytest

from hasim.measures import measure
from hasim.model import Cause
from hasim.services.failover import FailoverSettings, NoFencingSettings
from hasim.simulation.laws import Constant
from hasim.simulation.settings import NetworkSettings
from hasim.simulation.settings.faults import Hang
from hasim.truth import MessageRecord, WritesHeld, WritesLost
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.planes import assert_equal, both
from tests.simulation.worlds import after, lasting, masters, traffic, world


def test_what_a_hang_holds_back_until_clients_have_given_up_is_no_loss() -> None:
    """A hang of 10 s, clients that give up after 300 ms, a failover without fencing."""
    settings = world(
        40,
        masters=masters(3, workers=1000, queue=1000),
        traffic=traffic(
            100, owned=1.0, timeout_ns=300 * MILLISECOND, deadline_ns=300 * MILLISECOND
        ),
        faults=(Hang(kind="hang", target="m1", at=after(6), for_=lasting(10)),),
        detection=detection(
            evidence=("probe",), interval_ns=SECOND, fast_interval_ns=SECOND, fall=1, rise=1
        ),
        failover=FailoverSettings(fencing=NoFencingSettings()),
    )
    journal = assert_equal(both(settings))
    assert any(f.outcome == "completed" for f in measure(journal).failovers)
    unheard = [
        m
        for _, m in journal.of(MessageRecord)
        if m.partition == "p1" and 6.3 < m.arrived_ns / SECOND < 7 and m.outcome != Cause.OK
    ]
    assert len(unheard) > 10  # they waited there, and were served when the hang was over
    assert [lost for _, lost in journal.of(WritesLost) if lost.since_ns > 5 * SECOND] == []


@pytest.mark.parametrize("loss", [0.0, 0.3])
def test_as_many_writes_are_acknowledged_as_answers_come(loss: float) -> None:
    settings = world(
        60,
        masters=masters(2, service=Constant(mean_ns=10 * MILLISECOND)),
        network=NetworkSettings(loss=loss),
        traffic=traffic(20, owned=1.0, timeout_ns=SECOND),
        detection=detection(evidence=("probe",), interval_ns=SECOND, fall=1000),
    )
    journal = assert_equal(both(settings))
    answered = sum(m.outcome == Cause.OK for _, m in journal.of(MessageRecord))
    under_way = sum(m.outcome == "in_flight" for _, m in journal.of(MessageRecord))
    acknowledged = sum(held.acknowledged for _, held in journal.of(WritesHeld))
    assert 0 <= acknowledged - answered <= under_way
    assert answered > 400
