"""What is frozen is JSON, and thaws to an equal value of the same classes."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.model import Status
from hasim.services.frozen import OneOf, freeze, thaw


@dataclass(slots=True)
class Circle:
    radius: float


@dataclass(slots=True)
class Square:
    side: float
    corners: tuple[str, ...] = ()


@dataclass(slots=True)
class Star:
    points: int


LATER: dict[str, type[Any]] = {"circle": Circle}


def shapes() -> Mapping[str, type[Any]]:
    return LATER


@dataclass(slots=True)
class Drawing:
    status: Status
    shape: Circle | Square
    maybe: Circle | Square | None
    one: Circle | None
    chosen: Annotated[Circle | Star, OneOf(shapes)]
    many: list[Circle | Square]
    named: dict[str, Circle | Square]
    numbered: dict[int, Square]
    pair: tuple[int, Circle | Square]
    seen: set[str]
    queue: deque[tuple[int, str]]
    area: float = field(init=False)

    def __post_init__(self) -> None:
        self.area = sum(len(shape) for shape in self.named)


numbers = st.floats(allow_nan=False, allow_infinity=False)
circles = st.builds(Circle, numbers)
squares = st.builds(Square, numbers, st.lists(st.text()).map(tuple))
either = circles | squares
drawings = st.builds(
    Drawing,
    status=st.sampled_from(Status),
    shape=either,
    maybe=either | st.none(),
    one=circles | st.none(),
    chosen=circles,
    many=st.lists(either),
    named=st.dictionaries(st.text(), either),
    numbered=st.dictionaries(st.integers(), squares),
    pair=st.tuples(st.integers(), either),
    seen=st.sets(st.text()),
    queue=st.lists(st.tuples(st.integers(), st.text())).map(deque),
)


@given(drawings)
def test_what_was_frozen_thaws_to_an_equal_value_through_json(drawing: Drawing) -> None:
    data = json.loads(json.dumps(freeze(drawing)))
    assert thaw(Drawing, data) == drawing
    assert "area" not in data


def test_a_value_of_a_union_says_which_of_its_classes_it_is() -> None:
    assert freeze(Circle(1.0), Circle | Square) == {"is": "Circle", "radius": 1.0}
    assert freeze(Circle(1.0), Circle | None) == {"radius": 1.0}
    assert thaw(Circle | Square, {"is": "Square", "side": 2.0, "corners": []}) == Square(2.0)
    with pytest.raises(ValueError, match=r"frozen is 'Oval'; .* Circle, Square"):
        thaw(Circle | Square, {"is": "Oval"})


def test_members_can_be_added_at_run_time(monkeypatch: pytest.MonkeyPatch) -> None:
    hint = Annotated[Circle | Star, OneOf(shapes)]
    with pytest.raises(TypeError, match="Star is none of circle"):
        freeze(Star(5), hint)
    monkeypatch.setitem(LATER, "star", Star)
    data = freeze(Star(5), hint)
    assert data == {"is": "star", "points": 5}
    assert thaw(hint, data) == Star(5)
