"""Policy: delay, block, limits of what runs at a time, failback, a gate on lag, the effort made."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from hasim.events import (
    CancelFence,
    Demote,
    FailoverChanged,
    Fence,
    OwnerChanged,
    Promote,
    RollBackFailover,
    TransferResult,
    TransferState,
)
from hasim.model import Cause, Status
from hasim.services.control_plane import ControlPlane
from hasim.services.failover import (
    BestEffortSettings,
    ConfirmedSettings,
    FailoverSettings,
    NoFencingSettings,
)
from hasim.units import HOUR, MINUTE, SECOND
from tests.services.bench import Bench, cluster, detection, fenced, whole

NONE = NoFencingSettings()


def bench(count: int = 3, **failover) -> Bench:
    checks = detection(evidence=("probe",), interval_ns=SECOND, fast_interval_ns=SECOND)
    made = Bench(ControlPlane(cluster(count), checks, FailoverSettings(**failover)))
    made.run(SECOND)
    return made


def until(made: Bench, state: str) -> None:
    """Let time pass until the last failover has come to a state."""
    while not path(made) or path(made)[-1] != state:
        made.run(made.now + SECOND // 10)
        assert made.now < HOUR


def path(made: Bench) -> list[str]:
    return [e.new for e in made.events(FailoverChanged)]


def ordered(made: Bench, kind: type) -> list:
    return [o for _, o in made.outputs if isinstance(o, kind)]


def owners(made: Bench) -> list[tuple[str, str]]:
    return [(e.partition, e.owner) for e in made.events(OwnerChanged)]


# -- delay ------------------------------------------------------------------------------


def test_a_delay_lies_between_verdict_and_failover() -> None:
    made = bench(delay_ns=MINUTE)
    made.down["m1"] = Cause.REFUSED
    until(made, "completed")
    times = {e.new: t for t, e in made.outputs if isinstance(e, FailoverChanged)}
    assert times["fencing"] - times["held"] == MINUTE


def test_who_returns_within_the_delay_stays_the_owner() -> None:
    made = bench(delay_ns=MINUTE)
    made.down["m1"] = Cause.REFUSED
    until(made, "held")
    made.run(made.now + 50 * SECOND)
    made.down.clear()
    until(made, "cancelled")
    made.run(made.now + 2 * MINUTE)
    assert path(made) == ["declared", "held", "cancelled"]
    assert owners(made) == []


# -- block ------------------------------------------------------------------------------


def test_a_block_holds_a_second_failover_of_the_same_partition() -> None:
    made = bench(block_ns=10 * MINUTE, fencing=NONE)
    made.down["m1"] = Cause.REFUSED
    until(made, "completed")
    made.down.clear()
    made.run(made.now + MINUTE)
    made.down["m2"] = Cause.REFUSED
    until(made, "held")
    (held,) = [e for e in made.events(FailoverChanged) if e.trigger == "block"]
    assert set(held.partitions) == {"p1", "p2"}
    moved_ns = next(t for t, e in made.outputs if isinstance(e, OwnerChanged))
    until(made, "completed")
    released_ns = next(
        t for t, e in made.outputs if isinstance(e, FailoverChanged) and e.trigger == "released"
    )
    assert released_ns == moved_ns + 10 * MINUTE


def test_a_block_leaves_other_partitions_alone() -> None:
    made = bench(block_ns=10 * MINUTE)
    made.down["m1"] = Cause.REFUSED
    until(made, "completed")
    made.down["m3"] = Cause.REFUSED
    made.run(made.now + MINUTE)
    assert ("p3", "m2") in owners(made)


# -- how many at a time -----------------------------------------------------------------


@pytest.mark.parametrize(("parallel", "most"), [(1, 1), (2, 2), (0, 3)])
def test_failovers_at_the_same_time_are_bounded(parallel: int, most: int) -> None:
    made = bench(5, parallel=parallel)
    made.overrides[Fence] = lambda e: None  # they stay there for 5 s
    for master in ("m1", "m2", "m3"):
        made.down[master] = Cause.REFUSED
    seen = set()
    while made.now < 30 * SECOND:
        made.run(made.now + SECOND // 2)
        active = made.control_plane.failover.get_active_failovers()
        seen.add(sum(f.state == "fencing" for f in active))
    assert max(seen) == most
    made.overrides.pop(Fence)
    made.run(made.now + 3 * MINUTE)
    assert {partition for partition, _ in owners(made)} == {"p1", "p2", "p3"}


# -- fencing ----------------------------------------------------------------------------


def test_a_device_that_refuses_is_asked_again_after_pauses_that_double() -> None:
    made = bench(fencing=ConfirmedSettings(attempts=5, timeout_ns=5 * SECOND))
    made.overrides[Fence] = lambda e: fenced(e, confirmed=False)
    made.down["m1"] = Cause.REFUSED
    until(made, "failed")
    times = [t for t, o in made.outputs if isinstance(o, Fence)]
    pauses = [round((b - a) / SECOND, 1) for a, b in itertools.pairwise(times)]
    assert pauses == [1, 2, 4, 5]


@pytest.mark.parametrize("answer", ["no", "silence"])
def test_best_effort_goes_on_whatever_becomes_of_the_order(answer: str) -> None:
    made = bench(fencing=BestEffortSettings(timeout_ns=SECOND))
    made.overrides[Fence] = lambda e: fenced(e, confirmed=False) if answer == "no" else None
    made.overrides[Demote] = lambda e: None
    made.down["m1"] = None
    until(made, "completed")
    assert len(ordered(made, Fence)) == 1
    assert owners(made) == [("p1", "m2")]
    told = ordered(made, Demote)
    assert {(o.target, o.partitions) for o in told} == {("m1", ("p1",))}


# -- the owner returns, in each state ---------------------------------------------------

STOPPED_IN = {"fencing": Fence, "transferring": TransferState, "promoting": Promote}


@pytest.mark.parametrize("state", STOPPED_IN)
def test_an_owner_that_returns_stops_its_failover(state: str) -> None:
    made = bench(fencing=ConfirmedSettings() if state == "fencing" else NONE)
    made.overrides[STOPPED_IN[state]] = lambda e: None
    made.down["m1"] = Cause.REFUSED
    until(made, state)
    made.down.clear()
    made.overrides[CancelFence] = lambda e: fenced(ordered(made, Fence)[-1], confirmed=False)
    until(made, "cancelled")
    made.run(made.now + MINUTE)
    assert owners(made) == []
    assert len(made.control_plane.failover.get_active_failovers()) == 0
    assert made.control_plane.failover.owner_of("p1") == "m1"
    if state == "promoting":
        (promotion,), (demotion,) = ordered(made, Promote), ordered(made, Demote)
        assert demotion.target == promotion.target
        assert demotion.epoch > promotion.epoch


@pytest.mark.parametrize("state", ["held", "fencing", "transferring", "promoting"])
def test_an_operator_can_call_it_off(state: str) -> None:
    fencing = ConfirmedSettings() if state == "fencing" else NONE
    made = bench(fencing=fencing, delay_ns=MINUTE if state == "held" else 0)
    if state in STOPPED_IN:
        made.overrides[STOPPED_IN[state]] = lambda e: None
    made.down["m1"] = Cause.REFUSED
    until(made, state)
    made.overrides.clear()
    made.overrides[CancelFence] = lambda e: fenced(ordered(made, Fence)[-1], confirmed=False)
    made.feed(RollBackFailover(1, "not now"))
    made.run(made.now + SECOND // 2)
    steps = [(e.old, e.trigger) for e in made.events(FailoverChanged)]
    stopped = {"held": "called-off", "fencing": "recall"}.get(state, "operator")
    assert (state, stopped) in steps
    assert path(made)[-1] in ("cancelled", "completed")  # or the next candidate


# -- lag --------------------------------------------------------------------------------


def behind(seconds: dict[str, int]):
    """Copies that are so many seconds behind."""

    def answer(effect: TransferState):
        result = whole(effect)
        lag_ns = seconds.get(effect.target, 0) * SECOND
        copies = tuple(dataclasses.replace(copy, behind_ns=lag_ns) for copy in result.copies)
        return dataclasses.replace(result, copies=copies)

    return answer


def test_a_copy_that_lags_is_passed_over() -> None:
    made = bench(max_lag_ns=10 * SECOND)
    made.overrides[TransferState] = behind({"m2": 60, "m3": 10})
    made.down["m1"] = Cause.REFUSED
    until(made, "completed")
    assert owners(made) == [("p1", "m3")]
    (lagging,) = [e for e in made.events(FailoverChanged) if e.trigger == "lagging"]
    assert lagging.reason == "p1: the copy is 1m behind, more than 10s"


def test_nobody_is_promoted_if_all_copies_lag() -> None:
    made = bench(max_lag_ns=10 * SECOND)
    made.overrides[TransferState] = behind({"m2": 60, "m3": 60})
    made.down["m1"] = Cause.REFUSED
    made.run(5 * MINUTE)
    assert ordered(made, Promote) == []


# -- failback ---------------------------------------------------------------------------


@pytest.mark.parametrize("failback", ["manual", "automatic"])
def test_the_first_owner_takes_back_after_a_stable_time_if_it_shall(failback: str) -> None:
    made = bench(failback=failback, failback_after_ns=5 * MINUTE)
    made.down["m1"] = Cause.REFUSED
    until(made, "completed")
    made.down.clear()
    made.run(20 * MINUTE)
    back = [e for e in made.events(FailoverChanged) if e.trigger == "planned"]
    if failback == "manual":
        assert back == []
        assert owners(made) == [("p1", "m2")]
        return
    assert owners(made) == [("p1", "m2"), ("p1", "m1")]
    healthy_ns = [t for t, e in made.outputs if getattr(e, "new", None) is Status.HEALTHY][-1]
    (moved_ns,) = [t for t, e in made.outputs if e in back]
    assert moved_ns == healthy_ns + 5 * MINUTE
    assert [o.master for o in ordered(made, Fence)] == ["m1"]  # nobody is powered off for it


# -- audit ------------------------------------------------------------------------------


def test_the_audit_trail_says_why_others_were_passed_over() -> None:
    made = bench(4)
    made.down["m3"] = Cause.REFUSED
    made.run(30 * SECOND)
    made.down["m1"] = Cause.REFUSED
    made.run(60 * SECOND)
    chosen = [
        e for e in made.control_plane.failover.get_failover_history() if e.new == "transferring"
    ]
    assert chosen[-1].reason == (
        "m2 by priority; passed over: m1 (the owner), m3 (failed), m4 (ranks lower)"
    )


def test_failback_goes_home_whomever_selection_would_prefer() -> None:
    """m1 ranks before m3, which shall have back what m2 took over from it."""
    made = bench(failback="automatic", failback_after_ns=0)
    made.run(MINUTE)
    made.down["m1"] = made.down["m3"] = None
    made.run(2 * MINUTE)
    del made.down["m1"], made.down["m3"]
    made.run(10 * MINUTE)
    orchestrator = made.control_plane.failover
    assert {p: orchestrator.owner_of(p) for p in ("p1", "p2", "p3")} == {
        "p1": "m1",
        "p2": "m2",
        "p3": "m3",
    }


def test_a_failback_that_cannot_be_is_not_tried_without_an_end() -> None:
    """Its home cannot take it; without a stable time, it was tried again at the same instant."""
    made = bench(failback="automatic", failback_after_ns=0)
    made.run(MINUTE)
    made.down["m1"] = None
    made.overrides[TransferState] = lambda order: (
        whole(order)
        if order.target != "m1"
        else TransferResult(order.failover, order.target, Cause.REFUSED, (), order.order)
    )
    made.run(2 * MINUTE)
    del made.down["m1"]
    made.run(3 * MINUTE)
    tried = [e for e in made.events(FailoverChanged) if "failback" in e.reason and not e.old]
    assert 2 <= len(tried) <= 1 + MINUTE // (5 * SECOND)
