"""Alert rules as data: pending, kept, evaluated now and then; burn rates to the nanosecond."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.events import WakeUp
from hasim.model import Severity, Status
from hasim.services.monitoring import HighAvailabilityMonitor, MonitorSettings
from hasim.services.monitoring.rules import BurnRateRule, ConditionRule
from hasim.settings.validation import from_plain
from hasim.units import DAY, HOUR, MINUTE, SECOND
from tests.services.monitoring.test_monitor import status

S = SECOND
PAGE = ConditionRule(when="failed", for_ns=MINUTE, keep_firing_for_ns=5 * MINUTE)
WORKBOOK = (
    BurnRateRule(burn_rate=14.4),
    BurnRateRule(burn_rate=6, long_ns=6 * HOUR, short_ns=30 * MINUTE),
    BurnRateRule(burn_rate=3, long_ns=DAY, short_ns=2 * HOUR, severity="warning"),
    BurnRateRule(burn_rate=1, long_ns=3 * DAY, short_ns=6 * HOUR, severity="warning"),
)


def told(monitor, script, until_s):
    """Events by second, and every wake-up that the monitor asks for, on time: what it said."""
    pending = sorted(script, key=lambda item: item[0])
    found = []
    while True:
        wake = monitor.next_wakeup()
        next_s = pending[0][0] if pending else until_s
        if wake is not None and wake < min(next_s, until_s) * S:
            now, out = wake, monitor.step(wake, WakeUp())
        elif pending:
            at_s, event = pending.pop(0)
            now = round(at_s * S)
            out = monitor.handle_event(now, event)
        else:
            return found
        found += [(now, change.subject, change.severity) for change in out]


def failures(*spans):
    """A master, failed from one second to another."""
    for since_s, until_s in spans:
        yield since_s, status("a", Status.FAILED)
        yield until_s, status("a", Status.HEALTHY)


@pytest.fixture
def started(cluster):
    def make(*rules, **more) -> HighAvailabilityMonitor:
        monitor = HighAvailabilityMonitor(MonitorSettings(alerts=rules, **more), cluster)
        monitor.initialize_monitoring(0)
        return monitor

    return make


def test_a_flapping_master_gives_one_alert(started):
    flaps = failures(*((100 + 200 * n, 200 + 200 * n) for n in range(10)))
    assert told(started(PAGE), flaps, 4000) == [
        (160 * S, "master:a", Severity.CRITICAL),
        ((2000 + 300) * S, "master:a", Severity.RESOLVED),
    ]


def test_a_blip_that_is_shorter_than_for_gives_none(started):
    assert told(started(PAGE), failures((100, 130), (300, 359.9)), 4000) == []
    assert len(told(started(PAGE), failures((100, 160.1)), 4000)) == 2


def test_two_rules_of_one_subject_escalate_one_alert(started):
    warn = ConditionRule(when="failed", severity="warning", keep_firing_for_ns=0)
    assert told(started(warn, PAGE), failures((10, 100)), 4000) == [
        (10 * S, "master:a", Severity.WARNING),
        (70 * S, "master:a", Severity.CRITICAL),
        (400 * S, "master:a", Severity.RESOLVED),
    ]


def test_an_evaluation_sees_only_what_is_so_at_its_time(started):
    monitor = started(ConditionRule(when="failed", keep_firing_for_ns=0), evaluation_ns=15 * S)
    assert told(monitor, failures((16, 29), (31, 50), (60, 75)), 200) == [
        (45 * S, "master:a", Severity.CRITICAL),
        # At 60 it has failed again: an event comes before the evaluation of its instant.
        (75 * S, "master:a", Severity.RESOLVED),
    ]


def test_pending_counts_from_the_evaluation_that_saw_it(started):
    monitor = started(PAGE, evaluation_ns=15 * S)
    (raised, resolved) = told(monitor, failures((16, 110)), 4000)
    assert raised == (90 * S, "master:a", Severity.CRITICAL)
    assert resolved == ((120 + 300) * S, "master:a", Severity.RESOLVED)


STEP = list(failures((100_000, 104_000)))
"""Everything is up for more than a day, then nothing for 4000 s."""


def test_a_step_is_paged_exactly_when_the_budget_has_burnt_so_fast(started):
    """99.9 %: 14.4 * 0.1 % * 1 h = 51.84 s; 129.6 s; and 259.2 s for both of the slow ones."""
    found = told(started(*WORKBOOK, objective=0.999, hold_ns=0), STEP, 100_000 + 3 * 86_400)
    raised = {subject: t for t, subject, severity in found if severity is not Severity.RESOLVED}
    assert raised == {
        "burn-rate:1h": 100_000 * S + 51_840_000_000,
        "burn-rate:6h": 100_000 * S + 129_600_000_000,
        "burn-rate:1d": 100_000 * S + 259_200_000_000,
        "burn-rate:3d": 100_000 * S + 259_200_000_000,
    }
    resolved = {subject: t for t, subject, severity in found if severity is Severity.RESOLVED}
    # Each is over one nanosecond after its short window has no more than its limit.
    assert resolved == {
        "burn-rate:1h": 104_000 * S + 300 * S - 4_320_000_000 + 1,
        "burn-rate:6h": 104_000 * S + 1800 * S - 10_800_000_000 + 1,
        "burn-rate:1d": 104_000 * S + 7200 * S - 21_600_000_000 + 1,
        "burn-rate:3d": 104_000 * S + 21_600 * S - 21_600_000_000 + 1,
    }


def test_evaluated_every_fifteen_seconds(started):
    monitor = started(WORKBOOK[0], objective=0.999, evaluation_ns=15 * S, hold_ns=0)
    found = told(monitor, failures((100_001, 100_100)), 110_000)
    assert [t for t, _, _ in found] == [100_065 * S, 100_410 * S]


def test_hysteresis_keeps_a_burn_rate_alert_until_it_is_well_below(started):
    rule = BurnRateRule(burn_rate=14.4, hysteresis=0.5)
    found = told(started(rule, objective=0.999, hold_ns=0), STEP, 200_000)
    assert [t for t, _, _ in found] == [
        100_000 * S + 51_840_000_000,
        104_000 * S + 300 * S - 2_160_000_000 + 1,
    ]


def test_an_objective_that_allows_nothing_burns_at_once(started):
    (raised, _) = told(started(WORKBOOK[0], objective=1.0), failures((50, 51)), 9000)
    assert raised == (50 * S + 1, "burn-rate:1h", Severity.CRITICAL)


def test_rules_as_a_scenario_writes_them():
    made = from_plain(
        MonitorSettings,
        {
            "evaluation": "15s",
            "alerts": [
                {"when": "failed", "for": "1m", "keep_firing_for": "5m"},
                {"burn_rate": 6, "long": "6h", "short": "30m", "hysteresis": "10%"},
            ],
        },
    )
    assert made.alerts[0] == PAGE
    assert made.alerts[1] == BurnRateRule(
        burn_rate=6.0, long_ns=6 * HOUR, short_ns=30 * MINUTE, hysteresis=0.1
    )


SPANS = st.lists(st.integers(1, 400), max_size=16)


@settings(deadline=None, max_examples=60)
@given(SPANS, st.sampled_from([0, 15 * S]), st.integers(0, 16))
def test_frozen_in_between_it_goes_on_the_same(cluster, edges, evaluation_ns, cut):
    rules = (
        PAGE,
        BurnRateRule(burn_rate=14.4, long_ns=10 * MINUTE, short_ns=MINUTE),
        ConditionRule(when="suspected"),
    )
    made = MonitorSettings(alerts=rules, objective=0.99, evaluation_ns=evaluation_ns)
    monitor = HighAvailabilityMonitor(made, cluster)
    monitor.initialize_monitoring(0)
    other, now = monitor, 0
    kinds = (Status.FAILED, Status.HEALTHY, Status.SUSPECT, Status.HEALTHY)
    for number, pause_s in enumerate(edges):
        now += pause_s * S
        if number == cut:
            data = json.loads(json.dumps(monitor.freeze()))
            other = HighAvailabilityMonitor.restore(made, cluster, data)
        event = status("a", kinds[number % 4])
        out = monitor.handle_event(now, event)
        assert other is monitor or other.handle_event(now, event) == out
        assert monitor.next_wakeup() == other.next_wakeup()
