"""What comes between: called off while handing over, failed again, off, overtaken, unsure."""

from __future__ import annotations

import copy
import itertools

import pytest

from hasim.events import (
    CancelFence,
    Demote,
    FailoverChanged,
    FailoverConcluded,
    Fence,
    LeaseAsked,
    OwnerChanged,
    Promote,
    Replica,
    ReplicaReport,
    RollBackFailover,
    StartMaintenance,
    StatusChanged,
    SwitchOver,
    TransferState,
)
from hasim.model import Cause, Diagnosis, Status
from hasim.services.accession import Heard
from hasim.services.control_plane import ControlPlane
from hasim.services.failover import (
    BestEffortSettings,
    FailoverOrchestrator,
    FailoverSettings,
    NoFencingSettings,
)
from hasim.services.failover.fencing.lease import LeaseFencingSettings
from hasim.units import HOUR, MINUTE, SECOND
from tests.services.bench import Bench, cluster, detection, fenced, promoted
from tests.services.failover.test_policy import bench, ordered, path, until
from tests.services.failover.test_selection import bench as selecting
from tests.services.failover.test_selection import new_owner

NONE = NoFencingSettings()


def last(made: Bench) -> FailoverChanged:
    return made.events(FailoverChanged)[-1]


def test_a_switchover_that_is_called_off_while_its_owner_hands_over_gives_back() -> None:
    made = bench()
    made.overrides[Demote] = lambda order: None
    made.feed(SwitchOver("m3", master="m1"))
    until(made, "handing-over")
    made.feed(RollBackFailover(1, "not today"))
    assert (last(made).trigger, last(made).candidate) == ("called-off", "m1")
    assert "not today" in last(made).reason
    made.overrides.clear()
    made.run(made.now + MINUTE)
    assert made.control_plane.failover.owner_of("p1") == "m1"
    assert path(made)[-1] in ("completed", "cancelled")


def test_an_owner_that_fails_again_while_its_fence_is_taken_back_is_fenced_after_all() -> None:
    made = bench()
    made.overrides[Fence] = lambda order: None
    made.down["m1"] = None
    until(made, "fencing")
    made.down.clear()
    until(made, "aborting")
    made.down["m1"] = None
    made.overrides[Fence] = fenced
    until(made, "completed")
    again = next(e for e in made.events(FailoverChanged) if e.trigger == "owner-failed")
    assert (again.old, again.new) == ("aborting", "fencing")
    assert "failed check 2 in a row" in again.reason
    (record,) = made.events(FailoverConcluded)
    begun = [phase.begun_ns for phase in record.phases]
    assert begun == sorted(begun)
    assert made.control_plane.failover.owner_of("p1") == "m2"


def test_without_a_verdict_on_the_new_owner_a_failover_ends_when_its_time_is_over() -> None:
    """The new owner is suspect by then, and stays so: fifty checks have to fail."""
    checks = detection(evidence=("probe",), interval_ns=SECOND, fast_interval_ns=SECOND, fall=50)
    settings = FailoverSettings(fencing=NONE, verify_timeout_ns=10 * SECOND)
    made = Bench(ControlPlane(cluster(2), checks, settings))
    made.run(SECOND)
    made.down["m1"] = Cause.REFUSED
    made.overrides[Promote] = lambda order: None
    until(made, "promoting")
    made.down["m2"] = None
    made.run(made.now + 2 * SECOND)
    (order,) = (order for order in ordered(made, Promote) if order.target == "m2")
    made.feed(promoted(order))
    until(made, "completed")
    assert (last(made).old, last(made).trigger) == ("verifying", "timed-out")
    assert last(made).reason == "no verdict on m2"


def test_of_two_failovers_that_tell_old_owners_the_later_one_tells_them_all() -> None:
    made = bench(fencing=NONE)
    made.overrides[Demote] = lambda order: None
    made.down["m1"] = None
    until(made, "completed")
    made.down["m2"] = None
    made.run(made.now + MINUTE)
    assert path(made)[-1] == "completed"
    since = len(made.outputs)
    made.run(made.now + 5 * MINUTE)
    told = {(o.failover, o.target) for _, o in made.outputs[since:] if isinstance(o, Demote)}
    assert told == {(2, "m1"), (2, "m2")}


def test_who_is_known_to_be_off_is_told_nothing_any_more() -> None:
    """The device answers late, when one effort was enough and another was promoted."""
    made = bench(fencing=BestEffortSettings())
    made.overrides[Demote] = made.overrides[Fence] = lambda order: None
    made.down["m1"] = None
    until(made, "completed")
    made.run(made.now + MINUTE)
    assert ordered(made, Demote)
    made.feed(fenced(ordered(made, Fence)[-1]))
    since = len(made.outputs)
    made.run(made.now + 10 * MINUTE)
    assert not [o for _, o in made.outputs[since:] if isinstance(o, Demote)]


@pytest.mark.parametrize(("term", "taken_back"), [(1, []), (2, ["m1", "m2"])])
def test_only_who_comes_after_another_takes_back_power_offs(term: int, taken_back: list) -> None:
    """Nobody has ordered any before the first control plane."""
    service = FailoverOrchestrator(FailoverSettings(), cluster(2))
    out = service.accede(SECOND, Heard(term, {}, {}, dict.fromkeys(("m1", "m2"), Status.HEALTHY)))
    assert [o.master for o in out if isinstance(o, CancelFence)] == taken_back


