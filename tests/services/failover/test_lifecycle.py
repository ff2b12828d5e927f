"""What the lifecycle says of a trigger that it does not allow."""

from __future__ import annotations

import pytest

from hasim.services.failover.lifecycle import (
    CANCELLED,
    LIFECYCLE,
    IllegalTransitionError,
    advance,
    check_takes_back,
)


@pytest.mark.parametrize(
    ("state", "trigger", "said"),
    [
        ("verifying", "declare", "verified, not-verified, timed-out, superseded"),
        ("completed", "declare", "nothing"),
        ("asleep", "wake", "nothing"),
    ],
)
def test_an_illegal_trigger_is_told_with_its_state_and_all_that_is_legal(
    state: str, trigger: str, said: str
) -> None:
    with pytest.raises(IllegalTransitionError) as refused:
        advance(state, trigger)
    assert str(refused.value) == (
        f"a failover that is {state!r} cannot take {trigger!r}; legal: {said}"
    )


def test_every_row_of_the_table_is_gone_as_it_stands() -> None:
    for state, row in LIFECYCLE.items():
        assert {trigger: advance(state, trigger) for trigger in row} == row


@pytest.mark.parametrize("state", LIFECYCLE)
def test_only_what_the_table_takes_back_can_be_taken_back(state: str) -> None:
    if "called-off" in LIFECYCLE[state] or "operator" in LIFECYCLE[state]:
        check_takes_back(state)
    else:
        with pytest.raises(IllegalTransitionError, match=f"^a failover that is '{state}' cannot"):
            check_takes_back(state)


def test_where_a_failover_stays_another_control_plane_may_have_moved_its_partitions() -> None:
    stays = {state for state, row in LIFECYCLE.items() if row} - {"", "declared", "selecting"}
    superseded = {state for state, row in LIFECYCLE.items() if "superseded" in row}
    assert superseded == stays
    assert {LIFECYCLE[state]["superseded"] for state in stays} == {CANCELLED}
