"""Cells whose outages and needless failovers are known: a source without simulations."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

HORIZON_S = 3600.0
HOURS_A_YEAR = 365.25 * 24


class Lognormal:
    """Incidents in each replication of an hour that last `scale` times a lognormal time.

    `rates` are needless failovers an hour. Incidents are the same ones in all cells (`paired`), or
    drawn anew for each.
    """

    def __init__(
        self,
        scales: Sequence[float],
        rates: Sequence[float],
        *,
        seed: int = 1,
        incidents: int = 10,
        paired: bool = True,
    ) -> None:
        self.scales, self.rates, self.seed = scales, rates, seed
        self.incidents, self.paired = incidents, paired
        self.asked: list[tuple[tuple[int, ...], int]] = []
        self._runs: dict[int, list[Any]] = {}

    def take(self, cells: Sequence[int], replications: int) -> None:
        self.asked.append((tuple(cells), replications))
        for cell in cells:
            runs = self._runs.setdefault(cell, [])
            runs += (self._run(cell, number) for number in range(len(runs), replications))

    def runs(self, cell: int, replications: int) -> list[Any]:
        return self._runs[cell][:replications]

    def _run(self, cell: int, number: int) -> Any:
        own = () if self.paired else (cell,)
        chance = np.random.default_rng((self.seed, number, *own))
        times = self.scales[cell] * np.exp(0.5 * chance.standard_normal(self.incidents))
        needless = np.random.default_rng((self.seed, number, cell, 7)).poisson(self.rates[cell])
        return SimpleNamespace(
            replication=number,
            horizon_s=HORIZON_S,
            incidents=[SimpleNamespace(outage_s=t, outage_censored_s=None) for t in times.tolist()],
            failovers=[SimpleNamespace(needless=True)] * int(needless),
        )
