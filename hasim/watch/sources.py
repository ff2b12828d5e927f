"""What can be watched: a scenario that is simulated meanwhile, or a journal that is replayed."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any, Protocol, cast

from hasim.deployed import control_plane, settings_of
from hasim.events import Input
from hasim.journal import Journal
from hasim.report.cells import text
from hasim.services.control_plane import ControlPlane
from hasim.services.door import take
from hasim.settings import from_plain, settings
from hasim.simulation.pacing import Paced
from hasim.simulation.settings.faults import AnyFault
from hasim.simulation.settings.faults.fault import Fault
from hasim.singles import singly
from hasim.watch.news import News
from hasim.watch.picture import Picture, picture

if TYPE_CHECKING:
    from hasim.scenario.loader import Loaded


class Source(Protocol):
    """Something that goes on in time, and shows itself."""

    title: str
    end_ns: int
    kinds: tuple[str, ...]
    """The faults that can be injected; none into what was recorded."""

    @property
    def now_ns(self) -> int:
        """How far it is."""
        ...

    def advance(self, to_ns: int) -> None:
        """Go on up to a moment, or to the end."""
        ...

    def show(self) -> Picture:
        """What is to be seen now."""
        ...

    def targets(self, kind: str) -> tuple[str, ...]:
        """Whom a kind of fault can strike."""
        ...

    def inject(self, kind: str, target: str, lasting_s: float) -> str:
        """A fault strikes now; what happened, in words."""
        ...

    def close(self) -> None:
        """Nobody watches any more."""
        ...


@settings
class _Injected:
    """A fault as somebody asks for it while a world runs."""

    fault: AnyFault
    """The fault; its schedule is not looked at."""


def _kinds() -> dict[str, type[Fault]]:
    """The kinds of faults by name."""
    members = typing.get_args(typing.get_args(AnyFault)[0])
    return {typing.get_args(typing.get_type_hints(m)["kind"])[0]: m for m in members}


class Simulated:
    """One replication of one cell of a scenario, simulated while it is watched."""

    def __init__(self, loaded: Loaded, cell: int = 0, replication: int = 0) -> None:
        point = loaded.cells[cell]
        varied = ", ".join(text(value) for value in point.varied.values())
        self.title = f"{loaded.scenario.name}{f' ({varied})' if varied else ''}"
        self._paced = Paced(
            point.world,
            loaded.recorded_of(point),
            seed=loaded.scenario.seed,
            replication=replication,
        )
        self.end_ns = self._paced.horizon_ns
        self._kinds = _kinds()
        self.kinds = tuple(self._kinds)
        self._news = News(next(iter(self._paced.world.drivers)))
        self._heard = 0

    @property
    def now_ns(self) -> int:
        """The present of the world."""
        return self._paced.now_ns

    @property
    def journal(self) -> Journal:
        """What has happened so far."""
        return self._paced.world.journal

    def advance(self, to_ns: int) -> None:
        """Simulate up to a moment, or to the end."""
        self._paced.advance(to_ns)

    def show(self) -> Picture:
        """The control plane that acts, and which faults there are in truth."""
        plane = self._paced.world.drivers[self._news.observer].control_plane
        records = self.journal.records
        self._news.hear(records[self._heard :])
        self._heard = len(records)
        faults, lines = self._news.faults(), self._news.lines
        return picture(plane, self.now_ns, self.end_ns, faults, lines)

    def targets(self, kind: str) -> tuple[str, ...]:
        """Names of its pool; of masters also all, one at random and each region."""
        world = self._paced.world
        strikes = self._kinds[kind].STRIKES
        if strikes == "gateways":
            return tuple(world.front.gateways)
        if strikes == "observers":
            return tuple(driver.id for driver in world.drivers.values())
        regions = dict.fromkeys(m.settings.region for m in world.masters.values())
        return (*world.masters, "random", "all", *(f"region:{region}" for region in regions))

    def inject(self, kind: str, target: str, lasting_s: float) -> str:
        """A fault strikes now; raises SettingsError for what cannot be."""
        asked = {"kind": kind, "target": target, "at": "0s", "for": f"{lasting_s:g}s"}
        fault = from_plain(_Injected, {"fault": asked}).fault
        struck = self._paced.inject(cast(Any, fault))
        return f"{kind} strikes {', '.join(struck)} for {lasting_s:g} s"

    def close(self) -> None:
        """Let go of the world."""
        self._paced.close()


class Replayed:
    """A journal: an observer's inputs fed to a control plane like the one that was recorded."""

    kinds: tuple[str, ...] = ()

    def __init__(self, journal: Journal, observer: str | None = None) -> None:
        name = journal.observer(observer)
        self.title = f"journal of {journal.header.get('scenario') or 'a run'}, {name}"
        self.end_ns = journal.horizon_ns
        self.now_ns = 0
        self._plane: ControlPlane = control_plane(journal, name, settings_of(journal, name))
        self._records = singly(journal.seen_by(name)).records
        self._next = 0
        self._news = News(name)
        self._plane.start(0)

    def advance(self, to_ns: int) -> None:
        """Feed what was recorded before a moment."""
        self.now_ns = min(max(to_ns, self.now_ns), self.end_ns)
        first = self._next
        while self._next < len(self._records):
            record = self._records[self._next]
            if record.t_ns >= self.now_ns and self.now_ns < self.end_ns:
                break
            if record.lane == "input":
                take(self._plane, record.t_ns, cast(Input, record.body))
            self._next += 1
        self._news.hear(self._records[first : self._next])

    def show(self) -> Picture:
        """The control plane as it was then."""
        faults, lines = self._news.faults(), self._news.lines
        return picture(self._plane, self.now_ns, self.end_ns, faults, lines)

    def targets(self, kind: str) -> tuple[str, ...]:
        """Nobody: what was recorded does not change."""
        return ()

    def inject(self, kind: str, target: str, lasting_s: float) -> str:
        """Raises ValueError: what was recorded does not change."""
        raise ValueError("nothing can be injected into a journal")

    def close(self) -> None:
        """Nothing is held."""
