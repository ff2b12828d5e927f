"""The messages of one replication: when they arrive, of what class, and every random number.

Nothing here depends on the algorithms under test. Numbers are by message, or by message
and attempt where each attempt has its own. Any stretch of them can be drawn at any time,
and again, and is always the same.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hasim.services.gateway.rules import HEDGED
from hasim.simulation.clients.arrivals import Arrivals, ByCurve, Evenly, Given, Poisson
from hasim.simulation.laws import whole_ns
from hasim.simulation.network import Jitter
from hasim.simulation.recorded import Recorded
from hasim.simulation.service import ServiceLaw, law_of
from hasim.simulation.settings import (
    ConstantArrivals,
    CurveArrivals,
    PoissonArrivals,
    WorldSettings,
)
from hasim.simulation.streams import Uniforms, generator

STATELESS = -1
MOST_REQUESTS = 1 << 38
"""More requests between tiers have no number."""
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

CONCERNS = {
    "ratio_there": "jitter-there",
    "loss_there": "loss-there",
    "ratio_back": "jitter-back",
    "loss_back": "loss-back",
    "error": "error",
    "backoff": "backoff",
}
"""The columns by message and attempt, and the random stream that each comes from."""
HEDGE = "hedge-"
"""Prefix of the concerns of second attempts, so that first ones are the same with and without."""
RATIOS = ("ratio_there", "ratio_back")
ALL = slice(None)


class Traffic:
    """The source of one replication's messages; times in nanoseconds.

    `attempts` is how many a message has at most, one after the other; if it is `hedged`,
    each of them may have a second one beside it, so that there are `rows` in all: the first
    attempt, the one beside it, the next attempt, and so on. `laws` are the masters' laws of
    service time, each once, and `limit` a number of messages that is never exceeded.
    """

    def __init__(
        self,
        world: WorldSettings,
        recorded: Recorded,
        jitter: Jitter,
        gateways: int,
        *,
        seed: int,
        replication: int,
        place: int = 0,
    ) -> None:
        tier = world.chain[place]
        self.settings = tier.requests
        self.clients = None if place else world.traffic
        """The settings of the clients' messages; None if the masters of another tier ask."""
        self.horizon_ns = world.horizon_ns
        self.attempts = self.settings.retry.total
        self.hedged = self.settings.hedge.on
        self.rows = self.attempts * (2 if self.hedged else 1)
        self.laws: list[ServiceLaw] = list(dict.fromkeys(map(law_of, tier.masters)))
        self.jitter = jitter
        self._gateways = gateways
        self._partitions = len(tier.owners)
        self._source = (seed, replication)
        self._prefix = f"traffic:{tier.name}:" if place else "traffic:"
        self._uniforms: dict[str, Uniforms] = {}
        self._popularity: Floats | None = None
        self.keys = None if self.clients is None else self.clients.keys
        self._vip = 0.0 if self.clients is None else self.clients.vip
        self._arrivals = self._arrivals_of(recorded)
        self.limit = self._arrivals.limit

    def uniforms(self, concern: str, first: int, count: int) -> Floats:
        """The uniforms of a concern of the traffic from number `first` on, shape (count,)."""
        stream = self._uniforms.get(concern)
        if stream is None:
            stream = self._uniforms[concern] = Uniforms(*self._source, f"{self._prefix}{concern}")
        return stream.take(first, count)

    # -- by message --------------------------------------------------------------

    def arrivals(self, size: int) -> Iterator[Ints]:
        """Sorted arrival times in [0, horizon), so many at a time; fewer only at the end."""
        return self._arrivals.times(size)

    def _arrivals_of(self, recorded: Recorded) -> Arrivals:
        if self.clients is None:  # nobody knows beforehand when a master will ask
            return Given(np.zeros(0, dtype=np.int64), MOST_REQUESTS)
        law, take = self.clients.arrivals, functools.partial(self.uniforms, "arrivals")
        if isinstance(law, PoissonArrivals):
            return Poisson(law, self.horizon_ns, take)
        if isinstance(law, ConstantArrivals):
            return Evenly(law, self.horizon_ns, take)
        if isinstance(law, CurveArrivals):
            return ByCurve(law, self.horizon_ns, take)
        return Given(self._window_of(recorded))

    def _window_of(self, recorded: Recorded) -> Ints:
        """A stretch of the recording, as long as the run, at a random offset."""
        span_ns = recorded.arrivals_span_ns
        assert span_ns is not None
        latest = max(0, span_ns - self.horizon_ns)
        draws = generator(*self._source, "traffic:arrivals")
        offset = int(draws.random() * latest)
        if recorded.bins is not None:
            return recorded.bins.arrivals(offset, self.horizon_ns, draws.random)
        assert recorded.arrivals_ns is not None
        times = recorded.arrivals_ns - offset
        return times[(times >= 0) & (times < self.horizon_ns)]

    @property
    def constants(self) -> dict[str, int]:
        """What is the same for all messages (gateway, partition, vip), and its value."""
        found = {}
        if self._gateways == 1 or self.clients is None:
            found["gateway"] = 0
        if self.settings.owned == 0.0:
            found["partition"] = STATELESS
        if self._vip == 0.0:
            found["vip"] = 0
        return found

    def gateway(self, first: int, count: int) -> Ints:
        """The gateways (by index) at which messages arrive."""
        if self._gateways == 1:
            return np.zeros(count, dtype=np.int64)
        return (self.uniforms("region", first, count) * self._gateways).astype(np.int64)

    def partition(self, first: int, count: int) -> Ints:
        """The partitions (by index) whose owner must be reached, or STATELESS."""
        if self.settings.owned == 0.0:
            return np.full(count, STATELESS)
        owned = self.uniforms("owned", first, count) < self.settings.owned
        partition = (self.uniforms("partition", first, count) * self._partitions).astype(np.int64)
        return np.where(owned, partition, STATELESS)

    def vip(self, first: int, count: int) -> NDArray[np.bool_]:
        """Which messages are of the class VIP."""
        if self._vip == 0.0:
            return np.zeros(count, dtype=np.bool_)
        return self.uniforms("vip", first, count) < self._vip

    def faulty(self, first: int, count: int) -> NDArray[np.bool_]:
        """Which messages are wrong in themselves; empty if none are."""
        share = 0.0 if self.clients is None else self.clients.client_errors
        if share == 0.0:
            return np.zeros(0, dtype=np.bool_)
        return self.uniforms("client-error", first, count) < share

    def client(self, first: int, count: int) -> Ints:
        """Who sends the messages, among a gateway's clients; empty if that plays no part."""
        clients = self.settings.clients
        if clients is None:
            return np.zeros(0, dtype=np.int64)
        return (self.uniforms("client", first, count) * clients.number).astype(np.int64)

    @functools.cached_property
    def pick_seed(self) -> int:
        """The seed (64 bits) of the uniforms by which masters are picked.

        Uniform k of an attempt is number attempt * `DRAWS` + k of the sequence that begins
        there (see `hasim.services.balancing.chance`): each by itself, and none for whoever
        needs none.
        """
        return int(generator(*self._source, f"{self._prefix}pick").integers(2**64, dtype=np.uint64))

    def key(self, first: int, count: int) -> Ints:
        """What messages are about, from 0, the most popular first; empty if they have no keys."""
        keys = self.keys
        if keys is None:
            return np.zeros(0, dtype=np.int64)
        if self._popularity is None:
            exponent = keys.exponent if keys.law == "zipf" else 0.0
            self._popularity = np.cumsum(np.arange(1, keys.number + 1) ** -exponent)
        draws = self.uniforms("key", first, count) * self._popularity[-1]
        places: Ints = np.searchsorted(self._popularity, draws, side="right")
        return np.minimum(places, np.int64(keys.number - 1))

    # -- by message and attempt ----------------------------------------------------

    def column(self, name: str, first: int, count: int, attempts: slice = ALL) -> Floats:
        """A column of `CONCERNS` for some rows of messages, shape (rows, count)."""
        draws = self._by_attempt(CONCERNS[name], first, count, attempts)
        return self.jitter.ratios(draws) if name in RATIOS else draws

    def demands(self, first: int, count: int, attempts: slice = ALL) -> list[Floats]:
        """Service demands of each law in whole nanoseconds, shape (rows, count)."""
        draws = self._by_attempt("service", first, count, attempts)
        return [whole_ns(law, draws) for law in self.laws]

    def _by_attempt(self, concern: str, first: int, count: int, attempts: slice) -> Floats:
        concerns = [concern, HEDGE + concern] if self.hedged else [concern]
        draws = [
            self.uniforms(name, first * self.attempts, count * self.attempts)
            .reshape(count, self.attempts)
            .T
            for name in concerns
        ]
        if not self.hedged:
            return np.ascontiguousarray(draws[0][attempts])
        return np.stack(draws, axis=1).reshape(self.rows, count)[attempts]


