"""The audit record of a failover: attempts, who was passed over, phases, outcome."""

from __future__ import annotations

import json

import pytest

from hasim.events import (
    Demote,
    FailoverChanged,
    FailoverConcluded,
    Promote,
    RollBackFailover,
    TransferState,
)
from hasim.model import Cause
from hasim.services.failover import ConfirmedSettings, NoFencingSettings, failovers
from hasim.services.failover.lifecycle import LIFECYCLE
from hasim.services.failover.orders import Orders
from hasim.units import MINUTE, SECOND
from tests.services.bench import Bench, demoted, promoted
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


def test_of_those_that_have_ended_the_last_are_kept_with_their_trail(monkeypatch) -> None:
    """The old owner is away: the last failover alone tells it to stop, however many there were."""
    monkeypatch.setattr(failovers, "KEPT", 3)
    made = bench(fencing=NoFencingSettings())
    service = made.control_plane.failover
    made.overrides[Demote] = lambda o: demoted(o, Cause.REFUSED if o.target == "m1" else Cause.OK)
    made.down["m1"] = Cause.REFUSED
    made.run(made.now + 10 * SECOND)
    for _ in range(10):
        made._take(service.execute_failover(made.now, service.owner_of("p3")))
        made.run(made.now + SECOND)
    ended = [record.failover for record in records(made)]
    kept = list(dict.fromkeys(entry.failover for entry in service.get_failover_history()))
    assert kept == ended[-3:]
    assert len(ended) == 11  # what has been forgotten went out with its record
    made.outputs.clear()
    made.run(made.now + MINUTE)
    told = {out.failover for _, out in made.outputs if isinstance(out, Demote)}
    assert told == {ended[-1]}
    with pytest.raises(KeyError, match="unknown failover 2; there are 3"):
        service.rollback_failover(made.now, 2, "too late")


def test_one_whose_answer_may_come_is_kept_however_old_it_is(monkeypatch) -> None:
    monkeypatch.setattr(failovers, "KEPT", 2)
    orders, known = Orders(), failovers.Failovers()
    first, second = (known.start(0, name, (name,)) for name in ("m1", "m2"))
    orders.issue(Demote(first.id, ("p1",), "m1", 2))
    second.stale = {"m3": 2}
    known.tell(second)
    later = [known.start(1, f"m{n}", ("p",)) for n in range(3, 9)]
    gone = [number for one in (first, second, *later) for number in known.end(one, orders)]
    assert gone == [one.id for one in later[:-1]]
    assert [known.get(number) for number in (1, 2)] == [first, second]
