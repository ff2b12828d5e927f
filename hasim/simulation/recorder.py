"""What really happens, on its way into the journal."""

from __future__ import annotations

from hasim.journal import Journal
from hasim.simulation.clock import Clock
from hasim.truth import Truth


class Recorder:
    """Writes truths into a journal, with the time at which they are told.

    `tier` is the name of the one that they are about, if there are several.
    """

    def __init__(self, env: Clock, journal: Journal, tier: str = "") -> None:
        self._env = env
        self._journal = journal
        self._tier = tier

    def record(self, body: Truth) -> None:
        """Journal a truth, now."""
        self._journal.add(self._env.now, "truth", body, self._tier)
