"""In which settings two studies differ, beside what they vary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hasim.scenario.cells import validated
from hasim.scenario.document import parse_document
from hasim.scenario.problems import ScenarioError
from hasim.settings import plain
from hasim.study.planning.study import Study
from hasim.study.reference import as_text

SERVICES = ("detection", "failover", "balancing", "monitor")
"""The settings of what is compared; all others are of the world around it."""


@dataclass(frozen=True)
class Unlike:
    """``detection.fall is 3, was 2``: what differs in the services, and in the world around."""

    services: list[str]
    world: list[str]


def unlike(first: Study, second: Study) -> Unlike:
    """What differs between two studies, those settings left out that one of them varies.

    Nothing is said of a study whose scenario this hasim cannot read.
    """
    there, here = (_settings_of(study) for study in (first, second))
    if there is None or here is None:
        return Unlike([], [])
    varied = {path for study in (first, second) for cell in study.cells for path in cell.varied}
    found: dict[bool, list[str]] = {True: [], False: []}
    for path, text in differences(there, here):
        if not any(path == one or path.startswith(f"{one}.") for one in varied):
            found[path.partition(".")[0] in SERVICES].append(text)
    return Unlike(found[True], found[False])


def _settings_of(study: Study) -> dict[str, Any] | None:
    """The settings of a study's world with all defaults; its traces need not be there."""
    try:
        scenario = validated(parse_document(study.resolved, study.name), [])
    except ScenarioError:
        return None
    return None if scenario is None else dict(plain(scenario.world()))


def differences(there: Any, here: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """What differs in two pieces of plain data: path, and ``detection.fall is 3, was 2``.

    What only one of them has comes last: it belongs to a part that the other does without.
    """
    if isinstance(there, dict) and isinstance(here, dict):
        for key in [key for key in there if key in here]:
            yield from differences(there[key], here[key], f"{path}.{key}" if path else key)
        for key in sorted(there.keys() ^ here.keys(), key=[*here, *there].index):
            inner = f"{path}.{key}" if path else key
            told = f"is {as_text(here[key])}, was not set" if key in here else "is not set any more"
            yield inner, f"{inner} {told}"
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for i, (one, other) in enumerate(zip(there, here, strict=True)):
            yield from differences(one, other, f"{path}.{i}")
    elif there != here:
        yield path, f"{path} is {as_text(here)}, was {as_text(there)}"
