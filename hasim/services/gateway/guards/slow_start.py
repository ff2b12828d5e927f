"""Slow start: a master that is back gets its share of the messages little by little."""

from __future__ import annotations

from typing import Annotated

from hasim.services.gateway.guards.guard import Guard
from hasim.settings import duration, factor, settings, share
from hasim.units import SECOND


@settings
class SlowStartSettings:
    """After its return a master's weight grows from `least` to the whole within `window`."""

    window_ns: Annotated[
        int,
        duration("Time until it has its whole weight.", source="AWS ALB allows 30-900 s", above=0),
    ] = 30 * SECOND
    least: Annotated[
        float,
        share("Share of its weight that it has at least.", source="Envoy min_weight_percent 10 %"),
    ] = 0.1
    aggression: Annotated[
        float,
        factor(
            "Form of the growth: the share is (time / window)^(1 / aggression); above 1 it rises "
            "faster at first.",
            source="Envoy aggression 1.0",
        ),
    ] = 1.0


def ramp(rules: SlowStartSettings, guard: Guard, now: int) -> float:
    """The share of its weight that a master has at `now` (nanoseconds): `least` to 1.

    max(least, (max(t, 1 s) / window)^(1 / aggression)), as in Envoy; 1 for a master that
    was never away.
    """
    if guard.back_ns < 0:
        return 1.0
    elapsed_ns = max(now - guard.back_ns, 1_000_000_000)
    if elapsed_ns >= rules.window_ns:
        return 1.0
    grown: float = (elapsed_ns / rules.window_ns) ** (1.0 / rules.aggression)
    return max(rules.least, grown)


def ramping(rules: SlowStartSettings, guard: Guard, now: int) -> bool:
    """Whether a master has less than its whole weight."""
    return guard.back_ns >= 0 and max(now - guard.back_ns, 1_000_000_000) < rules.window_ns
