"""The laws of service times, those from recordings among them."""

from __future__ import annotations

import dataclasses
from typing import Any

from hasim.simulation.laws import Law, Samples
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import MasterSettings, WorldSettings
from hasim.simulation.settings.recordings import SampleFile

ServiceLaw = Law | Samples


def with_recorded_service(settings: WorldSettings, recorded: Recorded) -> WorldSettings:
    """The world in which each file of service times is replaced by what is in it."""
    if not recorded.service_ns:
        return settings
    laws: dict[int, Any] = {}
    masters = list(settings.masters)
    for number, values in recorded.service_ns.items():
        # Masters with the same file share a law, so that its demands are drawn once.
        law = laws.setdefault(id(values), Samples(values))
        masters[number] = dataclasses.replace(masters[number], service=law)
    return dataclasses.replace(settings, masters=tuple(masters))


def law_of(master: MasterSettings) -> ServiceLaw:
    """The law of a master's service times, in a world whose recordings have been read."""
    law = master.service
    assert not isinstance(law, SampleFile), "recordings are read before a world is built"
    return law
