"""The operator's page knows each alert, each metric and each order that there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from hasim import events
from hasim.model import Cluster, Master, Partition
from hasim.services.control_plane import ControlPlane
from hasim.services.monitoring.rules import ConditionName

GUIDES = Path(__file__).parents[1] / "docs" / "guides"
TEXT = (GUIDES / "operations.md").read_text(encoding="utf-8")


def test_the_playbook_has_each_condition() -> None:
    told = re.findall(r"^\| `([a-z-]+)`, `", TEXT, re.MULTILINE)
    assert sorted(told) == sorted(get_args(ConditionName))


def test_each_metric_is_explained_and_none_that_there_is_not() -> None:
    cluster = Cluster(
        (Master("a", "x"), Master("b", "x")), (Partition("p", "a"),), ("x",), ((1, 1),)
    )
    plane = ControlPlane(cluster)
    plane.start(0)
    shown = plane.monitor.export_metrics(0, "prometheus")
    text = shown.decode() if isinstance(shown, bytes) else shown
    exported = set(re.findall(r"^# TYPE (hasim_\w+)", text, re.MULTILINE))
    assert len(exported) > 10
    assert [name for name in exported if name not in TEXT] == []
    named = set(re.findall(r"\bhasim_\w+", TEXT)) - {"hasim_master_suspicion_ratio"}
    sometimes = {"hasim_attempt_latency_seconds", "hasim_alert_raised_seconds"}
    sometimes |= {"hasim_failovers_total", "hasim_attempts_total", "hasim_attempts_in_flight"}
    assert named - exported - sometimes == set()
    deployment = (GUIDES / "deployment.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\bhasim_\w+", deployment)) <= exported


def test_each_order_that_it_names_is_one() -> None:
    orders = re.findall(r"`([A-Z][a-z]+[A-Z][A-Za-z]+)(?:\([^`]*\))?`", TEXT)
    rules = set(re.findall(r"alert: (\w+)", TEXT))
    assert len(set(orders)) > 8
    assert [name for name in orders if not hasattr(events, name) and name not in rules] == []
