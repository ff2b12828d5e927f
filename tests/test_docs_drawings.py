"""The drawings of the site show what is in the code, all of it."""

from __future__ import annotations

import importlib
import re
import sys
import typing
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from hasim import events
from hasim.services.failover import lifecycle
from tests.test_house import RANK

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(DOCS))
drawings = importlib.import_module("drawings")

SVG = "{http://www.w3.org/2000/svg}"


def titles(text: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(text).iter(f"{SVG}title")]


def words(text: str) -> str:
    return "\n".join("".join(one.itertext()) for one in ET.fromstring(text).iter(f"{SVG}text"))


def test_every_transition_is_in_the_state_diagram() -> None:
    text = drawings.state_diagram()
    shown, said = titles(text), words(text)
    for (state, after), triggers in drawings.transitions().items():
        if after in drawings.BADGES:
            assert f"{len(triggers)} to {after}" in said, (state, after)
        elif state == after:
            assert f"{len(triggers)} to itself" in said, state
        else:
            assert f"{state} to {after}: {', '.join(triggers)}" in shown
    assert all(state in said for state in lifecycle.LIFECYCLE if state)


def test_a_state_without_a_place_stops_the_build(monkeypatch) -> None:
    monkeypatch.setitem(lifecycle.LIFECYCLE, "thinking", {"thought": "declared"})
    with pytest.raises(ValueError, match="places other states"):
        drawings.state_diagram()


def test_the_layers_are_those_that_the_house_holds() -> None:
    edges = drawings.imports()
    assert set(edges) == set(RANK) & set(edges)
    assert {"services", "simulation", "study", "report", "cli"} <= set(edges)
    for part, seen in edges.items():
        assert all(RANK[one] < RANK[part] for one in seen), part
    place = {part: k for k, row in enumerate(drawings.layers(edges)) for part in row}
    assert all(place[one] > place[part] for part, seen in edges.items() for one in seen)
    shown = titles(drawings.import_diagram())
    # What is left out is reached by another way; what is drawn is an import.
    pairs = [one.split(" imports ") for one in shown if "," not in one]
    drawn = [pair for pair in pairs if len(pair) == 2]
    assert drawn
    assert all(other in edges[part] for part, other in drawn)


def test_inputs_effects_and_events_are_all_drawn() -> None:
    said = words(drawings.flow_diagram())
    for union in (events.Input, events.Effect, events.Event):
        assert all(one.__name__ in said for one in typing.get_args(union))


def test_what_the_track_record_names_is_there() -> None:
    text = (DOCS / "guides" / "track-record.md").read_text(encoding="utf-8")
    named = {word.split()[0] for word in text.split("`") if word.startswith(("tests/", "results/"))}
    assert len(named) >= 8
    assert [one for one in sorted(named) if not (DOCS.parent / one).exists()] == []


def test_what_is_read_from_the_environment_is_told() -> None:
    names = re.compile(r'environ\.get\("(\w+)"|"(\w+)" (?:not )?in os\.environ|environ\["(\w+)"')
    read: set[str] = set()
    for path in (DOCS.parent / "hasim").rglob("*.py"):
        for found in names.findall(path.read_text(encoding="utf-8")):
            read |= {name for name in found if name}
    table = (DOCS / "guides" / "operations.md").read_text(encoding="utf-8")
    assert read >= {"NO_COLOR", "COLUMNS"}
    assert [name for name in sorted(read) if f"`{name}`" not in table] == []
