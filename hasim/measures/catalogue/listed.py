"""The measures by name, a place for users' own, and those that each view shows."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, overload

from hasim.measures.catalogue import clients, costs, incidents, load, objectives, quality, queues
from hasim.settings.validation import nearest

if TYPE_CHECKING:
    from hasim.measures.catalogue.definition import Measure, View

_LISTED: dict[str, Measure] = {}
MEASURES: Mapping[str, Measure] = MappingProxyType(_LISTED)
"""By name, in the order in which they are listed; those registered later as well."""


def register(measure: Measure) -> None:
    """Add a measure, to be named like the others in expectations, tables, comparisons and suites.

    Measures are taken of what a run folder holds of each replication, so one of a user's own needs
    no new runs, and worker processes need not know it. Raises ValueError if there is one of that
    name.
    """
    if measure.name in _LISTED:
        raise ValueError(f"there is a measure {measure.name!r} already")
    _LISTED[measure.name] = measure


def find(name: str) -> Measure:
    """The measure of that name. Raises LookupError with the nearest one."""
    if name not in _LISTED:
        raise LookupError(f"no measure {name!r}{nearest(name, _LISTED)}")
    return _LISTED[name]


@dataclass(frozen=True)
class Shown(Sequence[str]):
    """The names of the measures of a view, in the order of the catalogue."""

    view: View

    def _names(self) -> list[str]:
        return [name for name, measure in _LISTED.items() if self.view in measure.views]

    def __len__(self) -> int:
        return len(self._names())

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        return self._names()[place]


for _measure in itertools.chain(
    incidents.MEASURES,
    quality.MEASURES,
    load.MEASURES,
    queues.MEASURES,
    clients.MEASURES,
    costs.MEASURES,
    objectives.MEASURES,
):
    register(_measure)
