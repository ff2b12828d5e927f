"""A gateway that restarts: it says hello, counts anew, and is sent the routing again."""

from __future__ import annotations

import pytest

from hasim.events import (
    GatewayHello,
    GatewayReport,
    InputRefused,
    MasterTraffic,
    PublishRouting,
    RoutingAck,
    RoutingConverged,
    SendHello,
    SendReport,
    StatusChanged,
    SwitchAlgorithm,
    WakeUp,
)
from hasim.model import Cause, Diagnosis, RoutingTable, Status
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.detection import FailoverDetectionService
from hasim.services.gateway.service import GatewayService
from hasim.services.monitoring.traffic import TrafficBook
from hasim.services.routing.service import RoutingService
from hasim.units import SECOND
from tests.services.bench import cluster, detection

SETTINGS = BalancingSettings(algorithm="round-robin")
RESEND_NS = SETTINGS.resend_interval_ns
CLUSTER = cluster(3, ("near", "far"))


def traffic(answered: int, failed: int = 0, streak: int = 0, in_flight: int = 0) -> MasterTraffic:
    cause = Cause.TIMEOUT if streak else Cause.OK
    return MasterTraffic("m1", answered, failed, in_flight, streak, cause, 0, failed)


def gateway() -> GatewayService:
    return GatewayService(SETTINGS, CLUSTER, "near")


def test_it_says_hello_until_a_table_comes() -> None:
    made = gateway()
    hello = SendHello(GatewayHello("near", 1, 1))
    assert made.start(0) == [hello]
    assert made.next_wakeup() == RESEND_NS
    assert made.step(RESEND_NS - 1, WakeUp()) == []
    assert made.step(RESEND_NS, WakeUp()) == [hello]
    ack = made.apply_routing(RESEND_NS + 1, RoutingTable(1, ("m1",), (), "round-robin"))
    assert ack == RoutingAck("near", 1, 1)
    assert made.next_wakeup() is None


def test_a_restarted_one_numbers_and_counts_anew_and_knows_the_first_cluster() -> None:
    made = gateway()
    made.apply_routing(0, RoutingTable(7, ("m2",), (), "round-robin"))
    for _ in range(3):
        assert made.select_master(1) == "m2"
    made.record_message_corresponded(2, "m2", 5)
    made.record_message_failed(2, "m2", Cause.TIMEOUT)
    (before,) = made.step(made.next_wakeup(), WakeUp())
    assert isinstance(before, SendReport)
    assert (before.report.sequence, before.report.incarnation) == (1, 1)
    made.go_down(60 * SECOND)
    assert made.select_master(61 * SECOND) is None
    assert made.refusal is Cause.UNROUTABLE
    assert made.restart(62 * SECOND, CLUSTER) == [SendHello(GatewayHello("near", 2, 1))]
    assert {made.select_master(63 * SECOND) for _ in range(3)} == {"m1", "m2", "m3"}
    made.record_message_failed(64 * SECOND, "m2", Cause.TIMEOUT)
    (after,) = made.reports.regular(made.reports.next_wakeup())
    assert isinstance(after, SendReport)
    assert (after.report.sequence, after.report.incarnation) == (1, 2)
    (row,) = after.report.masters
    # What was under way is counted on; one of the two at m2 has failed since.
    assert (row.master, row.answered, row.failed, row.streak, row.in_flight) == ("m2", 0, 1, 1, 1)
    again = GatewayService.restore(SETTINGS, CLUSTER, "near", made.freeze())
    assert again.freeze() == made.freeze()


def routing() -> RoutingService:
    made = RoutingService(SETTINGS, CLUSTER, CLUSTER.gateways)
    made.step(0, SwitchAlgorithm("geo"))
    for name in CLUSTER.gateways:
        made.step(1, RoutingAck(name, 2))
    return made


def test_a_restarted_gateway_is_sent_the_routing_again() -> None:
    made = routing()
    assert made.next_wakeup() is None
    (sent,) = made.step(5, GatewayHello("far", 2, 1))
    assert sent == PublishRouting("far", made.table)
    assert made.next_wakeup() == 5 + RESEND_NS
    assert made.step(5 + RESEND_NS, WakeUp()) == [sent]
    # What it had acknowledged before it restarted does not count.
    (late,) = made.step(6 + RESEND_NS, RoutingAck("far", 2, 1))
    assert late == InputRefused("RoutingAck", "far", "late: of incarnation 1")
    assert made.step(7 + RESEND_NS, RoutingAck("far", 2, 2)) == [RoutingConverged(2)]
    assert made.next_wakeup() is None


