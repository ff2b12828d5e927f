"""Orders have numbers: an answer that is doubled, late or of nobody changes nothing."""

from __future__ import annotations

import pytest

from hasim.events import (
    CancelFence,
    Demote,
    DemoteResult,
    DiscardTransfer,
    Fence,
    FenceResult,
    InputRefused,
    OwnerChanged,
    Promote,
    PromoteResult,
    TransferResult,
    TransferState,
)
from hasim.model import Cause
from hasim.services.control_plane import ControlPlane
from hasim.services.failover import ConfirmedSettings, FailoverSettings
from hasim.services.failover.orders import MOST_OPEN, OpenOrder, Orders
from hasim.units import SECOND
from tests.services.bench import Bench, cluster, demoted, fenced, promoted, whole

ANSWER = {Fence: fenced, TransferState: whole, Promote: promoted, Demote: demoted}


def bench(count: int = 3, **failover) -> Bench:
    made = Bench(ControlPlane(cluster(count), failover=FailoverSettings(**failover)))
    made.run(SECOND)
    return made


def ordered(made: Bench, *kinds: type) -> list:
    return [o for _, o in made.outputs if isinstance(o, kinds)]


def frozen(made: Bench) -> dict:
    return made.control_plane.failover.freeze()


def test_every_order_has_a_number_of_its_own() -> None:
    made = bench()
    made.down["m1"] = Cause.REFUSED
    made.run(60 * SECOND)
    assert [o.order for o in ordered(made, *ANSWER)] == [1, 2, 3]


def test_a_doubled_fence_confirmation_promotes_nobody_beside_a_living_owner() -> None:
    """The first power-off of m1 is confirmed once more when m1 is the living owner again."""
    made = bench(2, fencing=ConfirmedSettings(timeout_ns=60 * SECOND))
    made.down["m1"] = Cause.REFUSED
    made.run(60 * SECOND)
    (first,) = ordered(made, Fence)
    made.down.clear()
    made.run(120 * SECOND)
    made.down["m2"] = Cause.REFUSED
    made.run(180 * SECOND)
    made.down.clear()
    made.run(240 * SECOND)
    assert [(o.partition, o.owner) for o in made.events(OwnerChanged)][1:] == [
        ("p1", "m1"),
        ("p2", "m1"),
    ]
    made.overrides[Fence] = lambda e: None  # the power-off of m1 is not confirmed
    made.down["m1"] = None  # cut off from the control plane, it serves
    made.run(310 * SECOND)
    (pending,) = made.control_plane.failover.get_active_failovers()
    assert (pending.state, pending.fencing) == ("fencing", "m1")
    promotions, before = len(ordered(made, Promote)), frozen(made)
    made.feed(fenced(first))
    assert frozen(made) == before
    assert len(ordered(made, Promote)) == promotions
    (refused,) = made.events(InputRefused)
    assert refused == InputRefused(
        "FenceResult", "fencing device", "doubled or late: order 1 awaits no answer any more"
    )


