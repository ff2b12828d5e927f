"""What really happens, on its way into the journal."""

from __future__ import annotations

from hasim.journal import Journal
from hasim.simulation.clock import Clock
from hasim.truth import Truth


class Recorder:
    """Writes truths into a journal, with the time at which they are told."""

    def __init__(self, env: Clock, journal: Journal) -> None:
        self._env = env
        self._journal = journal

    def record(self, body: Truth) -> None:
        """Journal a truth, now."""
        self._journal.add(self._env.now, "truth", body)
