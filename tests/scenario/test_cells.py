"""Cells that are made one by one: the same as all at once, and no more memory for more of them."""

from __future__ import annotations

import copy
import itertools
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hasim.scenario.loader as loader
from hasim.scenario.cells import changed_world, whole_world
from hasim.scenario.document import document_of
from hasim.scenario.loader import from_data, load
from hasim.scenario.variation import plan_of
from tests.scenario.conftest import GOOD

SCENARIOS = sorted((Path(loader.__file__).parents[2] / "scenarios").glob("*.yaml"))


def eager(vary: dict[str, Any]) -> list[dict[str, Any]]:
    """What every cell varies, by nested loops over the data."""
    grid, zipped = vary.get("grid", {}), vary.get("zip", {})
    rows = [dict(zip(zipped, row, strict=True)) for row in zip(*zipped.values(), strict=True)]
    crossed = [
        {**dict(zip(grid, values, strict=True)), **row}
        for values in itertools.product(*grid.values())
        for row in (rows if zipped else [{}])
    ]
    if vary.get("points") and not grid and not zipped:
        crossed = []
    return [*crossed, *vary.get("points", [])]


@given(
    grid=st.lists(st.integers(1, 4), max_size=4),
    rows=st.integers(1, 4),
    zipped=st.integers(0, 2),
    points=st.integers(0, 3),
)
def test_cells_by_number_are_those_of_nested_loops(grid, rows, zipped, points):
    vary = {
        "grid": {f"g{i}": [f"{i}.{k}" for k in range(n)] for i, n in enumerate(grid)},
        "zip": {f"z{i}": [f"{i}.{k}" for k in range(rows)] for i in range(zipped)},
        "points": [{"p": i} for i in range(points)],
    }
    plan = plan_of({"vary": vary})
    expected = eager(vary)
    assert plan.count == len(expected)
    found = [{pick.path: pick.value for pick in plan.at(index)} for index in range(plan.count)]
    assert found == expected
    assert [list(cell) for cell in found] == [list(cell) for cell in expected]
    for picks in plan.cells():
        for pick in picks:
            assert _at(vary, pick.where[1:]) == pick.value


def _at(data: Any, where: tuple[Any, ...]) -> Any:
    for step in where:
        data = data[step]
    return data


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=4), most=st.integers(16, 200))
def test_a_spread_holds_every_value_of_short_axes(sizes, most):
    vary = {f"g{i}": list(range(n)) for i, n in enumerate(sizes)}
    plan = plan_of({"vary": vary})
    spread = plan.spread(most)
    assert spread == sorted(set(spread))
    assert spread[0] == 0
    assert spread[-1] < plan.count
    assert len(spread) <= 1.5 * most + 4 or plan.count <= most
    if all(n * len(sizes) * 4 <= most for n in sizes):
        for path, values in vary.items():
            seen = {pick.value for i in spread for pick in plan.at(i) if pick.path == path}
            assert seen == set(values)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_cell_is_the_whole_scenario_with_its_settings_replaced(path):
    loaded = load(path)
    base, document = loaded.scenario.world(), document_of(loaded.data, "scenario")
    plan = plan_of(loaded.data)
    for index, cell in enumerate(loaded.cells):
        problems: list[Any] = []
        assert cell.world == whole_world(document, plan.at(index), problems)
        assert problems == []
        assert changed_world(document, plan.at(index), base) == cell.world


VARY = {
    "masters.iad-1.workers": [1, 7],
    "faults.0": [
        {"kind": "hang", "target": "random", "at": "5s", "for": "20s"},
        {"kind": "crash", "target": "ams-1", "every": {"law": "exponential", "mean": "60s"},
         "for": "3s"},
    ],
    "network": [{"loss": "1%"}, {}],
    "detection.interval": ["2s", "7s"],
    "horizon": ["4m"],
    "traffic.retry": [{"attempts": 3}],
}  # fmt: skip


