"""The 36 integration checks of the system that hasim re-creates, each with real assertions."""

from __future__ import annotations

import json

import pytest

from hasim.events import (
    AlertChanged,
    FailoverChanged,
    GatewayReport,
    MasterTraffic,
    OwnerChanged,
    ProbeReply,
    Promote,
    PublishRouting,
    SendProbe,
    StatusChanged,
    TransferState,
)
from hasim.model import Cause, Diagnosis, Severity, Status
from hasim.services.balancing import BalancingSettings
from hasim.services.balancing.service import LoadBalancingService
from hasim.services.control_plane import ControlPlane
from hasim.services.detection import DetectionSettings, FailoverDetectionService
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.services.failover import FailoverOrchestrator, FailoverSettings
from hasim.services.monitoring import HighAvailabilityMonitor, MonitorSettings
from hasim.services.watch import Watch
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import Bench, cluster

THREE = cluster(3)


def failed(master: str) -> StatusChanged:
    return StatusChanged(master, Status.SUSPECT, Status.FAILED, Diagnosis.UNREACHABLE, "test")


def healthy(master: str) -> StatusChanged:
    return StatusChanged(master, Status.UNKNOWN, Status.HEALTHY, Diagnosis.NONE, "test")


def suspect(master: str) -> StatusChanged:
    """Of one that is suspect, an operator's order is no planned move."""
    return StatusChanged(master, Status.HEALTHY, Status.SUSPECT, Diagnosis.UNREACHABLE, "test")


class TestDetection:
    @pytest.fixture
    def service(self) -> FailoverDetectionService:
        service = FailoverDetectionService(DetectionSettings(), THREE)
        service.start_monitoring(0)
        return service

    def answer_all(self, service: FailoverDetectionService) -> None:
        for master in THREE.masters:
            service.step(MILLISECOND, ProbeReply(master.id, 1, Cause.OK))

    def test_instantiation(self) -> None:
        service = FailoverDetectionService(DetectionSettings(), THREE)
        assert not service.healthy()
        assert set(service.get_all_master_statuses()) == {"m1", "m2", "m3"}

    def test_monitoring_methods(self) -> None:
        service = FailoverDetectionService(DetectionSettings(), THREE)
        probes = service.start_monitoring(0)
        assert probes == [SendProbe(m, 1) for m in ("m1", "m2", "m3")]
        assert service.next_wakeup() == ProbeSettings().timeout_ns
        service.stop_monitoring(SECOND)
        assert service.next_wakeup() is None
        assert service.step(2 * SECOND, ProbeReply("m1", 1, Cause.OK)) == []

    def test_all_statuses(self, service: FailoverDetectionService) -> None:
        assert set(service.get_all_master_statuses().values()) == {Status.UNKNOWN}
        self.answer_all(service)
        assert set(service.get_all_master_statuses().values()) == {Status.HEALTHY}

    def test_healthy_masters(self, service: FailoverDetectionService) -> None:
        service.step(MILLISECOND, ProbeReply("m2", 1, Cause.OK))
        assert service.get_healthy_masters() == ["m2"]

    def test_failed_masters(self, service: FailoverDetectionService) -> None:
        service.record_failure(MILLISECOND, "m3", "operator")
        assert service.get_failed_masters() == ["m3"]

    def test_events(self, service: FailoverDetectionService) -> None:
        out = service.step(MILLISECOND, ProbeReply("m1", 1, Cause.OK))
        assert out == [
            StatusChanged(
                "m1", Status.UNKNOWN, Status.HEALTHY, Diagnosis.NONE, "first probe passed"
            )
        ]

    def test_health_report(self, service: FailoverDetectionService) -> None:
        service.step(MILLISECOND, ProbeReply("m1", 1, Cause.REFUSED))
        report = service.generate_health_report(SECOND)
        assert report["m1"]["status"] == "suspect"
        assert report["m1"]["probes_failed"] == 1
        assert report["m2"] == {
            "status": "unknown",
            "since_s": 1.0,
            "diagnosis": "none",
            "suspicion": 0.0,
            "probes_sent": 1,
            "probes_failed": 0,
            "failed_checks_in_row": 0,
            "failed_messages_standing": 0,
        }

    def test_record_failure(self, service: FailoverDetectionService) -> None:
        self.answer_all(service)
        (event,) = service.record_failure(SECOND, "m1", "pager")
        assert (event.old, event.new, event.reason) == (Status.HEALTHY, Status.FAILED, "pager")
        assert service.record_failure(SECOND, "m1", "again") == []
        with pytest.raises(KeyError, match="known: m1, m2, m3"):
            service.record_failure(SECOND, "m9", "typo")

    def test_record_recovery(self, service: FailoverDetectionService) -> None:
        service.record_failure(SECOND, "m1", "pager")
        (event,) = service.record_recovery(2 * SECOND, "m1", "pager")
        assert (event.old, event.new) == (Status.FAILED, Status.HEALTHY)

    def test_whole_life(self, service: FailoverDetectionService) -> None:
        """Healthy, suspect, failed, recovering, healthy: by probes alone, with the right rhythm."""
        seen, now = [], 0
        answers = [Cause.OK, Cause.REFUSED, Cause.REFUSED, Cause.OK, Cause.OK]
        for probe, cause in enumerate(answers, 1):
            if probe > 1:
                due = service._sources["probe"].of_masters["m1"].next_ns
                assert due is not None
                now = due
                service.check_master_health(now, "m1")
            out = service.step(now, ProbeReply("m1", probe, cause))
            seen += [event.new for event in out if isinstance(event, StatusChanged)]
        assert seen == [
            Status.HEALTHY,
            Status.SUSPECT,
            Status.FAILED,
            Status.RECOVERING,
            Status.HEALTHY,
        ]
        # one spread interval (a third of 30 s), 500 ms, 30 s, 500 ms
        assert now == (10 + 30) * SECOND + 2 * 500 * MILLISECOND


