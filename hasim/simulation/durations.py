"""How long something takes each time, by a law, for each of several masters."""

from __future__ import annotations

from collections.abc import Iterable

from hasim.simulation.laws import Constant, Law
from hasim.simulation.streams import Stream


class Durations:
    """Durations by a law; each master has a stream of its own.

    What one of them needs does not shift the others' luck, and nothing is drawn for a constant.
    """

    def __init__(
        self, law: Law, concern: str, masters: Iterable[str], *, seed: int, replication: int
    ) -> None:
        self._law = law
        self._draws = {m: Stream(seed, replication, f"{concern}:{m}") for m in masters}

    def next_ns(self, master: str) -> int:
        """How long it takes this time, in nanoseconds."""
        if isinstance(self._law, Constant):
            return self._law.mean_ns
        return round(float(self._law.quantile(self._draws[master].uniforms())[0]))
