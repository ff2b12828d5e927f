"""What an incident costs: how long it takes to be found, to be moved away from, to be over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hasim.measures.catalogue import totals
from hasim.measures.catalogue.definition import (
    COMPARED,
    DRAWN,
    FIRST,
    QUANTILES,
    TABLE,
    Block,
    Events,
    Measure,
    View,
)
from hasim.measures.catalogue.estimators import (
    DurationMean,
    DurationQuantile,
    Durations,
    Mean,
    Rate,
    Ratio,
    Share,
)


def _durations(
    family: str,
    title: str,
    meaning: str,
    durations: Durations,
    *,
    block: Block,
    views: Mapping[str, frozenset[View]],
    rests_on: Events = "incidents",
    detail: str = "",
) -> Iterator[Measure]:
    """Mean and quantiles of durations that may be censored; those that `views` names."""
    for statistic, shown in views.items():
        yield Measure(
            name=f"{family}.{statistic}",
            title=f"{title} {statistic}",
            unit="s",
            meaning=meaning,
            statistic=statistic,
            estimator=DurationMean(durations)
            if statistic == "mean"
            else DurationQuantile(durations, QUANTILES[statistic]),
            block=block,
            better="less",
            rests_on=rests_on,
            views=shown,
            detail=detail,
        )


MEASURES = (
    *_durations(
        "detection_time",
        "detection",
        "Start of an incident to the declaration.",
        totals.detections,
        block="detection",
        views={"mean": COMPARED, "p50": FIRST, "p95": DRAWN, "p99": TABLE},
        detail="An incident that was never declared is censored (Kaplan-Meier), never dropped; in "
        "differences both means are restricted to the time that is known.",
    ),
    Measure(
        name="detected",
        title="detected",
        unit="ratio",
        meaning="Share of incidents that were declared before their cure.",
        estimator=Share(totals.with_outcome("detected"), totals.counted),
        block="detection",
        better="more",
        rests_on="incidents",
        views=TABLE | COMPARED,
    ),
    Measure(
        name="late",
        title="late",
        unit="ratio",
        meaning="Share of incidents that were declared just after their cure.",
        estimator=Share(totals.with_outcome("late"), totals.counted),
        block="detection",
        better="less",
        rests_on="incidents",
    ),
    *_durations(
        "failover_time",
        "failover",
        "Declaration to the last affected partition up again.",
        totals.failovers,
        block="failover",
        rests_on="failovers",
        views={"mean": COMPARED, "p50": DRAWN, "p95": DRAWN, "p99": TABLE},
    ),
    *_durations(
        "outage",
        "outage",
        "Time without service from the fault until it is restored.",
        totals.outages,
        block="failover",
        views={"mean": TABLE | COMPARED} | dict.fromkeys(("p50", "p95", "p99"), frozenset()),
        detail="The achieved recovery time (RTO); good time in between is not counted.",
    ),
    *_durations(
        "first_ok",
        "first answer",
        "Fault to the first message answered again, of those served since by whoever serves again.",
        totals.first_answers,
        block="failover",
        views=dict.fromkeys(("p50", "p95", "p99"), frozenset()),
    ),
    *_durations(
        "recovery_time",
        "recovery",
        "Failed master well again to its declaration as healthy.",
        totals.recoveries,
        block="detection",
        views=dict.fromkeys(("mean", "p50", "p95", "p99"), frozenset()),
        detail="The time to healthy. Well again: cured, and back from the power-off of a failover. "
        "Of masters that were declared failed.",
    ),
    *_durations(
        "degraded",
        "degraded",
        "Fault until its master is well and counts as healthy.",
        totals.degradations,
        block="failover",
        views=dict.fromkeys(("mean", "p50", "p95", "p99"), frozenset()),
        detail="How long redundancy is less than it was. Repair and restart are in it.",
    ),
    Measure(
        name="outage.longest",
        title="outage longest",
        unit="s",
        meaning="The longest outage of the service in a run.",
        estimator=Mean(totals.longest_outage_s),
        block="failover",
        better="less",
        rests_on="incidents",
        detail="Of the service as a whole, for whatever reason; it grows with the horizon.",
    ),
    Measure(
        name="errors_per_fault",
        title="errors per fault",
        unit="count",
        meaning="Messages not answered by their deadline, per incident.",
        estimator=Ratio(totals.unanswered, lambda run: len(run.incidents)),
        block="failover",
        better="less",
        rests_on="incidents",
        detail="All of them, also those of no incident.",
    ),
    Measure(
        name="failovers.needless",
        title="failovers needless",
        unit="per_year",
        meaning="Failovers that were of no use, per year of the whole scenario.",
        estimator=Rate(totals.needless_failovers, totals.years),
        block="failover",
        better="less",
        rests_on="failovers",
        detail="A healthy master was declared, or the fault was cured so early that detection "
        "would have taken the master back before the failover had service restored. Of masters "
        "that own something; a failover that was called off before it moved anything is none.",
    ),
    Measure(
        name="failovers.mistaken",
        title="failovers mistaken",
        unit="per_year",
        meaning="Failovers begun by the declaration of a healthy master, per year of the whole "
        "scenario.",
        estimator=Rate(totals.mistaken_failovers, totals.years),
        block="failover",
        better="less",
        rests_on="failovers",
        detail="They rest on the noise that the scenario states: loss, its bursts, stalls.",
    ),
)
