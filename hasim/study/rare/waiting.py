"""What faults make clients wait for beside the downtime: names and connections that they keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from hasim.study.estimates.statistics import LEVEL, Interval
from hasim.study.rare.combine import product, total
from hasim.study.rare.estimate import ALL, Kind, Run, costs_of

KEPT = ("name", "pool", "stay", "pause")
"""What keeps a client at the old master after a change of routing, one after the other; see
`hasim.measures.clients.FollowRow`."""


def waiting(
    kinds: Sequence[Kind], singles: Mapping[str, Sequence[Run]], level: float = LEVEL
) -> dict[str, Interval]:
    """Clients that are kept at the wrong master, on average over time: by `KEPT`, and `ALL`.

    From the runs with one fault of each kind, as `estimate`: renewal-reward. What several faults at
    a time add is left out. Empty if no client had to follow.
    """
    nobody = np.zeros(len(KEPT) + 1)
    parts = []
    for kind in kinds:
        runs = [
            replace(run, down_s=run.followed_s or (0.0,) * len(KEPT), open_end=False)
            for run in singles[kind.name]
        ]
        costs = costs_of(runs, nobody, level)
        parts.append([product(kind.intensity, cost) for cost in costs])
    sums = [total(column) for column in zip(*parts, strict=True)]
    return dict(zip((*KEPT, ALL), sums, strict=True)) if sums[-1].value else {}
