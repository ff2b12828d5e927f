"""Everything that can be chosen is drawn, or is named here with a reason."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from hasim.hunt.drawing import draw
from hasim.hunt.drawing.anything import LAWS, NOT_DRAWN, put, rows, value
from hasim.hunt.drawing.dice import Dice
from hasim.hunt.drawing.worlds import _drawn
from hasim.scenario.loader import from_data
from hasim.scenario.problems import ScenarioError
from hasim.study.reference import described

ELSEWHERE = {
    "vary": "of a study",
    "replications": "of a study",
    "warm_up": "of measures",
    "data_plane": "both planes give the same: tests/simulation",
    "probes": "stretches and single probes give the same: tests/simulation",
    "projection": "of measures",
    "expect": "of a study",
    "baseline": "of a study",
    "invariants": "what is looked at, and changes nothing",
    "tiers": "as the same settings without tiers",
    "repair": "a setting of few schedules, without choices",
}
"""Groups of settings whose choices no world has, and why."""


def wanted() -> Iterator[tuple[str, str]]:
    """Each setting with one of its choices, but for its default: what is not written."""
    for row in described():
        parts = row.path.split(".")
        if parts[0] in ELSEWHERE or {*parts, row.path} & {*NOT_DRAWN} - {"keys", "arrivals"}:
            continue
        names = {*row.choices} - {*NOT_DRAWN, row.default}
        names -= {name for name in names if f"{row.path}.{name}" in NOT_DRAWN}
        yield from ((row.path, name) for name in sorted(names))


def words(data: Any) -> Iterator[tuple[str, str]]:
    """Each text in a world, with the key that it stands under (or that it is itself)."""
    if isinstance(data, dict):
        for key, item in data.items():
            yield key, key
            yield from ((key, word) for word in texts(item))
            yield from words(item)
    elif isinstance(data, list):
        for item in data:
            yield from words(item)


def texts(item: Any) -> list[str]:
    if isinstance(item, dict):
        return [str(item[key]) for key in ("kind", "law", "do") if key in item]
    return [str(one) for one in item] if isinstance(item, list) else [str(item)]


@pytest.fixture(scope="module")
def drawn() -> Counter[tuple[str, str]]:
    """What stands in many worlds, valid or not."""
    found: Counter[tuple[str, str]] = Counter()
    for number in range(600):
        found.update(set(words(_drawn(Dice(f"any/{number}"), "any"))))
    return found


def test_every_choice_that_there_is_can_be_drawn(drawn: Counter[tuple[str, str]]) -> None:
    missing = {
        (path, name)
        for path, name in wanted()
        if not drawn[path.rpartition(".")[2], name] and not drawn[name, name]
    }
    by_itself = {(path, name) for path, name in missing if path in rows()}
    for path, name in by_itself:
        dice = Dice(f"{path}/{name}")
        assert any(name in texts(value(dice, rows()[path])) for _ in range(500)), (path, name)
    assert missing - by_itself == set()


def test_every_setting_is_drawn_from_its_description_or_with_its_group(
    drawn: Counter[tuple[str, str]],
) -> None:
    keys = {key for key, _ in drawn}
    groups = {row[:dot] for row in rows() for dot, sign in enumerate(row) if sign == "."}
    missing = {
        row.path
        for row in described()
        if row.path not in rows().keys() | groups
        and row.path.rpartition(".")[2] not in keys
        and row.path.split(".")[0] not in (*ELSEWHERE, "name", "description")
        and not {*row.path.split("."), row.path} & {*NOT_DRAWN}
    }
    assert missing == set(), "draw it in hasim/hunt/drawing, or say why not"


def test_most_settings_of_any_value_make_a_scenario_that_is_valid() -> None:
    base = next(data for data, _ in (draw(1, n) for n in range(50)) if "tiers" not in data)
    dice, accepted = Dice("values"), set[str]()
    for path, row in rows().items():
        for _ in range(8):
            data = copy.deepcopy(base)
            put(data, path, value(dice, row))
            try:
                from_data(data)
            except ScenarioError:
                continue
            accepted.add(path)
            break
    assert len(accepted) > 0.9 * len(rows())


def test_laws_are_those_that_there_are() -> None:
    row = next(row for row in described() if row.path == "promotion.duration")
    assert set(row.choices) == set(LAWS)
