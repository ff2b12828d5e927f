"""Alert rules as data: which condition, how long it must hold, how long it stays, how severe."""

from __future__ import annotations

from typing import Annotated, Literal

from hasim.settings import Choice, duration, factor, settings, share
from hasim.units import HOUR, MINUTE

BURN_RATE = "burn-rate"
PROMETHEUS = "Prometheus alerting rules"
WORKBOOK = "Beyer et al., The Site Reliability Workbook, 2018, chapter 5"
ConditionName = Literal[
    "suspected",
    "failed",
    "failover-failed",
    "failover-waiting",
    "service-error",
    "budget-used",
]
Level = Literal["warning", "critical"]


@settings
class ConditionRule:
    """Something that the other services said, or that the error budget of the period is used up."""

    when: ConditionName
    """A master is suspected, or declared failed; a failover failed, or waits for a candidate; a
    service raised an exception; or more downtime was seen than the objective allows its period."""
    severity: Level = "critical"
    """Critical is what wakes somebody up: a page. There is one alert of each subject (a master, a
    failover, a service), as severe as the worst of its rules that fires."""
    for_ns: Annotated[
        int,
        duration(
            "The condition must have held so long before the alert is raised.", source=PROMETHEUS
        ),
    ] = 0
    keep_firing_for_ns: Annotated[
        int | None,
        duration(
            "The alert is resolved once the condition was clear so long. Nothing: `hold`.",
            source=PROMETHEUS,
        ),
    ] = None


@settings
class BurnRateRule:
    """The error budget burns too fast: over a long window, and over a short one as well.

    Of the downtime that the monitor believes in: every partition served, or it is down.
    """

    burn_rate: Annotated[
        float,
        factor(
            "So many times as fast as would just use up the budget of the period.", source=WORKBOOK
        ),
    ]
    long_ns: Annotated[
        int, duration("The long window: that it matters.", source=WORKBOOK, above=0)
    ] = HOUR
    short_ns: Annotated[
        int, duration("The short window: that it still goes on.", source=WORKBOOK, above=0)
    ] = 5 * MINUTE
    severity: Level = "critical"
    """Critical is what wakes somebody up: a page."""
    for_ns: Annotated[
        int,
        duration("Both windows must have burnt so fast so long.", source=PROMETHEUS),
    ] = 0
    keep_firing_for_ns: Annotated[
        int | None,
        duration(
            "The alert is resolved once one of them did not for so long. Nothing: `hold`.",
            source=PROMETHEUS,
        ),
    ] = None
    hysteresis: Annotated[
        float,
        share("It is clear once a window burns so much slower than `burn_rate`.", most=0.99),
    ] = 0.0


Rule = Annotated[ConditionRule | BurnRateRule, Choice(tag="")]

DEFAULT_RULES: tuple[ConditionRule | BurnRateRule, ...] = (
    ConditionRule(when="suspected", severity="warning"),
    ConditionRule(when="failed"),
    ConditionRule(when="failover-failed"),
    ConditionRule(when="failover-waiting"),
    ConditionRule(when="service-error"),
    ConditionRule(when="budget-used"),
)
"""What is alerted of unless a scenario says otherwise."""
