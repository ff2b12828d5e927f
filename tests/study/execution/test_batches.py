"""Batches: each replication once, worth half a second, and no more in memory than is needed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.study.execution.batches import AT_ONCE, OPEN_CELLS, Batch, Batches


def learn(batches: Batches, batch: Batch, each_s: float) -> None:
    for task in batch.tasks:
        batches.learn(task, each_s)


@given(
    todo=st.dictionaries(st.integers(0, 20), st.integers(0, 60), max_size=8),
    workers=st.integers(1, 16),
    each_s=st.floats(0, 3),
    later=st.dictionaries(st.integers(0, 20), st.integers(1, 9), max_size=4),
)
def test_each_replication_is_handed_out_once(todo, workers, each_s, later):
    batches = Batches({cell: range(n) for cell, n in todo.items()}, workers)
    more = {cell: range(100, 100 + n) for cell, n in later.items()}
    seen = []
    while (batch := batches.next()) is not None:
        seen += batch.tasks
        learn(batches, batch, each_s)
        batches.add(more)
        if more:
            more = {}
    wanted = [(cell, r) for cell, n in todo.items() for r in range(n)]
    if seen:
        wanted += [(cell, 100 + r) for cell, n in later.items() for r in range(n)]
    assert sorted(seen) == sorted(wanted)
    assert batches.left == 0


def test_they_grow_to_half_a_second_but_leave_work_for_all():
    batches = Batches({0: range(1000)}, workers=2)
    first = batches.next()
    assert first == Batch(((0, 0),))
    learn(batches, first, 0.01)
    assert len(batches.next().tasks) == 50  # 0.5 s / 0.01 s
    few = Batches({0: range(9)}, workers=2)
    learn(few, few.next(), 0.001)
    assert len(few.next().tasks) == 2  # 8 left for 2 x 2 batches


def test_small_cells_share_a_batch():
    batches = Batches({cell: range(1) for cell in range(200)}, workers=2)
    first = batches.next()
    assert first == Batch(((0, 0),))  # nothing is known yet
    learn(batches, first, 0.05)
    assert batches.next().tasks == tuple((cell, 0) for cell in range(1, 11))  # 0.5 s / 0.05 s


def test_a_cell_that_takes_longer_than_others_gets_smaller_shares():
    batches = Batches({0: range(100), 1: range(100)}, workers=1)
    learn(batches, Batch(((0, 200), (0, 201))), 0.02)
    learn(batches, Batch(((1, 200), (1, 201))), 0.25)
    assert [cell for cell, _ in batches.next().tasks] == [0] * 25
    assert [cell for cell, _ in batches.next().tasks] == [1] * 2


def test_they_estimate_what_is_left_from_what_was_learnt():
    batches = Batches({0: range(5), 1: range(3)}, workers=1)
    learn(batches, batches.next(), 2.0)
    assert batches.estimate_s() == pytest.approx(4 * 2.0 + 3 * 2.0)  # cell 1: as cell 0
    learn(batches, batches.next(), 10.0)
    assert batches.estimate_s() == pytest.approx(4 * 2.0 + 2 * 10.0)


def test_the_cells_take_turns():
    batches = Batches({0: range(3), 1: range(3)}, workers=1)
    assert [batches.next().tasks[0][0] for _ in range(6)] == [0, 1, 0, 1, 0, 1]


def test_each_cell_has_its_first_turn_before_any_has_its_second():
    batches = Batches({cell: range(2) for cell in range(500)}, workers=1)
    order = [batches.next().tasks for _ in range(1000)]  # nothing is learnt: one task each
    assert order == [((cell, r),) for r in range(2) for cell in range(500)]


def test_cells_are_taken_only_in_their_turn():
    taken = []

    def coming() -> Iterator[tuple[int, range]]:
        for cell in range(10 * OPEN_CELLS):
            taken.append(cell)
            yield cell, range(3)

    batches = Batches(coming(), workers=1)
    assert len(taken) == AT_ONCE
    left = dict.fromkeys(range(10 * OPEN_CELLS), 3)
    for number in range(30 * OPEN_CELLS):
        [(cell, _)] = batches.next().tasks
        left[cell] -= 1
        if number % 500 == 0:
            assert sum(left[cell] > 0 for cell in taken) <= OPEN_CELLS
    assert batches.next() is None
    assert taken == list(range(10 * OPEN_CELLS))
    assert set(left.values()) == {0}


def test_batches_of_many_cells_are_not_larger_than_those_of_few():
    batches = Batches({cell: range(1) for cell in range(1000)}, workers=4)
    learn(batches, batches.next(), 0.01)
    sizes = []
    while (batch := batches.next()) is not None:
        sizes.append(len(batch.tasks))
    assert sum(sizes) == 999
    assert max(sizes) == 50
