"""Links between endpoints: latency, jitter, loss, and what faults do to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from hasim.simulation.bursts import Bursts
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import FixedRtt, JitterLaw, NetworkSettings
from hasim.simulation.settings.places import Place, shared_levels
from hasim.simulation.streams import Uniforms


def master_endpoint(master: str) -> str:
    """The endpoint of a master."""
    return f"master:{master}"


def gateway_endpoint(region: str) -> str:
    """The endpoint of a region's gateway."""
    return f"gateway:{region}"


def observer_endpoint(observer: str) -> str:
    """The endpoint of an observer: its name, which has no colon."""
    return observer


class Jitter:
    """The ratio of a crossing to its median, as a quantile function."""

    def __init__(self, settings: NetworkSettings, recorded: Recorded) -> None:
        self._sigma = 0.0
        self._ratios: NDArray[np.float64] | None = None
        if isinstance(settings.jitter, JitterLaw):
            # Lognormal with median 1: the base latency is a median.
            self._sigma = float(np.sqrt(np.log1p(settings.jitter.cv**2)))
        elif settings.jitter is not None:
            assert recorded.jitter is not None
            self._ratios = recorded.jitter

    @property
    def none(self) -> bool:
        """Whether every crossing takes its median."""
        return self._ratios is None and self._sigma == 0.0

    @property
    def recorded(self) -> NDArray[np.float64] | None:
        """The recorded ratios, each as likely as any other; None without a recording."""
        return self._ratios

    def ratios(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Ratios in the shape of `u`."""
        if self._ratios is not None:
            drawn: NDArray[np.float64] = self._ratios[(u * len(self._ratios)).astype(np.int64)]
            return drawn
        if self._sigma == 0.0:
            return np.ones(u.shape)
        # ndtri(0) is -inf: exp gives 0, a crossing without delay.
        values: NDArray[np.float64] = np.exp(self._sigma * ndtri(u))
        return values

    def share_below(self, ratio: float) -> float:
        """The probability of a ratio below this one."""
        if self._ratios is not None:
            return float(np.searchsorted(self._ratios, ratio)) / len(self._ratios)
        if self._sigma == 0.0:
            return 1.0 if ratio > 1.0 else 0.0
        return float(ndtr(np.log(ratio) / self._sigma)) if ratio > 0.0 else 0.0


@dataclass(frozen=True, eq=False)
class LinkFault:
    """What a fault does to the links of an endpoint, those that nobody has used yet included.

    `others` are the endpoints at their other ends (None: all), `to` and `from_` say in which
    direction. Packets are dropped, or lost with probability `loss`, independently of other
    causes, or take `extra_ns` longer, or are held until `held_ns` (a time).
    """

    endpoint: str
    others: frozenset[str] | None = None
    to: bool = True
    from_: bool = True
    drops: bool = False
    extra_ns: int = 0
    loss: float = 0.0
    held_ns: int = 0
    holds_ns: int = 0
    """How long all in all."""

    def strikes(self, source: str, destination: str) -> bool:
        """Whether it strikes the packets from one endpoint to another."""
        if self.to and destination == self.endpoint:
            return self.others is None or source in self.others
        if self.from_ and source == self.endpoint:
            return self.others is None or destination in self.others
        return False


class Link:
    """One direction between two endpoints. Faults add drops, extra delay and extra loss.

    In a burst of loss (`bursts`, if there are any) it loses more than `passes` says.
    """

    __slots__ = (
        *("base_ns", "bursts", "drops", "extra_ns", "foreseen_by", "held_ns", "holds_ns"),
        *("passes", "taken"),
        *("_draws", "_first", "_jitter", "_loss", "_steady", "_uniforms"),
    )

    BLOCK, BLOCKS = 32, 8

    def __init__(
        self,
        base_ns: int,
        loss: float,
        jitter: Jitter,
        uniforms: Uniforms,
        bursts: Bursts | None = None,
    ) -> None:
        self.base_ns = base_ns
        self.bursts = bursts
        self._loss = loss
        self._jitter = jitter
        self._steady = jitter.none
        self._uniforms = uniforms
        self.foreseen_by: Callable[[], None] | None = None
        """Whoever relies on a look ahead: is called before anybody takes a number."""
        self.taken = 0
        """How many crossings have had their numbers."""
        self._first = 0
        self._draws: list[tuple[float, float]] = []
        self.suffer([])

    @property
    def up(self) -> bool:
        """Whether packets pass at all, random loss aside."""
        return not self.drops and self.passes > 0.0

    def suffer(self, faults: list[LinkFault]) -> None:
        """These are the faults that strike it from now on, in the order in which they began."""
        self.drops = any(fault.drops for fault in faults)
        self.extra_ns = sum(fault.extra_ns for fault in faults)
        self.held_ns = max((fault.held_ns for fault in faults), default=0)
        self.holds_ns = max((fault.holds_ns for fault in faults), default=0)
        self.passes = 1.0 - self._loss
        for fault in faults:
            self.passes *= 1.0 - fault.loss

    def crossing(self, ratio: float, u: float, at_ns: int) -> int:
        """Nanoseconds that a packet needs that is sent at a time, or -1 if it is lost.

        `u` is a uniform that decides on loss, `ratio` its jitter.
        """
        if self.drops or u >= self.passes:
            return -1
        if self.bursts is not None and u >= self.passes * self.bursts.passes(at_ns):
            return -1
        return int(self.base_ns * ratio) + self.extra_ns + max(0, self.held_ns - at_ns)

    def draw(self, at_ns: int) -> int:
        """A crossing at a time with this link's own random stream, for control traffic."""
        return self.cross(self.take(), at_ns)

    def take(self) -> int:
        """The number of a crossing, now or later, that has the next numbers of that stream."""
        if self.foreseen_by is not None:
            self.foreseen_by()
        number = self.taken
        self.taken = number + 1
        return number

    def cross(self, number: int, at_ns: int) -> int:
        """The crossing of that number at a time. Its luck is only drawn where chance decides."""
        if self._steady and self.passes >= 1.0 and self.bursts is None:
            if self.drops:
                return -1
            return self.base_ns + self.extra_ns + max(0, self.held_ns - at_ns)
        place = number - self._first
        if not 0 <= place < len(self._draws):
            self._draw_more(number)
            place = number - self._first
        return self.crossing(*self._draws[place], at_ns)

    def look_ahead(self, count: int) -> NDArray[np.int64]:
        """The next crossings as they would be now, -1 if lost: shape (count,). Takes none.

        Bursts aside (see `lost_in_bursts`), and not while packets are held.
        """
        if self.drops:
            return np.full(count, -1, dtype=np.int64)
        if self._steady and self.passes >= 1.0:
            return np.full(count, self.base_ns + self.extra_ns, dtype=np.int64)
        first = self.taken // self.BLOCK
        skipped = self.taken - first * self.BLOCK
        ratios, u = self._blocks(first, -(-(skipped + count) // self.BLOCK))
        # As `crossing` does.
        delays_ns = (self.base_ns * ratios).astype(np.int64) + self.extra_ns
        delays_ns[u >= self.passes] = -1
        return delays_ns[skipped : skipped + count]

    def lost_in_bursts(self, at_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the next crossings are lost in a burst, at these times; shape of `at_ns`."""
        if self.bursts is None or self.drops:
            return np.zeros(at_ns.shape, dtype=np.bool_)
        first = self.taken // self.BLOCK
        skipped = self.taken - first * self.BLOCK
        _, u = self._blocks(first, -(-(skipped + len(at_ns)) // self.BLOCK))
        passes = np.where(self.bursts.bad(at_ns), self.passes * self.bursts.passing, 1.0)
        lost: NDArray[np.bool_] = u[skipped : skipped + len(at_ns)] >= passes
        return lost

    def skip(self, count: int) -> None:
        """Take so many numbers: that many crossings were those of a look ahead."""
        self.taken += count

    def _draw_more(self, number: int) -> None:
        """Ratios and uniforms from a crossing on, in blocks since scalar draws are slow."""
        block = number // self.BLOCK
        # Few the first time, and after those that were skipped.
        goes_on = number > 0 and block * self.BLOCK == self._first + len(self._draws)
        ratios, u = self._blocks(block, self.BLOCKS if goes_on else 1)
        self._first = block * self.BLOCK
        self._draws = list(zip(ratios.tolist(), u.tolist(), strict=True))

    def _blocks(self, first: int, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The ratios and uniforms of so many blocks of crossings, from a block on."""
        size = 2 * self.BLOCK
        u = self._uniforms.take(first * size, count * size).reshape(count, 2, self.BLOCK)
        return self._jitter.ratios(u[:, 0].ravel()), u[:, 1].ravel()


class Links(dict[tuple[str, str], Link]):
    """The links by source and destination, each of which is built when it is first asked for.

    There are as many as pairs of endpoints, and only a few of each endpoint's are ever used.
    """

    def __init__(self, build: Callable[[str, str], Link]) -> None:
        super().__init__()
        self._build = build

    def __missing__(self, ends: tuple[str, str]) -> Link:
        link = self[ends] = self._build(*ends)
        return link


class Network:
    """All links between masters, gateways and observers."""

    def __init__(
        self,
        settings: NetworkSettings,
        recorded: Recorded,
        places: dict[str, Place],
        *,
        seed: int,
        replication: int,
    ) -> None:
        self.settings = settings
        self.jitter = Jitter(settings, recorded)
        self.version = 0
        """Counts the faults that have begun and ended: the links are what they were while it is."""
        self.links = Links(self._build)
        self._rtt = recorded.rtt_ns
        self.places = places
        self._source = (seed, replication)
        self._bursts: dict[tuple[str, str], Bursts] = {}
        # In the order in which they began.
        self._faults: list[LinkFault] = []
        self._built_at: dict[str, list[tuple[str, str]]] = {end: [] for end in places}

    def _build(self, source: str, destination: str) -> Link:
        if source == destination:
            raise KeyError(f"no link from {source} to itself")
        base_ns = self.rtt_ns(source, destination) // 2
        uniforms = Uniforms(*self._source, f"link:{source}>{destination}")
        bursts = self._bursts_of(source, destination)
        link = Link(base_ns, self.settings.loss, self.jitter, uniforms, bursts)
        for end in (source, destination):
            self._built_at[end].append((source, destination))
        self._strike(link, source, destination)
        return link

    def _bursts_of(self, source: str, destination: str) -> Bursts | None:
        """The bursts of the path between two endpoints, the same both ways."""
        settings = self.settings.bursts
        if settings is None or settings.share == 0.0:
            return None
        ends = (min(source, destination), max(source, destination))
        if ends not in self._bursts:
            uniforms = Uniforms(*self._source, "bursts:{}-{}".format(*ends))
            self._bursts[ends] = Bursts(settings, uniforms)
        return self._bursts[ends]

    def begin(self, *faults: LinkFault) -> None:
        """These faults strike their links from now on."""
        self._faults.extend(faults)
        self._change(faults)

    def end(self, *faults: LinkFault) -> None:
        """The same faults are over."""
        for fault in faults:
            self._faults.remove(fault)
        self._change(faults)

    def _change(self, faults: tuple[LinkFault, ...]) -> None:
        self.version += 1
        for fault in faults:
            for ends in self._built_at[fault.endpoint]:
                if fault.strikes(*ends):
                    self._strike(self.links[ends], *ends)

    def _strike(self, link: Link, source: str, destination: str) -> None:
        link.suffer([fault for fault in self._faults if fault.strikes(source, destination)])

    def rtt_ns(self, a: str, b: str) -> int:
        """Median round-trip time between two endpoints, in nanoseconds."""
        one, other = self.places[a], self.places[b]
        if shared := shared_levels(one, other):
            return self.settings.near.rtt_ns(shared, self.settings.local_rtt_ns)
        if isinstance(self.settings.rtt, FixedRtt):
            return self.settings.rtt.rtt_ns
        return self._rtt[one[0], other[0]]

    def cross(self, source: str, destination: str, at_ns: int) -> int:
        """Nanoseconds of one control packet's crossing at a time, or -1 if it is lost."""
        return self.links[source, destination].draw(at_ns)

    def connected(self, a: str, b: str) -> bool:
        """Whether packets pass both ways, random loss aside."""
        if not self._faults:
            return self.settings.loss < 1.0
        return self.links[a, b].up and self.links[b, a].up

    def round_trip_ns(self, a: str, b: str) -> int | None:
        """Median round-trip time under the present faults; None if packets do not pass.

        Where packets are held, that of the first.
        """
        there, back = self.links[a, b], self.links[b, a]
        if not (there.up and back.up):
            return None
        held_ns = max(there.holds_ns, back.holds_ns)
        return there.base_ns + there.extra_ns + back.base_ns + back.extra_ns + held_ns
