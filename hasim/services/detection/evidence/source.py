"""What a source of evidence is: it learns something about masters, and tells the service."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Protocol

from hasim.events import Input, Output
from hasim.model import Cause, Cluster, Status
from hasim.services.agenda import NEVER
from hasim.services.detection.chance import Chance
from hasim.services.detection.rhythm import Rhythm
from hasim.services.watch import Watch
from hasim.settings import settings


@settings
class SourceSettings:
    """The base of each source's settings: what can be said of it without running it."""

    ACQUITS: ClassVar[bool] = True
    """Whether it can speak for a master that gets no messages, and so acquit one that failed."""

    @property
    def period_ns(self) -> int:
        """The longest time between two pieces of evidence about a master whose verdict is settled.

        0: it has no rhythm of its own.
        """
        return 0

    @property
    def news_ns(self) -> int:
        """The longest time until the evidence shows that a master is cured; 0: it never does."""
        return 0

    @property
    def heartbeat_ns(self) -> int:
        """How often masters shall send a `Heartbeat` by themselves; 0: they need not."""
        return 0

    @property
    def connected(self) -> bool:
        """Whether it keeps a connection to each master, and is told when that is closed."""
        return False

    def watch(self, convicting_checks: int) -> Watch | None:
        """What gateways shall count against masters, and report at once.

        So that `convicting_checks` failed checks can come of them. None: messages are no evidence.
        """
        return None

    def problems(self) -> Iterator[tuple[str, str]]:
        """What does not fit together: (setting, message)."""
        yield from ()


class Judge(Protocol):
    """Whom the sources tell of evidence; answers with what follows from it."""

    chance: Chance
    """The chance in the rhythm of checks, as the driver hands it in."""
    observer: str
    """The name of this observer among those of the cluster; empty where there is one."""

    def status(self, master: str) -> Status:
        """The present verdict. KeyError for an unknown master."""
        ...

    def asked(self, now: int, master: str) -> None:
        """A check was sent."""
        ...

    def passed(
        self, now: int, master: str, source: Source, number: int, took_ns: int
    ) -> list[Output]:
        """Check `number` passed after so long, or heartbeat `number` was heard."""
        ...

    def failed(
        self, now: int, master: str, source: Source, cause: Cause, reason: str
    ) -> list[Output]:
        """A check failed, or evidence that is worth a failed check came in; `reason` in words."""
        ...

    def convicted(
        self, now: int, master: str, source: Source, cause: Cause, reason: str
    ) -> list[Output]:
        """Evidence came in that convicts by itself, whatever the detector says."""
        ...

    def brink(self, now: int, master: str) -> None:
        """Evidence came in after which two more failed checks convict, if that many are needed."""
        ...

    def left(self, now: int, master: str) -> None:
        """The master has said that it stops now, in good order."""
        ...

    def passed_many(
        self,
        master: str,
        source: Source,
        number: int,
        times_ns: Sequence[int],
        took_ns: Sequence[int],
    ) -> list[Output]:
        """Checks from `number` on passed, one after the other, and nothing else happened."""
        ...

    def failed_many(
        self, master: str, source: Source, cause: Cause, number: int, times_ns: Sequence[int]
    ) -> list[Output]:
        """The same of checks that failed."""
        ...

    def doubted(self, master: str) -> None:
        """Evidence against the master that is less than a failed check: passed checks lapse."""
        ...

    def hurry(self, now: int, master: str) -> list[Output]:
        """There is a doubt: whatever source can ask the master shall do so now."""
        ...


class Source(Protocol):
    """A source of evidence about all masters; made of its settings, the judge, and the cluster.

    A sans-IO machine within the detection service: `step` takes the inputs named in `INPUTS`,
    `wake` is called when `next_ns` has come or later.
    """

    INPUTS: ClassVar[frozenset[type[Input]]]
    """The kinds of input that it takes; a subset of those of the detection service."""
    WHAT: ClassVar[str]
    """What speaks for a master, in words: "probe" passes."""
    NUMBERED: ClassVar[bool] = False
    """Whether its numbers go by the master's clock, one an interval."""
    OF_MESSAGES: ClassVar[bool] = False
    """Whether it tells of the messages, not of checks of the master itself (see `diagnose`)."""

    settings: Any

    def __init__(self, settings: Any, judge: Judge, cluster: Cluster) -> None: ...

    def begin(self, now: int, master: str) -> list[Output]:
        """Watch a master from now on: at the start, or since it is back."""
        return []

    def end(self, master: str) -> None:
        """Watch it no more: it is in maintenance, or all monitoring ends."""

    def restarted(self, now: int) -> list[Output]:
        """The service goes on after a pause of unknown length: answers may have been missed."""
        return []

    def resume(self, now: int, master: str) -> list[Output]:
        """A verdict came from outside, and stands until there is evidence: there must be some."""
        return []

    def hurry(self, now: int, master: str) -> list[Output]:
        """Ask the master now if that is possible and not under way."""
        return []

    @abstractmethod
    def step(self, now: int, item: Input) -> list[Output]:
        """Take one input of a kind that is in `INPUTS`."""

    def wake(self, now: int) -> list[Output]:
        """Do what is due by now."""
        return []

    def next_ns(self) -> int:
        """When something is due (nanoseconds); `NEVER` if nothing is."""
        return NEVER

    def standing(self, master: str) -> Cause | None:
        """How the latest evidence against the master ended that nothing has refuted, if any."""
        return None

    def insists(self, now: int, master: str) -> bool:
        """Whether what stands is of a kind that no check refutes while the master is suspected."""
        return False

    def excuse(self, master: str, *, forgive: bool) -> None:
        """The master is acquitted: what stands against it is void.

        Not forgiven, it is no reason for a suspicion now, but for the next one.
        """

    # For a driver that can foresee what comes of asking, see `Rhythm`.

    def rhythm(self, master: str) -> Rhythm | None:
        """How it goes on asking the master, if it does so in a rhythm."""
        return None

    def hand_over(self, master: str) -> None:
        """Somebody else asks the master in that rhythm, and tells of it in time."""

    def take_back(self, master: str) -> None:
        """It goes on asking by itself, as if it had not handed over."""

    def concerns(self, item: Input) -> Iterable[str] | None:
        """The masters whose verdict or whose asking may change by an input; None: any."""
        master = getattr(item, "master", None)
        return None if master is None else (master,)

    def report(self, master: str) -> dict[str, object]:
        """What there is to say of the master, for a health report."""
        return {}

    @abstractmethod
    def freeze(self) -> Any:
        """The state as plain data (JSON)."""

    @abstractmethod
    def thaw(self, data: Any) -> None:
        """Take over what `freeze` gave."""


def unknown_master(master: str, known: Iterable[str]) -> KeyError:
    """The error for a name that no master has."""
    return KeyError(f"unknown master {master!r}; known: {', '.join(known)}")
