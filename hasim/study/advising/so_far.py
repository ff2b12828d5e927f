"""What is known when an advice is interrupted: how today's setting compares."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hasim.study.advising.candidates import Candidates, Point
from hasim.study.advising.logarithms import logarithm
from hasim.study.advising.race import bounds, log_ratio
from hasim.study.advising.simulated import Simulated
from hasim.study.advising.terms import Terms


def so_far(found: Candidates, terms: Terms, source: Simulated) -> str:
    """How today's setting compares with the best one by now, in a sentence; empty if unknown.

    Of as many replications as each of the settings has had; without regard to limits.
    """
    counts = {c: n for c in range(len(found.points)) if (n := source.known(c))}
    if found.today not in counts or len(counts) < 2:
        return ""
    count = min(counts.values())
    logs = {c: logarithm(terms.objective, source.runs(c, count)) for c in counts}
    known = {c: one for c, one in logs.items() if math.isfinite(one.value)}
    if found.today not in known or len(known) < 2:
        return ""
    best = min(known, key=lambda c: (known[c].value, c))
    tried = f"So far ({count:,} replications of each of {len(known)} settings, limits aside)"
    if best == found.today:
        return f"{tried} today's setting has the least {terms.objective}."
    value, low, high = bounds(log_ratio(known[found.today], known[best]))
    return (
        f"{tried} the least {terms.objective} is that of {_written(found.points[best])}; today's "
        f"setting has {value:.3g} times as much [{low:.3g}, {high:.3g}]."
    )


def _written(point: Point | Mapping[str, object]) -> str:
    return ", ".join(f"{path}={value}" for path, value in point.items()) or "the scenario as it is"
