"""What a data plane does for the rest of a world: compiled and reference plane alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from hasim.model import Cause
from hasim.simulation.clients.delays import Delays
from hasim.simulation.clients.results import Counts, Results
from hasim.truth import BlockSketch, LoadBlock, UserMinute

Rollup = LoadBlock | BlockSketch | UserMinute


class DataPlane(Protocol):
    """Runs all messages of a replication, and knows how each of them ended."""

    @property
    def attempt_causes(self) -> dict[tuple[str, Cause], int]:
        """Attempts by master and how they ended."""
        ...

    @property
    def retries_cut(self) -> tuple[int, ...]:
        """Retries that the budget of each gateway did not allow."""
        ...

    def delays(self) -> Delays:
        """How long clients took to follow the routing, and messages were held that were sent."""
        ...

    def run(self, until: int) -> None:
        """Run the world up to (and without) `until` nanoseconds."""
        ...

    def changed(self) -> None:
        """Routing, links, masters' conditions or roles are not what they were."""
        ...

    def rerouted(self) -> None:
        """A gateway uses another routing table."""
        ...

    def settle(self) -> None:
        """Hand the acknowledged writes up to now to the state of the partitions."""
        ...

    def sent_and_lost(self) -> tuple[tuple[int, ...], int]:
        """Attempts sent to each master so far, and messages that ended without an answer."""
        ...

    def counts(self) -> Counts:
        """The messages, counted."""
        ...

    def rollups(self) -> Iterator[Rollup]:
        """The messages by block, if a warm-up is to be left out; the users' time, if there are."""
        ...

    def results(self) -> Results:
        """Every message by itself; only if they were to be kept."""
        ...
