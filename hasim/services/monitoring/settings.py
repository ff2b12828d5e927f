"""Settings of the high-availability monitor."""

from __future__ import annotations

from typing import Annotated

from hasim.services.monitoring.rules import DEFAULT_RULES, Rule
from hasim.settings import duration, settings, share
from hasim.units import DAY, SECOND


@settings
class MonitorSettings:
    """The objective, and how alerts behave."""

    objective: Annotated[
        float, share("The share of time in which every partition shall be up (SLA).")
    ] = 0.9999
    period_ns: Annotated[
        int,
        duration("The period that the objective and its error budget are stated for.", above=0),
    ] = 30 * DAY
    hold_ns: Annotated[
        int,
        duration(
            "An alert is resolved only after its condition has been clear this long, so that "
            "flapping raises one alert.",
            source="Prometheus keep_firing_for",
        ),
    ] = 10 * SECOND
    evaluation_ns: Annotated[
        int,
        duration(
            "Conditions are looked at so often, from the start on. 0s: at the very moment at "
            "which they change.",
            source="Prometheus evaluation_interval (15s in the example of its first steps)",
        ),
    ] = 0
    alerts: tuple[Rule, ...] = DEFAULT_RULES
    """What is alerted of: these rules and no others."""
