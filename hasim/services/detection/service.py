"""The failure detection service: probes, weighs the evidence, declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from hasim.events import (
    AddMaster,
    GatewayReport,
    Input,
    Output,
    ProbeReply,
    RemoveMaster,
    SendProbe,
    StartMaintenance,
    StatusChanged,
    StopMaintenance,
    WakeUp,
)
from hasim.model import Cause, Cluster, Diagnosis, Status
from hasim.services.agenda import NEVER, Agenda
from hasim.services.detection.diagnosis import diagnose
from hasim.services.detection.health import SETTLED, MasterHealth
from hasim.services.detection.messages import OVERTAKEN, MessageEvidence
from hasim.services.detection.registry import DETECTORS
from hasim.services.detection.settings import DetectionSettings
from hasim.services.frozen import freeze, thaw

OK = Cause.OK
AS_EXPECTED = (Status.HEALTHY, Status.MAINTENANCE)
"""A probe that passes changes nothing."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What gateways report at once rather than with their next regular report.

    `failures`: each failed message of a run, up to this many in the run, and the
    first answered message that ends a reported run. 0: messages are no evidence.
    """

    failures: int


class FailoverDetectionService:
    """Says of each master whether it is healthy, by probes and by message outcomes.

    A detector suspects, this service declares; what to do about it is decided
    elsewhere. The rhythm of the probes is HAProxy's: the next probe follows the
    completion of the last one by `interval`, or by `fast_interval` while a
    change of the verdict is pending.
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset(
        {
            *(ProbeReply, GatewayReport, WakeUp),
            *(StartMaintenance, StopMaintenance, AddMaster, RemoveMaster),
        }
    )

    def __init__(self, settings: DetectionSettings, cluster: Cluster) -> None:
        self.settings = settings
        self.running = False
        self._health = {
            master.id: MasterHealth(
                master.id,
                DETECTORS[settings.detector](settings.fall, settings.rise),
                MessageEvidence(settings.error_limit),
                Status.MAINTENANCE if master.absent else Status.UNKNOWN,
            )
            for master in cluster.masters
        }
        # When each master's probe times out or the next is due, as its health has it.
        self._agenda = Agenda(self._health)

    # -- acting ----------------------------------------------------------------

    def start_monitoring(self, now: int) -> list[Output]:
        """Probe every master at once; later probes are spread over the interval."""
        self.running = True
        return [
            out
            for health in self._health.values()
            if health.status is not Status.MAINTENANCE
            for out in self._probe(now, health)
        ]

    def stop_monitoring(self, now: int) -> list[Output]:
        """Send no more probes; the verdicts stay as they are."""
        self.running = False
        for health in self._health.values():
            self._plan(health, None)
        return []

    def step(self, now: int, item: Input) -> list[Output]:
        """Take one input at `now` (nanoseconds)."""
        if not self.running:
            return []
        if type(item) is ProbeReply:  # these and wake-ups are nearly all
            return self._on_reply(now, item)
        match item:
            case WakeUp():
                return self._on_wakeup(now)
            case GatewayReport():
                return self._on_report(now, item)
            case StartMaintenance() | RemoveMaster():
                return self._enter_maintenance(now, self._known(item.master))
            case StopMaintenance() | AddMaster():
                return self._leave_maintenance(now, self._known(item.master))
            case _:
                return []

    def next_wakeup(self) -> int | None:
        """The earliest time at which a probe is due or times out (nanoseconds)."""
        earliest = self._agenda.earliest()
        return None if earliest == NEVER else earliest

    def check_master_health(self, now: int, master: str) -> list[Output]:
        """Probe a master now, unless a probe is under way. KeyError for an unknown one."""
        health = self._known(master)
        return self._probe(now, health) if health.probe_deadline_ns is None else []

    def record_failure(self, now: int, master: str, reason: str) -> list[Output]:
        """Declare a master failed on somebody's word (an operator, another service)."""
        health = self._known(master)
        if health.status is Status.FAILED:
            return []
        out = self._declare(now, health, Status.FAILED, health.diagnosis, reason)
        return out + self._keep_probing(now, health)

    def record_recovery(self, now: int, master: str, reason: str) -> list[Output]:
        """Declare a master healthy on somebody's word."""
        health = self._known(master)
        if health.status is Status.HEALTHY:
            return []
        return self._acquit(now, health, reason) + self._keep_probing(now, health)

    # -- asking ----------------------------------------------------------------

    def watch(self) -> Watch:
        """What gateways shall report at once."""
        if "messages" not in self.settings.evidence:
            return Watch(0)
        return Watch(self.settings.error_limit * self.settings.fall)

    def get_all_master_statuses(self) -> dict[str, Status]:
        """The verdict on every master."""
        return {master: health.status for master, health in self._health.items()}

    def get_healthy_masters(self) -> list[str]:
        """Masters declared healthy."""
        return [m for m, h in self._health.items() if h.status is Status.HEALTHY]

    def get_failed_masters(self) -> list[str]:
        """Masters declared failed."""
        return [m for m, h in self._health.items() if h.status is Status.FAILED]

    def healthy(self) -> bool:
        """Whether this service itself is at work."""
        return self.running

    def generate_health_report(self, now: int) -> dict[str, dict[str, object]]:
        """Per master: status, seconds since, diagnosis, probes, standing failures."""
        return {
            master: {
                "status": health.status.value,
                "since_s": (now - health.since_ns) / 1e9,
                "diagnosis": health.diagnosis.value,
                "probes_sent": health.probes_sent,
                "probes_failed": health.probes_failed,
                "failed_checks_in_row": health.detector.failed_in_row,
                "failed_messages_standing": health.messages.standing(),
            }
            for master, health in self._health.items()
        }

    # -- freezing --------------------------------------------------------------

    def freeze(self) -> dict[str, Any]:
        """The whole state as plain data (JSON), from which `restore` goes on."""
        return {"running": self.running, "health": freeze(self._health)}

    @classmethod
    def restore(
        cls, settings: DetectionSettings, cluster: Cluster, data: dict[str, Any]
    ) -> FailoverDetectionService:
        """The service that `freeze` was called on."""
        service = cls(settings, cluster)
        service.running = data["running"]
        service._health = thaw(dict[str, MasterHealth], data["health"])
        for master, health in service._health.items():
            waits = (health.probe_deadline_ns, health.next_probe_ns, NEVER)
            service._agenda.set(master, next(time for time in waits if time is not None))
        return service

    # -- evidence ----------------------------------------------------------------

    def _on_reply(self, now: int, reply: ProbeReply) -> list[Output]:
        health = self._health.get(reply.master) or self._known(reply.master)
        if health.probe_deadline_ns is None or reply.probe != health.probes_sent:
            return []  # too late: it has been counted as a timeout
        return self._probe_ended(now, health, reply.cause)

    def _on_wakeup(self, now: int) -> list[Output]:
        out: list[Output] = []
        for master in self._agenda.take_due(now):
            health = self._health[master]
            if health.probe_deadline_ns is None:
                out += self._probe(now, health)
            else:
                out += self._probe_ended(now, health, Cause.TIMEOUT)
        return out

    def _on_report(self, now: int, report: GatewayReport) -> list[Output]:
        out: list[Output] = []
        if "messages" not in self.settings.evidence:
            return out
        gateway, sequence = report.gateway, report.sequence
        for traffic in report.masters:
            health = self._health.get(traffic.master) or self._known(traffic.master)
            checks = health.messages.update(gateway, sequence, traffic)
            if checks == OVERTAKEN:
                continue
            if traffic.streak:
                health.detector.doubted()
            if health.status in (Status.FAILED, Status.RECOVERING, Status.MAINTENANCE):
                continue  # only probes can speak for a master that gets no messages
            if checks and health.status in SETTLED:
                health.last_probe_cause = None  # a probe from before the change says nothing
            for _ in range(checks):
                standing = health.messages.standing()
                reason = f"{standing} messages in a row failed, the last one: {traffic.last_cause}"
                out += self._check_failed(now, health, reason)
            if checks and health.probe_deadline_ns is None:
                out += self._probe(now, health)  # suspicion shortens the interval
        return out

    def _probe_ended(self, now: int, health: MasterHealth, cause: Cause) -> list[Output]:
        first = health.probes_sent == 1
        health.probe_deadline_ns = None
        health.last_probe_cause = cause
        if cause is OK:
            out = self._check_passed(now, health)
        else:
            health.probes_failed += 1
            out = self._check_failed(now, health, f"probe {health.probes_sent}: {cause}")
        if health.probe_deadline_ns is None:
            self._schedule(now, health, first=first)
        return out

    # -- verdicts ----------------------------------------------------------------

    def _check_failed(self, now: int, health: MasterHealth, reason: str) -> list[Output]:
        convicted = health.detector.failed()
        diagnosis = self._diagnosis(health)
        if health.status is Status.FAILED or health.status is Status.MAINTENANCE:
            return []
        if convicted or health.status is Status.RECOVERING:
            return self._declare(now, health, Status.FAILED, diagnosis, reason)
        if health.status is Status.SUSPECT:
            return []
        return self._declare(now, health, Status.SUSPECT, diagnosis, reason)

    def _check_passed(self, now: int, health: MasterHealth) -> list[Output]:
        if health.status in AS_EXPECTED:
            health.detector.passed(1)
            return []
        match health.status:
            case Status.UNKNOWN:
                return self._acquit(now, health, "first probe passed")
            case Status.SUSPECT:
                # One passed probe refutes failed probes, not messages that still fail.
                needed = self.settings.rise if health.messages.standing() else 1
                if health.detector.passed(needed):
                    return self._acquit(now, health, f"{needed} probes in a row passed")
            case Status.FAILED | Status.RECOVERING:
                if health.detector.passed(self.settings.rise):
                    return self._acquit(now, health, f"{self.settings.rise} probes in a row passed")
                if health.status is Status.FAILED:
                    return self._declare(
                        now, health, Status.RECOVERING, health.diagnosis, "probe passed"
                    )
        return []

    def _acquit(self, now: int, health: MasterHealth, reason: str) -> list[Output]:
        health.detector.reset()
        health.messages.excuse()
        return self._declare(now, health, Status.HEALTHY, Diagnosis.NONE, reason)

    def _declare(
        self, now: int, health: MasterHealth, new: Status, diagnosis: Diagnosis, reason: str
    ) -> list[Output]:
        old, health.status = health.status, new
        health.since_ns, health.diagnosis = now, diagnosis
        return [StatusChanged(health.master, old, new, diagnosis, reason)]

    def _diagnosis(self, health: MasterHealth) -> Diagnosis:
        messages = health.messages.last_cause if health.messages.standing() else None
        return diagnose(health.last_probe_cause, messages)

    # -- probing -----------------------------------------------------------------

    def _probe(self, now: int, health: MasterHealth) -> list[Output]:
        health.probes_sent += 1
        health.next_probe_ns = None
        health.probe_deadline_ns = deadline_ns = now + self.settings.timeout_ns
        self._agenda.set(health.master, deadline_ns)
        return [SendProbe(health.master, health.probes_sent)]

    def _plan(self, health: MasterHealth, next_ns: int | None) -> None:
        """No probe is under way; the next one at this time, or none."""
        health.probe_deadline_ns, health.next_probe_ns = None, next_ns
        self._agenda.set(health.master, NEVER if next_ns is None else next_ns)

    def _schedule(self, now: int, health: MasterHealth, *, first: bool) -> None:
        """Plan the next probe, counted from the completion of the last one."""
        wait_ns = self.settings.interval_ns
        if health.status not in SETTLED:
            wait_ns = self.settings.fast_interval_ns
        elif "probe" not in self.settings.evidence and health.status is Status.HEALTHY:
            self._plan(health, None)  # messages alone watch a healthy master
            return
        elif first:
            # Spread the masters over the interval, so that probes do not come in herds.
            rank = self._agenda.rank(health.master) + 1
            wait_ns = wait_ns * rank // len(self._health)
        health.next_probe_ns = next_ns = now + wait_ns
        self._agenda.set(health.master, next_ns)

    def _keep_probing(self, now: int, health: MasterHealth) -> list[Output]:
        """A verdict from outside stands until probes say otherwise, so there must be probes."""
        idle = health.probe_deadline_ns is None and health.next_probe_ns is None
        return self._probe(now, health) if self.running and idle else []

    # -- maintenance ---------------------------------------------------------------

    def _enter_maintenance(self, now: int, health: MasterHealth) -> list[Output]:
        self._plan(health, None)
        if health.status is Status.MAINTENANCE:
            return []
        return self._declare(now, health, Status.MAINTENANCE, Diagnosis.NONE, "operator")

    def _leave_maintenance(self, now: int, health: MasterHealth) -> list[Output]:
        if health.status is not Status.MAINTENANCE:
            return []
        health.detector.reset()
        out = self._declare(now, health, Status.UNKNOWN, Diagnosis.NONE, "operator")
        return out + self._probe(now, health)

    def _known(self, master: str) -> MasterHealth:
        try:
            return self._health[master]
        except KeyError:
            known = ", ".join(self._health)
            raise KeyError(f"unknown master {master!r}; known: {known}") from None
