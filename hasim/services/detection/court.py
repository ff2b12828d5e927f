"""Where the evidence about each master is heard, and the verdicts fall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hasim.events import Output, StatusChanged
from hasim.model import Cause, Cluster, Diagnosis, Status
from hasim.services.agenda import NEVER, Agenda
from hasim.services.detection.chance import Chance
from hasim.services.detection.council import Council
from hasim.services.detection.detectors.detector import Detector, Opinion
from hasim.services.detection.detectors.freshness import Freshness, FreshnessSettings
from hasim.services.detection.detectors.looks import Looking
from hasim.services.detection.diagnosis import diagnose
from hasim.services.detection.distrust.distrust import Distrust
from hasim.services.detection.evidence.source import Judge, Source
from hasim.services.detection.flapping.flapping import Flapping
from hasim.services.detection.health import MasterHealth
from hasim.services.detection.registry import CONFIRMATIONS, DETECTORS, DISTRUSTS, FLAPPINGS
from hasim.services.detection.settings import DetectionSettings
from hasim.services.detection.verdicts import SETTLED, Finding, verdict_after

# Looked up once: nearly every input comes by here.
OK, HEALTHY, MAINTENANCE = Cause.OK, Status.HEALTHY, Status.MAINTENANCE


class Court(Judge):
    """Hands each master's evidence to its detector and takes what follows to the table of verdicts.

    The detector weighs what speaks against a master and what its silence tells; how many checks
    in a row speak for it is counted here. `sources` are those that there are, by name.
    """

    def __init__(
        self, settings: DetectionSettings, cluster: Cluster, chance: Chance, observer: str = ""
    ) -> None:
        self.chance, self.observer = chance, observer
        peers = [name for name in cluster.observers if name != observer]
        detector = DETECTORS.class_for(settings.detector)
        flapping = FLAPPINGS.class_for(settings.flapping)
        self.health = {
            master.id: MasterHealth(
                master.id,
                _fitted(detector(settings.detector), settings, chance),
                flapping(settings.flapping),
                Status.MAINTENANCE if master.absent else Status.UNKNOWN,
            )
            for master in cluster.masters
        }
        self.distrust: Distrust = DISTRUSTS.class_for(settings.distrust)(settings.distrust)
        self.council = Council(self, peers, chance)
        self.council.meet(CONFIRMATIONS.class_for(settings.confirm)(settings.confirm))
        self.sources: Mapping[str, Source] = {}
        self._acquitting_checks = settings.detector.acquitting_checks
        # When each detector's opinion changes if nothing is heard, if such a thing can be at all.
        self.agenda = Agenda(self.health)
        self.keeps_time = getattr(detector, "changes_ns", None) is not Detector.changes_ns
        self._counts_checks = getattr(flapping, "checked", None) is not Flapping.checked
        self._hears = getattr(detector, "passed", None) is not Detector.passed
        self._minds_asking = getattr(detector, "asked", None) is not Detector.asked
        # Whoever reckons with the numbers of heartbeats is told of nothing else.
        own = settings.detector
        self._numbered = isinstance(own, FreshnessSettings) and own.NUMBERED

    # -- what the sources tell -----------------------------------------------------

    def status(self, master: str) -> Status:
        """The present verdict. KeyError for an unknown master."""
        return self.health[master].status

    def asked(self, now: int, master: str) -> None:
        """A check was sent; most detectors do not mind."""
        if self._minds_asking:
            health = self.health[master]
            health.detector.asked(now)
            self._listen(now, health)

    def passed(
        self, now: int, master: str, source: Source, number: int, took_ns: int
    ) -> list[Output]:
        """Something speaks for the master."""
        health = self.health[master]
        status = health.status
        if status is MAINTENANCE:
            return []
        if self._hears and (source.NUMBERED or not self._numbered):
            health.detector.passed(now, number, took_ns)
        health.last_check, health.seen_ns = OK, now
        if self._counts_checks:
            health.flapping.checked(passed=True)
        if self.keeps_time:
            self._listen(now, health)
        if status is HEALTHY:
            return []
        if self.keeps_time and health.detector.opinion(now) is not Opinion.TRUST:
            return []  # too old to speak for it: its freshness is over already
        health.passed_in_row += 1
        if status is Status.FAILED and health.flapping.holds(now):
            return []
        needed, what = self._needed(now, health), source.WHAT
        if health.passed_in_row < needed:
            return self.find(now, health, Finding.PASSED, health.diagnosis, f"{what} passed")
        first = status is Status.UNKNOWN
        reason = f"first {what} passed" if first else f"{needed} {what}s in a row passed"
        return self.acquit(now, health, Finding.ACQUITTED, reason)

    def failed(
        self, now: int, master: str, source: Source, cause: Cause, reason: str
    ) -> list[Output]:
        """A check failed, or as much evidence came in as a failed check is."""
        health = self.health[master]
        if health.status is Status.MAINTENANCE:
            return []
        self._hear_failure(now, health, source, cause)
        opinion = health.detector.opinion(now)
        if opinion is Opinion.CONVICT and (rule := health.detector.rule()):
            reason = f"{reason}; {rule}"
        return self._declare(now, health, opinion, reason)

    def convicted(
        self, now: int, master: str, source: Source, cause: Cause, reason: str
    ) -> list[Output]:
        """Evidence came in that convicts by itself, whatever the detector says."""
        health = self.health[master]
        if health.status is Status.MAINTENANCE:
            return []
        self._hear_failure(now, health, source, cause)
        return self._declare(now, health, Opinion.CONVICT, reason)

    def brink(self, now: int, master: str) -> None:
        """Evidence came in after which two more failed checks convict, if that many are needed."""
        self.health[master].detector.brink(now)

    def left(self, now: int, master: str) -> None:
        """It stops: that is no failure yet, but its silence may count sooner."""
        health = self.health[master]
        if health.status is not MAINTENANCE:
            health.detector.left(now)
            self._listen(now, health)

    def passed_many(
        self,
        master: str,
        source: Source,
        number: int,
        times_ns: Sequence[int],
        took_ns: Sequence[int],
    ) -> list[Output]:
        """Several checks passed in a row."""
        health = self.health[master]
        if times_ns and health.status is Status.HEALTHY and not self.keeps_time:
            health.detector.passed_many(times_ns, number, took_ns)
            health.last_check, health.seen_ns = Cause.OK, times_ns[-1]
            if self._counts_checks:
                health.flapping.checked_many(passed=True, number=len(times_ns))
            return []
        ended = enumerate(zip(times_ns, took_ns, strict=True), number)
        return [
            out
            for each, (time_ns, each_ns) in ended
            for out in self.passed(time_ns, master, source, each, each_ns)
        ]

    def failed_many(
        self, master: str, source: Source, cause: Cause, number: int, times_ns: Sequence[int]
    ) -> list[Output]:
        """Several checks failed in a row."""
        health = self.health[master]
        if times_ns and health.status is Status.FAILED and not self.keeps_time:
            health.detector.failed_many(times_ns)
            if self._counts_checks:
                health.flapping.checked_many(passed=False, number=len(times_ns))
            health.last_check, health.passed_in_row = cause, 0
            return []
        return [
            out
            for each, time_ns in enumerate(times_ns, number)
            for out in self.failed(time_ns, master, source, cause, f"{source.WHAT} {each}: {cause}")
        ]

    def is_settled(self, master: str) -> bool:
        """Whether nothing speaks against the verdict on a master, and silence does not count."""
        status = self.health[master].status
        settled = status in SETTLED and not self.keeps_time and self.council.alone
        return settled and (status is Status.FAILED or self._standing(master) is None)

    def doubted(self, master: str) -> None:
        """Less than a failed check: the passed ones lapse."""
        self.health[master].passed_in_row = 0

    def hurry(self, now: int, master: str) -> list[Output]:
        """Suspicion shortens the interval: all sources that can ask do so."""
        return [out for source in self.sources.values() for out in source.hurry(now, master)]

    def wake(self, now: int) -> list[Output]:
        """Silence alone may have changed a detector's opinion."""
        out: list[Output] = []
        for master in self.agenda.take_due(now):
            health = self.health[master]
            if health.last_check in (None, Cause.OK):
                health.last_check = Cause.TIMEOUT
            health.passed_in_row = 0
            self._listen(now, health)
            out += self._declare(
                now, health, health.detector.opinion(now), health.detector.words(now)
            )
        return out + self.council.wake(now)

    # -- verdicts --------------------------------------------------------------------

    def find(
        self, now: int, health: MasterHealth, finding: Finding, diagnosis: Diagnosis, reason: str
    ) -> list[Output]:
        """Take a finding to the table; an event if the verdict is another one after it."""
        old, new = health.status, verdict_after(health.status, finding)
        if new is old:
            return []
        health.status, health.since_ns, health.diagnosis = new, now, diagnosis
        if new in SETTLED:
            health.passed_in_row = 0
        if new is Status.FAILED:
            reason = _noted(now, health, old, reason, checks=self._counts_checks)
        return [StatusChanged(health.master, old, new, diagnosis, reason)]

    def acquit(self, now: int, health: MasterHealth, finding: Finding, reason: str) -> list[Output]:
        """The master is healthy: what stands against it is void."""
        forgive = health.status is not Status.SUSPECT
        sent, forbidden = self.council.acquitted(now, health.master)
        if forbidden and finding is not Finding.CALLED_HEALTHY:
            health.detector.cleared(now)
            self._listen(now, health)
            return sent
        out = self.find(now, health, finding, Diagnosis.NONE, reason)
        if out:
            health.detector.cleared(now)
            if finding is Finding.CALLED_HEALTHY:
                health.flapping.cleared(now)
            self._listen(now, health)
            for source in self.sources.values():
                source.excuse(health.master, forgive=forgive)
        return sent + out

    def begin(self, now: int, health: MasterHealth) -> list[Output]:
        """Watch a master from now on."""
        health.detector.begin(now)
        health.flapping.cleared(now)
        self._listen(now, health)
        sources = self.sources.values()
        return [out for source in sources for out in source.begin(now, health.master)]

    def resume(self, now: int, health: MasterHealth) -> None:
        """Go on after a pause: silence counts from now on."""
        if self.keeps_time:
            health.detector.begin(now)
            self._listen(now, health)

    def end(self, health: MasterHealth) -> None:
        """Watch it no more."""
        health.changes_ns = NEVER
        self.agenda.set(health.master, NEVER)
        for source in self.sources.values():
            source.end(health.master)

    def _hear_failure(self, now: int, health: MasterHealth, source: Source, cause: Cause) -> None:
        """Tell the detector of a failed check, or of as much as one is."""
        health.passed_in_row = 0
        if not source.OF_MESSAGES:
            health.last_check = cause
        elif health.status in SETTLED:
            health.last_check = None  # a check from before the change says nothing
        health.detector.failed(now)
        if self._counts_checks and not source.OF_MESSAGES and health.status is Status.FAILED:
            health.flapping.checked(passed=False)
        self._listen(now, health)

    def _declare(
        self, now: int, health: MasterHealth, opinion: Opinion, reason: str
    ) -> list[Output]:
        """What follows from an opinion, if it is confirmed."""
        if opinion is Opinion.TRUST:
            return []
        convicted, out = opinion is Opinion.CONVICT, list[Output]()
        if convicted and self.distrust.holds(now):
            convicted, reason = False, f"{reason}; {self.distrust.words()}"
        if not self.council.alone:
            out, convicted, reason = self.council.confirm(
                now, health.master, reason, convicted=convicted
            )
        finding = Finding.CONVICTED if convicted else Finding.DOUBTED
        return out + self.find(now, health, finding, self.diagnosis(health), reason)

    def diagnosis(self, health: MasterHealth) -> Diagnosis:
        """What kind of failure the evidence speaks for."""
        return diagnose(health.last_check, self._standing(health.master))

    def _needed(self, now: int, health: MasterHealth) -> int:
        """How many checks in a row make the master healthy; `NEVER`: none do.

        One refutes failed checks while there is no more than a suspicion; none refutes messages
        that failed of late, which the next message will, if it is answered.
        """
        if health.status is Status.UNKNOWN:
            return 1
        if health.status is Status.SUSPECT:
            if any(source.insists(now, health.master) for source in self.sources.values()):
                return NEVER
            if self._standing(health.master) is None:
                return 1
        return self._acquitting_checks

    def _standing(self, master: str) -> Cause | None:
        """How the latest evidence ended that nothing has refuted, if there is some."""
        for source in self.sources.values():
            cause = source.standing(master)
            if cause is not None:
                return cause
        return None

    def _listen(self, now: int, health: MasterHealth) -> None:
        """Silence tells at a later time, if ever."""
        if self.keeps_time:
            time_ns = health.detector.changes_ns()
            health.changes_ns = time_ns = time_ns if time_ns > now else NEVER
            self.agenda.set(health.master, time_ns)


def _noted(now: int, health: MasterHealth, old: Status, reason: str, *, checks: bool) -> str:
    """One more failure, unless it was failed before: the reason, and how long it is held.

    `checks`: flap detection counts checks as well.
    """
    flapping = health.flapping
    if checks:
        flapping.checked(passed=False)
    if old is not Status.RECOVERING:
        flapping.failed(now)
    return f"{reason}; {flapping.words(now)}" if flapping.holds(now) else reason


def _fitted(detector: Detector, settings: DetectionSettings, chance: Chance) -> Detector:
    """A detector that judges by freshness is told the rhythm of the evidence, and when to look."""
    if isinstance(detector, Freshness):
        detector.period_ns = settings.heartbeat_ns or settings.period_ns
    if isinstance(detector, Looking):
        detector.phase_ns = int(chance.draw("looks") * detector.settings.look_interval_ns)
    return detector
