"""The dashboard's numbers as metrics: JSON, CSV, and the Prometheus text format 0.0.4.

Names follow Prometheus' conventions: one prefix, base units (seconds, ratios),
``_total`` on counters, times of changes instead of ages.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from hasim.model import Severity, Status

Format = Literal["json", "csv", "prometheus"]
FORMATS: tuple[Format, ...] = get_args(Format)
Labels = dict[str, str]
Sample = tuple[Labels, float]


@dataclass(frozen=True, slots=True)
class Family:
    """The samples of one metric with what they mean; `type` is ``gauge`` or ``counter``."""

    name: str
    type: Literal["gauge", "counter"]
    help: str
    samples: tuple[Sample, ...]

    def of(self, labels: Labels) -> Family:
        """The same with these labels before each sample's own."""
        samples = tuple((labels | own, value) for own, value in self.samples)
        return Family(self.name, self.type, self.help, samples)


def render(families: Iterable[Family], format: str) -> str:
    """The metrics as text, one line feed at the end.

    Raises ValueError, naming the formats, for any other `format`.
    """
    if format == "json":
        return _json(families)
    if format == "csv":
        return _csv(families)
    if format == "prometheus":
        return _prometheus(families)
    raise ValueError(f"unknown format {format!r}; expected one of {', '.join(FORMATS)}")


def families(board: dict[str, Any], *, running: bool) -> list[Family]:
    """The metrics of a dashboard (see `dashboard.dashboard`); families without samples left out."""
    every = [
        _single("hasim_monitor_running", "gauge", "Whether the monitor is running.", running),
        *_master_families(board["masters"]),
        *_partition_families(board["partitions"]),
        *_failover_families(board),
        *_alert_families(board["alerts"]),
        *_sla_families(board["sla"]),
    ]
    whose: Labels = {"observer": board["observer"]} if board["observer"] else {}
    return [family.of(whose) for family in every if family.samples]


def _single(name: str, type: Literal["gauge", "counter"], help: str, value: float) -> Family:
    return Family(name, type, help, (({}, value),))


def _master_families(rows: list[dict[str, Any]]) -> list[Family]:
    def by_master(key: str) -> tuple[Sample, ...]:
        return tuple(({"master": r["master"]}, r[key]) for r in rows if r[key] is not None)

    return [
        Family(
            "hasim_master_status",
            "gauge",
            "1 for the present status of the master, 0 for the others.",
            tuple(
                ({"master": r["master"], "status": status.value}, r["status"] == status)
                for r in rows
                for status in Status
            ),
        ),
        Family(
            "hasim_master_status_changed_seconds",
            "gauge",
            "When the status last changed, on the monitor's clock.",
            by_master("since_s"),
        ),
        Family(
            "hasim_attempts_total",
            "counter",
            "Attempts on the master that ended, by outcome, as the gateways reported them.",
            tuple(
                ({"master": r["master"], "outcome": outcome}, r[outcome])
                for r in rows
                for outcome in ("answered", "failed")
            ),
        ),
        Family(
            "hasim_attempts_in_flight",
            "gauge",
            "Attempts that await their answer.",
            by_master("in_flight"),
        ),
        Family(
            "hasim_attempt_latency_seconds",
            "gauge",
            "Moving average of the latency of answered attempts.",
            by_master("latency_s"),
        ),
    ]


def _partition_families(rows: list[dict[str, Any]]) -> list[Family]:
    return [
        Family(
            "hasim_partition_served",
            "gauge",
            "Whether the partition is believed served.",
            tuple(({"partition": r["partition"]}, r["served"]) for r in rows),
        ),
        Family(
            "hasim_partition_owner",
            "gauge",
            "1 for the master that owns the partition.",
            tuple(({"partition": r["partition"], "master": r["owner"]}, 1) for r in rows),
        ),
    ]


def _failover_families(board: dict[str, Any]) -> list[Family]:
    return [
        _single(
            "hasim_failovers_active",
            "gauge",
            "Failovers that have not ended.",
            len(board["failovers"]),
        ),
        Family(
            "hasim_failovers_total",
            "counter",
            "Failovers that ended, by outcome.",
            tuple(({"outcome": k}, n) for k, n in board["failovers_ended"].items()),
        ),
    ]


def _alert_families(alerts: list[dict[str, Any]]) -> list[Family]:
    return [
        Family(
            "hasim_alerts_open",
            "gauge",
            "Open alerts by severity.",
            tuple(
                ({"severity": s.value}, sum(a["severity"] == s for a in alerts))
                for s in (Severity.WARNING, Severity.CRITICAL)
            ),
        ),
        Family(
            "hasim_alert_raised_seconds",
            "gauge",
            "When the open alert of a subject was raised, on the monitor's clock.",
            tuple(
                ({"subject": a["subject"], "severity": a["severity"]}, a["raised_s"])
                for a in alerts
            ),
        ),
    ]


def _sla_families(sla: dict[str, Any]) -> list[Family]:
    return [
        _single("hasim_objective_ratio", "gauge", "The objective of the uptime.", sla["objective"]),
        _single(
            "hasim_uptime_ratio",
            "gauge",
            "Share of time since the start in which every partition was served.",
            sla["uptime"],
        ),
        _single(
            "hasim_error_budget_allowed_seconds",
            "gauge",
            "Downtime that the objective allows in a period.",
            sla["allowed_s"],
        ),
        _single(
            "hasim_error_budget_used_seconds",
            "gauge",
            "Downtime in the present period.",
            sla["used_s"],
        ),
    ]


def _json(families: Iterable[Family]) -> str:
    rows = [
        {
            "name": family.name,
            "type": family.type,
            "help": family.help,
            "samples": [
                {"labels": labels, "value": _number(value)} for labels, value in family.samples
            ],
        }
        for family in families
    ]
    return json.dumps({"metrics": rows}, indent=2, allow_nan=False) + "\n"


def _csv(families: Iterable[Family]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("metric", "labels", "value"))
    for family in families:
        for labels, value in family.samples:
            # Labels as JSON: they may hold any character and still be read back.
            text = json.dumps(labels) if labels else ""
            writer.writerow((family.name, text, _number(value)))
    return out.getvalue()


def _prometheus(families: Iterable[Family]) -> str:
    lines: list[str] = []
    for family in families:
        lines.append(f"# HELP {family.name} {_escape_help(family.help)}")
        lines.append(f"# TYPE {family.name} {family.type}")
        for labels, value in family.samples:
            inside = ",".join(f'{name}="{_escape_label(text)}"' for name, text in labels.items())
            braced = f"{{{inside}}}" if labels else ""
            lines.append(f"{family.name}{braced} {_number(value)}")
    return "\n".join(lines) + "\n"


def _number(value: float) -> int | float:
    return int(value) if isinstance(value, bool | int) else value


def _escape_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _escape_label(text: str) -> str:
    return _escape_help(text).replace('"', '\\"')