class TestOrchestrator:
    @pytest.fixture
    def service(self) -> FailoverOrchestrator:
        service = FailoverOrchestrator(FailoverSettings(), THREE)
        for master in THREE.masters:
            service.handle_failover_event(0, healthy(master.id))
        return service

    def test_instantiation(self) -> None:
        service = FailoverOrchestrator(FailoverSettings(), THREE)
        assert service.get_active_failovers() == []
        assert service.owner_of("p1") == "m1"

    def test_backup_selection(self, service: FailoverOrchestrator) -> None:
        service.handle_failover_event(1, failed("m1"))
        assert service.select_backup_master("m1") == "m2"
        assert service.select_backup_master("m1", exclude=("m2",)) == "m3"
        assert service.select_backup_master("m1", exclude=("m2", "m3")) is None

    def test_execution(self, service: FailoverOrchestrator) -> None:
        service.handle_failover_event(1, suspect("m1"))
        out = service.execute_failover(SECOND, "m1")
        assert [type(o).__name__ for o in out] == ["FailoverChanged", "FailoverChanged", "Fence"]
        assert service.execute_failover(SECOND, "m1") == []  # one at a time
        with pytest.raises(KeyError, match="unknown master 'm9'"):
            service.execute_failover(SECOND, "m9")

    def test_events(self, service: FailoverOrchestrator) -> None:
        out = service.handle_failover_event(SECOND, failed("m2"))
        states = [o.new for o in out if isinstance(o, FailoverChanged)]
        assert states == ["declared", "fencing"]
        assert out[0].partitions == ("p2",)

    def test_active(self, service: FailoverOrchestrator) -> None:
        service.handle_failover_event(1, suspect("m1"))
        service.execute_failover(SECOND, "m1")
        (active,) = service.get_active_failovers()
        assert (active.master, active.state, active.partitions) == ("m1", "fencing", ("p1",))

    def test_history(self, service: FailoverOrchestrator) -> None:
        service.handle_failover_event(1, suspect("m1"))
        service.execute_failover(SECOND, "m1", "drill")
        first, second = service.get_failover_history()
        assert (first.trigger, first.reason, first.t_ns) == ("declare", "drill", SECOND)
        assert (second.old, second.new) == ("declared", "fencing")

    def test_state_transfer(self, service: FailoverOrchestrator) -> None:
        bench = Bench(ControlPlane(THREE))
        bench.run(SECOND)
        bench.down["m1"] = Cause.REFUSED
        bench.run(40 * SECOND)
        (transfer,) = [o for _, o in bench.outputs if isinstance(o, TransferState)]
        assert (transfer.partitions, transfer.target) == (("p1",), "m2")
        assert transfer.sources == ("m3",)  # never the dead owner
        assert bench.control_plane.failover.owner_of("p1") == "m2"


