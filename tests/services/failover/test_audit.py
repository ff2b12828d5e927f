"""The audit record of a failover: attempts, who was passed over, phases, outcome."""

from __future__ import annotations

import json

import pytest

from hasim.events import (
    FailoverChanged,
    FailoverConcluded,
    Promote,
    RollBackFailover,
    TransferState,
)
from hasim.model import Cause
from hasim.services.failover import ConfirmedSettings, NoFencingSettings
from hasim.services.failover.lifecycle import LIFECYCLE
from hasim.units import MINUTE, SECOND
from tests.services.bench import Bench, promoted
from tests.services.failover.test_policy import bench, until


def records(made: Bench) -> list[FailoverConcluded]:
    return made.events(FailoverConcluded)


def test_every_attempt_has_its_reason_those_passed_over_and_how_it_ended() -> None:
    made = bench(5)
    made.down["m3"] = None
    made.run(made.now + 20 * SECOND)
    made.overrides[Promote] = lambda order: promoted(
        order, Cause.REJECTED if order.target == "m2" else Cause.OK
    )
    before = len(records(made))
    made.down["m1"] = Cause.REFUSED
    made.run(made.now + 20 * SECOND)
    (record,) = records(made)[before:]
    assert (record.master, record.outcome, record.owner) == ("m1", "completed", "m4")
    assert record.reason.startswith("declared failed: ")
    assert not record.planned
    first, second = record.attempts
    assert (first.candidate, first.ended) == ("m2", "refused")
    assert first.reason == "promotion: rejected"
    said = {one.reason: one.masters for one in first.passed_over}
    assert said == {"the owner": ("m1",), "failed": ("m3",), "ranks lower": ("m4", "m5")}
    assert (second.candidate, second.ended) == ("m4", "promoted")
    assert {m: o.reason for o in second.passed_over for m in o.masters}["m2"] == "tried"


def test_phases_are_the_time_between_the_steps_of_the_journal() -> None:
    made = bench()
    made.down["m1"] = Cause.REFUSED
    until(made, "completed")
    (record,) = records(made)
    steps = [(t, e) for t, e in made.outputs if isinstance(e, FailoverChanged)]
    assert [(p.state, p.begun_ns) for p in record.phases] == [(e.new, t) for t, e in steps[:-1]]
    assert [p.ended_ns for p in record.phases] == [t for t, _ in steps[1:]]
    assert record.phases[-1].ended_ns == record.ended_ns
    assert sum(p.ended_ns - p.begun_ns for p in record.phases) == record.ended_ns - record.begun_ns
    assert all(p.trigger in LIFECYCLE[p.state] for p in record.phases)
    # It goes out right after the last step.
    place = next(n for n, (_, o) in enumerate(made.outputs) if o is record)
    assert made.outputs[place - 1][1].new == "completed"


def test_nobody_to_choose_is_an_attempt_too() -> None:
    made = bench(2, if_none="fail", fencing=NoFencingSettings())
    made.down["m2"] = None
    made.run(made.now + 10 * SECOND)
    made.down["m1"] = Cause.REFUSED
    made.run(made.now + 10 * SECOND)
    record = next(r for r in records(made) if r.master == "m1")
    assert (record.outcome, record.owner) == ("failed", "")
    assert "no eligible backup" in record.why


def test_waiting_shows_who_was_not_eligible() -> None:
    made = bench(2)
    made.down["m2"] = None
    made.down["m1"] = None
    made.run(made.now + MINUTE)
    made.down.clear()
    made.run(made.now + 2 * MINUTE)
    record = next(r for r in records(made) if len(r.attempts) > 1)
    assert record.attempts[0].candidate == ""
    assert record.attempts[0].ended == "no-candidate"
    assert record.attempts[0].passed_over


def test_one_that_is_called_off_says_by_whom() -> None:
    made = bench(fencing=ConfirmedSettings(timeout_ns=MINUTE), delay_ns=MINUTE)
    made.down["m1"] = Cause.REFUSED
    until(made, "held")
    made.feed(RollBackFailover(1, "a mistake of mine"))
    (record,) = records(made)
    assert (record.outcome, record.why) == ("cancelled", "a mistake of mine")
    assert record.attempts == ()


def test_a_snapshot_in_the_middle_keeps_what_the_record_needs() -> None:
    made = bench()
    made.overrides[TransferState] = lambda order: None
    made.down["m1"] = Cause.REFUSED
    until(made, "transferring")
    other = made.control_plane.reborn()
    other.restore(json.loads(json.dumps(made.control_plane.freeze())))
    for machine in (made.control_plane, other):
        service = machine.failover
        (failover,) = service.get_active_failovers()
        service.update_failover_status(made.now, failover, "torn", "for the test")
        out = service.update_failover_status(made.now, failover, "give-up", "enough")
        made.outputs += [(made.now, o) for o in out]
    first, second = records(made)[-2:]
    assert first == second
    assert first.attempts[0].ended == "torn"


@pytest.mark.parametrize("count", [10, 1000])
def test_a_snapshot_does_not_grow_with_the_failovers_that_have_ended(count: int) -> None:
    size = {}
    for number in (10, count):
        made = bench(fencing=NoFencingSettings())
        for _ in range(number):
            owner = made.control_plane.failover.owner_of("p1")
            service = made.control_plane.failover
            made.outputs.clear()
            made._take(service.execute_failover(made.now, owner))
            made.run(made.now + SECOND)
            assert service.owner_of("p1") != owner
        made.run(made.now + MINUTE)
        size[number] = len(json.dumps(made.control_plane.freeze()))
    # Numbers have more digits.
    assert size[count] < size[10] + 100
