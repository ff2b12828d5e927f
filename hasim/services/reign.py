"""Under which term a control plane acts, and whether it may."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from hasim.events import GatewayHello, Input, MasterState, StatusChanged, WakeUp
from hasim.model import Cluster, Status
from hasim.services.accession import Accession, AccessionSettings, Question
from hasim.services.agenda import NEVER


class Reign:
    """Asks for a term, and whether it still holds; keeps the verdicts that wait for the answer.

    `term` was granted to `claim` by a majority. At the birth of a cluster it is the first, which
    everybody has granted.
    """

    def __init__(self, settings: AccessionSettings, cluster: Cluster, observer: str) -> None:
        self.term, self.claim = 1, ""
        self._settings = settings
        self._accession = Accession(settings, cluster, observer)
        self._asking = self._confirming = False
        self._withheld: dict[str, StatusChanged] = {}
        # Masters that are declared failed, and have answered all the same; until when.
        self._doubted: dict[str, tuple[StatusChanged, int]] = {}

    @property
    def acts(self) -> bool:
        """Whether a majority has granted the term, and nobody is known to have a later one."""
        return not self._asking

    @property
    def waits(self) -> bool:
        """Whether answers are awaited, or verdicts wait."""
        return self._asking or self._confirming or bool(self._doubted)

    def ask_anew(self, now: int, above: int) -> list[Question]:
        """Act no more, and ask everybody under a term after this one."""
        self._asking, self._confirming = True, False
        self._withheld.clear()
        self._doubted.clear()
        return self._accession.begin(now, above)

    def withhold(self, now: int, event: StatusChanged) -> tuple[bool, list[Question]]:
        """Whether a verdict has to wait until a majority confirms the term; what is asked then."""
        self._withheld.pop(event.master, None)
        self._doubted.pop(event.master, None)
        wanted = self._settings.majority == "before-failover"
        if event.new is not Status.FAILED or not wanted or self._asking:
            return False, []
        self._withheld[event.master] = event
        if self._confirming:
            return True, []
        self._confirming = True
        return True, self._accession.confirm(now, self.term, self.claim)

    def hear(self, now: int, item: Input) -> list[Question]:
        """Take what may be an answer; who has not answered in time is asked again."""
        out: list[Question] = []
        if isinstance(item, MasterState | GatewayHello) and (self._asking or self._confirming):
            out = self._accession.take(now, item)
        elif type(item) is WakeUp and (self._asking or self._confirming):
            out = self._accession.wake(now)
        if self._confirming and self._accession.term != self.term:  # it was outbid
            self._asking, self._confirming = True, False
            self._withheld.clear()
            self._doubted.clear()
        return out

    def granted(self, now: int, failed: Collection[str]) -> Accession | None:
        """What was heard, if a later term begins by that."""
        if not self._asking or not self._accession.granted(now, failed):
            return None
        self._asking = False
        self.term, self.claim = self._accession.term, self._accession.claim
        return self._accession

    def confirmed(self, now: int, failed: Collection[str]) -> list[StatusChanged]:
        """The verdicts that have waited, if a majority has confirmed the term.

        Those on masters that have answered it are `doubt`ed.
        """
        if not self._confirming or not self._accession.granted(now, failed):
            return []
        self._confirming = False
        withheld, self._withheld = self._withheld, {}
        answered = self._accession.masters
        self.doubt(now, [event for master, event in withheld.items() if master in answered])
        return [event for master, event in withheld.items() if master not in answered]

    def doubt(self, now: int, verdicts: Iterable[StatusChanged]) -> None:
        """Verdicts of failed on masters that have answered: they stand if nothing changes them."""
        until_ns = now + self._settings.patience_ns
        self._doubted.update({event.master: (event, until_ns) for event in verdicts})

    def undoubted(self, now: int) -> list[StatusChanged]:
        """Those that have stood for long enough."""
        over = [event for event, until_ns in self._doubted.values() if now >= until_ns]
        for event in over:
            del self._doubted[event.master]
        return over

    @property
    def doubted(self) -> tuple[str, ...]:
        """The masters that are doubted to have failed."""
        return tuple(self._doubted)

    def next_wakeup(self) -> int:
        """When to ask again, or to act (nanoseconds); `NEVER` if nothing is awaited."""
        times = [until_ns for _, until_ns in self._doubted.values()]
        if self._asking or self._confirming:
            times.append(self._accession.next_wakeup())
        return min(times, default=NEVER)
