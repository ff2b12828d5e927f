"""When a balance of load has settled, against steps whose times are known."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hasim.measures import Measured, measure
from hasim.measures.churn import ChurnRow
from hasim.measures.operations import OperationRow, TransientRow
from hasim.study.estimates.statistics import interval_of_left_out, mean_interval
from hasim.study.estimates.transients import distance, settled_s, transients
from tests.measures.story import Story


def run(step_s: int, seed: int, rate: int = 40) -> Measured:
    """Two masters share evenly; `step_s` after a drain of a everything goes to b."""
    rng = random.Random(seed)
    rows = []
    for offset in range(-20, 60):
        sent = {"a": 0, "b": 0, "c": 0}
        for _ in range(rate):
            sent["b" if offset >= step_s or rng.random() < 0.5 else "a"] += 1
        rows += [
            TransientRow(operation=1, offset_s=float(offset), master=m, sent=n, lost=offset == 2)
            for m, n in sent.items()
        ]
    drain = OperationRow(operation=1, done_at_s=30.0, do="drain", subject="a", routed_s=0.5)
    return replace(measure(Story().journal()), operations=(drain,), transients=tuple(rows))


KEYS: dict[str, Any] = {
    **{"gateway": "west", "algorithm": "maglev", "ideal": 0.05},
    **{"keys": 100, "left": 4, "joined": 2, "needless": 1},
}


@pytest.mark.parametrize("step_s", [0, 1, 7, 30])
def test_the_time_of_the_step_is_found(step_s: int) -> None:
    (found,) = transients([run(step_s, seed) for seed in range(10)])
    assert found.settled_s == step_s
    assert found.moved == pytest.approx(0.5, abs=0.03)
    assert (found.lost, found.routed_s, found.replications) == (1.0, 0.5, 10)


def test_the_bounds_leave_one_replication_out_at_a_time() -> None:
    """The jackknife, against studies that do not have the replication."""
    runs = [run(7, seed, rate=30) for seed in range(8)]
    for number in (2, 5):  # where more was lost, and a gateway was slower
        rows = tuple(replace(r, lost=3 if r.offset_s == 4 else 0) for r in runs[number].transients)
        slow = replace(runs[number].operations[0], routed_s=0.9)
        runs[number] = replace(runs[number], transients=rows, operations=(slow,))
    (found,) = transients(runs)
    without = [transients(runs[:i] + runs[i + 1 :])[0].moved for i in range(8)]
    assert found.moved is not None
    moved = interval_of_left_out(found.moved, np.array(without, float), 8)
    assert found.moved_high == pytest.approx(moved.high)
    assert moved.low - 0.02 < found.moved_low < moved.low
    assert found.moved_low < 0.5 < found.moved_high
    lost, routed = mean_interval([1, 1, 3, 1, 1, 3, 1, 1]), mean_interval([0.5] * 6 + [0.9] * 2)
    assert (found.lost, found.lost_low, found.lost_high) == (1.5, lost.low, lost.high)
    bounds = (found.routed_s, found.routed_low_s, found.routed_high_s)
    assert bounds == pytest.approx((0.6, routed.low, routed.high))


def by_chance(rng: np.random.Generator, masters: int, moved: float) -> Measured:
    """A replication of 50 attempts a second, each at random; part of the load moves at 0."""
    names = [f"m{i}" for i in range(masters)]
    before = np.full(masters, 1 / masters)
    after = before.copy()
    after[0], after[1] = before[0] + moved, before[1] - moved
    rows = [
        TransientRow(operation=1, offset_s=float(offset), master=name, sent=int(n), lost=0)
        for offset in range(-20, 60)
        for name, n in zip(
            names, rng.multinomial(50, after if offset >= 0 else before), strict=True
        )
    ]
    drain = OperationRow(operation=1, done_at_s=30.0, do="drain", subject="m1", routed_s=0.5)
    one = measure(Story().journal())
    known = tuple(replace(one.masters[0], master=name) for name in names)
    return replace(one, masters=known, operations=(drain,), transients=tuple(rows))


@pytest.mark.parametrize(("masters", "moved"), [(2, 0.0), (10, 0.0), (10, 0.02), (4, 0.2)])
def test_the_interval_of_the_load_moved_covers_it(masters: int, moved: float) -> None:
    """Of a distance that is nothing or little as well, where chance makes one."""
    rng, covered, studies = np.random.default_rng(5), 0, 60
    for _ in range(studies):
        (found,) = transients([by_chance(rng, masters, moved) for _ in range(6)])
        assert 0.0 <= found.moved_low <= found.moved_high <= 1.0
        covered += found.moved_low <= moved <= found.moved_high
    assert covered >= 53  # with 95 %, fewer have a chance of 1 %


def test_fewer_than_no_messages_are_not_lost() -> None:
    runs = [run(7, seed) for seed in range(10)]
    quiet = [replace(r, transients=tuple(replace(t, lost=0) for t in r.transients)) for r in runs]
    (found,) = transients([runs[0], *quiet[1:]])
    assert (found.lost, found.lost_low) == (0.1, 0.0)
    assert found.lost_high > 0.2


def test_one_replication_has_no_bounds() -> None:
    (found,) = transients([run(7, 1)])
    assert (found.moved_low, found.moved_high) == (-np.inf, np.inf)
    assert (found.lost_low, found.lost_high) == (-np.inf, np.inf)


def test_a_balance_that_moves_to_the_end_has_not_settled() -> None:
    (found,) = transients([run(55, seed) for seed in range(10)])
    assert found.settled_s is None


def test_chance_alone_is_no_transient() -> None:
    """Few messages a second, no change at all: the balance was settled all the time."""
    found = [transients([run(10**6, seed, rate=20)])[0].settled_s for seed in range(20)]
    assert found.count(0) >= 19


def test_the_distance_is_the_share_that_would_have_to_move() -> None:
    assert distance([0.5, 0.5, 0.0], [0.2, 0.3, 0.5]) == pytest.approx(0.5)
    assert distance([1.0, 0.0], [1.0, 0.0]) == 0.0


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({0.0: [9000, 1000], 1.0: [5000, 5000], 2.0: [5000, 5000], 3.0: [5000, 5000]}, 1.0),
        ({0.0: [0, 0], 1.0: [5000, 5000], 2.0: [5000, 5000]}, 0.0),
        ({-1.0: [9000, 1000], 0.0: [5400, 4600], 1.0: [5000, 5000]}, 0.0),
    ],
)
def test_by_hand(sent: Any, expected: float) -> None:
    assert settled_s(sent, [0.5, 0.5], 0.05) == expected


def test_keys_belong_to_the_operation_before_them() -> None:
    first = replace(run(1, 1), churn=tuple(ChurnRow(at_s=at_s, **KEYS) for at_s in (29, 30, 60)))
    again = OperationRow(operation=2, done_at_s=50.0, do="undrain", subject="a", routed_s=0.5)
    one, other = transients([replace(first, operations=(*first.operations, again))] * 2)
    assert one.keys_moved == pytest.approx(0.07)
    assert one.keys_ideal == 0.05
    assert other.keys_moved == pytest.approx(0.07)
    (nothing,) = transients([run(1, 1)])
    assert nothing.keys_moved is nothing.keys_ideal is None


def test_without_operations_there_is_nothing() -> None:
    assert transients([measure(Story().journal())]) == []
