"""What the service is worth: uptime, success, mistakes, lost writes."""

from __future__ import annotations

from hasim.measures.catalogue import totals
from hasim.measures.catalogue.definition import COMPARED, DRAWN, FIRST, Measure
from hasim.measures.catalogue.estimators import Mean, ProjectedUptime, Rate, Ratio

CHEN = "Chen, Toueg, Aguilera, IEEE Transactions on Computers 51(5), 2002"

MEASURES = (
    Measure(
        name="uptime",
        title="uptime",
        unit="ratio",
        meaning="Share of time in which every partition is up.",
        detail="Of a tier without state: in which it serves, as `uptime.stateless` says.",
        estimator=Mean(lambda run: run.service.uptime),
        block="service",
        better="more",
        views=FIRST | COMPARED,
    ),
    Measure(
        name="uptime.mean",
        title="uptime mean",
        unit="ratio",
        meaning="Share of time in which a partition is up, mean of the partitions.",
        estimator=Mean(lambda run: run.service.uptime_mean),
        block="service",
        better="more",
        views=COMPARED,
    ),
    Measure(
        name="uptime.stateless",
        title="uptime stateless",
        unit="ratio",
        meaning="Share of time in which stateless messages are served.",
        detail="There is a master that works and that gateways may choose: one that works again "
        "and was not yet taken back by detection is none.",
        estimator=Mean(lambda run: run.service.uptime_stateless),
        block="service",
        better="more",
        views=COMPARED,
    ),
    Measure(
        name="uptime.renewal_reward",
        title="uptime renewal reward",
        unit="ratio",
        meaning="Uptime projected to the stated time between failures.",
        estimator=ProjectedUptime(),
        block="service",
        better="more",
        detail="Needs a `projection:` with the MTBF of a master.",
    ),
    Measure(
        name="success",
        title="success",
        unit="ratio",
        meaning="Messages answered by their deadline, of those offered.",
        estimator=Ratio(totals.in_time, totals.settled),
        block="service",
        better="more",
        rests_on="messages",
        views=DRAWN | COMPARED,
    ),
    Measure(
        name="mistakes",
        title="mistakes",
        unit="per_hour",
        meaning="Declarations of a healthy master, per master and hour.",
        estimator=Rate(totals.mistakes, totals.healthy_h),
        block="detection",
        better="less",
        rests_on="mistakes",
        views=COMPARED,
        source=CHEN,
    ),
    Measure(
        name="query_accuracy",
        title="query accuracy",
        unit="ratio",
        meaning="Probability that a healthy master is not declared failed.",
        estimator=Ratio(totals.trusted_h, totals.healthy_h),
        block="detection",
        better="more",
        rests_on="mistakes",
        source=CHEN,
    ),
    Measure(
        name="rpo.writes",
        title="RPO writes",
        unit="count",
        meaning="Acknowledged writes lost.",
        estimator=Ratio(totals.writes_lost, totals.promotions),
        block="failover",
        better="less",
        rests_on="failovers",
        views=COMPARED,
        detail="Per failover that promoted a backup.",
    ),
)