class TestBalancer:
    @pytest.fixture
    def service(self) -> LoadBalancingService:
        return LoadBalancingService(BalancingSettings(), THREE, gateway="local", watch=Watch(4))

    def test_instantiation(self, service: LoadBalancingService) -> None:
        assert service.algorithm == "round-robin"
        assert service.eligible_masters() == ["m1", "m2", "m3"]

    def test_selection(self, service: LoadBalancingService) -> None:
        assert [service.select_master(0) for _ in range(4)] == ["m1", "m2", "m3", "m1"]
        assert service.select_master(0, "p3") == "m3"

    def test_message_recording(self, service: LoadBalancingService) -> None:
        master = service.select_master(0)
        assert service.get_load_metrics()["m1"]["in_flight"] == 1
        service.record_message_corresponded(5 * MILLISECOND, master, 5 * MILLISECOND)
        row = service.get_load_metrics()["m1"]
        assert (row["in_flight"], row["answered"]) == (0, 1)
        assert row["latency_ns"] == 5 * MILLISECOND

    def test_load_metrics(self, service: LoadBalancingService) -> None:
        for _ in range(6):
            service.select_master(0)
        assert [row["sent"] for row in service.get_load_metrics().values()] == [2, 2, 2]

    def test_failed_messages(self, service: LoadBalancingService) -> None:
        service.select_master(0)
        (report,) = service.record_message_failed(SECOND, "m1", Cause.REFUSED)
        traffic = report.report.masters[0]
        assert (traffic.failed, traffic.streak, traffic.in_flight) == (1, 1, 0)
        service.select_master(0, "p1")
        (refuted,) = service.record_message_corresponded(2 * SECOND, "m1", MILLISECOND)
        assert refuted.report.masters[0].streak == 0

    def test_metrics_update(self) -> None:
        plane = LoadBalancingService(BalancingSettings(), THREE)
        traffic = MasterTraffic("m2", 40, 2, 3, 0, Cause.OK, 7 * MILLISECOND, 2)
        plane.update_load_metrics(SECOND, GatewayReport("local", 2, (traffic,)))
        stale = MasterTraffic("m2", 1, 0, 0, 0, Cause.OK, MILLISECOND, 0)
        plane.update_load_metrics(SECOND, GatewayReport("local", 1, (stale,)))
        assert plane.get_load_metrics()["m2"] == {
            "sent": 45,
            "answered": 40,
            "failed": 2,
            "in_flight": 3,
            "latency_ns": 7 * MILLISECOND,
        }

    def test_distribution(self, service: LoadBalancingService) -> None:
        assert service.compute_load_distribution() == {"m1": 0.0, "m2": 0.0, "m3": 0.0}
        for _ in range(4):
            service.select_master(0)
        assert service.compute_load_distribution() == {"m1": 0.5, "m2": 0.25, "m3": 0.25}


