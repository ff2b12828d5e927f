"""The monitor as its users meet it: start, stop, alerts, dashboard, history, events."""

from __future__ import annotations

import json

import pytest

from hasim.events import (
    AlertChanged,
    AlgorithmSwitched,
    FailoverChanged,
    GatewayReport,
    MasterTraffic,
    OwnerChanged,
    RoutingConverged,
    ServiceFailed,
    StatusChanged,
    WakeUp,
)
from hasim.model import Cause, Diagnosis, Severity, Status
from hasim.services.monitoring import HighAvailabilityMonitor, MonitorSettings
from hasim.units import SECOND

S = SECOND


def status(master, new, old=Status.HEALTHY):
    return StatusChanged(master, old, new, Diagnosis.UNREACHABLE, "2 probes unanswered")


def failover(new, *, number=1, master="a", partitions=("p1",), old="", candidate="b"):
    return FailoverChanged(number, master, partitions, old, new, "go", candidate, "because")


def report(sequence, *rows, gateway="west"):
    return GatewayReport(
        gateway,
        sequence,
        tuple(
            MasterTraffic(m, answered, failed, in_flight, 0, Cause.OK, latency, failed)
            for m, answered, failed, in_flight, latency in rows
        ),
    )


def test_instantiation(cluster):
    monitor = HighAvailabilityMonitor(MonitorSettings(), cluster)
    assert not monitor.healthy()
    assert monitor.next_wakeup() is None
    assert monitor.get_active_alerts() == ()
    assert monitor.handle_event(5 * S, status("a", Status.FAILED)) == []
    assert monitor.get_dashboard_data(5 * S)["masters"][0]["status"] == "unknown"


def test_start_is_idempotent_and_opens_the_accounts(cluster):
    monitor = HighAvailabilityMonitor(MonitorSettings(), cluster)
    assert monitor.initialize_monitoring(10 * S) == []
    assert monitor.healthy()
    monitor.handle_event(20 * S, status("a", Status.FAILED))
    monitor.initialize_monitoring(30 * S)
    sla = monitor.compute_sla_compliance(30 * S)
    assert sla["uptime"] == pytest.approx(0.5)
    assert sla["used_s"] == 10.0


def test_shutdown_closes_the_accounts(monitor):
    monitor.handle_event(90 * S, status("a", Status.FAILED))
    monitor.shutdown(100 * S)
    assert not monitor.healthy()
    assert monitor.next_wakeup() is None
    assert monitor.handle_event(110 * S, status("b", Status.FAILED)) == []
    assert monitor.generate_alert(110 * S, "x", Severity.WARNING, "x") == []
    assert monitor.compute_sla_compliance(500 * S)["uptime"] == pytest.approx(0.9)
    monitor.initialize_monitoring(200 * S)  # p1 is still believed unserved
    assert monitor.compute_sla_compliance(210 * S)["uptime"] == 0.0


def test_generate_alert_raises_once_and_only_upwards(monitor):
    def raise_at(t, severity):
        return monitor.generate_alert(t * S, "disk", severity, f"at {t}")

    assert raise_at(1, Severity.WARNING) == [AlertChanged(1, "disk", Severity.WARNING, "at 1")]
    assert raise_at(2, Severity.WARNING) == []
    assert raise_at(3, Severity.CRITICAL) == [AlertChanged(1, "disk", Severity.CRITICAL, "at 3")]
    assert raise_at(4, Severity.WARNING) == []
    (alert,) = monitor.get_active_alerts()
    assert (alert.severity, alert.raised_ns, alert.text) == (Severity.CRITICAL, 1 * S, "at 3")


def test_flapping_is_one_alert_and_resolves_after_the_hold(monitor):
    monitor.generate_alert(0, "disk", Severity.WARNING, "full")
    for t in (1, 9, 18, 27):  # each time it comes back within the 10 s
        assert monitor.clear_alert(t * S, "disk") == []
        assert monitor.next_wakeup() == (t + 10) * S
        assert monitor.generate_alert((t + 8) * S, "disk", Severity.WARNING, "full") == []
    monitor.clear_alert(40 * S, "disk")
    assert monitor.step(50 * S - 1, WakeUp()) == []
    assert monitor.step(50 * S, WakeUp()) == [AlertChanged(1, "disk", Severity.RESOLVED, "full")]
    assert monitor.get_active_alerts() == ()
    again = monitor.generate_alert(60 * S, "disk", Severity.WARNING, "full")
    assert again == [AlertChanged(2, "disk", Severity.WARNING, "full")]


