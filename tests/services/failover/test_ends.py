"""Ways that a failover takes when answers stay out, when its time is over, or by an operator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hasim.events import (
    Demote,
    FailoverChanged,
    Fence,
    OwnerChanged,
    Promote,
    RemoveMaster,
    SwitchOver,
    TransferState,
)
from hasim.model import Cause, Status
from hasim.services.control_plane import ControlPlane
from hasim.services.failover import (
    FailoverOrchestrator,
    FailoverSettings,
    NoFencingSettings,
    StepDownSettings,
)
from hasim.services.failover.fencing.fencing import Fencing
from hasim.units import MILLISECOND, MINUTE, SECOND
from tests.services.bench import Bench, cluster, demoted, detection, promoted


def bench(count: int = 3, **failover) -> Bench:
    checks = detection(evidence=("probe",), interval_ns=SECOND, fast_interval_ns=SECOND)
    made = Bench(ControlPlane(cluster(count), checks, FailoverSettings(**failover)))
    made.run(SECOND)
    return made


def ordered(made: Bench, kind: type) -> list:
    return [(t, o) for t, o in made.outputs if isinstance(o, kind)]


def steps(made: Bench) -> list[tuple[int, str, str]]:
    """When, by which trigger, to which state."""
    return [(t, e.trigger, e.new) for t, e in made.outputs if isinstance(e, FailoverChanged)]


def owners(made: Bench) -> dict[str, str]:
    return {e.partition: e.owner for e in made.events(OwnerChanged)}


def until(made: Bench, state: str) -> int:
    """Let time pass until some failover has come to a state; when."""
    while True:
        for t, _, new in steps(made):
            if new == state:
                return t
        made.run(made.now + SECOND // 10)
        assert made.now < 60 * MINUTE


# -- by an operator --------------------------------------------------------------------


def test_a_master_that_is_removed_hands_over_without_being_powered_off() -> None:
    service = FailoverOrchestrator(FailoverSettings(), cluster(3), seed=1)
    for master in ("m1", "m2", "m3"):
        service._known.statuses[master] = Status.HEALTHY
    out = service.step(SECOND, RemoveMaster("m1"))
    (declared, *_) = [o for o in out if isinstance(o, FailoverChanged)]
    assert (declared.new, declared.reason) == ("declared", "operator: removed")
    (failover,) = service.get_active_failovers()
    assert (failover.master, failover.planned, failover.state) == ("m1", True, "catching-up")
    made = bench()
    made.feed(RemoveMaster("m1"))
    made.run(made.now + MINUTE)
    assert owners(made) == {"p1": "m2"}
    assert ordered(made, Fence) == []


def test_one_who_does_not_say_that_it_has_stopped_gets_everything_back() -> None:
    """It is healthy: what it was told may have come to nothing, and it goes on by a new one."""
    made = bench(demote_timeout_ns=3 * SECOND)
    made.overrides[Demote] = lambda order: None if order.target == "m1" else made._answer(order)
    made.feed(SwitchOver("m3", master="m1"))
    began_ns = until(made, "handing-over")
    made.run(made.now + MINUTE)
    told = [t for t, o in ordered(made, Demote) if o.target == "m1"]
    assert told[0] == began_ns
    assert len(told) > 1  # again, until nobody knows any more what it does
    given_back = next(t for t, trigger, _ in steps(made) if trigger == "give-back")
    assert given_back == began_ns + 3 * SECOND
    assert owners(made) == {"p1": "m1"}
    (promotion,) = [o for _, o in ordered(made, Promote)]
    assert promotion.target == "m1"
    assert promotion.epoch == 1 + max(o.epoch for _, o in ordered(made, Demote))
    assert ordered(made, Fence) == []


def test_one_who_fails_while_it_hands_over_is_powered_off_like_any_other() -> None:
    made = bench(demote_timeout_ns=30 * SECOND)
    made.overrides[Demote] = lambda order: None
    made.feed(SwitchOver("m3", master="m1"))
    until(made, "handing-over")
    made.down["m1"] = Cause.REFUSED
    made.run(made.now + MINUTE)
    taken = [trigger for _, trigger, _ in steps(made)]
    assert taken.index("owner-failed") < taken.index("fence") < taken.index("fenced")
    assert [o.master for _, o in ordered(made, Fence)] == ["m1"]
    assert "p1" in owners(made)


# -- when answers stay out ----------------------------------------------------------------


def test_without_fencing_a_candidate_that_says_nothing_is_told_to_stop_until_it_does() -> None:
    """Nobody knows whether it was promoted: the next one is, and it is told until it stops."""
    made = bench(fencing=NoFencingSettings(), demote_timeout_ns=2 * SECOND)
    made.overrides[Promote] = lambda order: None if order.target == "m2" else promoted(order)
    made.overrides[Demote] = lambda order: None
    made.down["m1"] = Cause.REFUSED
    until(made, "completed")
    made.run(made.now + 5 * SECOND)
    promotions = [(o.target, o.epoch) for _, o in ordered(made, Promote)]
    assert promotions == [("m2", 2), ("m3", 4)]  # above the demotion, too
    rolled_ns = next(t for t, _, new in steps(made) if new == "rolling-back")
    given_up_ns = next(t for t, trigger, _ in steps(made) if trigger == "rolled-back")
    assert given_up_ns == rolled_ns + 2 * SECOND
    later = [o for t, o in ordered(made, Demote) if o.target == "m2" and t >= given_up_ns]
    assert {o.epoch for o in later} == {3, 4}
    assert len(later) > 2
    made.overrides.pop(Demote)
    made.run(made.now + MINUTE)
    told = len([o for _, o in ordered(made, Demote) if o.target == "m2"])
    made.run(made.now + 10 * MINUTE)
    assert len([o for _, o in ordered(made, Demote) if o.target == "m2"]) == told


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize(("wait_s", "ttl_s"), [(30, 20), (10, 20)])
def test_a_silent_owner_counts_as_stopped_when_both_its_times_are_over(
    wait_s: int, ttl_s: int, refuses: bool
) -> None:
    """That in which it steps down by order, and that after which it stops by itself.

    It has never talked to this control plane: that began with the cluster. Where its host refuses,
    the pause before the next order ends with that time.
    """
    fencing = StepDownSettings(wait_ns=wait_s * SECOND, ttl_ns=ttl_s * SECOND)
    made = bench(fencing=fencing)
    made.overrides[Demote] = lambda order: demoted(order, Cause.REFUSED) if refuses else None
    made.down["m1"] = None
    until(made, "fencing")
    told_ns = ordered(made, Demote)[0][0]
    made.run(made.now + 2 * MINUTE)
    (fenced,) = [
        (t, e.reason)
        for t, e in made.outputs
        if isinstance(e, FailoverChanged) and e.trigger == "fenced"
    ]
    assert fenced[1] == "m1 has had its time to step down"
    assert fenced[0] == max(told_ns + wait_s * SECOND, ttl_s * SECOND)
    assert owners(made) == {"p1": "m2"}


@pytest.mark.parametrize("limit_s", [10, 16])
def test_a_failover_that_promotes_nobody_ends_when_its_time_is_over(limit_s: int) -> None:
    made = bench(4, limit_ns=limit_s * SECOND, transfer_timeout_ns=7 * SECOND)
    made.overrides[TransferState] = lambda order: None
    made.down["m1"] = Cause.REFUSED
    ended_ns = until(made, "failed")
    began_ns = next(t for t, _, new in steps(made) if new == "fencing")
    (end,) = [e for e in made.events(FailoverChanged) if e.new == "failed"][:1]
    assert end.reason == "the time of the failover is over"
    assert 0 <= ended_ns - began_ns - limit_s * SECOND <= 7 * SECOND


def test_a_new_owner_without_a_verdict_is_waited_for_and_a_failed_one_is_failed_over() -> None:
    made = bench(verify_timeout_ns=5 * SECOND)
    made.down["m1"] = Cause.REFUSED

    def dies(order: Promote) -> object:
        if order.target == "m2":
            made.down["m2"] = None
            plane = made.control_plane
            plane.failover._known.statuses["m2"] = Status.SUSPECT
        return promoted(order)

    made.overrides[Promote] = dies
    made.run(made.now + 2 * MINUTE)
    verdicts = [(trigger, new) for _, trigger, new in steps(made) if new == "completed"]
    assert verdicts[0][0] in ("not-verified", "timed-out")
    assert owners(made)["p1"] == owners(made)["p2"] == "m3"


# -- a fencing of one's own -----------------------------------------------------------------


class Own(Fencing):
    """One that only strikes."""

    def strike(self, now, failover, master) -> list:
        return []


def defaults() -> Iterator[tuple[object, object]]:
    own = Own()
    yield own.newest("m1", 1), False
    yield own.pause_ns(None), 0
    yield own.proven(0, "m1"), ""
    yield own.exhausted(None), False
    yield own.under_way(0, "m1"), False
    yield own.awaited("m1"), False
    yield own.outstanding("m1"), False
    yield own.unsure("m1"), False
    yield own.promoted_since("m1"), False
    yield own.asked(0, None), False
    yield own.recall(0, None), []
    yield own.take_back("m1"), []
    yield own.begin(0), []
    yield own.grant(0, None), []
    yield own.freeze(), {}


def test_a_fencing_knows_of_nothing_under_way_unless_it_says_so() -> None:
    assert all(
        found == expected and type(found) is type(expected) for found, expected in defaults()
    )


def test_answers_take_a_millisecond_on_this_bench() -> None:
    """What the times above are reckoned by."""
    made = bench()
    made.down["m1"] = Cause.REFUSED
    until(made, "completed")
    fence_ns, fenced_ns = ordered(made, Fence)[0][0], ordered(made, TransferState)[0][0]
    assert fenced_ns - fence_ns == MILLISECOND
