"""What the services' own doings cost: changes of routing, keys that move, probes, split brain."""

from __future__ import annotations

from hasim.measures.catalogue import totals
from hasim.measures.catalogue.definition import COMPARED, Measure
from hasim.measures.catalogue.estimators import Mean, Ratio

_KEYS = (
    "Keys are sessions, seen at a gateway before the change: with `traffic.keys`, for ring hash, "
    "Maglev and sticky."
)

MEASURES = (
    Measure(
        name="switches_per_min",
        title="switches/min",
        unit="count",
        meaning="Changes of the routing per minute.",
        estimator=Mean(lambda run: run.balance.switches_per_min),
        block="service",
        better="less",
        neutral=True,
    ),
    Measure(
        name="churn",
        title="keys moved",
        unit="ratio",
        meaning="Keys whose master a change of routing changed, of those seen before.",
        estimator=Ratio(totals.keys_moved, totals.keys),
        block="service",
        better="less",
        detail=_KEYS,
    ),
    Measure(
        name="churn.needless",
        title="keys moved needless",
        unit="ratio",
        meaning="Keys moved between masters that were there before and after.",
        estimator=Ratio(totals.keys_moved_needlessly, totals.keys),
        block="service",
        better="less",
    ),
    Measure(
        name="churn.ideal",
        title="keys moved ideal",
        unit="ratio",
        meaning="Keys that had to move: 1/N for one of N equal masters.",
        estimator=Ratio(totals.keys_to_move, totals.keys),
        block="service",
        better="less",
        neutral=True,
    ),
    Measure(
        name="probes",
        title="probes",
        unit="count",
        meaning="Probes sent per second.",
        estimator=Mean(lambda run: run.load.probes_per_s),
        block="service",
        better="less",
        neutral=True,
        rests_on="messages",
    ),
    Measure(
        name="check_bytes",
        title="check bytes",
        unit="count",
        meaning="Bytes of probes, heartbeats and gossip per second, as the observer sees them.",
        estimator=Mean(lambda run: run.load.check_bytes_per_s),
        block="service",
        better="less",
        neutral=True,
        rests_on="messages",
        detail="Of IPv4 packets: nine of TCP for a probe of HTTP, a datagram for a heartbeat or a "
        "packet of gossip.",
    ),
    Measure(
        name="dual_primary",
        title="dual primary",
        unit="s",
        meaning="Time with two masters that accept writes of one partition.",
        estimator=Mean(lambda run: run.service.dual_primary_s),
        block="failover",
        better="less",
        views=COMPARED,
    ),
)
