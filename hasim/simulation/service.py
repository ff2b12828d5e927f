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

    def read(masters: tuple[MasterSettings, ...], first: int = 0) -> tuple[MasterSettings, ...]:
        found = []
        for number, master in enumerate(masters, first):
            values = recorded.service_ns.get(number)
            if values is None:
                found.append(master)
            else:
                # Masters with the same file share a law, so that its demands are drawn once.
                law = laws.setdefault(id(values), Samples(values))
                found.append(dataclasses.replace(master, service=law))
        return tuple(found)

    tiers, first = [], 0
    for tier in settings.tiers:
        tiers.append(dataclasses.replace(tier, masters=read(tier.masters, first)))
        first += len(tier.masters)
    return dataclasses.replace(settings, masters=read(settings.masters), tiers=tuple(tiers))


def law_of(master: MasterSettings) -> ServiceLaw:
    """The law of a master's service times, in a world whose recordings have been read."""
    law = master.service
    assert not isinstance(law, SampleFile), "recordings are read before a world is built"
    return law
