"""Forgetting writes changes nothing that anybody sees."""

from __future__ import annotations

from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.simulation.masters import writes
from hasim.simulation.masters.state import NO_COPY, PartitionState
from hasim.simulation.masters.writes import Writes

NOBODY = array("q")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["write", "write", "stray", "refresh", "owner", "begin", "arrive", "join", "ask"]
        ),
        st.sampled_from("abc"),
        st.integers(0, 60),
        st.sets(st.sampled_from("abc")),
    ),
    max_size=60,
)


def play(steps: list[Any]) -> list[Any]:
    """What a partition's state answers to a course of events."""
    state = PartitionState("p", "a", size_bytes=9, write_bytes=10, bandwidth_bytes_per_s=10**9)
    state.replicate_to("b", 15, has_copy=True)
    seen: list[Any] = []
    under_way: list[tuple[int, int, str]] = []
    now = 0
    for number, (kind, master, amount, cut_off) in enumerate(steps):
        now += amount
        if kind == "write":
            for _ in range(amount):
                now += 1
                state.acknowledge(now, state.owner)
        elif kind == "stray":
            state.acknowledge_all(NOBODY, array("q", [now, now + 1]))
        elif kind == "refresh":
            state.refresh(now, lambda one, other, off=cut_off: not off & {one, other})
        elif kind == "owner":
            seen.append(
                state.change_owner(now, master, ("observer", number), {"a": 3, "b": 20, "c": 9}.get)
            )
        elif kind == "join":
            state.replicate_to(master, 5, has_copy=False)
        elif kind == "begin":
            position = state.position(now, master)
            if position != NO_COPY:
                state.hold(position)
                under_way.append((state.history, position, "abc"[amount % 3]))
        elif kind == "arrive" and under_way:
            history, position, target = under_way.pop(0)
            if history == state.history:
                state.receive(target, position, 7)
            state.let_go(position)
        seen.append([state.position(now, m) for m in "abc"])
        seen.append((len(state.acknowledged), state.total_acknowledged, dict(state.stale)))
    return seen


@settings(max_examples=400, deadline=None, derandomize=True)
@given(STEPS)
def test_a_forgetful_partition_answers_as_one_that_remembers_everything(steps: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writes, "SHORT", 10**9)
        remembered = play(steps)
        patch.setattr(writes, "SHORT", 0)
        assert play(steps) == remembered


def test_what_every_standby_has_is_forgotten() -> None:
    state = PartitionState("p", "a", size_bytes=0, write_bytes=10, bandwidth_bytes_per_s=10**9)
    for standby in "bc":
        state.replicate_to(standby, 1000, has_copy=True)
    state.refresh(0, lambda one, other: True)
    for start in range(0, 10**6, 1000):
        state.acknowledge_all(array("q", range(start, start + 1000)), NOBODY)
    state.refresh(10**6, lambda one, other: "c" not in (one, other))  # c breaks off and stays so
    for start in range(10**6, 2 * 10**6, 1000):
        state.acknowledge_all(array("q", range(start, start + 1000)), NOBODY)
    assert len(state.acknowledged) == 2 * 10**6
    assert state.acknowledged.kept < 3 * writes.SHORT
    # c has all writes up to 999,000: the first that is lost is the one at 999,001.
    assert state.position(2 * 10**6, "c") == 999_001
    assert state.change_owner(2 * 10**6, "c", ("observer", 1), lambda _: 0) == (
        1_000_999,
        1_000_999,
    )


def test_a_transfer_holds_on_to_the_position_of_its_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writes, "SHORT", 0)
    state = PartitionState("p", "a", size_bytes=0, write_bytes=10, bandwidth_bytes_per_s=10**9)
    state.acknowledge_all(array("q", [1, 2, 3]), NOBODY)
    state.hold(3)
    state.acknowledge_all(array("q", [4, 5, 6]), NOBODY)
    assert state.acknowledged.kept == 0
    state.receive("c", 3, 0)
    state.let_go(3)
    state.acknowledge_all(array("q", [7]), NOBODY)
    assert state.change_owner(9, "c", ("observer", 1), lambda _: 0) == (4, 5)


def test_positions_of_a_list_that_forgets() -> None:
    times = Writes()
    times.extend(array("q", [10, 20, 30, 40, 50]))
    times.forget(3, [1])
    assert (len(times), times.kept, times.until(45), times.until(5)) == (5, 2, 4, 3)
    assert [times.time_of(p) for p in (0, 1, 3, 4)] == [10, 20, 40, 50]
    assert times.cut(1) == (4, 20)
    assert (len(times), times.time_of(0)) == (1, 10)
    times.extend(array("q", [60]))
    assert (len(times), times.time_of(1), times.cut(0)) == (2, 60, (2, 10))
    assert times.cut(0) == (0, 0)
