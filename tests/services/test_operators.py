"""What an operator may order at any time: an input each, which all four services hear."""

from __future__ import annotations

import dataclasses

import pytest

from hasim.events import (
    CheckMaster,
    Demote,
    ExecuteFailover,
    FailoverChanged,
    OwnerChanged,
    Promote,
    PublishRouting,
    RecordFailure,
    RecordRecovery,
    RollBackFailover,
    SendProbe,
    StartMaintenance,
    StatusChanged,
    TransferState,
)
from hasim.model import Cause, Status
from hasim.services.control_plane import ControlPlane
from hasim.services.failover.lifecycle import IllegalTransitionError
from hasim.units import SECOND
from tests.services.bench import Bench, cluster


def bench(count: int = 3) -> Bench:
    made = Bench(ControlPlane(cluster(count)))
    made.run(SECOND)
    return made


def since(made: Bench, before: int, kind: type) -> list:
    return [o for _, o in made.outputs[before:] if isinstance(o, kind)]


def test_a_master_that_is_called_failed_is_failed_over_and_routed_around() -> None:
    made = bench()
    before = len(made.outputs)
    made.feed(RecordFailure("m1", "pager"))
    (verdict,) = since(made, before, StatusChanged)
    assert (verdict.new, verdict.reason) == (Status.FAILED, "pager")
    assert since(made, before, PublishRouting)[0].table.eligible == ("m2", "m3")
    made.run(made.now + 10 * SECOND)
    assert [(o.partition, o.owner) for o in made.events(OwnerChanged)] == [("p1", "m2")]
    # It is asked all the same, and answers: it is healthy as soon as that is proven.
    assert made.control_plane.detection.get_healthy_masters() == ["m1", "m2", "m3"]


def test_a_master_that_is_called_healthy_takes_messages_again() -> None:
    made = bench()
    made.down["m1"] = Cause.REFUSED
    made.run(60 * SECOND)
    assert made.control_plane.detection.get_failed_masters() == ["m1"]
    before = len(made.outputs)
    made.feed(RecordRecovery("m1"))
    assert since(made, before, PublishRouting)[0].table.eligible == ("m1", "m2", "m3")
    made.run(made.now + 60 * SECOND)  # it is not: the evidence says so again
    assert made.control_plane.detection.get_failed_masters() == ["m1"]


def test_a_check_is_a_probe_at_once_unless_one_is_under_way() -> None:
    made = bench()
    made.run(10 * SECOND + SECOND // 2)
    before = len(made.outputs)
    made.feed(CheckMaster("m2"))
    assert [p.master for p in since(made, before, SendProbe)] == ["m2"]
    made.feed(CheckMaster("m2"))
    assert len(since(made, before, SendProbe)) == 1
    made.feed(StartMaintenance("m3"))
    before = len(made.outputs)
    made.feed(CheckMaster("m3"))
    assert since(made, before, SendProbe) == []


def test_a_failover_by_an_operator_meets_its_deadlines() -> None:
    """Nobody answers: whoever orders it past the inputs would wait for ever.

    A healthy owner is told to hand over, and again after a second.
    """
    made = bench()
    made.overrides[Demote] = lambda e: None
    made.feed(ExecuteFailover("m1", "disk replaced"))
    first = made.events(FailoverChanged)[0]
    assert (first.master, first.reason) == ("m1", "disk replaced")
    made.run(made.now + 3 * SECOND // 2)
    assert len([o for _, o in made.outputs if isinstance(o, Demote)]) == 2
    made.overrides.pop(Demote)
    made.run(made.now + 10 * SECOND)
    assert [(o.partition, o.owner) for o in made.events(OwnerChanged)] == [("p1", "m2")]


def test_a_failover_that_is_rolled_back_goes_to_the_next_candidate() -> None:
    made = bench()
    made.overrides[TransferState] = lambda e: None
    made.feed(ExecuteFailover("m1"))
    made.run(made.now + SECOND)
    made.overrides.pop(TransferState)
    made.feed(RollBackFailover(1, "m2 is about to be replaced"))
    made.run(made.now + 5 * SECOND)
    assert [(o.partition, o.owner) for o in made.events(OwnerChanged)] == [("p1", "m3")]
    assert "operator" in [e.trigger for e in made.events(FailoverChanged)]


def test_the_internal_ones_check_the_state_in_which_they_are_called() -> None:
    made = bench()
    made.overrides[Promote] = lambda e: None
    made.feed(ExecuteFailover("m1"))
    while not since(made, 0, Promote):
        made.run(made.now + SECOND // 10)
    service = made.control_plane.failover
    (failover,) = service.get_active_failovers()
    before = service.freeze()
    with pytest.raises(IllegalTransitionError, match="'promoting' transfers nothing"):
        service.transfer_state(made.now, failover)
    with pytest.raises(IllegalTransitionError, match="legal: "):
        service.update_failover_status(made.now, failover, "fenced", "")
    with pytest.raises(IllegalTransitionError, match="does not lead to 'promoting'"):
        service.log_failover_attempt(made.now, failover, "promoting", "promoted", "")
    with pytest.raises(ValueError, match="time runs back"):
        service.log_failover_attempt(0, failover, "transferring", "transferred", "")
    with pytest.raises(KeyError, match="none of this"):
        service.transfer_state(made.now, dataclasses.replace(failover))
    assert service.freeze() == before
    lines = len(service.get_failover_history())
    service.log_failover_attempt(made.now, failover, "transferring", "transferred", "again")
    assert len(service.get_failover_history()) == lines + 1


def test_a_step_from_outside_leaves_a_way_on() -> None:
    made = bench()
    made.overrides[Promote] = lambda e: None
    made.feed(ExecuteFailover("m1"))
    while not since(made, 0, Promote):
        made.run(made.now + SECOND // 10)
    made.overrides.pop(Promote)
    service = made.control_plane.failover
    (failover,) = service.get_active_failovers()
    service.update_failover_status(made.now, failover, "refused", "by hand")
    assert service.healthy()
    made.run(made.now + 30 * SECOND)
    assert service.get_active_failovers() == []
