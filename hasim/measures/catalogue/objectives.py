"""What an objective is stated of: uptime of any kind, user-uptime, time between failures."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hasim.measures.catalogue import totals
from hasim.measures.catalogue.definition import Measure
from hasim.measures.catalogue.estimators import DurationMean, Mean, Rate, Ratio, Share
from hasim.measures.users import user_uptime, windowed

if TYPE_CHECKING:
    from hasim.measures.measured import Measured

HAUER = "Hauer et al., Meaningful Availability, NSDI 2020"
WINDOWS = {"1m": 1, "5m": 5, "1h": 60, "1d": 1440}
"""The windows of user-uptime, in minutes, by name."""
_USERS = (
    "Users are the keys of the messages (`traffic.keys`); without keys there are none. A user has "
    "the service from a message that is answered in time to the next that is not, and is inactive "
    "after `traffic.keys.active` without any."
)


def up_s(run: Measured) -> float:
    """Seconds in which the service was up."""
    return run.horizon_s - run.service.down_s


def enough(run: Measured) -> float | None:
    """The share of time in which each tier had as many masters at work as it needs."""
    return None if run.k_of_n is None else 1.0 - run.k_of_n.down_s / run.horizon_s


def _worst(minutes: int, run: Measured) -> float | None:
    return windowed(run.users, minutes, run.horizon_s)


def _user_uptimes() -> Iterator[Measure]:
    yield Measure(
        name="user_uptime",
        title="user uptime",
        unit="ratio",
        meaning="Share of the time in which users are active that they have the service.",
        estimator=Mean(lambda run: user_uptime(run.users)),
        block="service",
        better="more",
        rests_on="messages",
        detail=_USERS,
        source=HAUER,
    )
    for name, minutes in WINDOWS.items():
        yield Measure(
            name=f"user_uptime.worst_{name}",
            title=f"user uptime worst {name}",
            unit="ratio",
            meaning="The least user-uptime of any window of the run.",
            statistic=f"windows of {name}",
            estimator=Mean(functools.partial(_worst, minutes)),
            block="service",
            better="more",
            rests_on="messages",
            detail="Windowed user-uptime; windows begin with each minute.",
            source=HAUER,
        )


MEASURES = (
    Measure(
        name="uptime.any",
        title="uptime any",
        unit="ratio",
        meaning="Share of time in which at least one partition is up.",
        estimator=Mean(lambda run: run.service.uptime_any),
        block="service",
        better="more",
        detail="Of tiers in series: of each of them. Of a tier without state: as `uptime`.",
    ),
    Measure(
        name="uptime.k_of_n",
        title="uptime k of n",
        unit="ratio",
        meaning="Share of time in which as many masters serve as are needed.",
        estimator=Mean(enough),
        block="service",
        better="more",
        detail="As many as `needed` says (of each tier), one by default. A master serves that is "
        "well, is not held for failed, and is neither absent nor in maintenance.",
    ),
    *_user_uptimes(),
    Measure(
        name="mtbf",
        title="MTBF",
        unit="s",
        meaning="Time up between two outages of the service, on average.",
        estimator=Ratio(up_s, lambda run: run.service.outages),
        block="service",
        better="more",
        detail="Time up over the number of times that any partition went down.",
    ),
    Measure(
        name="mttr",
        title="MTTR",
        unit="s",
        meaning="Length of an outage of the service, on average.",
        estimator=Ratio(lambda run: run.service.down_s, lambda run: run.service.outages),
        block="service",
        better="less",
        detail="Of the service as a whole, for whatever reason; `outage.mean` is by incident. "
        "uptime = mtbf / (mtbf + mttr).",
    ),
    Measure(
        name="mttd",
        title="MTTD",
        unit="s",
        meaning="Start of an incident to the declaration, on average.",
        estimator=DurationMean(totals.detections),
        block="detection",
        better="less",
        rests_on="incidents",
        detail="The same number as `detection_time.mean`, under the name that operators use.",
    ),
    Measure(
        name="faults.paged",
        title="faults paged",
        unit="ratio",
        meaning="Share of the impairing faults that paged somebody.",
        estimator=Share(
            lambda run: sum(row.impairing and row.pages > 0 for row in run.faults),
            lambda run: sum(row.impairing for row in run.faults),
        ),
        block="service",
        better="more",
        rests_on="incidents",
        detail="A page is an alert that became critical: while the fault lasted, or its outage, or "
        "as long after it as the alert may lag (`result.faults`).",
    ),
    Measure(
        name="pages.needless",
        title="pages needless",
        unit="per_year",
        meaning="Pages without any fault behind them, per year of the whole scenario.",
        estimator=Rate(lambda run: run.needless_pages, totals.years),
        block="service",
        better="less",
    ),
)
