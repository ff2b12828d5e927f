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
        self._running: dict[str, int] = {}

    def take(self, now: int, event: object) -> None:
        """A verdict, or a step of a failover."""
        if isinstance(event, StatusChanged):
            name = f"master:{event.master}"
            if event.new in ILL:
                self.gone_ns[name] = None
            elif event.new in WELL and self.gone_ns.get(name, 0) is None:
                self.gone_ns[name] = now
            if event.new is Status.HEALTHY and not self._running.get(event.master):
                self._over(now, event.master)
        elif isinstance(event, FailoverChanged):
            ended = event.new in (*OVER, "failed")
            self._running[event.master] = 0 if ended else event.failover
            if event.new in STUCK:
                self.gone_ns[f"failover:{event.master}"] = None
            elif event.new in OVER:
                self._over(now, event.master)

    def _over(self, now: int, master: str) -> None:
        name = f"failover:{master}"
        if self.gone_ns.get(name, 0) is None:
            self.gone_ns[name] = now


def _find(case: Case) -> Iterator[Found]:
    hold_ns = case.settings.monitor.hold_ns
    if case.settings.monitor.evaluation_ns:
        return  # alerts come and go with the next evaluation
    causes, raised = _Causes(), dict[str, int]()
    for exchange in case.exchanges:
        now = exchange.t_ns
        if isinstance(exchange.item, Restart):
            return  # what it remembers of alerts is older than what has happened
        yield from _overdue(case, now, causes, raised, hold_ns)
        for out in exchange.outputs:
            causes.take(now, out)
            if not isinstance(out, AlertChanged) or out.subject not in causes.gone_ns:
                continue
            if out.severity is not Severity.RESOLVED:
                raised[out.subject] = now
                continue
            raised.pop(out.subject, None)
            gone_ns = causes.gone_ns[out.subject]
            if gone_ns is None:
                yield Found(now, out.subject, "resolved, although its cause is still there")
            elif now - gone_ns < hold_ns:
                text = (
                    f"resolved {now - gone_ns} ns after its cause has gone, {hold_ns} ns at least"
                )
                yield Found(now, out.subject, text)
        for name, gone_ns in causes.gone_ns.items():
            if gone_ns is None and name not in raised:
                yield Found(now, name, "its cause is there, and no alert is open")
                raised[name] = now
    yield from _overdue(case, case.horizon_ns, causes, raised, hold_ns)


def _overdue(
    case: Case, now: int, causes: _Causes, raised: dict[str, int], hold_ns: int
) -> Iterator[Found]:
    for name in list(raised):
        gone_ns = causes.gone_ns.get(name)
        if gone_ns is not None and now > gone_ns + hold_ns:
            if not case.is_disturbed(gone_ns, now):
                yield Found(now, name, f"open {now - gone_ns} ns after its cause has gone")
            del raised[name]


ALERTS_END = Invariant(
    "alerts-end",
    "An alert of a master or a failover is open while its cause is there and until that has been "
    "gone for the hold of the monitor, and then it is resolved.",
    "Operators are woken by what is over, or not told of what is not.",
    _find,
)
