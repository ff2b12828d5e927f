"""The state machine of alerts: pending, firing, kept, resolved; one open alert per subject.

A condition that holds is *pending* until it has held for the time of its rule (``for``), then its
alert is raised; once it is clear, the alert is *kept* for another time (``keep_firing_for``), and
fires again without a new alert if the condition comes back: a flapping condition is one alert.
Several rules may concern one subject; its alert is as severe as the worst that fires, its severity
rises and never falls. With an `evaluation` interval conditions are only looked at so often, from
the monitor's start on, as by Prometheus; without one, at the very moment.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import Any

from hasim.events import AlertChanged
from hasim.model import Severity
from hasim.services.frozen import freeze, thaw

_LATER = 2**62


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An open alert; `clear_since_ns` is None while a condition behind it holds."""

    alert: int
    subject: str
    severity: Severity
    text: str
    raised_ns: int
    clear_since_ns: int | None = None


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One line of the history: what changed about alert number `alert` at `t_ns`."""

    t_ns: int
    alert: int
    subject: str
    severity: Severity
    text: str


@dataclass(slots=True)
class Condition:
    """What one rule (`key`) has to say about one subject.

    `holds` since `changed_ns`, as far as is known; `seen`, at the last evaluation, since `since_ns`
    (or clear since then).
    """

    subject: str
    key: str
    severity: Severity
    text: str
    for_ns: int
    keep_ns: int
    changed_ns: int
    holds: bool = True
    seen: bool = False
    since_ns: int = 0
    firing: bool = False


class AlertBook:
    """Conditions, the open alerts that they come to, and the append-only history of these.

    `hold_ns` is how long (nanoseconds) a condition that no rule speaks of must be clear before its
    alert is resolved; `evaluation_ns` how often conditions are looked at (0: always).
    """

    def __init__(self, hold_ns: int, evaluation_ns: int = 0) -> None:
        self._hold_ns, self._evaluation_ns = hold_ns, evaluation_ns
        self._started_ns = 0
        self._conditions: dict[str, dict[str, Condition]] = {}
        self._open: dict[str, ActiveAlert] = {}
        self._history: list[AlertRecord] = []
        self._raised = 0
        # What is due, as (time, alert, subject, key); what is no longer true stays until it comes
        # to the top.
        self._due: list[tuple[int, int, str, str]] = []

    def start(self, now: int) -> None:
        """Evaluations are counted from here."""
        self._started_ns = now

    def fire(self, now: int, subject: str, severity: Severity, text: str) -> list[AlertChanged]:
        """A condition that no rule speaks of holds: alerted at once."""
        return self.set(now, subject, severity, text, severity, keep_ns=self._hold_ns)

    def set(
        self,
        now: int,
        subject: str,
        key: str,
        text: str,
        severity: Severity,
        *,
        for_ns: int = 0,
        keep_ns: int = 0,
    ) -> list[AlertChanged]:
        """The condition of a rule holds at `subject`; events of an alert that this brings."""
        own = self._conditions.setdefault(subject, {})
        known = own.get(key)
        if known is None:
            known = own[key] = Condition(subject, key, severity, text, for_ns, keep_ns, now)
        elif known.holds:
            return []
        known.holds, known.changed_ns, known.text = True, now, text
        return self._look(now, known)

    def clear(self, now: int, subject: str, key: str | None = None) -> list[AlertChanged]:
        """The condition of a rule (None: all of them) is gone at `subject`."""
        out: list[AlertChanged] = []
        for known in list(self._conditions.get(subject, {}).values()):
            if known.holds and key in (None, known.key):
                known.holds, known.changed_ns = False, now
                out += self._look(now, known)
        return out

    def holds(self, subject: str, key: str) -> bool:
        """Whether the condition of a rule was last said to hold at `subject`."""
        known = self._conditions.get(subject, {}).get(key)
        return known is not None and known.holds

    def catch_up(self, until: int, *, at: int | None = None) -> list[AlertChanged]:
        """All that is due by `until`, recorded at `at` (default: when it was due)."""
        out: list[AlertChanged] = []
        while (due_ns := self.next_due()) is not None and due_ns <= until:
            _, _, subject, key = heapq.heappop(self._due)
            condition = self._conditions[subject][key]
            out += self._advance(due_ns, condition, due_ns if at is None else at)
        return out

    def next_due(self) -> int | None:
        """When something is next due, or None."""
        while self._due:
            due_ns, _, subject, key = self._due[0]
            known = self._conditions.get(subject, {}).get(key)
            if known is not None and self._due_of(known) == due_ns:
                return due_ns
            heapq.heappop(self._due)
        return None

    def firing(self, subject: str) -> Severity | None:
        """How severe the open alert of `subject` is; None if there is none, or it is only kept."""
        known = self._open.get(subject)
        return None if known is None or known.clear_since_ns is not None else known.severity

    def active(self) -> tuple[ActiveAlert, ...]:
        """The open alerts, oldest first."""
        return tuple(sorted(self._open.values(), key=lambda a: a.alert))

    def history(self) -> tuple[AlertRecord, ...]:
        """Every change of every alert, in order."""
        return tuple(self._history)

    # -- inside ------------------------------------------------------------------

    def _look(self, now: int, condition: Condition) -> list[AlertChanged]:
        """The condition has changed: look at once, or at the next evaluation."""
        if not self._evaluation_ns:
            return self._advance(now, condition, now)
        self._plan(condition)
        return []

    def _advance(self, now: int, condition: Condition, at: int) -> list[AlertChanged]:
        """Evaluate one condition at a moment; changes of alerts are recorded at `at`."""
        c = condition
        if c.holds != c.seen:
            c.seen, c.since_ns = c.holds, now
        waited_ns = now - c.since_ns
        was = c.firing
        if c.seen and not c.firing and waited_ns >= c.for_ns:
            c.firing = True
        elif not c.seen and (not c.firing or waited_ns >= c.keep_ns):
            c.firing = False
            own = self._conditions[c.subject]
            del own[c.key]
            if not own:
                del self._conditions[c.subject]
        self._plan(c)
        return self._update(c, at, began=c.firing and not was)

    def _update(self, c: Condition, at: int, *, began: bool) -> list[AlertChanged]:
        """The alert of the subject, after one of its conditions was looked at."""
        firing = [o for o in self._conditions.get(c.subject, {}).values() if o.firing]
        known = self._open.get(c.subject)
        if known is None:
            if not began:
                return []
            self._raised += 1
            return self._record(at, ActiveAlert(self._raised, c.subject, c.severity, c.text, at))
        if not firing:
            return self._record(at, replace(known, severity=Severity.RESOLVED))
        clear = None if any(o.seen for o in firing) else max(o.since_ns for o in firing)
        known = replace(known, clear_since_ns=clear)
        if began and c.severity is Severity.CRITICAL and known.severity is Severity.WARNING:
            return self._record(at, replace(known, severity=c.severity, text=c.text))
        self._open[c.subject] = known
        return []

    def _due_of(self, c: Condition) -> int | None:
        """When a condition is to be looked at again although nobody says anything."""
        if c.holds != c.seen:
            return self._evaluated(c.changed_ns)
        if c.seen != c.firing:
            return self._evaluated(c.since_ns + (c.for_ns if c.seen else c.keep_ns))
        return None

    def _evaluated(self, t_ns: int) -> int:
        """The first evaluation from a moment on."""
        if not self._evaluation_ns:
            return t_ns
        return t_ns + (self._started_ns - t_ns) % self._evaluation_ns

    def _plan(self, c: Condition) -> None:
        if self._conditions.get(c.subject, {}).get(c.key) is not c:
            return
        due_ns = self._due_of(c)
        if due_ns is not None:
            known = self._open.get(c.subject)
            alert = _LATER if known is None else known.alert
            heapq.heappush(self._due, (due_ns, alert, c.subject, c.key))

    def _record(self, now: int, alert: ActiveAlert) -> list[AlertChanged]:
        if alert.severity is Severity.RESOLVED:
            del self._open[alert.subject]
        else:
            self._open[alert.subject] = alert
        self._history.append(
            AlertRecord(now, alert.alert, alert.subject, alert.severity, alert.text)
        )
        return [AlertChanged(alert.alert, alert.subject, alert.severity, alert.text)]

    def freeze(self) -> dict[str, Any]:
        """Plain data that `thaw` reads."""
        return {
            "started": self._started_ns,
            "raised": self._raised,
            "conditions": freeze([c for own in self._conditions.values() for c in own.values()]),
            "open": freeze(self._open),
            "history": freeze(self._history),
        }

    def thaw(self, data: dict[str, Any]) -> None:
        """Take over what `freeze` gave."""
        self._started_ns, self._raised = data["started"], data["raised"]
        self._open = thaw(dict[str, ActiveAlert], data["open"])
        self._history = thaw(list[AlertRecord], data["history"])
        self._conditions, self._due = {}, []
        for condition in thaw(list[Condition], data["conditions"]):
            self._conditions.setdefault(condition.subject, {})[condition.key] = condition
            self._plan(condition)