def test_a_cell_that_varies_every_kind_of_section_is_the_whole_scenario(loaded):
    data = {**loaded(GOOD).data, "vary": VARY}
    study = from_data(data)
    assert len(study.cells) == 16
    for index, cell in enumerate(study.cells):
        changed = copy.deepcopy(data)
        del changed["vary"]
        alone = from_data(changed, cell.varied.items())
        assert alone.cells[0].world == cell.world, index
        assert cell.varied == eager({"grid": VARY})[index]


def test_what_a_cell_changes_leaves_the_others_alone(loaded):
    vary = "vary: {network: [{loss: 1%}, {}], network.bandwidth: [1MiB/s, 2MiB/s]}\n"
    cells = loaded(GOOD + vary).cells
    before = [cell.world for cell in cells]
    again = pickle.loads(pickle.dumps(cells))
    assert [cell.world for cell in reversed(again)] == before[::-1]
    assert [world.network.loss for world in before] == [0.01, 0.01, 0.0, 0.0]


def test_cells_behave_like_a_tuple(loaded):
    cells = loaded(GOOD + "vary: {detection.fall: [2, 3, 4]}\n").cells
    assert [cell.index for cell in cells[1:]] == [1, 2]
    assert cells[-1] == cells[2]
    assert cells == tuple(cells)
    assert cells != tuple(cells)[1:]
    with pytest.raises(IndexError):
        _ = cells[3]


def big(count: int) -> dict[str, Any]:
    """A plan of `count` cells, a multiple of 1000."""
    return {
        "name": "big",
        "horizon": "1m",
        "masters": [{"id": "a"}, {"id": "b", "priority": 2}],
        "vary": {
            "detection.fall": list(range(1, 11)),
            "detection.rise": list(range(1, 11)),
            "traffic.timeout": [f"{100 + n}ms" for n in range(10)],
            "detection.interval": [f"{1000 + n}ms" for n in range(count // 1000)],
        },
    }


def peak(count: int) -> tuple[int, int]:
    """Bytes at the peak of loading a plan, and of going through all that its cells vary."""
    tracemalloc.start()
    cells = from_data(big(count)).cells
    loading = tracemalloc.get_traced_memory()[1]
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    total = sum(len(cells.varied(index)) for index in range(len(cells)))
    assert total == 4 * count
    return loading, tracemalloc.get_traced_memory()[1] - before


def test_memory_does_not_grow_with_the_number_of_cells():
    from_data(big(1000))  # imports and caches
    try:
        small, large = peak(1000), peak(100_000)
    finally:
        tracemalloc.stop()
    assert large[0] < 1.5 * small[0]
    assert large[1] < small[1] + 100_000  # a byte for each cell


def test_a_bad_value_of_a_large_plan_is_told_when_it_is_loaded(monkeypatch):
    data = big(10_000)
    data["vary"]["detection.rise"] = [1, 2, 3, "four", 5, 6, 7, 8, 9, 10]
    with pytest.raises(loader.ScenarioError) as caught:
        from_data(data)
    messages = {str(problem) for problem in caught.value.problems}
    assert messages == {"scenario: detection.rise: expected a whole number such as 3, got 'four'"}


def test_a_bad_combination_that_was_not_looked_at_is_told_when_it_is_its_turn(monkeypatch):
    monkeypatch.setattr(loader, "LOOKED_AT", 16)
    data = {
        "name": "big",
        "horizon": "1m",
        "masters": [{"id": "a"}, {"id": "b", "priority": 2}],
        "vary": {
            "detection.interval": [f"{n}s" for n in (*range(10, 60), 2)],
            "detection.fast_interval": [f"{n}s" for n in (1, 1.5, 2.5, 1.7, 1.9)],
            "detection.timeout": ["1s", "2s"],
        },
    }
    cells = from_data(data).cells
    bad = [cell for cell in range(len(cells)) if cells.problems(cell)]
    assert [cells.varied(cell) for cell in bad] == [
        {
            "detection.interval": "2s",
            "detection.fast_interval": "2.5s",
            "detection.timeout": timeout,
        }
        for timeout in ("1s", "2s")
    ]
    with pytest.raises(loader.ScenarioError, match="longer than the interval, 2s"):
        _ = cells[bad[0]]
