"""Streams of heartbeats and checks over a network, drawn without a world around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hasim.model import Cause
from hasim.scenario.traces.heard import Heard
from hasim.simulation.network import Network, master_endpoint, observer_endpoint
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import WorldSettings
from hasim.simulation.settings.places import place_named, place_of
from hasim.simulation.streams import generator

Ints = NDArray[np.int64]
LOST = -1


@dataclass(frozen=True)
class Crossings:
    """How long each of some packets took from a master to its observer, and back (-1: lost)."""

    there_ns: Ints
    back_ns: Ints


Draw = Callable[[int, Ints], Crossings]
"""The crossings of a replication, for packets that are sent at these times."""


def of_scenario(settings: WorldSettings, recorded: Recorded, seed: int, master: str) -> Draw:
    """Crossings between a master of a scenario and its observer: latency, jitter, loss, bursts.

    Faults are no part of it.
    """
    place = next(place_of(m) for m in settings.all_masters if m.id == master)
    tier = next(t for t in settings.chain if any(m.id == master for m in t.masters))
    here = tier.observer.region or tier.masters[0].region
    ends = master_endpoint(master), observer_endpoint("observer")
    places = {ends[0]: place, ends[1]: place_named(here)}

    def draw(replication: int, sent_ns: Ints) -> Crossings:
        network = Network(settings.network, recorded, places, seed=seed, replication=replication)
        ways = []
        for source, destination in (ends, ends[::-1]):
            link = network.links[source, destination]
            taken = link.look_ahead(len(sent_ns))
            ways.append(np.where(link.lost_in_bursts(sent_ns), LOST, taken))
        return Crossings(*ways)

    return draw


def of_recording(rtt_ns: Ints, seed: int) -> Draw:
    """Crossings that take half of recorded round-trip times (-1: lost), in their order.

    Each replication begins at a random place of the recording; after its end it goes on from its
    beginning.
    """

    def draw(replication: int, sent_ns: Ints) -> Crossings:
        first = int(generator(seed, replication, "rtt").integers(len(rtt_ns)))
        taken = rtt_ns[(first + np.arange(len(sent_ns))) % len(rtt_ns)]
        half = np.where(taken < 0, LOST, taken // 2)
        return Crossings(half, np.where(taken < 0, LOST, taken - half))

    return draw


def heartbeats(crossings: Crossings, sent_ns: Ints) -> list[Heard]:
    """What is heard of heartbeats that are numbered from 1 on; those overtaken are left out."""
    arrived = np.flatnonzero(crossings.there_ns >= 0)
    at = sent_ns[arrived] + crossings.there_ns[arrived]
    order = np.argsort(at, kind="stable")
    numbers = arrived[order] + 1
    newest = numbers == np.maximum.accumulate(numbers)
    times, kept = at[order][newest].tolist(), numbers[newest].tolist()
    took = crossings.there_ns[arrived][order][newest].tolist()
    return [
        Heard(t, n, took_ns, Cause.OK, "heartbeat")
        for t, n, took_ns in zip(times, kept, took, strict=True)
    ]


def checks(crossings: Crossings, sent_ns: Ints, timeout_ns: int) -> list[Heard]:
    """How checks end that are sent at these times and time out so long after."""
    whole = crossings.there_ns + crossings.back_ns
    passed = (crossings.there_ns >= 0) & (crossings.back_ns >= 0) & (whole <= timeout_ns)
    took = np.where(passed, whole, timeout_ns)
    ended = zip((sent_ns + took).tolist(), took.tolist(), passed.tolist(), strict=True)
    return [
        Heard(t, number, took_ns, Cause.OK if good else Cause.TIMEOUT, "check")
        for number, (t, took_ns, good) in enumerate(ended, 1)
    ]
