"""No alert outlives its cause, and none is resolved before that has been gone for long enough."""

from __future__ import annotations

from collections.abc import Iterator

from hasim.events import AlertChanged, FailoverChanged, Restart, StatusChanged
from hasim.model import Severity, Status
from hasim.oracle.case import Case
from hasim.oracle.invariant import Found, Invariant

WELL = (Status.HEALTHY, Status.MAINTENANCE)
ILL = (Status.SUSPECT, Status.FAILED)
OVER, STUCK = ("completed", "cancelled"), ("failed", "waiting")


class _Causes:
    """Since when the cause of each alert has been gone; None while it is there."""

    def __init__(self) -> None:
        self.gone_ns: dict[str, int | None] = {}
        self.there_ns: dict[str, int] = {}
        """Since when it is there, or was the last time."""
        self.was_gone_ns: dict[str, int] = {}
        """Since when it was gone before that, if it ever was."""
        self._running: dict[str, int] = {}

    def take(self, now: int, event: object) -> None:
        """A verdict, or a step of a failover."""
        if isinstance(event, StatusChanged):
            name = f"master:{event.master}"
            if event.new in ILL:
                self._there(now, name)
            elif event.new in WELL and self.gone_ns.get(name, 0) is None:
                self.gone_ns[name] = now
            if event.new is Status.HEALTHY and not self._running.get(event.master):
                self._over(now, event.master)
        elif isinstance(event, FailoverChanged):
            ended = event.new in (*OVER, "failed")
            self._running[event.master] = 0 if ended else event.failover
            if event.new in STUCK:
                self._there(now, f"failover:{event.master}")
            elif event.new in OVER:
                self._over(now, event.master)

    def _there(self, now: int, name: str) -> None:
        gone_ns = self.gone_ns.get(name)
        if name in self.gone_ns and gone_ns is None:
            return
        if gone_ns is not None:
            self.was_gone_ns[name] = gone_ns
        self.gone_ns[name], self.there_ns[name] = None, now

    def _over(self, now: int, master: str) -> None:
        name = f"failover:{master}"
        if self.gone_ns.get(name, 0) is None:
            self.gone_ns[name] = now


def _find(case: Case) -> Iterator[Found]:
    hold_ns, evaluation_ns = case.settings.monitor.hold_ns, case.settings.monitor.evaluation_ns
    # Causes are seen at the next evaluation, and so is the end of their hold.
    open_ns = hold_ns + 2 * evaluation_ns
    causes, raised = _Causes(), dict[str, int]()

    def unseen(name: str) -> bool:
        """What comes and goes between two evaluations is not seen."""
        since_ns = causes.there_ns[name]
        late_ns = now - since_ns - evaluation_ns
        return evaluation_ns > 0 and (late_ns <= 0 or case.is_disturbed(since_ns, now))

    def overdue(name: str) -> bool:
        """Who was paused ends an old alert when its cause is there again, and no sooner."""
        over_ns = causes.was_gone_ns.get(name, now) + hold_ns
        return causes.there_ns[name] == now and over_ns <= now

    for exchange in case.exchanges:
        now = exchange.t_ns
        if isinstance(exchange.item, Restart):
            return  # what it remembers of alerts is older than what has happened
        yield from _overdue(case, now, causes, raised, open_ns)
        for out in exchange.outputs:
            causes.take(now, out)
            if not isinstance(out, AlertChanged) or out.subject not in causes.gone_ns:
                continue
            if out.severity is not Severity.RESOLVED:
                raised[out.subject] = now
                continue
            raised.pop(out.subject, None)
            gone_ns = causes.gone_ns[out.subject]
            if gone_ns is None and not unseen(out.subject) and not overdue(out.subject):
                yield Found(now, out.subject, "resolved, although its cause is still there")
            elif gone_ns is not None and not evaluation_ns and now - gone_ns < hold_ns:
                text = (
                    f"resolved {now - gone_ns} ns after its cause has gone, {hold_ns} ns at least"
                )
                yield Found(now, out.subject, text)
        for name, gone_ns in causes.gone_ns.items():
            if gone_ns is None and name not in raised and not unseen(name):
                yield Found(now, name, "its cause is there, and no alert is open")
                raised[name] = now
    yield from _overdue(case, case.horizon_ns, causes, raised, open_ns)


def _overdue(
    case: Case, now: int, causes: _Causes, raised: dict[str, int], open_ns: int
) -> Iterator[Found]:
    for name in list(raised):
        gone_ns = causes.gone_ns.get(name)
        if gone_ns is not None and now > gone_ns + open_ns:
            if not case.is_disturbed(gone_ns, now):
                yield Found(now, name, f"open {now - gone_ns} ns after its cause has gone")
            del raised[name]


ALERTS_END = Invariant(
    "alerts-end",
    "An alert of a master or a failover is open while its cause is there and until that has been "
    "gone for the hold of the monitor, and then it is resolved; with `monitor.evaluation` each of "
    "these as seen at the next evaluation.",
    "Operators are woken by what is over, or not told of what is not.",
    _find,
)
