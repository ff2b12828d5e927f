"""The words for each record of a journal that has to do with one incident."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from hasim import events, truth
from hasim.journal import Journal, Record
from hasim.model import Cause, Status
from hasim.report import format
from hasim.report.audit import concluded
from hasim.report.copies import acknowledging
from hasim.report.deeds import DEEDS
from hasim.report.leaders import WORDS, with_elections
from hasim.report.story import Line
from hasim.singles import singly
from hasim.units import seconds

_STATE_WORDS = {
    "declared": "declared",
    "held": "does not begin yet",
    "fencing": "fences",
    "aborting": "takes its order to power off back",
    "selecting": "looks for a backup",
    "catching-up": "brings {candidate} up to date, while the owner serves",
    "handing-over": "has the owner stop, for {candidate}",
    "transferring": "brings {candidate} up to date",
    "promoting": "promotes {candidate}",
    "redirecting": "redirects the traffic to {candidate}",
    "verifying": "looks whether {candidate} is healthy",
    "rolling-back": "takes it back from {candidate}",
    "waiting": "waits: nobody is eligible",
    "completed": "completed",
    "cancelled": "cancelled",
    "failed": "failed",
}
_STATUS_WORDS = {
    Status.SUSPECT: "is suspected",
    Status.FAILED: "is declared failed",
    Status.RECOVERING: "answers again, on probation",
    Status.HEALTHY: "is declared healthy",
    Status.MAINTENANCE: "is in maintenance",
    Status.UNKNOWN: "is unknown",
}


_ORDER_WORDS: dict[type[Any], str] = {
    events.StartMaintenance: "takes {} out of service",
    events.StopMaintenance: "puts {} back into service",
    events.DrainMaster: "drains {}",
    events.UndrainMaster: "lets {} take messages again",
    events.AddMaster: "adds {}",
    events.RemoveMaster: "removes {}",
    events.SwitchAlgorithm: "switches to {}",
    events.RecordFailure: "declares {} failed",
    events.RecordRecovery: "declares {} healthy",
    events.CheckMaster: "has {} asked",
    events.ExecuteFailover: "has {} failed over",
    events.SwitchOver: "hands over {}",
    events.AcknowledgeFailover: "has looked into the failovers of {}: the block after them ends",
    events.RollBackFailover: "has failover {} rolled back",
    events.ConfirmOff: "knows that {} is off",
}


class Teller:
    """Turns the records of one incident into lines, in order, as one observer saw it."""

    def __init__(
        self, journal: Journal, master: str, start_ns: int, end_ns: int, observer: str
    ) -> None:
        journal = with_elections(singly(journal.seen_by(observer)), journal, observer)
        self.journal, self.master, self.observer = journal, master, observer
        self.start_ns, self.end_ns = start_ns, end_ns
        self.partitions = self._partitions()
        self.failovers = {
            body.failover
            for _, body in journal.of(events.FailoverChanged)
            if body.master == master and self.partitions & set(body.partitions)
        }
        self.answers = {
            body.probe: body.cause
            for _, body in journal.of(events.ProbeReply)
            if body.master == master
        }
        self.failed: dict[str, int] = {}
        self.tables: set[int] = set()
        self.down: set[str] = set()
        self.tell: dict[type[Any], Callable[[int, Any], Line | None]] = {
            truth.FaultStarted: self._fault_started,
            truth.FaultCured: self._fault_cured,
            truth.PartitionServed: self._served,
            truth.PartitionAnswered: self._answered,
            truth.Writers: self._writers,
            truth.MasterFenced: self._fenced,
            truth.MasterRestarted: self._restarted,
            truth.WritesLost: self._lost,
            truth.Acknowledging: partial(acknowledging, self.partitions),
            events.SendProbe: self._probe,
            events.GatewayReport: self._report,
            events.StatusChanged: self._status,
            events.FailoverChanged: self._failover,
            events.FailoverConcluded: partial(concluded, self.failovers),
            events.OwnerChanged: self._owner,
            events.PublishRouting: self._publish,
            events.RoutingConverged: self._converged,
            events.AlertChanged: self._alert,
            events.ServiceFailed: self._service_failed,
            events.InputRefused: self._refused,
            **WORDS,
            **dict.fromkeys(DEEDS, self._deed),
            **dict.fromkeys(_ORDER_WORDS, self._operation),
        }
        self.faults = {b.fault: b for _, b in journal.of(truth.FaultStarted)}

    def lines(self) -> Iterator[Line]:
        """The lines from the start to the end, both included."""
        for record in self.journal.records:
            if record.t_ns > self.end_ns:
                break
            line = self._line(record)
            if line is not None and record.t_ns >= self.start_ns:
                yield line

    def _line(self, record: Record) -> Line | None:
        body = record.body
        if isinstance(body, events.GatewayReport):  # its counters run from the very start
            return self._report(record.t_ns, body)
        known = self.tell.get(type(body))
        if known is None or record.t_ns < self.start_ns:
            return None
        return known(record.t_ns, body)

    def _partitions(self) -> set[str]:
        """What the master owned when the incident began, or lost in its course."""
        owners = {p["id"]: p["owner"] for p in self.journal.header["cluster"]["partitions"]}
        lost = set()
        for t_ns, body in self.journal.of(events.OwnerChanged, truth.PartitionServed):
            if isinstance(body, events.OwnerChanged):
                if t_ns < self.start_ns:
                    owners[body.partition] = body.owner
            elif not body.up and body.owner == self.master and self._lasts(t_ns):
                lost.add(body.partition)
        return lost | {p for p, owner in owners.items() if owner == self.master}

    def _lasts(self, t_ns: int) -> bool:
        return self.start_ns <= t_ns <= self.end_ns

    # -- truth -----------------------------------------------------------------

    def _fault_started(self, t_ns: int, body: truth.FaultStarted) -> Line:
        where = ", ".join(body.masters + body.others)
        meanwhile = "" if self.master in body.masters else "meanwhile, "
        detail = f" ({body.detail})" if body.detail else ""
        return Line(t_ns, "truth", f"{meanwhile}{body.kind} strikes {where}{detail}")

    def _fault_cured(self, t_ns: int, body: truth.FaultCured) -> Line:
        fault = self.faults.get(body.fault)
        what = (
            "a fault"
            if fault is None
            else f"{fault.kind} at {', '.join(fault.masters + fault.others)}"
        )
        return Line(t_ns, "truth", f"{what} is cured")

    def _served(self, t_ns: int, body: truth.PartitionServed) -> Line | None:
        if body.partition not in self.partitions:
            return None
        was_down = body.partition in self.down
        self.down = self.down - {body.partition} if body.up else self.down | {body.partition}
        if body.up:
            return Line(t_ns, "truth", f"{body.partition} is served again, by {body.owner}")
        why = f": {body.reason}" if body.reason else ""
        still = "still not" if was_down else "no longer"
        return Line(t_ns, "truth", f"{body.partition} is {still} served{why}")

    def _answered(self, t_ns: int, body: truth.PartitionAnswered) -> Line | None:
        if body.partition not in self.partitions:
            return None
        return Line(t_ns, "truth", f"the first message to {body.partition} is answered again")

    def _writers(self, t_ns: int, body: truth.Writers) -> Line | None:
        if len(body.masters) < 2:
            return None
        both = " and ".join(body.masters)
        return Line(t_ns, "truth", f"SPLIT-BRAIN: {both} accept writes for {body.partition}")

    def _fenced(self, t_ns: int, body: truth.MasterFenced) -> Line | None:
        if body.observer != self.observer or body.failover not in self.failovers:
            return None
        return Line(t_ns, "truth", f"{body.master} is switched off")

    def _restarted(self, t_ns: int, body: truth.MasterRestarted) -> Line:
        return Line(t_ns, "truth", f"{body.master} has restarted, as a standby")

    def _lost(self, t_ns: int, body: truth.WritesLost) -> Line | None:
        if body.observer != self.observer or body.failover not in self.failovers:
            return None
        age = format.seconds(seconds(body.since_ns))
        text = (
            f"{body.writes} acknowledged writes ({body.lost_bytes} bytes) of {body.partition} "
            f"are lost, the oldest {age} old"
        )
        return Line(t_ns, "truth", text)

    # -- operators -----------------------------------------------------------------

    def _operation(self, t_ns: int, body: Any) -> Line:
        match body:
            case events.SwitchAlgorithm(about) | events.RollBackFailover(about):
                pass
            case events.SwitchOver():
                about = f"{body.master or ', '.join(body.partitions)} to {body.to}"
            case _:
                about = body.master
        return Line(t_ns, "operator", _ORDER_WORDS[type(body)].format(about))

    # -- evidence and verdicts -----------------------------------------------------

    def _probe(self, t_ns: int, body: events.SendProbe) -> Line | None:
        if body.master != self.master:
            return None
        cause = self.answers.get(body.probe)
        how = "never answered" if cause is None else _how(cause, "answered")
        return Line(t_ns, "evidence", f"{{}} to {body.master}: {how}", f"probe:{how}", 1, "probe")

    def _report(self, t_ns: int, body: events.GatewayReport) -> Line | None:
        row = next((row for row in body.masters if row.master == self.master), None)
        if row is None:
            return None
        new = row.failed - self.failed.get(body.gateway, 0)
        if new <= 0:  # nothing new, or a report that was overtaken
            return None
        self.failed[body.gateway] = row.failed
        how = _how(row.last_cause, "failed")
        text = f"{body.gateway} reports {{}} to {row.master}: {how}"
        return Line(t_ns, "evidence", text, f"report:{body.gateway}:{how}", new, "message")

    def _status(self, t_ns: int, body: events.StatusChanged) -> Line:
        why = f": {body.reason}" if body.reason else ""
        diagnosis = f" ({body.diagnosis})" if body.diagnosis != "none" else ""
        text = f"{body.master} {_STATUS_WORDS[body.new]}{diagnosis}{why}"
        return Line(t_ns, "detection", text)

    # -- decisions and deeds ---------------------------------------------------------

    def _failover(self, t_ns: int, body: events.FailoverChanged) -> Line | None:
        if body.failover not in self.failovers:
            return None
        words = _STATE_WORDS.get(body.new, body.new).format(
            candidate=body.candidate or "the backup"
        )
        of = f" of {body.master} for {', '.join(body.partitions)}" if body.old == "" else ""
        why = f": {body.reason}" if body.reason else ""
        return Line(t_ns, "failover", f"failover {body.failover}{of} {words}{why}")

    def _deed(self, t_ns: int, body: Any) -> Line | None:
        lane, words = DEEDS[type(body)]
        return Line(t_ns, lane, words(body)) if body.failover in self.failovers else None

    def _owner(self, t_ns: int, body: events.OwnerChanged) -> Line | None:
        if body.failover not in self.failovers:
            return None
        text = f"{body.owner} owns {body.partition} now (epoch {body.epoch})"
        return Line(t_ns, "failover", text)

    # -- routing, alerts -------------------------------------------------------------

    def _publish(self, t_ns: int, body: events.PublishRouting) -> Line | None:
        if body.table.version in self.tables:  # to the next gateway, or once more
            return None
        self.tables.add(body.table.version)
        return Line(t_ns, "order", f"routing table {body.table.version} goes to the gateways")

    def _converged(self, t_ns: int, body: events.RoutingConverged) -> Line:
        return Line(t_ns, "routing", f"every gateway uses routing table {body.version}")

    def _alert(self, t_ns: int, body: events.AlertChanged) -> Line | None:
        if body.subject not in {f"master:{self.master}", f"failover:{self.master}", "sla"}:
            return None
        return Line(t_ns, "monitor", f"alert {body.alert} ({body.subject}): {body.severity}")

    def _refused(self, t_ns: int, body: events.InputRefused) -> Line:
        return Line(t_ns, "answer", f"{body.input} of {body.sender} is refused: {body.reason}")

    def _service_failed(self, t_ns: int, body: events.ServiceFailed) -> Line:
        return Line(t_ns, "monitor", f"service {body.service} raised an exception: {body.error}")


def _how(cause: Cause, ok: str) -> str:
    return {Cause.OK: ok, Cause.TIMEOUT: "no answer in time"}.get(cause, cause.replace("_", " "))
