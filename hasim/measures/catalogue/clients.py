"""What clients add to an outage by themselves, and what is kept from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hasim.measures.catalogue.definition import Measure, Unit
from hasim.measures.catalogue.estimators import Mean, Ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from hasim.measures.catalogue.estimators import Estimator
    from hasim.measures.clients import FollowRow


def _clients(
    name: str,
    title: str,
    meaning: str,
    estimator: Estimator,
    unit: Unit,
    detail: str = "",
    statistic: str | None = None,
) -> Measure:
    return Measure(
        name=name,
        title=title,
        unit=unit,
        meaning=meaning,
        estimator=estimator,
        block="service",
        better="less",
        neutral=True,
        rests_on="messages",
        statistic=name.partition(".")[2] if statistic is None else statistic,
        detail=detail,
    )


def _most(values: list[float]) -> float | None:
    """The greatest of the values above zero."""
    return max((value for value in values if value > 0.0), default=None)


def _kept(name: str, title: str, meaning: str, part: Callable[[FollowRow], float]) -> Measure:
    """A part of the time from a change of routing until a client followed: the mean of all."""
    return _clients(
        f"follow.{name}",
        f"clients follow {title}",
        meaning,
        Ratio(
            lambda run: sum(part(row) for row in run.followed),
            lambda run: sum(row.clients for row in run.followed),
        ),
        "s",
        "A part of follow.mean, which is the sum of follow.name, .pool, .stay and .pause.",
        statistic="mean",
    )


MEASURES = (
    _clients(
        "retries_cut",
        "retries cut",
        "Retries that a budget, or the limit of retries under way, did not allow, in a run.",
        Mean(lambda run: float(sum(row.retries_cut for row in run.clients))),
        "count",
        "Without traffic.retry.budget and most_active there are none.",
    ),
    _clients(
        "follow.mean",
        "clients follow mean",
        "Change of routing to a client's first message elsewhere.",
        Ratio(
            lambda run: sum(row.total_s for row in run.followed),
            lambda run: sum(row.clients for row in run.followed),
        ),
        "s",
        "What names and connections that clients keep add to an outage, after `redirect`; with "
        "traffic.clients.",
    ),
    _kept(
        "name",
        "by name",
        "Change of routing until a client's name stands for the old master no more.",
        lambda row: row.name_s,
    ),
    _kept(
        "pool",
        "by pool",
        "Then, until its connection to the old master is as old as it may become.",
        lambda row: row.pool_s,
    ),
    _kept(
        "stay",
        "by staying",
        "Then, until its connection to the old master breaks by an error.",
        lambda row: row.stay_s,
    ),
    _kept(
        "pause",
        "by pause",
        "Then, until it has something to send.",
        lambda row: row.pause_s,
    ),
    _clients(
        "follow.most",
        "clients follow most",
        "Change of routing to a client's first message elsewhere.",
        Mean(lambda run: _most([row.most_s for row in run.followed])),
        "s",
        "The longest of a run.",
    ),
    _clients(
        "held.mean",
        "held mean",
        "Time for which gateways held messages that nobody might take.",
        Ratio(
            lambda run: sum(row.held_s for row in run.held),
            lambda run: sum(row.attempts for row in run.held),
        ),
        "s",
        "Of those that were sent in the end; with traffic.hold.",
    ),
    _clients(
        "held.most",
        "held most",
        "Time for which gateways held messages that nobody might take.",
        Mean(lambda run: _most([row.most_s for row in run.held])),
        "s",
        "The longest of a run.",
    ),
)
