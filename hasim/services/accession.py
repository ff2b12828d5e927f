"""How a control plane comes to act among masters at work: it asks before it does anything.

One that starts without a memory, or with an old one, does not know who owns what by now, which
epochs were given, which routing is in use. So it asks every master and every gateway, under a term
above all that it knows; who answers obeys no lower term from then on, and grants this one to nobody
else. When a majority has answered
it acts: any two majorities have somebody in common, so a later control plane always learns of this
term, and an earlier one is refused (Paxos' first phase, Lamport 1998; Raft's terms, Ongaro 2014).
Detection begins at once; nothing is ordered, and no routing is published, before that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from hasim.events import AskGateway, AskMaster, GatewayHello, MasterState
from hasim.model import Cluster, Ownership, Status
from hasim.settings import duration, settings
from hasim.units import SECOND

Question = AskMaster | AskGateway


@settings
class AccessionSettings:
    """How long a control plane that starts among masters at work waits for their answers."""

    ask_interval_ns: Annotated[
        int, duration("Whoever has not answered is asked again.", above=0)
    ] = SECOND
    patience_ns: Annotated[
        int,
        duration(
            "After this time it acts although some have not answered, if a majority has. Who has "
            "not may accept any writes, for all that it knows.",
            source="Patroni retry_timeout (10 s); half of it",
        ),
    ] = 5 * SECOND
    majority: Literal["at-start", "before-failover"] = "at-start"
    """When a majority of masters and gateways must have answered: before a control plane that
    starts among masters at work acts, or also before each failover. With the latter a control plane
    that is cut off powers nobody off, and one that many masters do not answer fails nobody over
    (Akka's keep-majority; etcd's CheckQuorum asks its followers)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a control plane knows when its term begins.

    What masters and gateways have answered, by name; the verdicts so far; the owners that follow.
    """

    term: int
    masters: Mapping[str, MasterState]
    gateways: Mapping[str, GatewayHello]
    statuses: Mapping[str, Status]
    owners: tuple[Ownership, ...] = ()

    @property
    def version(self) -> int:
        """The highest routing table that any gateway uses."""
        return max((hello.version for hello in self.gateways.values()), default=1)


class Accession:
    """Asks, and counts the answers; a sans-IO machine within the control plane."""

    def __init__(self, settings: AccessionSettings, cluster: Cluster, observer: str) -> None:
        self.term = 1
        self._observer = observer
        self.claim = ""
        self.masters: dict[str, MasterState] = {}
        self.gateways: dict[str, GatewayHello] = {}
        self._settings = settings
        self._masters = tuple(master.id for master in cluster.masters)
        self._gateways = cluster.gateways
        self._again_ns = self._until_ns = 0

    def begin(self, now: int, above: int) -> list[Question]:
        """Ask everybody, under the term after this one."""
        self.term = above + 1
        self.claim = f"{self._observer}@{now}"
        self.masters.clear()
        self.gateways.clear()
        self._until_ns = now + self._settings.patience_ns
        return self._ask(now)

    def confirm(self, now: int, term: int, claim: str) -> list[Question]:
        """Ask everybody whether a term that was granted is still the latest of which they know."""
        out = self.begin(now, term - 1)
        self.claim = claim
        return [replace(question, claim=claim) for question in out]

    def take(self, now: int, item: MasterState | GatewayHello) -> list[Question]:
        """Take an answer; a term that was granted to somebody else is outbid.

        A word from before, or one of a term that was granted to nobody, answers another question.
        """
        if item.term < self.term:
            return []
        if item.claim != self.claim:
            granted = item.claim or item.term > self.term
            return self.begin(now, item.term) if granted else []
        if isinstance(item, MasterState):
            self.masters[item.master] = item
        else:
            self.gateways[item.gateway] = item
        return []

    def wake(self, now: int) -> list[Question]:
        """Ask those again that have not answered."""
        return self._ask(now) if now >= self._again_ns else []

    def next_wakeup(self) -> int:
        """When to ask again, or to act (nanoseconds)."""
        return min(self._again_ns, self._until_ns) if self._majority else self._again_ns

    def granted(self, now: int, failed: Collection[str]) -> bool:
        """Whether the term may begin: nobody waits for masters that are declared `failed`."""
        missing = [m for m in self._masters if m not in self.masters and m not in failed]
        missing += [gateway for gateway in self._gateways if gateway not in self.gateways]
        return self._majority and (not missing or now >= self._until_ns)

    @property
    def _majority(self) -> bool:
        heard = len(self.masters) + len(self.gateways)
        return 2 * heard > len(self._masters) + len(self._gateways)

    def _ask(self, now: int) -> list[Question]:
        self._again_ns, term, claim = now + self._settings.ask_interval_ns, self.term, self.claim
        return [
            *(AskMaster(m, term, claim) for m in self._masters if m not in self.masters),
            *(AskGateway(g, term, claim) for g in self._gateways if g not in self.gateways),
        ]
