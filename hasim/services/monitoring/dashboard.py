"""The monitor's picture as plain data: what a dashboard shows."""

from __future__ import annotations

from typing import Any

from hasim.model import Cluster
from hasim.services.monitoring.alerts import ActiveAlert, AlertBook
from hasim.services.monitoring.beliefs import Beliefs
from hasim.services.monitoring.settings import MonitorSettings
from hasim.services.monitoring.traffic import TrafficBook
from hasim.services.monitoring.uptime import UptimeBook
from hasim.units import seconds


def sla_compliance(now: int, settings: MonitorSettings, uptime: UptimeBook) -> dict[str, Any]:
    """The objective beside what was observed; times in seconds, shares as ratios.

    `uptime` counts from the start, `period_uptime` and `used_s` from the start of
    the present period. `remaining_s` is negative once more than the allowance
    was used; `budget_used` is None if nothing is allowed (an objective of 100 %).
    `compliant` says whether the period's allowance still holds.
    """
    used = uptime.used_ns(now)
    return {
        "objective": settings.objective,
        "period_s": seconds(settings.period_ns),
        "uptime": uptime.uptime(now),
        "uptime_mean": uptime.mean_uptime(now),
        "period_uptime": uptime.period_uptime(now),
        "allowed_s": seconds(uptime.allowed_ns),
        "used_s": seconds(used),
        "remaining_s": seconds(uptime.allowed_ns - used),
        "budget_used": used / uptime.allowed_ns if uptime.allowed_ns else None,
        "compliant": used <= uptime.allowed_ns,
    }


def dashboard(
    now: int,
    cluster: Cluster,
    beliefs: Beliefs,
    traffic: TrafficBook,
    alerts: AlertBook,
    *,
    sla: dict[str, Any],
) -> dict[str, Any]:
    """Everything that the monitor knows at `now`, as plain data (seconds, ratios)."""
    return {
        "time_s": seconds(now),
        "masters": [
            _master(m.id, beliefs, traffic) | {"region": m.region} for m in cluster.masters
        ],
        "partitions": [
            {
                "partition": name,
                "owner": known.owner,
                "epoch": known.epoch,
                "served": known.served,
                "since_s": seconds(known.since_ns),
            }
            for name, known in beliefs.partitions.items()
        ],
        "failovers": [
            {
                "failover": number,
                "master": known.master,
                "partitions": list(known.partitions),
                "state": known.state,
                "candidate": known.candidate,
                "declared_s": seconds(known.declared_ns),
                "since_s": seconds(known.since_ns),
            }
            for number, known in sorted(beliefs.failovers.items())
        ],
        "failovers_ended": dict(beliefs.ended),
        "alerts": [_alert(alert) for alert in alerts.active()],
        "sla": sla,
        "traffic": traffic.totals() | traffic.rates(now),
        "service_errors": dict(beliefs.service_errors),
        "algorithm": beliefs.algorithm,
        "routing_version": beliefs.routing_version,
    }


def _master(master: str, beliefs: Beliefs, traffic: TrafficBook) -> dict[str, Any]:
    known = beliefs.masters[master]
    return {
        "master": master,
        "status": str(known.status),
        "diagnosis": str(known.diagnosis),
        "reason": known.reason,
        "since_s": seconds(known.since_ns),
    } | traffic.of_master(master)


def _alert(alert: ActiveAlert) -> dict[str, Any]:
    clear = alert.clear_since_ns
    return {
        "alert": alert.alert,
        "subject": alert.subject,
        "severity": str(alert.severity),
        "text": alert.text,
        "raised_s": seconds(alert.raised_ns),
        "clear_since_s": None if clear is None else seconds(clear),
    }
