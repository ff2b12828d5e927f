"""What clients add to an outage by themselves, and what is kept from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hasim.measures.catalogue.definition import Measure, Unit
from hasim.measures.catalogue.estimators import Mean, Ratio

if TYPE_CHECKING:
    from hasim.measures.catalogue.estimators import Estimator


def _clients(
    name: str, title: str, meaning: str, estimator: Estimator, unit: Unit, detail: str = ""
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
        statistic=name.partition(".")[2],
        detail=detail,
    )


def _most(values: list[float]) -> float | None:
    """The greatest of the values above zero."""
    return max((value for value in values if value > 0.0), default=None)


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
            lambda run: sum(row.follow_s for row in run.clients),
            lambda run: sum(row.follows for row in run.clients),
        ),
        "s",
        "What names and connections that clients keep add to an outage, after `redirect`; with "
        "traffic.clients. By a name alone it is uniform between nothing and its TTL.",
    ),
    _clients(
        "follow.most",
        "clients follow most",
        "Change of routing to a client's first message elsewhere.",
        Mean(lambda run: _most([row.follow_most_s for row in run.clients])),
        "s",
        "The longest of a run.",
    ),
    _clients(
        "held.mean",
        "held mean",
        "Time for which gateways held messages that nobody might take.",
        Ratio(
            lambda run: sum(row.held_s for row in run.clients),
            lambda run: sum(row.held for row in run.clients),
        ),
        "s",
        "Of those that were sent in the end; with traffic.hold.",
    ),
    _clients(
        "held.most",
        "held most",
        "Time for which gateways held messages that nobody might take.",
        Mean(lambda run: _most([row.held_most_s for row in run.clients])),
        "s",
        "The longest of a run.",
    ),
)