# -- whom to choose ----------------------------------------------------------------------


@pytest.mark.parametrize(("unapplied", "owner"), [("fail", "m3"), ("apply", "m2")])
def test_who_has_not_applied_all_is_passed_over_if_it_shall(unapplied: str, owner: str) -> None:
    made = selecting(unapplied=unapplied)
    made.feed(ReplicaReport("m2", (Replica("p1", 9, 8, 0),)))
    made.feed(ReplicaReport("m3", (Replica("p1", 9, 9, 0),)))
    assert new_owner(made) == owner


@pytest.mark.parametrize(("pause_ns", "owner"), [(MINUTE, "m3"), (11 * MINUTE, "m2")])
def test_failures_of_long_ago_count_no_more(pause_ns: int, owner: str) -> None:
    made = selecting(migration_threshold=1, failure_timeout_ns=10 * MINUTE)
    made.down["m2"] = Cause.REFUSED
    made.run(made.now + 30 * SECOND)
    made.down.clear()
    made.run(made.now + pause_ns)
    assert made.control_plane.failover.owner_of("p2") != "m2"
    made.down["m1"] = Cause.REFUSED
    made.run(made.now + 30 * SECOND)
    moved = [e.owner for e in made.events(OwnerChanged) if e.partition == "p1"]
    assert moved == [owner]


def test_a_switchover_goes_to_the_freshest_copy_of_what_moves() -> None:
    made = selecting(selection=("freshest", "priority"))
    for master, received in (("m2", 5), ("m3", 9), ("m4", 7)):
        made.feed(ReplicaReport(master, (Replica("p1", received, received, 0),)))
    made.feed(StartMaintenance("m1"))
    made.run(made.now + MINUTE)
    moved = [e.owner for e in made.events(OwnerChanged) if e.partition == "p1"]
    assert moved == ["m3"]


def test_a_switchover_of_a_part_asks_for_copies_of_that_part_alone() -> None:
    """The owner waits for m3's copy of p1, and for nobody's of p2."""
    made = selecting(synchronous_only=True)
    owned = (Replica("p1", 9, 9, 0, waits_for=("m3",)), Replica("p2", 9, 9, 0, waits_for=("m1",)))
    made.feed(ReplicaReport("m2", owned[1:]))
    made.feed(SwitchOver("m1", master="m2"))
    made.run(made.now + MINUTE)
    made.feed(ReplicaReport("m1", (owned[0], Replica("p2", 9, 9, 0, waits_for=()))))
    made.feed(SwitchOver("m3", partitions=("p1",)))
    made.run(made.now + MINUTE)
    orchestrator = made.control_plane.failover
    assert (orchestrator.owner_of("p1"), orchestrator.owner_of("p2")) == ("m3", "m1")


def test_a_failback_that_fails_is_tried_again_after_the_stable_time() -> None:
    made = bench(failback="automatic", failback_after_ns=5 * MINUTE, fencing=NONE)
    made.down["m1"] = Cause.REFUSED
    until(made, "completed")
    made.down.clear()
    made.overrides[Promote] = lambda order: promoted(
        order, Cause.ERROR if order.target == "m1" else Cause.OK
    )
    made.run(made.now + HOUR)
    begun = [
        t_ns
        for t_ns, e in made.outputs
        if isinstance(e, FailoverChanged) and not e.old and "failback" in e.reason
    ]
    assert len(begun) > 5
    assert {(after - before) // SECOND for before, after in itertools.pairwise(begun)} == {300}


# -- leases ------------------------------------------------------------------------------


def leased() -> tuple[FailoverSettings, FailoverOrchestrator]:
    """Two masters that are healthy and have leases."""
    settings = FailoverSettings(fencing=LeaseFencingSettings())
    service = FailoverOrchestrator(settings, cluster(2))
    for master in ("m1", "m2"):
        service.step(SECOND, LeaseAsked(master, 1, 0))
        verdict = StatusChanged(master, Status.UNKNOWN, Status.HEALTHY, Diagnosis.NONE, "")
        service.handle_failover_event(SECOND, verdict)
    return settings, service


def test_a_failover_goes_on_when_the_lease_that_it_waits_for_is_known_to_be_over() -> None:
    _, service = leased()
    verdict = StatusChanged("m1", Status.HEALTHY, Status.FAILED, Diagnosis.UNREACHABLE, "")
    out = service.handle_failover_event(2 * SECOND, verdict)
    assert [o.new for o in out if isinstance(o, FailoverChanged)] == ["declared", "fencing"]
    out = service.step(3 * SECOND, LeaseAsked("m1", 2, 1))
    assert [o.target for o in out if isinstance(o, TransferState)] == ["m2"]


def test_a_snapshot_is_not_changed_by_who_goes_on_from_it() -> None:
    settings, service = leased()
    frozen = service.freeze()
    before = copy.deepcopy(frozen)
    restored = FailoverOrchestrator.restore(settings, cluster(2), frozen)
    restored.step(5 * SECOND, LeaseAsked("m1", 2, 1))
    restored.step(6 * SECOND, LeaseAsked("m2", 2, 0))
    assert frozen == before
