"""The words for measures in headings, and the blocks in which they are shown."""

from __future__ import annotations

from collections.abc import Iterable

DEFAULT = (
    "detection_time.p50",
    "detection_time.p95",
    "detection_time.p99",
    "detected",
    "failover_time.p50",
    "failover_time.p95",
    "failover_time.p99",
    "outage.mean",
    "uptime",
    "success",
)
"""The measures that a summary shows unless others are asked for."""

_FAMILIES = {
    "detection_time": ("detection", "detection"),
    "detected": ("detection", "detected"),
    "late": ("detection", "late"),
    "mistakes": ("detection", "mistakes"),
    "query_accuracy": ("detection", "query accuracy"),
    "failover_time": ("failover", "failover"),
    "outage": ("failover", "outage"),
    "first_ok": ("failover", "first answer"),
    "rpo": ("failover", "RPO"),
    "dual_primary": ("failover", "dual primary"),
    "uptime": ("service", "uptime"),
    "success": ("service", "success"),
    "latency": ("service", "latency"),
    "attempts": ("service", "attempts"),
    "offered": ("service", "offered"),
    "attempt_rate": ("service", "attempts/s"),
    "throughput": ("service", "throughput"),
    "goodput": ("service", "goodput"),
    "jain": ("service", "Jain index"),
    "peak_to_mean": ("service", "peak to mean"),
    "least_to_mean": ("service", "least to mean"),
    "cv": ("service", "CoV"),
    "balance": ("service", "balance"),
    "switches_per_min": ("service", "switches/min"),
    "churn": ("service", "keys moved"),
    "probes": ("service", "probes"),
}
BLOCKS = ("detection", "failover", "service")


def title(measure: str) -> str:
    """The heading of a measure: ``detection p50`` for ``detection_time.p50``."""
    family, _, part = measure.partition(".")
    name = _FAMILIES.get(family, ("", family.replace("_", " ")))[1]
    return f"{name} {part}".rstrip().replace("_", " ")


def blocks(measures: Iterable[str]) -> dict[str, list[str]]:
    """The measures by block (detection, failover, service), in the given order within each."""
    found: dict[str, list[str]] = {name: [] for name in BLOCKS}
    for measure in measures:
        family = measure.partition(".")[0]
        found[_FAMILIES.get(family, ("service", ""))[0]].append(measure)
    return {name: members for name, members in found.items() if members}
