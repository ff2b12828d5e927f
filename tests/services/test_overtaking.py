"""A report that is overtaken is old news of the masters alone that the later one was about."""

from __future__ import annotations

from collections.abc import Sequence

from hasim.events import GatewayReport, MasterTraffic, ProbeReply, StatusChanged, WakeUp
from hasim.model import Cause, Status
from hasim.services.balancing import BalancingSettings
from hasim.services.detection.service import FailoverDetectionService
from hasim.services.frozen import freeze, thaw
from hasim.services.monitoring import HighAvailabilityMonitor, MonitorSettings
from hasim.services.overtaking import Latest
from hasim.services.routing.service import RoutingService
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import cluster, detection


def row(master: str, answered: int, failed: int = 0, latency_ns: int = 0) -> MasterTraffic:
    return MasterTraffic(master, answered, failed, 0, 0, Cause.OK, latency_ns, failed)


def report(sequence: int, *rows: MasterTraffic, incarnation: int = 1) -> GatewayReport:
    return GatewayReport("local", sequence, rows, incarnation)


EARLY = report(1, row("m1", 5, 1), row("m2", 20, 4))
LATE = report(2, row("m1", 10, 2))
"""It overtakes the early one, and says nothing of m2, of which there is nothing new."""


def told(latest: Latest, reports: Sequence[GatewayReport]) -> list[list[str]]:
    return [[traffic.master for traffic in latest.told_by(one)] for one in reports]


def test_a_later_report_makes_an_earlier_one_old_for_its_own_masters() -> None:
    latest = Latest()
    assert latest.begins("local", 1)
    assert told(latest, [LATE, EARLY, EARLY, LATE]) == [["m1"], ["m2"], [], []]
    assert told(thaw(Latest, freeze(latest)), [EARLY, LATE]) == [[], []]


def test_an_earlier_process_has_nothing_to_tell_and_a_later_one_everything() -> None:
    latest = Latest()
    assert [latest.begins("local", n) for n in (1, 2, 2, 1)] == [True, True, False, False]
    assert told(latest, [EARLY, report(1, row("m1", 1), incarnation=2)]) == [[], ["m1"]]
    assert latest.begins("local", 3)
    assert told(latest, [report(1, row("m1", 1), incarnation=3)]) == [["m1"]]


def test_the_monitor_counts_what_an_overtaken_report_alone_tells() -> None:
    monitor = HighAvailabilityMonitor(MonitorSettings(), cluster(2))
    monitor.initialize_monitoring(0)
    for now, one in enumerate((LATE, EARLY, EARLY), 1):
        monitor.step(now * SECOND, one)
    traffic = monitor.get_dashboard_data(4 * SECOND)["traffic"]
    assert (traffic["answered"], traffic["failed"]) == (10 + 20, 2 + 4)


def test_metrics_of_load_have_what_an_overtaken_report_alone_tells() -> None:
    routing = RoutingService(BalancingSettings(), cluster(2), ("local",))
    for now, one in enumerate((LATE, EARLY, EARLY), 1):
        routing.step(now * SECOND, one)
    metrics = routing.load_metrics()
    assert {name: metrics[name]["answered"] for name in ("m1", "m2")} == {"m1": 10, "m2": 20}


def test_an_outlier_is_found_by_an_overtaken_report() -> None:
    """Only the first report is about m3, a hundred times as slow; the second came before it."""
    settings = detection(evidence=("probe", "outliers"), latency_margin_ns=MILLISECOND)
    service = FailoverDetectionService(settings, cluster(4))
    service.start_monitoring(0)
    names = [f"m{n}" for n in range(1, 5)]
    for name in names:
        service.step(0, ProbeReply(name, 1, Cause.OK))
    slow = {"m3": SECOND}
    all_four = [row(name, 100, latency_ns=slow.get(name, 10 * MILLISECOND)) for name in names]
    service.step(SECOND, report(2, row("m1", 101, latency_ns=10 * MILLISECOND)))
    service.step(2 * SECOND, report(1, *all_four))
    out = service.step(12 * SECOND, report(3, row("m1", 102, latency_ns=10 * MILLISECOND)))
    convicted = [
        e for e in [*out, *service.step(12 * SECOND, WakeUp())] if isinstance(e, StatusChanged)
    ]
    assert [(e.master, e.new) for e in convicted] == [("m3", Status.FAILED)]
