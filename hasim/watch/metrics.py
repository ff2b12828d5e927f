"""A picture as OpenMetrics text: conventional names, base units, times since 1970.

The text is prometheus_client's own; what the metrics are is defined once, by the monitor
(`hasim.services.monitoring.export`), and here only moved from its clock to Unix time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from prometheus_client.core import (
    CollectorRegistry,
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from hasim.services.monitoring.export import Family, families
from hasim.watch.picture import Picture

CONTENT_TYPE = CONTENT_TYPE_LATEST
MOMENTS = {
    "hasim_master_status_changed_seconds": "hasim_master_status_changed_timestamp_seconds",
    "hasim_alert_raised_seconds": "hasim_alert_raised_timestamp_seconds",
}
"""Metrics that are moments on the monitor's clock, and their names in Unix time."""


class _Collector:
    """The metrics of one picture."""

    def __init__(self, shown: Picture, began_s: float) -> None:
        self._shown, self._began_s = shown, began_s

    def collect(self) -> Iterator[Metric]:
        """Each family once."""
        for family in _families(self._shown, self._began_s):
            counter = family.type == "counter"
            kind = CounterMetricFamily if counter else GaugeMetricFamily
            names = sorted({label for labels, _ in family.samples for label in labels})
            name = family.name.removesuffix("_total") if counter else family.name
            made = kind(name, family.help, labels=names)
            for labels, value in family.samples:
                made.add_metric([labels.get(label, "") for label in names], float(value))
            yield made


def _families(shown: Picture, began_s: float) -> Iterator[Family]:
    for family in families(dict(shown.board), running=True):
        if family.name in MOMENTS:
            moved = tuple((labels, value + began_s) for labels, value in family.samples)
            about = family.help.replace("on the monitor's clock", "since 1970")
            yield replace(family, name=MOMENTS[family.name], help=about, samples=moved)
        else:
            yield family
    whose = {"observer": shown.observer} if shown.observer else {}
    suspicion = tuple((whose | {"master": m.name}, m.suspicion) for m in shown.masters)
    about = "How strongly a master is suspected; 1 convicts."
    yield Family("hasim_master_suspicion_ratio", "gauge", about, suspicion)
    now = ((whose, began_s + shown.now_s),)
    yield Family("hasim_timestamp_seconds", "gauge", "Now, since 1970, in the world.", now)


def openmetrics(shown: Picture, began_s: float) -> bytes:
    """The metrics as OpenMetrics 1.0 text.

    `began_s` is the Unix time at which the picture's own clock stood at zero.
    """
    registry = CollectorRegistry()
    registry.register(_Collector(shown, began_s))
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text