def test_an_input_at_the_very_end_of_the_hold_comes_before_the_wake_up(monitor):
    monitor.generate_alert(0, "disk", Severity.WARNING, "full")
    monitor.clear_alert(5 * S, "disk")
    assert monitor.generate_alert(15 * S, "disk", Severity.WARNING, "full") == []
    assert monitor.step(15 * S, WakeUp()) == []


def test_a_late_wake_up_does_no_harm(monitor):
    monitor.generate_alert(0, "disk", Severity.WARNING, "full")
    monitor.clear_alert(5 * S, "disk")
    out = monitor.generate_alert(20 * S, "disk", Severity.WARNING, "again")
    assert out == [
        AlertChanged(1, "disk", Severity.RESOLVED, "full"),
        AlertChanged(2, "disk", Severity.WARNING, "again"),
    ]


def test_without_a_hold_an_alert_is_resolved_at_once(cluster):
    monitor = HighAvailabilityMonitor(MonitorSettings(hold_ns=0), cluster)
    monitor.initialize_monitoring(0)
    monitor.generate_alert(0, "disk", Severity.WARNING, "full")
    assert monitor.generate_alert(1, "disk", Severity.RESOLVED, "") == [
        AlertChanged(1, "disk", Severity.RESOLVED, "full")
    ]


def test_status_events_become_alerts(monitor):
    (suspected,) = monitor.handle_event(1 * S, status("a", Status.SUSPECT))
    assert (suspected.subject, suspected.severity) == ("master:a", Severity.WARNING)
    (failed,) = monitor.handle_event(2 * S, status("a", Status.FAILED))
    assert (failed.alert, failed.severity) == (suspected.alert, Severity.CRITICAL)
    assert failed.text == "a failed (unreachable): 2 probes unanswered"
    assert monitor.handle_event(3 * S, status("a", Status.RECOVERING)) == []
    assert monitor.get_active_alerts()[0].clear_since_ns is None
    assert monitor.handle_event(4 * S, status("a", Status.HEALTHY)) == []
    (resolved,) = monitor.step(14 * S, WakeUp())
    assert (resolved.subject, resolved.severity) == ("master:a", Severity.RESOLVED)


def test_failover_and_service_events_become_alerts(monitor):
    assert monitor.handle_event(1 * S, failover("declared")) == []
    (waits,) = monitor.handle_event(2 * S, failover("waiting", old="selecting"))
    assert (waits.subject, waits.severity) == ("failover:a", Severity.CRITICAL)
    assert monitor.handle_event(3 * S, failover("failed", old="waiting")) == []
    (broken,) = monitor.handle_event(4 * S, ServiceFailed("balancing", "KeyError: 'x'"))
    assert (broken.subject, broken.severity) == ("service:balancing", Severity.CRITICAL)
    assert "KeyError" in broken.text
    monitor.handle_event(5 * S, failover("declared", number=2))
    monitor.handle_event(6 * S, failover("completed", number=2, old="redirecting"))
    resolved = [o for o in monitor.step(30 * S, WakeUp()) if o.severity is Severity.RESOLVED]
    assert [o.subject for o in resolved] == ["failover:a"]


def test_a_failover_that_failed_is_forgiven_when_its_master_is_healthy_again(monitor):
    monitor.handle_event(1 * S, status("a", Status.FAILED))
    monitor.handle_event(1 * S, failover("declared"))
    monitor.handle_event(2 * S, failover("failed", old="fencing"))
    monitor.handle_event(4 * S, status("a", Status.HEALTHY))
    assert [o.subject for o in monitor.step(14 * S, WakeUp())] == ["master:a", "failover:a"]
    assert monitor.compute_sla_compliance(14 * S)["used_s"] == 3.0


def test_dashboard_is_plain_data_and_tells_the_picture(monitor):
    monitor.handle_event(1 * S, status("a", Status.FAILED))
    monitor.handle_event(1 * S, failover("declared"))
    monitor.handle_event(2 * S, failover("fencing", old="declared"))
    monitor.handle_event(2 * S, AlgorithmSwitched("round-robin", "geo"))
    monitor.step(3 * S, report(1, ("a", 10, 2, 1, 5_000_000), ("b", 30, 0, 0, 1_000_000)))
    monitor.step(3 * S, report(1, ("b", 10, 0, 2, 5_000_000), gateway="east"))
    board = monitor.get_dashboard_data(4 * S)
    assert json.loads(json.dumps(board)) == board
    by_id = {m["master"]: m for m in board["masters"]}
    assert (by_id["a"]["status"], by_id["a"]["since_s"]) == ("failed", 1.0)
    assert (by_id["b"]["answered"], by_id["b"]["in_flight"]) == (40, 2)
    # (30 * 1 ms + 10 * 5 ms) / 40
    assert by_id["b"]["latency_s"] == pytest.approx(0.002)
    assert by_id["c"]["latency_s"] is None
    assert [p["served"] for p in board["partitions"]] == [False, True, True]
    (active,) = board["failovers"]
    assert (active["master"], active["candidate"], active["partitions"]) == ("a", "b", ["p1"])
    assert (active["state"], active["declared_s"], active["since_s"]) == ("fencing", 1.0, 2.0)
    assert board["algorithm"] == "geo"
    assert board["traffic"] == {
        "answered": 50,
        "failed": 2,
        "in_flight": 3,
        "answered_per_s": 12.5,
        "failed_per_s": 0.5,
    }
    assert board["sla"]["used_s"] == 3.0


