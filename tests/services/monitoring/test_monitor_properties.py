"""Whatever the sequence of events: the alerts' invariants, the accounts, freeze and restore."""

from __future__ import annotations

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hasim.events import (
    AlertChanged,
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

MASTERS = st.sampled_from(["a", "b", "c"])
PARTITIONS = st.sampled_from(["p1", "p2", "p3"])
STATES = st.sampled_from(
    ["declared", "fencing", "selecting", "waiting", "completed", "cancelled", "failed"]
)
EVENTS = st.one_of(
    st.builds(
        StatusChanged,
        MASTERS,
        st.just(Status.UNKNOWN),
        st.sampled_from(list(Status)),
        st.just(Diagnosis.NONE),
        st.just("why"),
    ),
    st.builds(
        FailoverChanged,
        st.integers(1, 3),
        MASTERS,
        st.tuples(PARTITIONS),
        st.just("x"),
        STATES,
        st.just("x"),
        MASTERS,
        st.just("why"),
    ),
    st.builds(OwnerChanged, PARTITIONS, MASTERS, st.integers(1, 5), st.just(1)),
    st.builds(RoutingConverged, st.integers(1, 9)),
    st.builds(ServiceFailed, st.sampled_from(["detection", "failover"]), st.just("boom")),
)
REPORTS = st.builds(
    lambda gateway, seq, master, n: GatewayReport(
        gateway, seq, (MasterTraffic(master, n, n // 2, 1, 0, Cause.OK, n, n // 2),)
    ),
    st.sampled_from(["west", "east"]),
    st.integers(0, 20),
    MASTERS,
    st.integers(0, 1000),
)
ALERTS = st.tuples(st.sampled_from(["x", "y", "sla"]), st.sampled_from(list(Severity)))
ACTIONS = st.one_of(EVENTS, REPORTS, st.just(WakeUp()), ALERTS)
# Steps around the hold (10 s) and the period (1000 s) of the settings.
STEPS = st.sampled_from([0, 1, 10**9, 5 * 10**9, 10 * 10**9, 10**10 + 1, 400 * 10**9])
SCRIPTS = st.lists(st.tuples(STEPS, ACTIONS), max_size=60)


def act(monitor, now, action):
    if action == "stop":
        return monitor.shutdown(now)
    if action == "start":
        return monitor.initialize_monitoring(now)
    if isinstance(action, tuple):
        subject, severity = action
        return monitor.generate_alert(now, subject, severity, f"{subject} at {now}")
    if isinstance(action, GatewayReport | WakeUp):
        return monitor.step(now, action)
    return monitor.handle_event(now, action)


@settings(deadline=None)
@given(script=SCRIPTS)
def test_alerts_open_once_per_subject_and_history_only_grows(start, script):
    monitor, now, emitted = start(), 0, []
    opened: dict[str, tuple[int, Severity]] = {}
    for pause, action in script:
        now += pause
        before = monitor.get_alert_history()
        for change in act(monitor, now, action):
            assert isinstance(change, AlertChanged)
            emitted.append((now, change))
            number, severity = opened.get(change.subject, (None, None))
            if change.severity is Severity.RESOLVED:
                assert number == change.alert
                del opened[change.subject]
                continue
            if number is not None:  # an open alert changes only from warning to critical
                assert (number, severity) == (change.alert, Severity.WARNING)
                assert change.severity is Severity.CRITICAL
            opened[change.subject] = (change.alert, change.severity)
        assert monitor.get_alert_history()[: len(before)] == before
        active = {a.subject: (a.alert, a.severity) for a in monitor.get_active_alerts()}
        assert active == opened
    history = monitor.get_alert_history()
    assert [(r.t_ns, r.alert, r.subject, r.severity) for r in history] == [
        (t, c.alert, c.subject, c.severity) for t, c in emitted
    ]
    assert [r.t_ns for r in history] == sorted(r.t_ns for r in history)


@settings(deadline=None)
@given(script=SCRIPTS)
def test_accounts_agree_with_a_sum_over_the_dashboard(start, script):
    """Downtime is the sum of the pauses that began with a partition unserved."""
    monitor, now, down = start(), 0, 0
    for pause, action in script:
        if any(not p["served"] for p in monitor.get_dashboard_data(now)["partitions"]):
            down += pause
        now += pause
        act(monitor, now, action)
    sla = monitor.compute_sla_compliance(now)
    assert sla["uptime"] == (1 - down / now if now else 1.0)
    assert 0.0 <= sla["uptime"] <= sla["uptime_mean"] <= 1.0
    assert 0.0 <= sla["used_s"] <= now / 1e9


@settings(deadline=None)
@given(script=SCRIPTS, cut=st.integers(0, 60))
def test_frozen_and_restored_monitor_behaves_the_same(start, script, cut):
    monitor, now = start(), 0
    twin = None
    for index, (pause, action) in enumerate(script):
        if index == cut:
            data = json.loads(json.dumps(monitor.freeze()))
            twin = start(data)
        now += pause
        out = act(monitor, now, action)
        if twin is not None:
            assert act(twin, now, action) == out
            assert twin.next_wakeup() == monitor.next_wakeup()
            assert twin.get_dashboard_data(now) == monitor.get_dashboard_data(now)
    if twin is not None:
        assert twin.freeze() == monitor.freeze()


OUTAGE = StatusChanged("a", Status.HEALTHY, Status.FAILED, Diagnosis.NONE, "why")
NEWS = ServiceFailed("detection", "an input")
REPORT = GatewayReport("west", 1, ())


@settings(deadline=None, max_examples=1000)
@given(
    script=st.lists(
        st.tuples(STEPS, ALERTS | st.sampled_from([WakeUp(), "stop", "start"]) | ACTIONS),
        max_size=60,
    ),
    hold_ns=st.sampled_from([0, 10 * 10**9]),
)
@example(  # an input at the very end of the hold
    script=[
        (0, ("x", Severity.WARNING)),
        (0, ("x", Severity.RESOLVED)),
        (10 * 10**9, NEWS),
        (0, WakeUp()),
    ],
    hold_ns=10 * 10**9,
)
@example(  # the alert of the error budget, closed by hand and opened anew
    script=[
        (0, OUTAGE),
        (10 * 10**9, WakeUp()),
        (0, ("sla", Severity.RESOLVED)),
        (0, ("sla", Severity.WARNING)),
        (1, NEWS),
    ],
    hold_ns=0,
)
@example(  # stopped and started with an alert on hold
    script=[
        (0, ("x", Severity.WARNING)),
        (1, ("x", Severity.RESOLVED)),
        (1, "stop"),
        (1, NEWS),
        (1, "start"),
        (1, NEWS),
    ],
    hold_ns=10 * 10**9,
)
@example(script=[(995 * 10**9, OUTAGE), (6 * 10**9, REPORT)], hold_ns=0)  # a period turns
def test_knowing_when_something_is_due_changes_nothing(start, script, hold_ns):
    """Asked after each input, it skips what is not due; its twin, never asked, always looks."""
    asked, never_asked, now = start(hold_ns=hold_ns), start(hold_ns=hold_ns), 0
    for pause, action in script:
        now += pause
        assert act(asked, now, action) == act(never_asked, now, action)
        frozen = asked.freeze()
        assert frozen == never_asked.freeze()
        afresh = start(json.loads(json.dumps(frozen)), hold_ns=hold_ns)
        assert asked.next_wakeup() == afresh.next_wakeup()


@settings(deadline=None)
@given(script=SCRIPTS)
def test_following_next_wakeup_always_ends(start, script):
    """A driver that wakes it whenever it asks makes progress in time."""
    monitor, now = start(), 0
    for pause, action in script:
        target = now + pause
        for _ in range(1000):
            due = monitor.next_wakeup()
            if due is None or due > target:
                break
            now = max(now, due)
            monitor.step(now, WakeUp())
        else:
            raise AssertionError("asks for the same instant again and again")
        now = target
        act(monitor, now, action)
