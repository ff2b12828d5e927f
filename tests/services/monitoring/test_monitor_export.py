"""Exported metrics, read back by parsers that know nothing of hasim."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hasim.events import FailoverChanged, GatewayReport, MasterTraffic, StatusChanged
from hasim.model import Cause, Diagnosis, Severity, Status
from hasim.services.monitoring.export import Family, render
from hasim.units import SECOND

S = SECOND
NASTY = 'quote " backslash \\ newline \n end'


@pytest.fixture
def busy(monitor):
    monitor.handle_event(
        10 * S, StatusChanged("a", Status.HEALTHY, Status.FAILED, Diagnosis.UNREACHABLE, "gone")
    )
    monitor.handle_event(10 * S, FailoverChanged(1, "a", ("p1",), "", "declared", "x", "", ""))
    monitor.generate_alert(11 * S, NASTY, Severity.WARNING, "text")
    row = MasterTraffic("b", 90, 10, 4, 0, Cause.OK, 2_500_000, 10)
    monitor.step(12 * S, GatewayReport("west", 1, (row,)))
    return monitor


def samples(text):
    return {
        (s.name, tuple(sorted(s.labels.items()))): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def test_prometheus_text_is_read_back(busy):
    read = samples(busy.export_metrics(20 * S, "prometheus"))
    assert read["hasim_master_status", (("master", "a"), ("status", "failed"))] == 1
    assert sum(v for (n, k), v in read.items() if n == "hasim_master_status") == 3
    assert read["hasim_attempts_total", (("master", "b"), ("outcome", "failed"))] == 10
    assert read["hasim_attempt_latency_seconds", (("master", "b"),)] == 0.0025
    assert ("hasim_attempt_latency_seconds", (("master", "a"),)) not in read
    assert read["hasim_partition_served", (("partition", "p1"),)] == 0
    owners = {label for (name, label) in read if name == "hasim_partition_owner"}
    assert owners == {
        (("master", owner), ("partition", partition))
        for partition, owner in (("p1", "a"), ("p2", "b"), ("p3", "c"))
    }
    assert read["hasim_failovers_active", ()] == 1
    assert read["hasim_uptime_ratio", ()] == 0.5
    assert read["hasim_error_budget_used_seconds", ()] == 10
    alert = ("hasim_alert_raised_seconds", (("severity", "warning"), ("subject", NASTY)))
    assert read[alert] == 11


def test_prometheus_text_keeps_the_conventions(busy):
    text = busy.export_metrics(20 * S, "prometheus")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\r" not in text
    names = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
    helps = re.findall(r"^# HELP (\S+) ", text, re.MULTILINE)
    assert helps == [name for name, _ in names]
    assert len(set(helps)) == len(helps)
    for name, kind in names:
        assert name.startswith("hasim_")
        assert name.endswith("_total") == (kind == "counter")
    # Lines of one family stand together: its name never comes back after another.
    order = [re.split(r"[ {]", line)[0] for line in text.splitlines() if line[0] != "#"]
    runs = [n for i, n in enumerate(order) if i == 0 or order[i - 1] != n]
    assert len(runs) == len(set(runs))


def test_the_three_formats_say_the_same(busy):
    prometheus = samples(busy.export_metrics(20 * S, "prometheus"))
    plain = {
        (m["name"], tuple(sorted(s["labels"].items()))): s["value"]
        for m in json.loads(busy.export_metrics(20 * S, "json"))["metrics"]
        for s in m["samples"]
    }
    rows = csv.DictReader(io.StringIO(busy.export_metrics(20 * S, "csv"), newline=""))
    table = {
        (r["metric"], tuple(sorted(json.loads(r["labels"] or "{}").items()))): float(r["value"])
        for r in rows
    }
    assert plain == prometheus == table


def test_unknown_format_names_the_known(monitor):
    with pytest.raises(ValueError, match="json, csv, prometheus"):
        monitor.export_metrics(0, "xml")


def test_help_is_escaped():
    family = Family("x", "gauge", "a\\b\nc", (({}, 1.5),))
    assert render([family], "prometheus") == "# HELP x a\\\\b\\nc\n# TYPE x gauge\nx 1.5\n"
