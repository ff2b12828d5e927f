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
from hasim.study.statistics import interval_of_left_out, mean_interval
from hasim.study.transients import distance, settled_s, transients
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
    assert (found.moved_low, found.moved_high) == pytest.approx((moved.low, moved.high))
    assert found.moved_low < 0.5 < found.moved_high
    lost, routed = mean_interval([1, 1, 3, 1, 1, 3, 1, 1]), mean_interval([0.5] * 6 + [0.9] * 2)
    assert (found.lost, found.lost_low, found.lost_high) == (1.5, lost.low, lost.high)
    bounds = (found.routed_s, found.routed_low_s, found.routed_high_s)
    assert bounds == pytest.approx((0.6, routed.low, routed.high))


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
