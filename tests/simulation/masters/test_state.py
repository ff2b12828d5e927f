"""Whose copy holds how much, after changes of owner: small cases worked out by hand."""

from __future__ import annotations

from hasim.simulation.masters.state import NO_COPY, PartitionState


def state(*standbys: str, lag_ns: int = 0) -> PartitionState:
    """Owned by a, whose streams to the standbys are connected from 0 on; 10 bytes a write."""
    made = PartitionState("p1", "a", size_bytes=0, write_bytes=10, bandwidth_bytes_per_s=10**9)
    for standby in standbys:
        made.replicate_to(standby, lag_ns, has_copy=True)
    made.refresh(0, lambda source, target: True)
    return made


def write(made: PartitionState, master: str, *times: int) -> None:
    for time in times:
        made.acknowledge(time, master)


def no_lag(standby: str) -> int:
    return 0


def test_an_owner_that_is_replaced_keeps_what_the_new_one_has() -> None:
    made = state("b")
    write(made, "a", *range(1, 11))
    assert made.change_owner(10, "b", ("observer", 1), no_lag) == (0, 0)
    write(made, "b", *range(11, 16))
    # a has seen nothing since: the five are lost, the ten are in both copies.
    assert made.change_owner(20, "a", ("observer", 2), no_lag) == (5, 9)
    assert (made.position(20, "a"), made.position(20, "b")) == (10, 10)
    assert made.change_owner(21, "b", ("observer", 3), no_lag) == (0, 0)
    assert made.total_acknowledged == 15 == len(made.acknowledged) + 5


def test_a_standby_of_a_living_owner_keeps_what_it_has_received() -> None:
    """No fault, no fencing: the streams to the others have not broken when the owner changes."""
    made = state("b", "c", lag_ns=2)
    write(made, "a", *range(1, 11))
    made.change_owner(10, "b", ("observer", 1), no_lag)
    assert len(made.acknowledged) == 8
    assert made.position(10, "c") == 8


def test_the_lag_is_that_of_the_new_owner() -> None:
    made = state("b", "c")
    made.change_owner(0, "b", ("observer", 1), {"a": 7, "b": 0, "c": 3}.__getitem__)
    made.refresh(0, lambda source, target: True)
    write(made, "b", 10)
    assert [made.position(12, m) for m in "ac"] == [0, 0]
    assert [made.position(13, m) for m in "ac"] == [0, 1]
    assert [made.position(17, m) for m in "ac"] == [1, 1]


def test_who_has_no_copy_has_none_after_a_change_of_owner() -> None:
    made = state("b")
    made.replicate_to("c", 0, has_copy=False)
    write(made, "a", 1)
    made.change_owner(2, "b", ("observer", 1), no_lag)
    assert made.position(2, "c") == NO_COPY
