"""Under which term a control plane acts, and whether it may."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from hasim.events import (
    GatewayHello,
    Input,
    MasterState,
    ObserverTold,
    Output,
    StatusChanged,
    WakeUp,
)
from hasim.model import Cluster, Status
from hasim.services.accession import Accession, AccessionSettings, Question
from hasim.services.detection.chance import chance_of
from hasim.services.frozen import freeze, thaw
from hasim.services.leadership.leader import Leader
from hasim.services.leadership.registry import LEADERS
from hasim.services.leadership.settings import LeadershipSettings


class Reign:
    """Asks for a term, and whether it still holds; keeps the verdicts that wait for the answer.

    `term` was granted to `claim` by a majority. At the birth of a cluster it is the first, which
    everybody has granted to the first observer. Where there are several that may act, its part in
    their elections (`leader`) says whether this one asks at all: who does not lead rests.
    """

    def __init__(
        self,
        settings: AccessionSettings,
        leadership: LeadershipSettings,
        cluster: Cluster,
        observer: str,
        seed: int | None,
    ) -> None:
        self.term, self.claim = 1, ""
        self._settings = settings
        self._accession = Accession(settings, cluster, observer)
        self._asking = self._confirming = False
        self._withheld: dict[str, StatusChanged] = {}
        # Masters that are declared failed, and have answered all the same; until when.
        self._doubted: dict[str, tuple[StatusChanged, int]] = {}
        chance = chance_of(seed, (master.id for master in cluster.masters))
        self._seat = observer, cluster, chance
        self._leadership = leadership
        self._take_seat(LEADERS.class_for(leadership.leader)(leadership.leader))
        self._resting = not self.leader.leads

    def _take_seat(self, leader: Leader) -> None:
        self.leader = leader
        leader.meet(*self._seat)

    @property
    def acts(self) -> bool:
        """Whether a majority has granted the term, and nobody is known to have a later one."""
        return not (self._asking or self._resting)

    def concerns(self, item: Input) -> bool:
        """Whether an input may be an answer, or is a word of another observer."""
        waits = self._asking or self._confirming or bool(self._doubted)
        return waits or type(item) is ObserverTold

    def begin(self, now: int, *, born: bool) -> list[Output]:
        """Start with the cluster, or among masters at work, which are asked first."""
        out = self.leader.begin(now, born=born)
        if born:
            return out
        self._resting = True
        return [*out, *self.follow(now, self.term)]

    def outbid(self, now: int, term: int) -> list[Question]:
        """Somebody acts under a later term: ask for the one after that, or rest."""
        if not self.leader.alone:
            self.leader.outbid(now)
        return self.follow(now, term, anew=True)

    def follow(self, now: int, above: int, *, anew: bool = False) -> list[Question]:
        """Ask for a term above this if it leads and does not yet act (or `anew`); else rest."""
        if not self.leader.leads:
            self._asking, self._resting = False, True
            self._forget()
            return []
        if not (self._resting or anew):
            return []
        self._asking, self._resting = True, False
        self._forget()
        return self._accession.begin(now, max(above, self.leader.ballot - 1))

    def _forget(self) -> None:
        self._confirming = False
        self._withheld.clear()
        self._doubted.clear()

    def withhold(self, now: int, event: StatusChanged) -> tuple[bool, list[Output]]:
        """Whether a verdict has to wait: for an election, or until a majority confirms the term.

        With what is asked then.
        """
        waits, out = self.leader.judged(now, event)
        if waits:
            return True, out
        waits, asked = self._confirmed_first(now, event)
        return waits, [*out, *asked]

    def _confirmed_first(self, now: int, event: StatusChanged) -> tuple[bool, list[Question]]:
        self._withheld.pop(event.master, None)
        self._doubted.pop(event.master, None)
        wanted = self._settings.majority == "before-failover"
        if event.new is not Status.FAILED or not wanted or not self.acts:
            return False, []
        self._withheld[event.master] = event
        if self._confirming:
            return True, []
        self._confirming = True
        return True, self._accession.confirm(now, self.term, self.claim)

    def hear(self, now: int, item: Input) -> list[Output]:
        """Take what may be an answer; who has not answered in time is asked again."""
        out: list[Output] = []
        if type(item) is ObserverTold or type(item) is WakeUp:
            out += self.leader.step(now, item)
            out += self.follow(now, self.term)
        if isinstance(item, MasterState | GatewayHello) and (self._asking or self._confirming):
            out += self._accession.take(now, item)
        elif type(item) is WakeUp and (self._asking or self._confirming):
            out += self._accession.wake(now)
        if self._confirming and self._accession.term != self.term:  # it was outbid
            self._asking = True
            self._forget()
        return out

    def granted(self, now: int, failed: Collection[str]) -> Accession | None:
        """What was heard, if a later term begins by that."""
        if not self._asking or not self._accession.granted(now, failed):
            return None
        self._asking = False
        self.term, self.claim = self._accession.term, self._accession.claim
        return self._accession

    def confirmed(self, now: int, failed: Collection[str]) -> list[StatusChanged]:
        """The verdicts that wait no more: of masters whose election it has won, and the others if
        a majority has confirmed the term.

        Those on masters that have answered it are `doubt`ed.
        """
        released: list[StatusChanged] = []
        if self.acts:
            for event in self.leader.released():
                waits, _ = self._confirmed_first(now, event)
                released += [] if waits else [event]
        if not self._confirming or not self._accession.granted(now, failed):
            return released
        self._confirming = False
        withheld, self._withheld = self._withheld, {}
        answered = self._accession.masters
        self.doubt(now, [event for master, event in withheld.items() if master in answered])
        return released + [event for master, event in withheld.items() if master not in answered]

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
        return min([*times, self.leader.next_ns()])

    def freeze(self) -> dict[str, Any]:
        """The term, and its part in elections, as plain data (JSON)."""
        return {"term": self.term, "leader": freeze(self.leader)}

    def thaw(self, data: dict[str, Any]) -> None:
        """Go on with what was frozen; to be followed by `begin`."""
        self.term = data["term"]
        self._take_seat(thaw(LEADERS.class_for(self._leadership.leader), data["leader"]))