def test_a_hello_that_got_lost_is_made_good_by_a_report() -> None:
    made = routing()
    made.step(3, GatewayReport("far", 9, (traffic(50),), 1))
    assert made.load_metrics()["m1"]["answered"] == 50
    (sent,) = made.step(5, GatewayReport("far", 1, (traffic(2),), 2))
    assert sent == PublishRouting("far", made.table)
    assert made.load_metrics()["m1"]["answered"] == 2
    assert made.step(6, GatewayReport("far", 10, (traffic(60),), 1)) == []
    assert made.load_metrics()["m1"]["answered"] == 2
    (refused,) = made.step(7, GatewayHello("far", 1, 1))
    assert isinstance(refused, InputRefused)


def test_an_acknowledgement_of_what_was_never_published_is_no_agreement() -> None:
    made = routing()
    made.handle_event(2, StatusChanged("m1", Status.HEALTHY, Status.FAILED, Diagnosis.NONE, ""))
    (refused,) = made.step(3, RoutingAck("near", 7))
    assert refused.reason == "foreign: there was no version 7, 3 is last"
    made.step(4, RoutingAck("near", 3))
    (doubled,) = made.step(5, RoutingAck("near", 3))
    assert doubled.reason == "doubled or late: it has acknowledged version 3"
    assert made.step(6, RoutingAck("far", 3)) == [RoutingConverged(3)]


@pytest.mark.parametrize("count_by", ["in-row", "in-window", "share"])
def test_what_an_old_process_counted_is_not_taken_for_the_new_ones(count_by: str) -> None:
    made = FailoverDetectionService(
        detection(evidence=["messages"], count_by=count_by, error_limit=3, error_volume=3), CLUSTER
    )
    made.start_monitoring(0)
    made.step(1, GatewayReport("near", 7, (traffic(0, 2, 2),), 1))
    made.step(2, GatewayHello("near", 2, 1))
    for sequence in (1, 2):  # one failure of its own, told twice
        made.step(3, GatewayReport("near", sequence, (traffic(0, 1, 1),), 2))
    made.step(4, GatewayReport("near", 8, (traffic(0, 9, 9),), 1))  # overtaken by the restart
    standing = made.generate_health_report(5)["m1"]["failed_messages_standing"]
    assert standing == {"in-row": 1, "in-window": 3, "share": 0}[count_by]
    again = FailoverDetectionService.restore(made.settings, CLUSTER, made.freeze())
    assert again.freeze() == made.freeze()


def test_totals_go_on_over_a_restart() -> None:
    book = TrafficBook()
    book.open(0)
    book.track(1, GatewayReport("a", 5, (traffic(100, 10, in_flight=4),), 1))
    book.track(2, GatewayReport("a", 1, (traffic(3, 1, in_flight=1),), 2))
    book.track(3, GatewayReport("a", 6, (traffic(101, 10),), 1))
    assert book.totals() == {"answered": 103, "failed": 11, "in_flight": 1}
    again = TrafficBook()
    again.thaw(book.freeze())
    assert again.totals() == book.totals()


def test_no_term_is_granted_twice_over_a_restart() -> None:
    """Of three, two would grant a term to one process, and again two to the next."""
    made = gateway()
    assert made.asked(4, "first").claim == "first"
    made.restart(5, CLUSTER)
    told = made.asked(4, "second")
    assert (told.incarnation, told.term, told.claim) == (2, 4, "first")
    assert made.apply_routing(6, RoutingTable(9, ("m2",), (), "geo", term=3)).version == 1
    another = GatewayService(SETTINGS, CLUSTER, "near", incarnation=3, granted=made.granted)
    assert another.asked(4, "second").claim == "first"
    assert another.asked(5, "second").claim == "second"


def test_a_term_that_is_known_by_its_table_is_granted_to_who_asks_for_it() -> None:
    """Whose it is the table does not say: whoever it is holds it, and asks whether that is so."""
    made = gateway()
    assert made.asked(2, "a@1").claim == "a@1"
    made.apply_routing(0, RoutingTable(7, ("m2",), (), "round-robin", term=3))
    assert made.granted == (3, "")
    assert [made.asked(3, claim).claim for claim in ("b@2", "c@3")] == ["b@2", "b@2"]
    assert (made.asked(4, "c@3").claim, made.asked(3, "b@2").term) == ("c@3", 4)
