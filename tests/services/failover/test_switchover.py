"""A switchover to a named master: carried out without a loss, or refused with the reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hasim.events import (
    Demote,
    FailoverChanged,
    Fence,
    InputRefused,
    OwnerChanged,
    PromoteResult,
    SwitchOver,
    TransferState,
)
from hasim.model import Cause
from hasim.services.control_plane import ControlPlane
from hasim.services.door import InputError
from hasim.services.failover import FailoverSettings
from hasim.units import MINUTE, SECOND
from tests.services.bench import Bench, cluster, detection
from tests.services.failover.test_policy import bench, until


def owners(made: Bench) -> dict[str, str]:
    return {p: made.control_plane.failover.owner_of(p) for p in ("p1", "p2", "p3")}


def refusals(made: Bench) -> list[str]:
    return [e.reason for e in made.events(InputRefused) if e.input == "SwitchOver"]


@pytest.mark.parametrize(
    "asked", [SwitchOver("m3", master="m1"), SwitchOver("m3", partitions=("p1",))]
)
def test_it_goes_to_whom_the_operator_names_whomever_selection_prefers(asked: SwitchOver) -> None:
    made = bench()
    made.feed(asked)
    made.run(made.now + 10 * SECOND)
    assert owners(made) == {"p1": "m3", "p2": "m2", "p3": "m3"}
    steps = [e.new for e in made.events(FailoverChanged)]
    assert steps == [
        *("declared", "selecting", "catching-up", "handing-over", "transferring"),
        *("promoting", "redirecting", "verifying", "completed"),
    ]
    assert not [o for _, o in made.outputs if isinstance(o, Fence)]
    # The owner stops between the two transfers, and says so before the second.
    orders = [type(o) for _, o in made.outputs if isinstance(o, TransferState | Demote)]
    assert orders[:3] == [TransferState, Demote, TransferState]


def test_one_partition_of_several_moves_alone() -> None:
    made = bench()
    made.feed(SwitchOver("m2", master="m1"))
    made.run(made.now + 10 * SECOND)
    made.feed(SwitchOver("m3", partitions=("p1",)))
    made.run(made.now + 10 * SECOND)
    assert owners(made) == {"p1": "m3", "p2": "m2", "p3": "m3"}


def test_who_cannot_take_over_is_refused_with_the_reason() -> None:
    parts = cluster(4)
    masters = (*parts.masters[:3], replace(parts.masters[3], promotion_rule="must-not"))
    checks = detection(evidence=("probe",), interval_ns=SECOND, fast_interval_ns=SECOND)
    made = Bench(ControlPlane(replace(parts, masters=masters), checks, FailoverSettings()))
    made.run(SECOND)
    made.down["m3"] = None
    made.overrides[Fence] = lambda order: None
    made.run(made.now + 10 * SECOND)
    for asked, why in (
        (SwitchOver("m1", master="m1"), "m1 cannot take over: it is the owner"),
        (SwitchOver("m3", master="m1"), "m3 cannot take over: it is failed"),
        (SwitchOver("m4", master="m1"), "m4 cannot take over: its promotion rule is must-not"),
        (SwitchOver("m2", master="m3"), "m3, which should hand over, is failed"),
        (SwitchOver("m2", partitions=("p1", "p4")), "p1, p4 are with m1 and m4"),
        (SwitchOver("m2"), "needs either a master or partitions"),
        (SwitchOver("m2", master="m1", partitions=("p1",)), "needs either a master or"),
    ):
        before = made.control_plane.freeze()["failover"]
        made.feed(asked)
        assert why in refusals(made)[-1]
        assert made.control_plane.freeze()["failover"] == before


def test_one_that_is_under_way_is_not_begun_twice_and_names_are_known() -> None:
    made = bench()
    made.overrides[TransferState] = lambda order: None
    made.feed(SwitchOver("m3", master="m1"))
    made.feed(SwitchOver("m2", master="m1"))
    assert refusals(made) == ["failover 1 of m1 is under way"]
    with pytest.raises(InputError, match=r"SwitchOver.to: unknown master 'm9'"):
        made.feed(SwitchOver("m9", master="m1"))


def test_a_target_that_fails_on_the_way_leaves_the_owner_where_it_was() -> None:
    made = bench()
    made.overrides[TransferState] = lambda order: None
    made.feed(SwitchOver("m3", master="m1"))
    made.down["m3"] = Cause.REFUSED
    made.run(made.now + MINUTE)
    assert owners(made)["p1"] == "m1"
    ended = [e for e in made.events(FailoverChanged) if e.failover == 1][-1]
    assert ended.new == "cancelled"


def test_a_target_that_refuses_gives_the_role_back_to_the_owner() -> None:
    made = bench()

    def answer(order: object) -> PromoteResult | None:
        cause = Cause.REJECTED if order.target == "m3" else Cause.OK
        return PromoteResult(
            order.failover, order.target, cause, order.epoch, order.order, order.term
        )

    from hasim.events import Promote

    made.overrides[Promote] = answer
    made.feed(SwitchOver("m3", master="m1"))
    until(made, "completed")
    assert owners(made)["p1"] == "m1"
    assert [e.owner for e in made.events(OwnerChanged)] == ["m1"]
