"""Where other observers' opinions are heard: they may change what is to be declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from hasim.events import Input, Output
from hasim.model import Diagnosis, Status
from hasim.services.detection.chance import Chance
from hasim.services.detection.confirm.alone import Alone
from hasim.services.detection.confirm.confirmation import Confirmation
from hasim.services.detection.detectors.detector import Opinion
from hasim.services.detection.distrust.distrust import Distrust
from hasim.services.detection.health import MasterHealth
from hasim.services.detection.verdicts import SETTLED, Finding


class Declares(Protocol):
    """What the council needs of the court."""

    health: dict[str, MasterHealth]
    distrust: Distrust

    def find(
        self, now: int, health: MasterHealth, finding: Finding, diagnosis: Diagnosis, reason: str
    ) -> list[Output]:
        """Take a finding to the table of verdicts."""
        ...

    def acquit(self, now: int, health: MasterHealth, finding: Finding, reason: str) -> list[Output]:
        """The master is healthy."""
        ...

    def diagnosis(self, health: MasterHealth) -> Diagnosis:
        """What kind of failure the evidence speaks for."""
        ...


class Council:
    """Stands between the convictions of a court and their declaration, by a confirmation.

    `alone`: there is nobody to ask, and it has nothing to do.
    """

    def __init__(self, court: Declares, peers: Sequence[str], chance: Chance) -> None:
        self._court = court
        self._peers = peers
        self._chance = chance

    def meet(self, confirmation: Confirmation) -> None:
        """Convictions are confirmed by this from now on."""
        self.confirmation = confirmation
        self.alone = isinstance(confirmation, Alone)
        confirmation.meet(self._peers, list(self._health), self._chance)

    def holds_down(self, now: int, master: str) -> bool:
        """Whether the own detector convicts a master that is watched."""
        health = self._health[master]
        watched = health.status not in (Status.UNKNOWN, Status.MAINTENANCE)
        trusted = not self._court.distrust.holds(now)
        return watched and trusted and health.detector.opinion(now) is Opinion.CONVICT

    def unseen_ns(self, now: int, master: str) -> int | None:
        """For how long nothing has spoken for a master; None if nothing ever has (nanoseconds)."""
        seen_ns = self._health[master].seen_ns
        return None if seen_ns < 0 else now - seen_ns

    def heard(self, now: int, item: Input) -> list[Output]:
        """Another observer, or a master, answered; the confirmation knows what to make of it."""
        return self._reconsider(now, self.confirmation.heard(now, item))

    def wake(self, now: int) -> list[Output]:
        """Ask and tell what is due; what was heard may count from now on, or no more."""
        if self.alone:
            return []
        sent, masters = self.confirmation.wake(now)
        return sent + self._reconsider(now, masters)

    def look_at_itself(self, now: int, due_ns: int | None) -> list[Output]:
        """The observer does something, and wanted to be woken at `due_ns`: it may have slept.

        Once it trusts itself again, what its detectors hold by then counts.
        """
        distrust, out = self._court.distrust, list[Output]()
        if due_ns is not None and due_ns < now:
            distrust.late(now, due_ns)
        if not distrust.ended(now):
            return out
        for master, health in self._health.items():
            if health.status not in SETTLED and self.holds_down(now, master):
                words = health.detector.rule() or health.detector.words(now)
                sent, confirmed, reason = self.confirm(now, master, words, convicted=True)
                finding = Finding.CONVICTED if confirmed else Finding.DOUBTED
                diagnosis = self._court.diagnosis(health)
                out += sent + self._court.find(now, health, finding, diagnosis, reason)
        return out

    def confirm(
        self, now: int, master: str, reason: str, *, convicted: bool
    ) -> tuple[list[Output], bool, str]:
        """What to send, whether a master is to be declared failed now, and the reason in words."""
        confirmation = self.confirmation
        sent = confirmation.changed(now, master, convicted=convicted)
        confirmed = confirmation.confirms(now, master, convicted=convicted)
        words = "; ".join(filter(None, (reason, confirmation.words(now, master))))
        return sent, confirmed, words

    def acquitted(self, now: int, master: str) -> tuple[list[Output], bool]:
        """The own detector acquits: what to send, and whether the others keep it failed."""
        if self.alone:
            return [], False
        sent = self.confirmation.changed(now, master, convicted=False)
        return sent, self.confirmation.forbids(now, master)

    @property
    def _health(self) -> Mapping[str, MasterHealth]:
        return self._court.health

    def _reconsider(self, now: int, masters: Sequence[str]) -> list[Output]:
        """What others say of masters may have changed what is to be declared."""
        out: list[Output] = []
        for master in masters:
            health, confirmation = self._health[master], self.confirmation
            words, convicted = confirmation.words(now, master), self.holds_down(now, master)
            if health.status in (Status.FAILED, Status.RECOVERING):
                if confirmation.acquits(now, master):
                    out += self._court.acquit(now, health, Finding.ACQUITTED, words)
            elif health.status in (Status.HEALTHY, Status.SUSPECT) and confirmation.confirms(
                now, master, convicted=convicted
            ):
                diagnosis = self._court.diagnosis(health)
                out += self._court.find(now, health, Finding.CONVICTED, diagnosis, words)
        return out
