"""A hunt that is kept in a folder: how far it is, what it has found; another call goes on."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from hasim import stored
from hasim.hunt.running import Ran
from hasim.hunt.search import State
from hasim.hunt.telling import scenario_text
from hasim.settings import ANY, count, factor

FORMAT = 2
NAME = "hunt.json"
Number = Annotated[int, count("A number.", least=0, most=ANY)]


class HuntError(ValueError):
    """A folder that holds no hunt, or another one; the message says which."""


@dataclass(frozen=True)
class Stored:
    """The form of the file."""

    __pydantic_config__ = stored.STRICT
    hasim_hunt: int
    seed: Number
    number: Number
    mutants: Number
    faults: Number
    years: Annotated[float, factor("Simulated years.", above=None, least=0.0)]
    seconds: Annotated[float, factor("Seconds.", above=None, least=0.0)]
    reached: dict[str, Number] = field(default_factory=dict)
    kept: list[dict[str, Any]] = field(default_factory=list)
    fresh: list[dict[str, Any]] = field(default_factory=list)
    broken: dict[str, Number] = field(default_factory=dict)


def read(folder: Path, seed: int) -> State:
    """How far the hunt in a folder is; at its beginning if there is none.

    Raises HuntError for a file that is none, or of another seed.
    """
    path = folder / NAME
    if not path.exists():
        return State(seed)
    try:
        plain = stored.plain(stored.content(path))
        stored.of_form(Stored, plain)
    except (stored.StoredError, OSError) as error:
        raise HuntError(f"{path}: {error}") from None
    if plain.pop("hasim_hunt") != FORMAT:
        raise HuntError(f"{path}: expected a hunt of form {FORMAT}")
    if plain["seed"] != seed:
        raise HuntError(f"{path}: a hunt with seed {plain['seed']}; --seed {plain['seed']} goes on")
    return State(**plain)


def write(folder: Path, state: State) -> None:
    """Keep how far a hunt is; the file appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    partial = path.with_name(path.name + ".part")
    partial.write_text(
        json.dumps({"hasim_hunt": FORMAT, **dataclasses.asdict(state)}), encoding="utf-8"
    )
    partial.replace(path)


def keep(folder: Path, found: Ran, name: str) -> Path:
    """Write a find as a scenario file; returns where."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(scenario_text(found), encoding="utf-8")
    return path
