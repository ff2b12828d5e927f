"""The failure detection service: sources of evidence and the court that hears them, wired."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from hasim.events import (
    AddMaster,
    CheckMaster,
    ConnectionClosed,
    Event,
    GatewayHello,
    GatewayReport,
    GiveOpinion,
    GossipHeard,
    Heartbeat,
    Input,
    OpinionAsked,
    OpinionGiven,
    OrderRefused,
    Output,
    ProbeReply,
    ProbeStretch,
    RecordFailure,
    RecordRecovery,
    RemoveMaster,
    StartMaintenance,
    StopMaintenance,
    WakeUp,
)
from hasim.model import Cluster, Diagnosis, Status
from hasim.services.agenda import NEVER
from hasim.services.detection.chance import chance_of
from hasim.services.detection.court import Court
from hasim.services.detection.distrust.trusting import Trusting
from hasim.services.detection.evidence.source import Source, unknown_master
from hasim.services.detection.health import MasterHealth
from hasim.services.detection.registry import SOURCES
from hasim.services.detection.rhythm import Rhythm
from hasim.services.detection.settings import DetectionSettings
from hasim.services.detection.verdicts import Finding
from hasim.services.door import Door
from hasim.services.frozen import freeze, thaw
from hasim.services.possible import check
from hasim.services.watch import Watch

OPERATIONS = (
    *(StartMaintenance, StopMaintenance, AddMaster, RemoveMaster),
    *(RecordFailure, RecordRecovery, CheckMaster),
)


class FailoverDetectionService:
    """Says of each master whether it is healthy, by what the sources of evidence tell.

    A detector suspects, this service declares; what to do about it is decided
    elsewhere. The sources have their own rhythms, the detectors their own clocks. `seed`: 64 bits
    from which the phases of the checks follow; None: masters are spread over the interval evenly.
    `observer` is its name among those of the cluster, which it asks for their opinion.
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset(
        {
            *(ProbeReply, ProbeStretch, GatewayReport, GatewayHello, Heartbeat, WakeUp),
            *(OpinionAsked, OpinionGiven, ConnectionClosed, GossipHeard),
            *OPERATIONS,
        }
    )

    def __init__(
        self,
        settings: DetectionSettings,
        cluster: Cluster,
        *,
        seed: int | None = None,
        observer: str = "",
    ) -> None:
        check(cluster, settings)
        self.settings = settings
        self.running = False
        self._door = Door(cluster)
        chance = chance_of(seed, (master.id for master in cluster.masters))
        self._court = Court(settings, cluster, chance, observer)
        self._sources: dict[str, Source] = {
            SOURCES.name_of(type(own)): SOURCES.class_for(own)(own, self._court, cluster)
            for own in settings.evidence
        }
        self._court.sources = self._sources
        # Who takes what, alone where that is so, and who has a clock.
        self._takers: dict[type[Input], list[Source]] = {
            kind: [source for source in self._sources.values() if kind in source.INPUTS]
            for kind in self.INPUTS
        }
        self._only = {
            kind: takers[0].step
            for kind, takers in self._takers.items()
            if len(takers) == 1 and kind not in (WakeUp, *OPERATIONS)
        }
        self._clocks = [s for s in self._sources.values() if type(s).next_ns is not Source.next_ns]
        self._watches_itself = type(self._court.distrust) is not Trusting
        alone = len(self._clocks) == 1 and not self._court.keeps_time and self._court.council.alone
        alone = alone and not self._watches_itself
        self._only_clock = self._clocks[0] if alone else None

    # -- acting ----------------------------------------------------------------

    def start_monitoring(self, now: int) -> list[Output]:
        """Watch every master that is part of the cluster and not in maintenance.

        Again while running (a service that was restored): go on after a pause of unknown length.
        What was asked is asked anew, and nothing is late.
        """
        resumed, self.running = self.running, True
        watched = [h for h in self._court.health.values() if h.status is not Status.MAINTENANCE]
        if not resumed:
            return [out for health in watched for out in self._court.begin(now, health)]
        for health in watched:
            self._court.resume(now, health)
        return [out for source in self._sources.values() for out in source.restarted(now)]

    def stop_monitoring(self, now: int) -> list[Output]:
        """Watch nobody any more; the verdicts stay as they are."""
        self.running = False
        for health in self._court.health.values():
            self._court.end(health)
        return []

    def step(self, now: int, item: Input) -> list[Output]:
        """Take one input at `now` (nanoseconds). InputError for one that cannot be."""
        self._door.check(now, item)
        return self.take(now, item)

    def take(self, now: int, item: Input) -> list[Output]:
        """Take one input that has been looked at."""
        if not self.running:
            return []
        if self._watches_itself:
            council = self._court.council
            if found := council.look_at_itself(now, self.next_wakeup()):
                return found + self.take(now, item)
        take = self._only.get(type(item))
        if take is not None:  # nearly all are evidence and wake-ups
            return take(now, item)
        if type(item) is WakeUp:
            return self._on_wakeup(now)
        out: list[Output] = []
        for source in self._takers.get(type(item), ()):
            out += source.step(now, item)
        return out + self._obey(now, item)

    def next_wakeup(self) -> int | None:
        """The earliest time at which a source has something to do, or silence tells a detector."""
        if self._only_clock is not None:
            earliest = self._only_clock.next_ns()
        elif not self._clocks and not self._watches_itself:  # silence alone has a time
            earliest = self._court.agenda.earliest()
        else:
            times_ns = [source.next_ns() for source in self._clocks]
            times_ns += [self._court.council.confirmation.next_ns(), self._court.distrust.ends_ns()]
            earliest = min([self._court.agenda.earliest(), *times_ns])
        return None if earliest == NEVER else earliest

    def check_master_health(self, now: int, master: str) -> list[Output]:
        """Ask a master now, unless that is under way. KeyError for an unknown one.

        Nothing happens in maintenance, where no answer would count.
        """
        if _known(self._court, master).status is Status.MAINTENANCE:
            return []
        return self._court.hurry(now, master)

    def record_failure(self, now: int, master: str, reason: str) -> list[Output]:
        """Declare a master failed on somebody's word (an operator, another service)."""
        health = _known(self._court, master)
        begun = _watched_again(self._court, now, health) if self.running else []
        out = self._court.find(now, health, Finding.CALLED_FAILED, health.diagnosis, reason)
        return [*out, *begun, *self._resume(now, master)] if out else []

    def record_recovery(self, now: int, master: str, reason: str) -> list[Output]:
        """Declare a master healthy on somebody's word."""
        health = _known(self._court, master)
        begun = _watched_again(self._court, now, health) if self.running else []
        out = self._court.acquit(now, health, Finding.CALLED_HEALTHY, reason)
        return [*out, *begun, *self._resume(now, master)] if out else []

    def handle_event(self, now: int, event: Event) -> list[Output]:
        """Take an event of another service: nobody listens at a master that was to obey."""
        if isinstance(event, OrderRefused):
            return self.record_failure(now, event.master, f"nobody listens: {event.reason}")
        return []

    # -- asking ----------------------------------------------------------------

    def watch(self) -> Watch:
        """What gateways shall count against masters, and report at once."""
        return self.settings.watch

    def get_all_master_statuses(self) -> dict[str, Status]:
        """The verdict on every master."""
        return {master: health.status for master, health in self._court.health.items()}

    def get_healthy_masters(self) -> list[str]:
        """Masters declared healthy."""
        return [m for m, h in self._court.health.items() if h.status is Status.HEALTHY]

    def get_failed_masters(self) -> list[str]:
        """Masters declared failed."""
        return [m for m, h in self._court.health.items() if h.status is Status.FAILED]

    def healthy(self) -> bool:
        """Whether this service itself is at work."""
        return self.running

    def generate_health_report(self, now: int) -> dict[str, dict[str, object]]:
        """Per master: status, seconds since, diagnosis, suspicion (1 convicts), the evidence.

        Of a master in maintenance, or that is absent, nothing is suspected: it is not asked.
        """
        found: dict[str, dict[str, object]] = {}
        for master, health in self._court.health.items():
            away = health.status is Status.MAINTENANCE
            found[master] = {
                "status": health.status.value,
                "since_s": (now - health.since_ns) / 1e9,
                "diagnosis": health.diagnosis.value,
                "suspicion": 0.0 if away else health.detector.suspicion(now),
            }
            found[master] |= health.detector.report(now)
            for source in self._sources.values():
                found[master] |= source.report(master)
        return found

    # -- handing the asking over -------------------------------------------------

    def rhythm(self, master: str) -> Rhythm | None:
        """How the probing of a master goes on, for a driver that can foresee how it ends.

        None unless the verdict on it is settled and no evidence stands against that. Who takes
        the probing over (`hand_over_probing`) is not asked for it any more, and tells by a
        `ProbeStretch` what became of the probes: before anything else that concerns the master.
        """
        if not (self.running and self._court.is_settled(master)):
            return None
        rhythms = (source.rhythm(master) for source in self._sources.values())
        return next((rhythm for rhythm in rhythms if rhythm is not None), None)

    def hand_over_probing(self, master: str) -> None:
        """Somebody else probes the master, in the present rhythm."""
        for source in self._sources.values():
            source.hand_over(master)

    def take_back_probing(self, master: str) -> None:
        """Nothing came of that: the next probe is due when it was."""
        for source in self._sources.values():
            source.take_back(master)

    def concerns(self, item: Input) -> Iterable[str]:
        """The masters whose verdict, or whose probing, may change by an input."""
        found: list[str] = []
        if isinstance(item, (*OPERATIONS, OpinionAsked, OpinionGiven)):
            found.append(item.master)
        for source in self._takers.get(type(item), ()):
            concerned = source.concerns(item)
            found += self._court.health if concerned is None else concerned
        return found

    # -- freezing --------------------------------------------------------------

    def freeze(self) -> dict[str, Any]:
        """The whole state as plain data (JSON), from which `restore` goes on."""
        return {
            "running": self.running,
            "health": freeze(self._court.health, dict[str, MasterHealth]),
            "evidence": {name: source.freeze() for name, source in self._sources.items()},
            "confirmation": freeze(self._court.council.confirmation),
            "distrust": freeze(self._court.distrust),
        }

    @classmethod
    def restore(
        cls,
        settings: DetectionSettings,
        cluster: Cluster,
        data: dict[str, Any],
        *,
        seed: int | None = None,
        observer: str = "",
    ) -> FailoverDetectionService:
        """The service that `freeze` was called on, which had the same settings, seed and name."""
        service = cls(settings, cluster, seed=seed, observer=observer)
        service.running = data["running"]
        court = service._court
        court.health = thaw(dict[str, MasterHealth], data["health"])
        council = court.council
        council.meet(thaw(type(council.confirmation), data["confirmation"]))
        court.distrust = thaw(type(court.distrust), data["distrust"])
        for master, health in court.health.items():
            court.agenda.set(master, health.changes_ns)
        for name, source in service._sources.items():
            source.thaw(data["evidence"][name])
        return service

    # -- inside ----------------------------------------------------------------

    def _on_wakeup(self, now: int) -> list[Output]:
        if self._only_clock is not None:
            return self._only_clock.wake(now)
        out = [out for source in self._clocks for out in source.wake(now)]
        return out + self._court.wake(now)

    def _resume(self, now: int, master: str) -> list[Output]:
        if not self.running:
            return []
        return [out for source in self._sources.values() for out in source.resume(now, master)]

    def _obey(self, now: int, item: Input) -> list[Output]:
        """Do what an operator orders, or what another observer asks for."""
        match item:
            case OpinionAsked():
                council, master = self._court.council, item.master
                down, unseen_ns = council.holds_down(now, master), council.unseen_ns(now, master)
                return [GiveOpinion(item.peer, master, item.number, down, unseen_ns)]
            case OpinionGiven():
                return self._court.council.heard(now, item)
            case StartMaintenance() | RemoveMaster():
                health = _known(self._court, item.master)
                self._court.end(health)
                return self._court.find(now, health, Finding.TAKEN_OUT, Diagnosis.NONE, "operator")
            case StopMaintenance() | AddMaster():
                health = _known(self._court, item.master)
                out = self._court.find(now, health, Finding.BACK, Diagnosis.NONE, "operator")
                return out + self._court.begin(now, health) if out else []
            case RecordFailure():
                return self.record_failure(now, item.master, item.reason)
            case RecordRecovery():
                return self.record_recovery(now, item.master, item.reason)
            case CheckMaster():
                return self.check_master_health(now, item.master)
            case _:
                return []


def _known(court: Court, master: str) -> MasterHealth:
    if master not in court.health:
        raise unknown_master(master, court.health)
    return court.health[master]


def _watched_again(court: Court, now: int, health: MasterHealth) -> list[Output]:
    """A word of somebody ends a maintenance, or an absence."""
    return court.begin(now, health) if health.status is Status.MAINTENANCE else []