@dataclass(frozen=True)
class Drawn:
    """All messages at once.

    Per message, shape (n,): `arrival_ns`, `gateway` (index), `partition` (index, or
    STATELESS), `vip`, `key`, `client` and `faulty` (shape (0,) if there are none). Per row of
    attempts, shape (n * rows,): `columns` (uniforms or jitter ratios) by the names of `CONCERNS`,
    and `demand_ns` by law of service time.
    """

    attempts: int
    hedged: bool
    arrival_ns: Ints
    gateway: Ints
    partition: Ints
    vip: NDArray[np.bool_]
    key: Ints
    client: Ints
    faulty: NDArray[np.bool_]
    columns: dict[str, Floats]
    demand_ns: dict[ServiceLaw, Ints]

    @property
    def count(self) -> int:
        """Number of messages."""
        return len(self.arrival_ns)

    @property
    def has_keys(self) -> bool:
        """Whether messages have keys."""
        return len(self.key) > 0


def draw_all(traffic: Traffic) -> Drawn:
    """All messages of one replication."""
    arrivals = list(traffic.arrivals(max(1, traffic.limit)))
    return draw(traffic, 0, arrivals[0] if arrivals else np.zeros(0, dtype=np.int64))


def draw(traffic: Traffic, first: int, arrival_ns: Ints) -> Drawn:
    """What is drawn for messages from number `first` on, whose arrivals are given."""
    n = len(arrival_ns)
    return Drawn(
        attempts=traffic.attempts,
        hedged=traffic.hedged,
        arrival_ns=arrival_ns,
        gateway=traffic.gateway(first, n),
        partition=traffic.partition(first, n),
        vip=traffic.vip(first, n),
        key=traffic.key(first, n),
        client=traffic.client(first, n),
        faulty=traffic.faulty(first, n),
        columns={name: traffic.column(name, first, n).T.reshape(-1) for name in CONCERNS},
        demand_ns={
            law: demands.T.reshape(-1).astype(np.int64)
            for law, demands in zip(traffic.laws, traffic.demands(first, n), strict=True)
        },
    )


class Messages:
    """The same as lists, whose elements Python reads several times as fast."""

    def __init__(self, drawn: Drawn) -> None:
        self.count = drawn.count
        self.attempts = drawn.attempts
        self._hedged = drawn.hedged
        self.arrival_ns: list[int] = drawn.arrival_ns.tolist()
        self.gateway: list[int] = drawn.gateway.tolist()
        self.partition: list[int] = drawn.partition.tolist()
        self.vip: list[bool] = drawn.vip.tolist()
        self.key: list[int] = drawn.key.tolist()
        self.client: list[int] = drawn.client.tolist()
        self.faulty: list[bool] = drawn.faulty.tolist()
        (
            self.ratio_there,
            self.loss_there,
            self.ratio_back,
            self.loss_back,
            self.error,
            self.backoff,
        ) = (list[float](drawn.columns[name].tolist()) for name in CONCERNS)
        self.demand_ns: dict[ServiceLaw, list[int]] = {
            law: demands.tolist() for law, demands in drawn.demand_ns.items()
        }

    def place(self, draw: int) -> int:
        """Where an attempt's numbers are, by its draw."""
        return 2 * (draw % HEDGED) + (draw >= HEDGED) if self._hedged else draw
