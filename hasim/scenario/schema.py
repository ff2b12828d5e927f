"""What a scenario file may say, and its JSON Schema."""

from __future__ import annotations

import dataclasses
from dataclasses import field
from typing import Annotated, Any

from hasim.scenario.expectations import Expectation, Expectations
from hasim.scenario.replications import Replications, Sequential
from hasim.scenario.statements import Statements
from hasim.scenario.variation import Variation, Varied
from hasim.settings import (
    ANY,
    count,
    duration,
    fields_by_user_name,
    meaning_of,
    settings,
    settings_classes,
    written,
)
from hasim.settings.declaring import user_name
from hasim.settings.parts import PartsBeside
from hasim.simulation.settings import WorldSettings
from hasim.units import DAY


@settings
class Projection:
    """The month (or year) that outages per failure are projected to, by renewal-reward."""

    mtbf_ns: Annotated[int, duration("Mean time between failures of one master.", above=0)]
    period_ns: Annotated[int, duration("The period that the result is stated for.", above=0)] = (
        30 * DAY
    )


@settings
class Scenario(WorldSettings):
    """A world, how often it is run, what is varied, and what is expected of it."""

    name: str = ""
    """A short name, also of the run folder. Empty: the name of the file."""
    description: str = ""
    """What the scenario shows."""
    seed: Annotated[int, count("Seed of all random streams.", least=0, most=ANY)] = 1
    replications: Annotated[
        int | Sequential, Replications(count("Independent runs of each cell."))
    ] = 20
    """Independent runs of each cell: a number, or `{until: {outage.p95: 5%}, at_least: 20,
    at_most: 400}` to run until these measures are known that precisely."""
    vary: Annotated[Variation, Varied()] = field(default_factory=Variation)
    """Setting (dotted path: `balancing.algorithm`, `faults.0.kind`, `masters.ID.workers`) to the
    values that it takes; every combination is one cell. Or a mapping of `grid` (the same), `zip`
    (settings that change together) and `points` (single cells)."""
    expect: Annotated[tuple[Expectation, ...], Expectations()] = ()
    """Measure to the limit that it shall keep, in every cell."""
    invariants: Annotated[tuple[str, ...], Statements()] = ()
    """What shall always hold in each run, as `hasim run --check` and `hasim hunt` look at it:
    `always: STATE`, `eventually within 30s: STATE` (served, healthy, one-primary), or
    `always: NUMBER < LIMIT` (outage.max, downtime, lost-writes, dual-primary, failed-messages,
    mistakes)."""
    baseline: dict[str, Any] = field(default_factory=dict)
    """Varied setting to the value that the other cells are compared with, replication by
    replication: `{balancing.algorithm: round-robin}`. Settings that are not named are the same in
    both cells."""
    projection: Projection | None = None
    """Needed for the measure `uptime.renewal_reward`."""
    include_messages: bool = False
    """Whether the journal records every single message."""

    def world(self) -> WorldSettings:
        """The world alone, without what is about running it."""
        names = [f.name for f in dataclasses.fields(WorldSettings)]
        return WorldSettings(**{name: getattr(self, name) for name in names})


WORLD_KEYS = tuple(fields_by_user_name(WorldSettings))
"""The top-level keys that belong to the world, and hence can be varied."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a scenario file, for editors and other programs."""
    from hasim.settings.validation import adapter

    schema: dict[str, Any] = adapter(Scenario).json_schema(by_alias=True)
    definitions: dict[str, Any] = schema.setdefault("$defs", {})
    for cls in settings_classes(Scenario):
        # Parts that are chosen by name have no definitions: they tell of themselves.
        own = schema if cls is Scenario else definitions.get(cls.__name__, {})
        for name, entry in own.get("properties", {}).items():
            if name in fields_by_user_name(cls):
                _describe(entry, cls, name)
    definitions["MasterSettings"]["properties"]["like"] = {
        "type": "string",
        "description": "The id of another master, whose settings are copied; what is written "
        "beside it replaces the copy.",
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _describe(entry: dict[str, Any], cls: type[Any], name: str) -> None:
    """Put the meaning and the default (as a user would write it) into a property."""
    found = fields_by_user_name(cls)[name]
    entry.pop("title", None)
    meaning = meaning_of(cls, found.name)
    if meaning:
        entry["description"] = meaning
    if "default" in entry:
        entry["default"] = _written_default(cls, found)


def _written_default(cls: type[Any], item: dataclasses.Field[Any]) -> Any:
    if issubclass(cls, PartsBeside):
        return cls().as_written()[user_name(item.name)]
    if item.default_factory is not dataclasses.MISSING:
        return written(cls, item.name, item.default_factory())
    return written(cls, item.name, item.default)