def test_a_question_changes_nothing(monitor):
    monitor.handle_event(1 * S, status("a", Status.FAILED))
    before = monitor.freeze()
    for now in (2 * S, 5000 * S):
        monitor.get_dashboard_data(now)
        monitor.compute_sla_compliance(now)
        monitor.export_metrics(now, "prometheus")
        monitor.next_wakeup()
    assert monitor.freeze() == before


def test_history_keeps_every_change(monitor):
    monitor.handle_event(1 * S, status("a", Status.SUSPECT))
    first = monitor.get_alert_history()
    monitor.handle_event(2 * S, status("a", Status.FAILED))
    monitor.handle_event(3 * S, status("a", Status.HEALTHY))
    monitor.step(13 * S, WakeUp())
    history = monitor.get_alert_history()
    assert history[: len(first)] == first
    assert [(r.t_ns // S, str(r.severity)) for r in history] == [
        (1, "warning"),
        (2, "critical"),
        (13, "resolved"),
    ]


def test_partition_is_unserved_from_declaration_until_its_new_owner_is_routed_to(monitor):
    monitor.handle_event(10 * S, status("a", Status.FAILED))
    monitor.handle_event(10 * S, failover("declared"))
    monitor.handle_event(12 * S, RoutingConverged(1))  # the table without the master
    monitor.handle_event(14 * S, OwnerChanged("p1", "b", 1, 1))
    assert not monitor.get_dashboard_data(14 * S)["partitions"][0]["served"]
    monitor.handle_event(15 * S, RoutingConverged(2))
    monitor.handle_event(15 * S, failover("completed", old="redirecting"))
    board = monitor.get_dashboard_data(20 * S)
    assert board["partitions"][0] | {"epoch": 1} == {
        "partition": "p1",
        "owner": "b",
        "epoch": 1,
        "served": True,
        "since_s": 15.0,
    }
    assert board["sla"]["used_s"] == 5.0
    assert board["sla"]["uptime"] == pytest.approx(0.75)
    assert board["sla"]["uptime_mean"] == pytest.approx(1 - 5 / 20 / 3)


def test_a_new_owner_serves_as_soon_as_it_is_routed_to_though_its_failover_goes_on(monitor):
    monitor.handle_event(10 * S, status("a", Status.FAILED))
    monitor.handle_event(10 * S, failover("declared"))
    monitor.handle_event(14 * S, OwnerChanged("p1", "b", 2, 1))
    monitor.handle_event(15 * S, RoutingConverged(2))
    board = monitor.get_dashboard_data(20 * S)
    assert board["time_s"] == 20.0
    served = {"partition": "p1", "owner": "b", "epoch": 2, "served": True, "since_s": 15.0}
    assert board["partitions"][0] == served
    assert board["sla"]["used_s"] == 5.0


def test_a_new_owner_that_fails_too_keeps_the_partition_unserved(monitor):
    monitor.handle_event(10 * S, status("a", Status.FAILED))
    monitor.handle_event(12 * S, OwnerChanged("p1", "b", 1, 1))
    monitor.handle_event(13 * S, status("b", Status.FAILED))
    monitor.handle_event(14 * S, RoutingConverged(2))
    monitor.handle_event(14 * S, failover("completed", old="redirecting"))
    served = [p["served"] for p in monitor.get_dashboard_data(14 * S)["partitions"]]
    assert served == [False, False, True]


def test_cancelled_failover_ends_the_outage(monitor):
    monitor.handle_event(10 * S, status("a", Status.FAILED))
    monitor.handle_event(10 * S, failover("declared"))
    monitor.handle_event(11 * S, status("a", Status.HEALTHY))
    assert monitor.compute_sla_compliance(12 * S)["used_s"] == 2.0
    monitor.handle_event(13 * S, failover("cancelled", old="declared"))
    assert monitor.compute_sla_compliance(20 * S)["used_s"] == 3.0


def test_overlapping_outages_count_once(monitor):
    monitor.handle_event(10 * S, status("a", Status.FAILED))
    monitor.handle_event(12 * S, status("b", Status.FAILED))
    monitor.handle_event(14 * S, status("a", Status.HEALTHY))
    monitor.handle_event(15 * S, status("b", Status.HEALTHY))
    sla = monitor.compute_sla_compliance(100 * S)
    assert sla["used_s"] == 5.0
    assert sla["uptime_mean"] == pytest.approx(1 - (4 + 3) / 300)


def test_exhausted_budget_raises_the_sla_alert_when_the_wake_up_comes(monitor):
    monitor.handle_event(100 * S, status("a", Status.FAILED))
    assert monitor.compute_sla_compliance(104 * S)["budget_used"] == pytest.approx(0.4)
    assert monitor.next_wakeup() == 110 * S
    (alert,) = monitor.step(110 * S, WakeUp())
    assert (alert.subject, alert.severity) == ("sla", Severity.CRITICAL)
    assert "99%" in alert.text
    assert "16m40s" in alert.text
    sla = monitor.compute_sla_compliance(111 * S)
    assert (sla["compliant"], sla["remaining_s"]) == (False, -1.0)
    assert monitor.next_wakeup() == 1000 * S  # the budget starts afresh
    monitor.handle_event(200 * S, status("a", Status.HEALTHY))
    monitor.step(1000 * S, WakeUp())
    out = monitor.step(1010 * S, WakeUp())
    assert [(o.subject, o.severity) for o in out] == [("sla", Severity.RESOLVED)]
    sla = monitor.compute_sla_compliance(1010 * S)
    assert (sla["compliant"], sla["used_s"], sla["period_uptime"]) == (True, 0.0, 1.0)
    assert sla["uptime"] == pytest.approx(1 - 100 / 1010)


def test_outage_across_the_turn_of_the_period_is_charged_to_both(monitor):
    monitor.handle_event(995 * S, status("a", Status.FAILED))
    assert monitor.compute_sla_compliance(1003 * S)["used_s"] == 3.0
    assert monitor.next_wakeup() == 1010 * S
    monitor.handle_event(1004 * S, status("a", Status.HEALTHY))
    assert monitor.compute_sla_compliance(1500 * S)["used_s"] == 4.0
    assert monitor.get_active_alerts()[0].subject == "master:a"


def test_objective_of_everything_allows_nothing(cluster):
    monitor = HighAvailabilityMonitor(MonitorSettings(objective=1.0), cluster)
    monitor.initialize_monitoring(0)
    assert monitor.compute_sla_compliance(S)["compliant"]
    monitor.handle_event(S, status("a", Status.FAILED))
    assert monitor.next_wakeup() == S + 1
    assert [o.subject for o in monitor.step(S + 1, WakeUp())] == ["sla"]
    assert monitor.compute_sla_compliance(S + 1)["budget_used"] is None


def test_sla_alert_closed_by_hand_does_not_ask_for_the_same_instant_again(monitor):
    monitor.handle_event(0, status("a", Status.FAILED))
    monitor.step(10 * S, WakeUp())
    monitor.clear_alert(10 * S, "sla")
    assert monitor.next_wakeup() > 10 * S


def test_sla_alert_closed_by_hand_fires_again_at_the_next_input(monitor):
    monitor.handle_event(0, status("a", Status.FAILED))
    monitor.step(10 * S, WakeUp())
    monitor.clear_alert(11 * S, "sla")
    assert monitor.next_wakeup() == 21 * S
    monitor.step(12 * S, report(1, ("a", 10, 0, 0, 1)))
    assert monitor.next_wakeup() == 1000 * S  # nothing is to be resolved


def test_lost_and_overtaken_reports(monitor):
    monitor.step(1 * S, report(1, ("a", 10, 0, 0, 1)))
    # Report 2 is lost; 3 makes it good; 2 comes late and must not undo it.
    monitor.step(3 * S, report(3, ("a", 50, 5, 0, 1)))
    monitor.step(4 * S, report(2, ("a", 20, 1, 0, 1)))
    traffic = monitor.get_dashboard_data(4 * S)["traffic"]
    assert (traffic["answered"], traffic["failed"]) == (50, 5)


def test_rates_forget_what_is_older_than_the_window(monitor):
    for t in range(1, 301):  # 100/s for 100 s, then 10/s
        answered = 100 * t if t <= 100 else 10_000 + 10 * (t - 100)
        monitor.step(t * S, report(t, ("a", answered, 0, 0, 1)))
    assert monitor.get_dashboard_data(300 * S)["traffic"]["answered_per_s"] == pytest.approx(10.0)
    assert len(monitor.freeze()["traffic"]["samples"]) <= 62
