"""The monitor alone, whatever it is told, started and stopped, woken late or never.

Beside it stand its alerts and accounts, kept once more from the whole history: which conditions
held when, and how long each partition was unserved.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from hasim.events import (
    AlertChanged,
    FailoverChanged,
    GatewayReport,
    MasterTraffic,
    Output,
    OwnerChanged,
    RoutingConverged,
    ServiceFailed,
    StatusChanged,
    WakeUp,
)
from hasim.model import Cause, Diagnosis, Severity, Status
from hasim.services.monitoring import HighAvailabilityMonitor, MonitorSettings
from hasim.units import SECOND
from tests.services.machines import at_random
from tests.services.monitoring.conftest import CLUSTER
from tests.services.saying import assert_well_formed

MASTERS, PARTITIONS, OWN = ("a", "b", "c"), ("p1", "p2", "p3"), ("x", "y")
HOLD_NS = 10 * SECOND
STEPS = (0, 1, SECOND, 5 * SECOND, HOLD_NS - 1, HOLD_NS, HOLD_NS + 1, 400 * SECOND, 1000 * SECOND)
STATES = ("declared", "fencing", "waiting", "completed", "cancelled", "failed")
RANK = {Severity.RESOLVED: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}
masters, partitions = st.sampled_from(MASTERS), st.sampled_from(PARTITIONS)


class Alert:
    """One of a subject that no rule speaks of: each severity has a condition of its own."""

    def __init__(self) -> None:
        self.holds: dict[Severity, bool] = {}
        self.until: dict[Severity, int] = {}
        """When a condition that is clear ends."""
        self.open: Severity | None = None

    def worst(self) -> Severity | None:
        """Of the conditions that hold, or have been clear for less than the hold."""
        there = [s for s, holds in self.holds.items() if holds or s in self.until]
        return max(there, key=RANK.__getitem__, default=None)


class Machine(RuleBasedStateMachine):
    """A monitor, a copy restored from it, and the history."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.since = 0
        """When the accounts were opened."""
        self.running = True
        self.own = {subject: Alert() for subject in OWN}
        self.seen: dict[str, tuple[int, Severity]] = {}
        self.history: list[tuple[int, int, str, Severity]] = []
        self.down = 0
        self.counts: dict[str, tuple[int, int]] = {}

    @initialize(evaluation=st.just(0), objective=st.sampled_from([0.99, 0.5]))
    def begin(self, evaluation: int, objective: float) -> None:
        self.settings = MonitorSettings(
            objective=objective, period_ns=1000 * SECOND, hold_ns=HOLD_NS, evaluation_ns=evaluation
        )
        self.twins = [HighAvailabilityMonitor(self.settings, CLUSTER, observer="here")]
        assert not self.twins[0].healthy()
        assert self.twins[0].step(0, WakeUp()) == []
        self.twins[0].initialize_monitoring(0)

    # -- what it is told -----------------------------------------------------------------

    @rule(step=st.sampled_from(STEPS))
    def wait(self, step: int) -> None:
        self.pass_time(step)

    @rule(step=st.sampled_from(STEPS))
    def wake(self, step: int) -> None:
        self.pass_time(step)
        self.hear(self.all(lambda each: each.step(self.now, WakeUp())), woken=True)

    @rule()
    def wake_in_time(self) -> None:
        if (due := self.twins[0].next_wakeup()) is not None:
            self.pass_time(max(0, due - self.now))
            self.hear(self.all(lambda each: each.step(self.now, WakeUp())), woken=True)
            again = self.twins[0].next_wakeup()
            assert again is None or again > self.now, "woken at one instant, for ever"

    @rule(subject=st.sampled_from(OWN), severity=st.sampled_from(list(Severity)))
    def generate(self, subject: str, severity: Severity) -> None:
        said = self.all(lambda each: each.generate_alert(self.now, subject, severity, "why"))
        if self.running:
            self.expire(before=self.now)
            if severity is Severity.RESOLVED:
                self.cleared(subject)
            else:
                self.own[subject].holds[severity] = True
                self.own[subject].until.pop(severity, None)
        self.hear(said)

    @rule(subject=st.sampled_from(OWN))
    def clear(self, subject: str) -> None:
        said = self.all(lambda each: each.clear_alert(self.now, subject))
        if self.running:
            self.expire(before=self.now)
            self.cleared(subject)
        self.hear(said)

    @rule(subject=st.sampled_from(OWN), clear=st.sampled_from(STEPS), holds=st.sampled_from(STEPS))
    def blips(self, subject: str, clear: int, holds: int) -> None:
        """It holds, is clear for a while, holds again, and is clear: the hold begins anew."""
        self.generate_and_clear(subject)
        self.pass_time(clear)
        self.generate_and_clear(subject)
        self.pass_time(holds)
        self.hear(self.all(lambda each: each.step(self.now, WakeUp())), woken=True)

    def generate_and_clear(self, subject: str) -> None:
        self.generate(subject, Severity.WARNING)
        self.pass_time(SECOND)
        self.clear(subject)

    @rule(master=masters, status=st.sampled_from(list(Status)))
    def verdict(self, master: str, status: Status) -> None:
        self.event(StatusChanged(master, Status.UNKNOWN, status, Diagnosis.NONE, "why"))

    @rule(number=st.integers(1, 3), master=masters, of=partitions, state=st.sampled_from(STATES))
    def failover(self, number: int, master: str, of: str, state: str) -> None:
        self.event(FailoverChanged(number, master, (of,), "x", state, "x", master, "why"))

    @rule(of=partitions, master=masters, epoch=st.integers(1, 5))
    def owner(self, of: str, master: str, epoch: int) -> None:
        self.event(OwnerChanged(of, master, epoch, 1))

    @rule(version=st.integers(1, 9))
    def routed(self, version: int) -> None:
        self.event(RoutingConverged(version))

    @rule(service=st.sampled_from(["detection", "failover"]))
    def service_fails(self, service: str) -> None:
        self.event(ServiceFailed(service, "boom"))

    @rule(
        gateway=st.sampled_from(["west", "east"]), sequence=st.integers(0, 5), master=masters,
        answered=st.integers(0, 9), failed=st.integers(0, 9),
    )  # fmt: skip
    def report(self, gateway: str, sequence: int, master: str, answered: int, failed: int) -> None:
        row = MasterTraffic(master, answered, failed, 0, failed, Cause.OK, 5, failed)
        item = GatewayReport(gateway, sequence, (row,))
        self.hear(self.all(lambda each: each.step(self.now, item)))

    @rule()
    def stop_and_start(self) -> None:
        """Stopped, nothing is listened to and the accounts stand; alerts are kept."""
        if self.running:
            said = self.all(lambda each: each.shutdown(self.now))
            self.running = False
            self.hear(said)
        else:
            self.all(lambda each: each.initialize_monitoring(self.now))
            self.running, self.since, self.down = True, self.now, 0
            # What became due in the meantime is due now.
            self.hear(self.all(lambda each: each.step(self.now, WakeUp())), woken=True)
        assert self.twins[0].healthy() is self.running
        assert self.running or self.twins[0].next_wakeup() is None

    @rule(keep=st.booleans())
    def another_goes_on(self, keep: bool) -> None:
        frozen = json.loads(json.dumps(self.twins[0].freeze()))
        fresh = HighAvailabilityMonitor.restore(self.settings, CLUSTER, frozen, observer="here")
        assert json.loads(json.dumps(fresh.freeze())) == frozen
        assert fresh.next_wakeup() == self.twins[0].next_wakeup()
        self.twins = [self.twins[0], fresh] if keep else [fresh]

    # -- telling -------------------------------------------------------------------------

    def all(self, tell: Any) -> list[list[Output]]:
        return [tell(twin) for twin in self.twins]

    def event(self, event: Any) -> None:
        self.hear(self.all(lambda each: each.handle_event(self.now, event)))

    def pass_time(self, step: int) -> None:
        if self.running:
            board = self.twins[0].get_dashboard_data(self.now)
            unserved = [p for p in board["partitions"] if not p["served"]]
            self.down += step if unserved else 0
        self.now += step

    def cleared(self, subject: str) -> None:
        own = self.own[subject]
        for severity, holds in own.holds.items():
            if holds:
                own.holds[severity], own.until[severity] = False, self.now + HOLD_NS

    def expire(self, *, before: int) -> None:
        """What has been clear for the hold is over."""
        for own in self.own.values():
            own.until = {s: t for s, t in own.until.items() if t >= before}

    # -- what it says --------------------------------------------------------------------

    def hear(self, said: list[list[Output]], *, woken: bool = False) -> None:
        assert all(each == said[0] for each in said), "what was restored goes on otherwise"
        assert_well_formed(said[0])
        if self.running:  # at one instant inputs come before wake-ups
            self.expire(before=self.now + woken)
        for out in said[0]:
            assert isinstance(out, AlertChanged)
            number, severity = self.seen.get(out.subject, (0, Severity.RESOLVED))
            assert out.severity is not severity
            assert out.severity is Severity.RESOLVED or RANK[out.severity] > RANK[severity]
            if out.severity is Severity.RESOLVED:
                assert out.alert == number
                del self.seen[out.subject]
            else:
                assert number in (0, out.alert)
                assert number or all(out.alert > alert for _, alert, _, _ in self.history)
                self.seen[out.subject] = (out.alert, out.severity)
            self.history.append((self.now, out.alert, out.subject, out.severity))
        first = self.twins[0]
        active = {a.subject: (a.alert, a.severity) for a in first.get_active_alerts()}
        assert active == self.seen
        told = [(r.t_ns, r.alert, r.subject, r.severity) for r in first.get_alert_history()]
        assert [each[1:] for each in told] == [each[1:] for each in self.history]
        assert [each[0] for each in told] == sorted(each[0] for each in told)
        for subject, own in self.own.items():
            there = own.worst()
            assert (there is None) == (subject not in self.seen), subject
            if there is not None:  # it never gets less severe
                assert RANK[self.seen[subject][1]] >= RANK[there]
        if self.running:
            self.accounts(first)

    def accounts(self, first: HighAvailabilityMonitor) -> None:
        sla = first.compute_sla_compliance(self.now)
        spent = self.now - self.since
        assert sla["uptime"] == (1 - self.down / spent if spent else 1.0)
        assert first.get_dashboard_data(self.now)["observer"] == "here"
        lines = first.export_metrics(self.now, "prometheus").splitlines()
        assert all("{" in line for line in lines if line and not line.startswith("#"))


TestMonitor = Machine.TestCase
TestMonitor.settings = at_random(40, 40)


@pytest.mark.slow
class TestMonitorLong(Machine.TestCase):
    settings = at_random(3000, 80)