def test_a_late_confirmation_says_nothing_of_what_was_promoted_since() -> None:
    """The first order for m2 is answered only after m2 was told to take p1 over."""
    made = bench(3, fencing=ConfirmedSettings(attempts=1, timeout_ns=SECOND))
    made.overrides[Fence] = lambda e: None if e.master == "m2" else fenced(e)
    plane = made.control_plane
    made.down["m2"] = None
    made._take(
        plane._guarded(
            made.now, "detection", lambda now: plane.detection.record_failure(now, "m2", "pager")
        )
    )
    made.run(made.now + 2 * SECOND)
    made.down.clear()
    while not ordered(made, CancelFence):
        made.run(made.now + SECOND // 10)
    late = ordered(made, Fence)[-1]
    assert [(o.master, o.order) for o in ordered(made, CancelFence)] == [("m2", late.order)]
    made.down["m1"] = Cause.REFUSED
    while not ordered(made, Promote):
        made.run(made.now + SECOND // 10)
    made.run(made.now + SECOND)
    assert made.control_plane.failover.owner_of("p1") == "m2"
    made.feed(fenced(late))
    writers = made.control_plane.failover._known.writers
    assert writers.accepts("m2", "p1")
    assert not writers.accepts("m2", "p2")


@pytest.mark.parametrize("kind", [Fence, TransferState, Promote, Demote])
def test_the_second_answer_to_an_order_changes_nothing(kind: type) -> None:
    made = bench(3)
    if kind is Demote:  # rolls the first promotion back
        made.overrides[Promote] = lambda e: promoted(e, Cause.RESET) if e.order == 3 else None
    made.down["m1"] = Cause.REFUSED
    made.run(90 * SECOND)
    (order, *_) = ordered(made, kind)
    before = frozen(made)
    made.feed(ANSWER[kind](order))
    assert frozen(made) == before
    (refused,) = made.events(InputRefused)
    assert refused.reason.startswith("doubled or late")


@pytest.mark.parametrize(
    "answer",
    [
        FenceResult(1, "m1", confirmed=True, order=7),
        FenceResult(1, "m1", confirmed=True),
        FenceResult(1, "m2", confirmed=True, order=1),
        FenceResult(2, "m1", confirmed=True, order=1),
        TransferResult(1, "m1", Cause.OK, (), 1),
        PromoteResult(1, "m1", Cause.OK, 2, 1),
        DemoteResult(1, "m1", Cause.OK, 2, 1),
    ],
)
def test_an_answer_to_nothing_that_was_ordered_changes_nothing(answer) -> None:
    made = bench(3)
    made.overrides[Fence] = lambda e: None
    made.down["m1"] = Cause.REFUSED
    while not ordered(made, Fence):
        made.run(made.now + SECOND // 10)
    before = frozen(made)
    made.feed(answer)
    assert frozen(made) == before
    (refused,) = made.events(InputRefused)
    assert refused.reason.startswith("foreign: ")


def test_a_failure_told_late_does_not_hurry_the_next_order() -> None:
    made = bench(3, fencing=ConfirmedSettings(timeout_ns=SECOND))
    made.overrides[Fence] = lambda e: None
    made.down["m1"] = Cause.REFUSED
    while len(ordered(made, Fence)) < 2:
        made.run(made.now + SECOND // 10)
    first, _ = ordered(made, Fence)
    made.feed(fenced(first, confirmed=False))
    assert len(ordered(made, Fence)) == 2
    (refused,) = made.events(InputRefused)
    assert refused.reason == "late: the device was asked again since"


def test_orders_that_nobody_answers_are_given_up() -> None:
    orders = Orders()
    for _ in range(MOST_OPEN + 5):
        orders.issue(Fence(1, "m1"))
    assert [order.number for order in orders.open] == list(range(6, MOST_OPEN + 6))
    assert orders.open[0] == OpenOrder(6, "FenceResult", (1, "m1", 0))
    again = Orders(orders.issued, orders.open)
    assert again.issue(Promote(1, ("p1",), "m2", 4)).order == MOST_OPEN + 6
    assert again.settle(fenced(Fence(1, "m1", 7))) == ""


def test_what_answers_another_order_says_which_and_under_which_epoch() -> None:
    orders = Orders()
    order = orders.issue(Promote(4, ("p1",), "m2", 7))
    fence = orders.issue(Fence(4, "m1"))
    assert orders.settle(PromoteResult(4, "m3", Cause.OK, 7, order.order)) == (
        "foreign: what answers order 1 is a PromoteResult of m2 for failover 4 under epoch 7"
    )
    assert orders.settle(FenceResult(5, "m1", confirmed=True, order=fence.order)) == (
        "foreign: what answers order 2 is a FenceResult of m1 for failover 4"
    )
    assert [each.number for each in orders.open] == [1, 2]  # both may yet be answered
    assert orders.settle(promoted(order)) == ""
    assert orders.settle(promoted(order)) == ("doubled or late: order 1 awaits no answer any more")
    for number in (0, 3):
        assert orders.settle(PromoteResult(4, "m2", Cause.OK, 7, number)) == (
            f"foreign: there was no order {number}, 2 was the last"
        )


def test_a_new_term_ends_what_was_open_and_the_numbers_go_on() -> None:
    orders = Orders()
    order = orders.issue(Fence(1, "m1"))
    assert (order.order, order.term, orders.concern) == (1, 1, {1})
    orders.begin(2)
    assert (orders.open, orders.concern) == ([], frozenset())
    assert orders.settle(fenced(order)) == "foreign: of term 1, the present one is 2"
    after = orders.issue(Fence(1, "m1"))
    assert (after.order, after.term) == (2, 2)
    assert orders.settle(fenced(after)) == ""


def test_exactly_so_many_orders_may_be_open() -> None:
    orders = Orders()
    for _ in range(MOST_OPEN):
        orders.issue(Fence(1, "m1"))
    assert (len(orders.open), orders.open[0].number) == (MOST_OPEN, 1)
    orders.issue(DiscardTransfer(1, ("p1",), "m2"))  # which nobody answers
    assert (len(orders.open), orders.issued) == (MOST_OPEN, MOST_OPEN + 1)
