"""The high-availability monitor: listens to the other services, alerts, and keeps the accounts."""

from __future__ import annotations

from typing import Any, ClassVar

from hasim.events import (
    Event,
    GatewayReport,
    Input,
    Output,
    WakeUp,
)
from hasim.model import Cluster, Severity
from hasim.services.door import Door
from hasim.services.frozen import freeze, thaw
from hasim.services.monitoring import export
from hasim.services.monitoring.alerts import ActiveAlert, AlertBook, AlertRecord
from hasim.services.monitoring.beliefs import TIER, Beliefs
from hasim.services.monitoring.conditions import Conditions
from hasim.services.monitoring.dashboard import dashboard, sla_compliance
from hasim.services.monitoring.settings import MonitorSettings
from hasim.services.monitoring.traffic import TrafficBook
from hasim.services.monitoring.uptime import UptimeBook
from hasim.services.possible import check


class HighAvailabilityMonitor:
    """Alerts, observed uptime, error budget, traffic counters, dashboard and metrics.

    A sans-IO state machine: `now` is integer nanoseconds and never runs back.
    Methods that act answer with events; methods that ask only read. Before
    `initialize_monitoring` and after `shutdown` nothing is listened to, and the
    accounts stand still. `observer` is the name of the control plane, where there are
    several: the dashboard says whose it is, and each metric has it as a label.
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset({GatewayReport, WakeUp})

    def __init__(self, settings: MonitorSettings, cluster: Cluster, *, observer: str = "") -> None:
        check(cluster, settings)
        self._settings = settings
        self._door = Door(cluster)
        self._observer = observer
        self._cluster = cluster
        self._running = False
        # What `next_wakeup` said, and before when inputs find nothing due: 0, they have to look;
        # -1, both are to be found out.
        self._wakeup_ns: int | None = None
        self._quiet_ns = -1
        self._now = 0
        self._alerts = AlertBook(settings.hold_ns, settings.evaluation_ns)
        whole = "every partition" if cluster.partitions else "the tier"
        self._conditions = Conditions(settings, self._alerts, whole)
        self._beliefs = Beliefs.of(cluster)
        self._traffic = TrafficBook()
        self._uptime = self._new_accounts(0)

    # -- acting ----------------------------------------------------------------

    def initialize_monitoring(self, now: int) -> list[Output]:
        """Start: uptime, error budget and rates count from here; again while running: nothing.

        After a shutdown, the alerts and what is believed are kept.
        """
        if self._running:
            return []
        self._running, self._now, self._quiet_ns = True, now, -1
        self._uptime = self._new_accounts(now)
        self._alerts.start(now)
        self._believe(now)
        self._traffic.open(now)
        return []

    def shutdown(self, now: int) -> list[Output]:
        """Stop: what is due is still resolved, the accounts are closed at `now`."""
        out = self._settle(now)
        self._running, self._quiet_ns = False, -1
        return out

    def step(self, now: int, item: Input) -> list[Output]:
        """Take one input at `now` (nanoseconds). InputError for one that cannot be."""
        self._door.check(now, item)
        return self.take(now, item)

    def take(self, now: int, item: Input) -> list[Output]:
        """Take one that has been looked at: traffic from reports, wake-ups for what is due."""
        if isinstance(item, GatewayReport):
            return self.track_performance_metrics(now, item)
        out = self._settle(now)
        if isinstance(item, WakeUp) and self._running:
            self._quiet_ns = -1
            out += self._conditions.watch(now, self._uptime)
            out += self._alerts.catch_up(now)
        return out

    def next_wakeup(self) -> int | None:
        """When an alert is to be resolved or the error budget turns; None if never."""
        if self._quiet_ns < 0:
            self._look_ahead()
        return self._wakeup_ns

    def _look_ahead(self) -> None:
        """Find out when something is due although nothing happens."""
        if not self._running:
            self._wakeup_ns, self._quiet_ns = None, 0
            return
        exhausted, end = self._uptime.exhausted(self._now), self._uptime.period_end(self._now)
        budget = end if exhausted else self._uptime.exhausted_at(self._now)
        turns = (self._alerts.next_due(), budget, self._conditions.next_turn(self._now))
        due = [time for time in turns if time is not None]
        self._wakeup_ns = min(due, default=None)
        # Unless the alerts say how the budget is spent, the next input brings a change.
        told = self._conditions.told(self._now, self._uptime)
        self._quiet_ns = min([*due, end]) if told else 0

    def handle_event(self, now: int, event: Event) -> list[Output]:
        """Take what another service concluded; answers with the alerts that follow."""
        out = self._settle(now)
        if not self._running:
            return out
        self._quiet_ns = -1
        self._beliefs.apply(now, event)
        self._believe(now)
        out += self._conditions.take(now, event, self._beliefs)
        return out + self._conditions.watch(now, self._uptime)

    def generate_alert(self, now: int, subject: str, severity: Severity, text: str) -> list[Output]:
        """The condition of `subject` holds: raise its alert, or its severity, or nothing new.

        There is one open alert per subject; its severity rises from WARNING to
        CRITICAL and never falls. RESOLVED is the same as `clear_alert`.
        """
        if not self._running:
            return []
        if severity is Severity.RESOLVED:
            return self.clear_alert(now, subject)
        out = self._settle(now)
        self._quiet_ns = -1
        return [*out, *self._alerts.fire(now, subject, severity, text)]

    def clear_alert(self, now: int, subject: str) -> list[Output]:
        """The condition of `subject` is gone; resolved once it was gone for `hold_ns`."""
        if not self._running:
            return []
        out = self._settle(now)
        self._quiet_ns = -1
        return [*out, *self._alerts.clear(now, subject)]

    def track_performance_metrics(self, now: int, report: GatewayReport) -> list[Output]:
        """Take over a gateway's cumulative counters."""
        out = self._settle(now)
        if self._running:
            self._traffic.track(now, report)
        return out

    # -- asking ----------------------------------------------------------------

    def healthy(self) -> bool:
        """Whether the monitor is running."""
        return self._running

    def get_alert_history(self) -> tuple[AlertRecord, ...]:
        """Every change of every alert, in order; append-only."""
        return self._alerts.history()

    def get_active_alerts(self) -> tuple[ActiveAlert, ...]:
        """The open alerts, oldest first."""
        return self._alerts.active()

    def compute_sla_compliance(self, now: int) -> dict[str, Any]:
        """Objective, observed uptime and error budget; see `dashboard.sla_compliance`."""
        return sla_compliance(self._read_at(now), self._settings, self._uptime)

    def get_dashboard_data(self, now: int) -> dict[str, Any]:
        """All that the monitor knows, as plain data; see `dashboard.dashboard`."""
        now = self._read_at(now)
        sla = self.compute_sla_compliance(now)
        board = dashboard(now, self._cluster, self._beliefs, self._traffic, self._alerts, sla=sla)
        return {"observer": self._observer} | board

    def export_metrics(self, now: int, format: str) -> str:
        """The metrics as ``json``, ``csv`` or ``prometheus`` text (exposition format 0.0.4).

        Raises ValueError for any other format.
        """
        board = self.get_dashboard_data(now)
        return export.render(export.families(board, running=self._running), format)

    # -- frozen to plain data ----------------------------------------------------

    def freeze(self) -> dict[str, Any]:
        """The whole state as plain data (JSON), from which `restore` goes on."""
        return {
            "running": self._running,
            "now": self._now,
            "alerts": self._alerts.freeze(),
            "conditions": self._conditions.freeze(),
            "beliefs": freeze(self._beliefs),
            "traffic": self._traffic.freeze(),
            "uptime": freeze(self._uptime),
        }

    @classmethod
    def restore(
        cls,
        settings: MonitorSettings,
        cluster: Cluster,
        data: dict[str, Any],
        *,
        observer: str = "",
    ) -> HighAvailabilityMonitor:
        """A monitor that behaves as the one that was frozen to `data`."""
        monitor = cls(settings, cluster, observer=observer)
        monitor._running, monitor._now = data["running"], data["now"]
        monitor._alerts.thaw(data["alerts"])
        monitor._conditions.thaw(data["conditions"])
        monitor._beliefs = thaw(Beliefs, data["beliefs"])
        monitor._traffic.thaw(data["traffic"])
        monitor._uptime = thaw(UptimeBook, data["uptime"])
        return monitor

    # -- inside ------------------------------------------------------------------

    def _new_accounts(self, now: int) -> UptimeBook:
        return UptimeBook.start(
            now,
            self._settings.objective,
            self._settings.period_ns,
            [partition.id for partition in self._cluster.partitions] or [TIER],
        )

    def _read_at(self, now: int) -> int:
        return now if self._running else self._now

    def _settle(self, now: int) -> list[Output]:
        """Catch up with what should have happened before `now`, had the wake-up come in time."""
        if not self._running or now == self._now:
            return []
        self._now = now
        if now < self._quiet_ns:
            return []
        self._quiet_ns = -1
        # Strictly before: at one instant inputs are handled before wake-ups.
        out: list[Output] = [*self._alerts.catch_up(now - 1, at=now)]
        self._uptime.turn_period(now)
        return out + self._conditions.watch(now, self._uptime)

    def _believe(self, now: int) -> None:
        """From `now` on, what is believed unserved is down."""
        unserved = self._beliefs.unserved()
        self._uptime.update(now, unserved)
        self._conditions.served(now, down=bool(unserved))
