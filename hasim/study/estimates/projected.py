"""Uptime in the long run, from runs in which faults are frequent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hasim.measures import Measured
from hasim.study.estimates.statistics import (
    Floats,
    Interval,
    jackknife_interval,
    renewal_reward,
    unknown,
)


def projected_uptime(runs: Sequence[Measured], mtbf_s: float, level: float) -> Interval:
    """Uptime in the long run, if each master fails once in `mtbf_s` on average.

    The masters fail independently, so that the service, which is up when every
    partition is, meets a failure once in `mtbf_s` over the number of masters.
    The mean downtime of a fault, fences and retries included, from runs in which
    faults are frequent, weighed with how rare they are (renewal reward). Downtime
    by mistakes needs no fault: it keeps the share of time that it had in the runs.
    If a run ends while a partition is down, its downtime is not known to the end,
    and there is no lower bound.
    """
    sums = [
        (
            run.service.down_s - run.service.mistaken_s,
            # A fault that strikes several masters at once is one failure.
            len({incident.fault for incident in run.incidents}),
            run.service.mistaken_s,
            run.horizon_s,
        )
        for run in runs
    ]

    # Runs in which nothing happened tell nothing of what a fault costs, only of how rarely
    # there is a mistake: they are no observations, but their time counts.
    some = [row for row in sums if any(row[:3])]
    calm_s = sum(span_s for *counts, span_s in sums if not any(counts))
    mtbf_of_any_s = mtbf_s / len(runs[0].masters)

    def uptime(total: Floats) -> Floats:
        by_fault = renewal_reward(total[..., 0] / total[..., 1], mtbf_of_any_s)
        return (1 - np.asarray(by_fault)) * (1 - total[..., 2] / (total[..., 3] + calm_s))

    if not some:
        return unknown(0, "renewal reward, jackknife t")
    faults = np.array([float(n) for _, n, _, _ in some])
    weights = faults if faults.any() else None
    found = jackknife_interval(some, uptime, level, weights=weights)
    open_end = any(run.service.down_at_end for run in runs)
    low = -math.inf if open_end else found.low
    method = "renewal reward, jackknife t"
    return replace(found, low=low, n=int(faults.sum()), method=method)
