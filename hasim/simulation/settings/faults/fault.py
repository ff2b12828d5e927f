"""What every kind of fault has, and what a kind can reach of a world."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar, Literal, Protocol

from hasim.settings import Choice, settings
from hasim.simulation.laws import Constant, DurationLaw
from hasim.simulation.masters.traps import Traps
from hasim.simulation.settings.places import CommonCauseSettings
from hasim.simulation.settings.recordings import CheckLog, OutageTrace
from hasim.units import MINUTE

Cure = Callable[[], None]
"""Takes back what a fault did."""
Pool = Literal["masters", "gateways", "observers"]
"""Whom a kind of fault strikes."""
Ends = Literal["all", "clients", "monitor"]
"""Who is at the other ends of a master's links: everybody, only clients, only the monitor."""


class Struck(Protocol):
    """A master as faults see it (`SimMaster`): what they count up, multiply, and tell."""

    crashes: int
    offs: int
    hangs: int
    deadlocks: int
    disks: int
    lies: int
    stalls: list[int]
    delays: list[int]
    speeds: list[float]
    error_rates: list[float]
    error_times: list[int]
    lags: list[int]
    farewell: Callable[[], None]

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def mean_ns(self) -> float:
        """Mean service time at full speed, in nanoseconds."""
        ...

    def update_condition(self) -> None:
        """Look at what faults have changed."""
        ...


Masters = Sequence[Struck]


class Named(Protocol):
    """Whatever a fault strikes has a name."""

    @property
    def id(self) -> str:
        """Its name."""
        ...


class Reach(Protocol):
    """What a fault can reach beside the masters that it strikes (`Scene`)."""

    @property
    def traps(self) -> Traps:
        """What is held ready for the next transfer or promotion."""
        ...

    def on_links(
        self,
        masters: Masters,
        *,
        ends: Ends = "all",
        to: bool = True,
        from_: bool = True,
        drops: bool = False,
        extra_ns: int = 0,
        loss: float = 0.0,
        holds_ns: int = 0,
    ) -> Cure:
        """Strike the links of masters, as `LinkFault` says; packets are held for `holds_ns`."""
        ...

    def between(
        self,
        one: str | tuple[str, ...],
        other: str | tuple[str, ...],
        *,
        to: bool = True,
        from_: bool = True,
        drops: bool = False,
        extra_ns: int = 0,
        loss: float = 0.0,
    ) -> Cure:
        """Strike the links between two ends, each of which may be several places or masters."""
        ...

    def stall_observers(self) -> Cure:
        """All control planes stand still."""
        ...

    def stall_observer(self, observer: str) -> Cure:
        """One control plane stands still."""
        ...

    def kill_observer(self, observer: str) -> Cure:
        """The process of a control plane dies; a new one starts at the cure."""
        ...

    def on_observers(
        self,
        observers: Sequence[Named],
        *,
        to: bool = True,
        from_: bool = True,
        drops: bool = False,
        extra_ns: int = 0,
    ) -> Cure:
        """Strike the links of control planes, as `LinkFault` says."""
        ...

    def on_answers(self, observers: Sequence[Named], *, again_ns: int = 0) -> Cure:
        """What answers orders of control planes is lost, or comes once more after a time."""
        ...

    def kill_gateway(self, gateway: str) -> Cure:
        """The process of a gateway dies; a new one starts at the cure."""
        ...

    def crash(self, master: str, detail: str) -> Cure:
        """A crash of its own, as a consequence: recorded as a fault with this detail."""
        ...


@settings
class Fault(ABC):
    """What every kind of fault has: whom it strikes, when, and for how long.

    Exactly one of `at`, `every` and `schedule` is given.
    """

    STRIKES: ClassVar[Pool] = "masters"
    """Among whom the target is."""

    target: str | tuple[str, ...] = "random"
    """A master, several masters, `random` (one of them), `each` (every master has a schedule of
    its own), `all` (all of them together), `owner-of:p1` (who owns that partition then), or
    a place, all of whose masters it strikes at once: `region:NAME`, `zone:NAME`, `rack:NAME`,
    `host:NAME`, the name as a path (`zone:eu/a`) where it is not the only one; `each-zone` and its
    like: every place of the level has a schedule of its own."""
    at: tuple[DurationLaw, ...] = ()
    """Start times: fixed (`12m`), or drawn (`{law: uniform, low: 30s, high: 60s}`)."""
    every: DurationLaw | None = None
    """A renewal process: the law of the time from a cure to the next start."""
    schedule: Annotated[OutageTrace | CheckLog, Choice(tag="")] | None = None
    """Recorded outages, or a log of checks (which also give the durations)."""
    for_: DurationLaw = Constant(mean_ns=3 * MINUTE)
    """How long the fault lasts."""
    from_: Literal["start", "declaration"] = "start"
    """From when that counts: from its start, or from when one of its masters is declared failed
    (and never ends before, as nobody knows of it)."""
    common: CommonCauseSettings = CommonCauseSettings()
    """Shares of the failures that strike whole places: with the target `each`, and `every`."""

    @property
    def impairing(self) -> bool:
        """Whether a declaration under it is a detection and not a mistake.

        ARCHITECTURE.md, "What is measured", says which are.
        """
        return False

    def impairs(self, masters: Masters) -> bool:
        """The same, where that depends on whom it strikes."""
        return self.impairing

    @property
    def cuts_clients(self) -> bool:
        """Whether packets on clients' connections vanish, and nobody says so."""
        return False

    @property
    def cuts_off(self) -> str | tuple[str, ...]:
        """Whom it cuts its targets off from: it impairs if half of the clients are among them."""
        return ()

    @property
    def strikes_masters(self) -> bool:
        """Whether it has a target: masters, or whom it `STRIKES`."""
        return True

    @property
    def needs_repair(self) -> bool:
        """Whether somebody has to mend it; if not, it passes by itself."""
        return True

    @abstractmethod
    def strike(self, reach: Reach, masters: Sequence[Any], lasting_ns: int) -> Cure:
        """Do to these masters what it does, now; the cure takes back exactly that.

        Several may overlap on one master: count, do not set. A kind that `STRIKES` others is
        given those. `lasting_ns` is its own duration, which a fault that needs repair may exceed.
        """

    @property
    def strength(self) -> str:
        """How strong it is, in the words of the scenario: ``speed 0.1``."""
        return ", ".join(
            f"{name.removesuffix('_ns')} {value}"
            for name, value in vars(self).items()
            if name not in _COMMON and value is not None
        )


_COMMON = {"kind", "target", "other", "at", "every", "schedule", "for_", "from_", "common"}