class TestMonitor:
    @pytest.fixture
    def service(self) -> HighAvailabilityMonitor:
        service = HighAvailabilityMonitor(MonitorSettings(), THREE)
        service.initialize_monitoring(0)
        return service

    def test_instantiation(self) -> None:
        service = HighAvailabilityMonitor(MonitorSettings(), THREE)
        assert not service.healthy()
        assert len(service.get_alert_history()) == 0

    def test_start(self, service: HighAvailabilityMonitor) -> None:
        assert service.healthy()
        assert service.compute_sla_compliance(SECOND)["compliant"]

    def test_shutdown(self, service: HighAvailabilityMonitor) -> None:
        service.shutdown(SECOND)
        assert not service.healthy()
        assert service.handle_event(2 * SECOND, failed("m1")) == []

    def test_alert(self, service: HighAvailabilityMonitor) -> None:
        (raised,) = service.generate_alert(0, "disk", Severity.WARNING, "90 % full")
        assert isinstance(raised, AlertChanged)
        assert service.generate_alert(1, "disk", Severity.WARNING, "90 % full") == []
        assert len(service.get_active_alerts()) == 1

    def test_dashboard(self, service: HighAvailabilityMonitor) -> None:
        service.handle_event(SECOND, failed("m1"))
        board = service.get_dashboard_data(2 * SECOND)
        assert json.loads(json.dumps(board)) == board
        assert {m["master"]: m["status"] for m in board["masters"]}["m1"] == "failed"

    def test_history(self, service: HighAvailabilityMonitor) -> None:
        service.handle_event(SECOND, failed("m1"))
        service.handle_event(2 * SECOND, failed("m2"))
        assert len(service.get_alert_history()) >= 2

    def test_events(self, service: HighAvailabilityMonitor) -> None:
        out = service.handle_event(SECOND, failed("m1"))
        (alert,) = [o for o in out if isinstance(o, AlertChanged) and o.subject == "master:m1"]
        assert alert.severity is Severity.CRITICAL


class TestTogether:
    @pytest.fixture
    def bench(self) -> Bench:
        bench = Bench(ControlPlane(THREE))
        bench.run(SECOND)
        return bench

    def test_all_instantiate(self, bench: Bench) -> None:
        services = bench.control_plane.services
        assert list(services) == ["detection", "failover", "balancing", "monitor"]
        assert all(service.healthy() for service in services.values())

    def test_events_propagate(self, bench: Bench) -> None:
        """A verdict of detection becomes a failover, new routing and an alert."""
        bench.down["m1"] = Cause.REFUSED
        bench.run(40 * SECOND)
        kinds = {type(out) for _, out in bench.outputs}
        assert {StatusChanged, FailoverChanged, Promote, PublishRouting, AlertChanged} <= kinds

    def test_wiring(self, bench: Bench) -> None:
        """Fence before promote, promote before redirect; the new owner is what gateways learn."""
        bench.down["m1"] = None
        bench.run(60 * SECOND)
        order = [o.new for o in bench.events(FailoverChanged)]
        assert order == [
            "declared",
            "fencing",
            "selecting",
            "transferring",
            "promoting",
            "redirecting",
            "verifying",
            "completed",
        ]
        (moved,) = bench.events(OwnerChanged)
        assert (moved.partition, moved.owner, moved.epoch) == ("p1", "m2", 2)
        tables = [o.table for _, o in bench.outputs if isinstance(o, PublishRouting)]
        assert {o.partition: o.owner for o in tables[-1].owners}["p1"] == "m2"
        assert "m1" not in tables[-1].eligible

    def test_distribution_works(self, bench: Bench) -> None:
        bench.down["m1"] = Cause.REFUSED
        bench.run(40 * SECOND)
        balancing = bench.control_plane.balancing
        assert {balancing.select_master(bench.now) for _ in range(10)} == {"m2", "m3"}
        assert balancing.select_master(bench.now, "p1") == "m2"

    def test_reports_generate(self, bench: Bench) -> None:
        plane = bench.control_plane
        assert set(plane.detection.generate_health_report(SECOND)) == {"m1", "m2", "m3"}
        assert plane.balancing.get_metrics_report()["eligible"] == ["m1", "m2", "m3"]
        assert "hasim" in plane.monitor.export_metrics(SECOND, "prometheus")
