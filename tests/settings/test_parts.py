"""Parts that are chosen by name, with their settings beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import jsonschema
import pytest

from hasim.settings import SettingsError, count, duration, from_plain, plain, settings
from hasim.settings.parts import Part, PartsBeside
from hasim.settings.registry import Registry
from hasim.settings.validation import adapter
from hasim.units import SECOND


@settings
class Base:
    """The base."""


@settings
class RedSettings(Base):
    """Red."""

    depth: Annotated[int, count("How deep.")] = 1
    wait_ns: Annotated[int, duration("How long.")] = SECOND


@settings
class BlueSettings(Base):
    """Blue."""

    wait_ns: Annotated[int, duration("How long.")] = SECOND
    mode: str = "calm"
    """How it is."""


@settings
class GreySettings(Base):
    """Without settings."""


class Red:
    settings: RedSettings


class Blue:
    settings: BlueSettings


class Grey:
    settings: GreySettings


COLOURS: Registry[Any] = Registry("a colour", {"red": Red, "blue": Blue})


@settings
class Paint(PartsBeside):
    """Colours."""

    ground: Annotated[Base, Part(COLOURS)] = RedSettings()
    """One."""
    dots: tuple[Annotated[Base, Part(COLOURS)], ...] = (BlueSettings(),)
    """Several."""
    size: Annotated[int, count("How large.")] = 1


@settings
class House:
    """What has paint."""

    paint: Paint = Paint()
    """Its paint."""


@pytest.fixture
def grey() -> Iterator[None]:
    COLOURS.register("grey", Grey)
    yield
    COLOURS.forget("grey")


def problems(data: Any, cls: type[Any] = Paint) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        from_plain(cls, data)
    return {".".join(map(str, where)): text for where, text in caught.value.problems}


def test_a_setting_beside_goes_to_the_part_that_has_it() -> None:
    made = from_plain(Paint, {"depth": 3, "mode": "wild", "size": 2})
    assert made == Paint(ground=RedSettings(depth=3), dots=(BlueSettings(mode="wild"),), size=2)
    assert from_plain(Paint, {"ground": {"kind": "red", "depth": 3}}).ground == RedSettings(depth=3)


def test_a_setting_that_two_have_stands_with_its_name() -> None:
    text = "red and blue have it: say whose it is, as in {kind: red, wait: ...}"
    assert problems({"wait": "2s"}) == {"wait": text}
    made = from_plain(Paint, {"ground": {"kind": "red", "wait": "2s"}})
    assert made == Paint(ground=RedSettings(wait_ns=2 * SECOND))
    assert plain(made) == {
        "ground": {"kind": "red", "wait": "2s"},
        "dots": [{"kind": "blue", "wait": "1s"}],
        "size": 1,
        "depth": 1,
        "mode": "calm",
    }
    assert from_plain(Paint, plain(made)) == made


def test_settings_of_parts_that_are_not_chosen_are_checked_and_have_no_effect() -> None:
    chosen = {"ground": "blue", "dots": []}
    assert from_plain(Paint, {**chosen, "depth": 3}) == from_plain(Paint, chosen)
    assert problems({**chosen, "depth": 0}) == {"depth": "must be at least 1, got 0"}


def test_places_of_what_is_wrong() -> None:
    data = {
        "ground": "red",
        "depth": "x",
        "dots": [{"kind": "blue", "wait": 3}, "reed"],
        "sise": 1,
    }
    assert problems({"paint": data}, House) == {
        "paint.depth": "expected a whole number such as 3, got 'x'",
        "paint.dots.0.wait": "expected a duration such as 30s, got 3",
        "paint.dots.1": "unknown value 'reed'; did you mean red?",
        "paint.sise": "unknown key; did you mean size?",
    }
    assert problems({"ground": {"kind": "red", "depth": 2}, "depth": 3}) == {
        "depth": "is given twice: red has it as well"
    }
    assert problems({"ground": {"depth": 2}}) == {
        "ground": "expected a colour: a name or {kind: red, ...}, got {'depth': 2}"
    }
    assert problems({"depht": 2}) == {"depht": "unknown key; did you mean depth?"}


def test_a_part_may_be_registered_later(grey) -> None:
    made = from_plain(Paint, {"dots": ["grey", "blue"]})
    assert made.dots == (GreySettings(), BlueSettings())
    assert from_plain(Paint, plain(made)) == made
    assert COLOURS.class_for(made.dots[0]) is Grey
    with pytest.raises(KeyError, match="Base are the settings of no colour"):
        COLOURS.name_of(Base)


@pytest.mark.parametrize(
    ("data", "good"),
    [
        ({}, True),
        ({"ground": "blue", "dots": "red", "depth": 2, "wait": "3s"}, True),
        ({"dots": ["red", {"kind": "blue", "mode": "x"}]}, True),
        ({"ground": "green"}, False),
        ({"ground": {"kind": "red", "mode": "x"}}, False),
        ({"ground": {"depth": 1}}, False),
        ({"depth": "x"}, False),
        ({"dept": 1}, False),
    ],
)
def test_the_json_schema_knows_all_forms(data, good) -> None:
    schema = adapter(Paint).json_schema()
    assert jsonschema.Draft202012Validator(schema).is_valid(data) == good
