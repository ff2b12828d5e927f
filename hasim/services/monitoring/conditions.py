"""The conditions that rules speak of: what other services said, and how the budget is spent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hasim.burn import Downs, limit_of
from hasim.events import Event, FailoverChanged, Output, ServiceFailed, StatusChanged
from hasim.model import Severity, Status
from hasim.services.frozen import freeze, thaw
from hasim.services.monitoring.alerts import AlertBook
from hasim.services.monitoring.beliefs import Beliefs
from hasim.services.monitoring.rules import BURN_RATE, BurnRateRule, ConditionRule
from hasim.services.monitoring.settings import MonitorSettings
from hasim.services.monitoring.uptime import UptimeBook
from hasim.units import format_duration, format_percent

SLA = "sla"
"""The subject of the alert that the error budget is used up."""


class Conditions:
    """Tells the book of alerts which rule's condition holds, and of what."""

    def __init__(self, settings: MonitorSettings, alerts: AlertBook, whole: str) -> None:
        self._settings, self._alerts, self._whole = settings, alerts, whole
        every = list(enumerate(settings.alerts))
        self._rules = [(str(n), r) for n, r in every if isinstance(r, ConditionRule)]
        self._burns = [(str(n), r) for n, r in every if isinstance(r, BurnRateRule)]
        self._downs = Downs()

    # -- what other services said ------------------------------------------------

    def take(self, now: int, event: Event, beliefs: Beliefs) -> list[Output]:
        """An event that beliefs have taken over already."""
        match event:
            case StatusChanged():
                return self._status(now, event, beliefs)
            case FailoverChanged():
                return self._failover(now, event)
            case ServiceFailed(service, error):
                text = f"service {service} raised an exception: {error}"
                return self._set(now, "service-error", f"service:{service}", text)
        return []

    def _status(self, now: int, event: StatusChanged, beliefs: Beliefs) -> list[Output]:
        subject = f"master:{event.master}"
        if event.new is Status.SUSPECT:
            text = f"{event.master} is suspected: {event.reason}"
            return self._set(now, "suspected", subject, text)
        if event.new is Status.FAILED:
            text = f"{event.master} failed ({event.diagnosis}): {event.reason}"
            return self._set(now, "failed", subject, text)
        out: list[Output] = []
        if event.new in (Status.HEALTHY, Status.MAINTENANCE):
            out += self._clear(now, subject)
        if event.new is Status.HEALTHY and not beliefs.has_failover(event.master):
            # Nobody retries a failover whose master came back by itself.
            out += self._clear(now, f"failover:{event.master}")
        return out

    def _failover(self, now: int, event: FailoverChanged) -> list[Output]:
        subject = f"failover:{event.master}"
        if event.new == "failed":
            text = f"failover {event.failover} of {event.master} failed: {event.reason}"
            return self._set(now, "failover-failed", subject, text)
        if event.new == "waiting":
            text = f"failover {event.failover} of {event.master} waits: {event.reason}"
            return self._set(now, "failover-waiting", subject, text)
        if event.new in ("completed", "cancelled"):
            return self._clear(now, subject)
        return []

    def _set(self, now: int, when: str, subject: str, text: str) -> list[Output]:
        """The condition holds, by every rule that speaks of it."""
        return [
            event
            for key, rule in self._rules
            if rule.when == when
            for event in self._tell(now, subject, key, rule, text)
        ]

    def _tell(
        self, now: int, subject: str, key: str, rule: ConditionRule | BurnRateRule, text: str
    ) -> Sequence[Output]:
        keep_ns = rule.keep_firing_for_ns
        return self._alerts.set(
            now,
            subject,
            key,
            text,
            Severity(rule.severity),
            for_ns=rule.for_ns,
            keep_ns=self._settings.hold_ns if keep_ns is None else keep_ns,
        )

    def _clear(self, now: int, subject: str) -> list[Output]:
        """Whatever a rule says of the subject is over."""
        return [e for key, _ in self._rules for e in self._alerts.clear(now, subject, key)]

    # -- the error budget ----------------------------------------------------------

    def served(self, now: int, *, down: bool) -> None:
        """From `now` on the service is believed down, or up."""
        if self._burns:
            self._downs.mark(now, down=down)
            self._downs.forget(now - max(max(r.long_ns, r.short_ns) for _, r in self._burns))

    def watch(self, now: int, uptime: UptimeBook) -> list[Output]:
        """How the budget is spent, at a moment."""
        out: list[Output] = []
        for key, rule in self._rules:
            if rule.when != "budget-used":
                continue
            if uptime.exhausted(now):
                out += self._tell(now, SLA, key, rule, self._used_up(uptime))
            else:
                out += self._alerts.clear(now, SLA, key)
        for key, burn in self._burns:
            if self._burning(now, key, burn):
                out += self._tell(now, _subject(burn), key, burn, self._burns_fast(burn))
            else:
                out += self._alerts.clear(now, _subject(burn), key)
        return out

    def told(self, now: int, uptime: UptimeBook) -> bool:
        """Whether the alerts know what `watch` would say."""
        exhausted = uptime.exhausted(now)
        return all(
            self._alerts.holds(SLA, key) == exhausted
            for key, rule in self._rules
            if rule.when == "budget-used"
        ) and all(
            self._alerts.holds(_subject(burn), key) == self._burning(now, key, burn)
            for key, burn in self._burns
        )

    def next_turn(self, now: int) -> int | None:
        """When a window next burns too fast, or no longer does, if nothing happens."""
        turns = (
            self._downs.turns(now, window_ns, self._limit(burn, key, window_ns))
            for key, burn in self._burns
            for window_ns in (burn.long_ns, burn.short_ns)
        )
        return min((turn for turn in turns if turn is not None), default=None)

    def _burning(self, now: int, key: str, burn: BurnRateRule) -> bool:
        return all(
            self._downs.within(now, window_ns) >= self._limit(burn, key, window_ns)
            for window_ns in (burn.long_ns, burn.short_ns)
        )

    def _limit(self, burn: BurnRateRule, key: str, window_ns: int) -> int:
        """Lower while the condition holds already: hysteresis."""
        holds = self._alerts.holds(_subject(burn), key)
        factor = burn.burn_rate * (1.0 - burn.hysteresis) if holds else burn.burn_rate
        return limit_of(factor, self._settings.objective, window_ns)

    def _used_up(self, uptime: UptimeBook) -> str:
        return (
            f"{self._whole} shall be up {format_percent(self._settings.objective)} of "
            f"{format_duration(self._settings.period_ns)}: the allowed downtime of "
            f"{format_duration(uptime.allowed_ns)} is used up"
        )

    def _burns_fast(self, burn: BurnRateRule) -> str:
        return (
            f"{self._whole} shall be up {format_percent(self._settings.objective)}: the last "
            f"{format_duration(burn.long_ns)} and {format_duration(burn.short_ns)} used up the "
            f"allowed downtime {burn.burn_rate:g} times as fast as it lasts"
        )

    # -- frozen to plain data --------------------------------------------------------

    def freeze(self) -> dict[str, Any]:
        """Plain data that `thaw` reads."""
        data: dict[str, Any] = freeze(self._downs)
        return data

    def thaw(self, data: dict[str, Any]) -> None:
        """Take over what `freeze` gave."""
        self._downs = thaw(Downs, data)


def _subject(burn: BurnRateRule) -> str:
    return f"{BURN_RATE}:{format_duration(burn.long_ns)}"
