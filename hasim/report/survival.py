"""The Kaplan-Meier estimate of the share of incidents detected by a time."""

from __future__ import annotations

from collections.abc import Iterable

Observation = tuple[float, bool]
"""(seconds, censored): detected after that time, or still undetected when it ended."""


def detected_by(observations: Iterable[Observation]) -> tuple[list[float], list[float]]:
    """Times and the estimated share detected by each, as the corners of a step function.

    It starts at (0, 0), rises at each detection, and ends at the last
    observation. An incident censored at the moment of a detection counts as
    still at risk there. Source: Kaplan and Meier, JASA 53 (1958).
    """
    ordered = sorted(observations)
    times, shares = [0.0], [0.0]
    at_risk, surviving, place = len(ordered), 1.0, 0
    while place < len(ordered):
        time = ordered[place][0]
        here = [censored for t, censored in ordered[place:] if t == time]
        detections = here.count(False)
        if detections:
            surviving *= 1 - detections / at_risk
            times.append(time)
            shares.append(1 - surviving)
        at_risk -= len(here)
        place += len(here)
    if ordered and ordered[-1][0] > times[-1]:
        times.append(ordered[-1][0])
        shares.append(shares[-1])
    return times, shares
