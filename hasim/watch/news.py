"""What has happened, in a line each: verdicts, steps of failovers, alerts, faults."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from hasim import events, truth
from hasim.journal import Record
from hasim.units import seconds

KEPT = 200
Line = tuple[float, str, str]


class News:
    """Follows the records of a journal: the last lines, and which faults strike whom now.

    Of control planes it tells the events of one observer.
    """

    def __init__(self, observer: str) -> None:
        self.observer = observer
        self.lines: deque[Line] = deque(maxlen=KEPT)
        self._faults: dict[int, truth.FaultStarted] = {}

    def hear(self, records: Iterable[Record]) -> None:
        """What was recorded since the last time."""
        for record in records:
            if record.lane == "truth":
                said = self._befall(record.body)
            elif record.lane == "event" and record.observer == self.observer:
                said = _concluded(record.body)
            else:
                continue
            if said is not None:
                self.lines.append((seconds(record.t_ns), *said))

    def faults(self) -> dict[str, list[str]]:
        """The kinds of faults that strike each master now."""
        found: dict[str, list[str]] = {}
        for fault in self._faults.values():
            for master in fault.masters:
                found.setdefault(master, []).append(fault.kind)
        return found

    def _befall(self, body: object) -> tuple[str, str] | None:
        match body:
            case truth.FaultStarted(fault, kind, masters):
                self._faults[fault] = body
                return "truth", f"{kind} strikes {', '.join((*masters, *body.others))}"
            case truth.FaultCured(fault):
                known = self._faults.pop(fault, None)
                what = "a fault" if known is None else f"{known.kind} at {_whom(known)}"
                return "truth", f"{what} is cured"
            case truth.PartitionServed(partition, up, owner) if not up:
                return "truth", f"{partition} of {owner} is not served"
            case truth.PartitionServed(partition, _, owner):
                return "truth", f"{partition} is served by {owner}"
        return None


def _whom(fault: truth.FaultStarted) -> str:
    return ", ".join((*fault.masters, *fault.others))


def _concluded(body: object) -> tuple[str, str] | None:
    match body:
        case events.StatusChanged(master, old, new) if old != new:
            why = f": {body.reason}" if body.reason else ""
            return "detection", f"{master} is {new}{why}"
        case events.FailoverChanged():
            to = f" to {body.candidate}" if body.candidate else ""
            return "failover", f"{body.failover} of {body.master}{to}: {body.new}"
        case events.AlertChanged():
            return "monitor", f"alert {body.alert} {body.severity}: {body.text}"
        case events.ServiceFailed():
            return "monitor", f"service {body.service} raised: {body.error}"
    return None
