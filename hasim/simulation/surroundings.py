"""What all tiers of a world share."""

from __future__ import annotations

from dataclasses import dataclass

from hasim.journal import Journal
from hasim.simulation.changes import Changes
from hasim.simulation.clock import Clock
from hasim.simulation.masters.traps import Traps
from hasim.simulation.network import Network
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import WorldSettings


@dataclass(frozen=True)
class Surroundings:
    """What all tiers of a world share."""

    settings: WorldSettings
    recorded: Recorded
    seed: int
    replication: int
    env: Clock
    journal: Journal
    changes: Changes
    traps: Traps
    network: Network
    compiled: bool
    """Whether messages run on the compiled plane."""
    keep_messages: bool
