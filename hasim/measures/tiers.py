"""One of several tiers in series: what it was asked, and when it was up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from hasim import sketch
from hasim.measures.availability import Availability, Downtime
from hasim.measures.load import Latencies, MessageRow
from hasim.units import SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRow(Downtime):
    """One tier by itself; the requests of the first are the messages of clients.

    `uptime` is the share of time in which it was up: every partition, or a tier without state as
    a whole. `success` is the share of the requests whose deadline lies within the run that were
    answered by it, `p50_s` and `p99_s` are quantiles of the latency of answered ones, all that
    the tiers behind take included; None without any.
    """

    tier: str
    uptime: float
    failovers: int
    requests: int
    success: float | None
    attempts: float | None
    p50_s: float | None
    p99_s: float | None


def tier_row(
    name: str,
    service: Availability,
    failovers: int,
    messages: Sequence[MessageRow],
    latencies: Sequence[Latencies],
) -> TierRow:
    """The row of a tier, from what it is measured as by itself."""
    settled = [row for row in messages if row.settled]
    requests = sum(row.messages for row in messages)
    in_time, of = sum(row.in_time for row in settled), sum(row.messages for row in settled)
    cells = sketch.merge([one.cells for one in latencies])
    down = {item.name: getattr(service, item.name) for item in fields(Downtime)}
    return TierRow(
        **down,
        tier=name,
        uptime=service.uptime,
        failovers=failovers,
        requests=requests,
        success=in_time / of if of else None,
        attempts=sum(row.attempts for row in messages) / requests if requests else None,
        p50_s=_quantile(cells, 0.50),
        p99_s=_quantile(cells, 0.99),
    )


def _quantile(cells: sketch.Cells, p: float) -> float | None:
    value = sketch.quantile(cells, p)
    return None if value is None else value / SECOND
