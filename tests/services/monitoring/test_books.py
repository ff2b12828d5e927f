"""The monitor's books by themselves: alerts by rule, counted traffic, the budget's last moment."""

from __future__ import annotations

from hasim.events import GatewayReport, MasterTraffic
from hasim.model import Cause, Severity
from hasim.services.monitoring.alerts import AlertBook
from hasim.services.monitoring.traffic import TrafficBook
from hasim.services.monitoring.uptime import UptimeBook
from hasim.units import SECOND


def report(number: int, answered: int) -> GatewayReport:
    row = MasterTraffic("m1", answered, 0, 0, 0, Cause.OK, 0, 0)
    return GatewayReport("a", number, (row,))


def test_a_rule_that_is_clear_leaves_the_others_of_its_subject() -> None:
    book = AlertBook(hold_ns=0)
    book.set(0, "m1", "slow", "it is slow", Severity.WARNING)
    book.set(0, "m1", "gone", "it is gone", Severity.CRITICAL)
    assert book.clear(1, "m1", "slow") == []
    assert (book.holds("m1", "slow"), book.holds("m1", "gone")) == (False, True)
    assert book.firing("m1") is Severity.CRITICAL


def test_an_alert_that_is_not_kept_ends_when_its_condition_does() -> None:
    book = AlertBook(hold_ns=0)
    book.set(0, "m1", "slow", "it is slow", Severity.WARNING)
    assert [change.severity for change in book.clear(5, "m1", "slow")] == [Severity.RESOLVED]


def test_before_any_time_has_passed_both_rates_are_none() -> None:
    book = TrafficBook()
    book.open(7)
    assert book.rates(7) == {"answered_per_s": 0.0, "failed_per_s": 0.0}


def test_counts_are_kept_about_once_a_second_however_often_gateways_report() -> None:
    book = TrafficBook()
    book.open(0)
    for number in range(1, 51):
        book.track(number * SECOND // 10, report(number, number))
    assert [sample[0] for sample in book.freeze()["samples"]] == [n * SECOND for n in range(6)]


def test_a_budget_that_lasts_to_the_very_end_of_its_period_is_used_up_there() -> None:
    book = UptimeBook.start(0, 0.9, 100, ["p1"])
    book.update(90, {"p1"})
    assert book.exhausted_at(90) == book.period_end(90) == 100
