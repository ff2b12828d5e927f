"""The messages of one replication, drawn beforehand: arrival, class, and every random number.

Arrays are indexed by message, and by message * attempts + attempt where each
attempt has a draw of its own; so both do not depend on the algorithms under test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hasim.simulation.laws import Law
from hasim.simulation.network import Jitter
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import (
    MasterSettings,
    PoissonArrivals,
    TrafficSettings,
    WorldSettings,
)
from hasim.simulation.streams import generator
from hasim.units import SECOND

STATELESS = -1
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """What is known of each message before anything happens; times in nanoseconds.

    Per message, shape (n,): `arrival_ns`, `gateway` (index), `partition` (index, or
    STATELESS), `vip`. Per attempt, shape (n * attempts,): `ratio_there`, `loss_there`,
    `ratio_back`, `loss_back`, `error`, `backoff` (uniforms or jitter ratios), and
    `demand_ns` by law of service time.
    """

    attempts: int
    arrival_ns: Ints
    gateway: Ints
    partition: Ints
    vip: NDArray[np.bool_]
    ratio_there: Floats
    loss_there: Floats
    ratio_back: Floats
    loss_back: Floats
    error: Floats
    backoff: Floats
    demand_ns: dict[Law, Ints]

    @property
    def count(self) -> int:
        """Number of messages."""
        return len(self.arrival_ns)


class Messages:
    """The same as lists, whose elements Python reads several times as fast."""

    def __init__(self, drawn: Drawn) -> None:
        self.count = drawn.count
        self.attempts = drawn.attempts
        self.arrival_ns: list[int] = drawn.arrival_ns.tolist()
        self.gateway: list[int] = drawn.gateway.tolist()
        self.partition: list[int] = drawn.partition.tolist()
        self.vip: list[bool] = drawn.vip.tolist()
        self.ratio_there: list[float] = drawn.ratio_there.tolist()
        self.loss_there: list[float] = drawn.loss_there.tolist()
        self.ratio_back: list[float] = drawn.ratio_back.tolist()
        self.loss_back: list[float] = drawn.loss_back.tolist()
        self.error: list[float] = drawn.error.tolist()
        self.backoff: list[float] = drawn.backoff.tolist()
        self.demand_ns: dict[Law, list[int]] = {
            law: demands.tolist() for law, demands in drawn.demand_ns.items()
        }


def draw_messages(
    world: WorldSettings,
    recorded: Recorded,
    jitter: Jitter,
    gateways: int,
    *,
    seed: int,
    replication: int,
) -> Drawn:
    """All messages of one replication."""
    traffic = world.traffic
    arrivals = _arrivals(traffic, recorded, world.horizon_ns, seed, replication)
    n, attempts = len(arrivals), traffic.retry.attempts

    def uniforms(concern: str, count: int) -> NDArray[np.float64]:
        return generator(seed, replication, f"traffic:{concern}").random(count)

    owned = uniforms("owned", n) < traffic.owned
    partition = (uniforms("partition", n) * len(world.masters)).astype(np.int64)
    per_attempt = n * attempts
    demand = uniforms("service", per_attempt)
    return Drawn(
        attempts=attempts,
        arrival_ns=arrivals,
        gateway=(uniforms("region", n) * gateways).astype(np.int64),
        partition=np.where(owned, partition, STATELESS),
        vip=uniforms("vip", n) < traffic.vip,
        ratio_there=jitter.ratios(uniforms("jitter-there", per_attempt)),
        loss_there=uniforms("loss-there", per_attempt),
        ratio_back=jitter.ratios(uniforms("jitter-back", per_attempt)),
        loss_back=uniforms("loss-back", per_attempt),
        error=uniforms("error", per_attempt),
        backoff=uniforms("backoff", per_attempt),
        demand_ns={law: _demands(law, demand) for law in _laws(world.masters)},
    )


def _laws(masters: tuple[MasterSettings, ...]) -> list[Law]:
    return list(dict.fromkeys(master.service for master in masters))


def _demands(law: Law, u: Floats) -> Ints:
    return np.rint(law.quantile(u)).astype(np.int64)


def _arrivals(
    traffic: TrafficSettings, recorded: Recorded, horizon_ns: int, seed: int, replication: int
) -> NDArray[np.int64]:
    """Sorted arrival times in [0, horizon)."""
    draws = generator(seed, replication, "traffic:arrivals")
    if isinstance(traffic.arrivals, PoissonArrivals):
        mean_ns = SECOND / traffic.arrivals.rate_per_s
        expected = horizon_ns / mean_ns
        # Ten standard deviations more than expected: one block is enough for ever.
        gaps = -np.log1p(-draws.random(int(expected + 10 * expected**0.5 + 100))) * mean_ns
        times = np.rint(np.cumsum(gaps)).astype(np.int64)
    else:
        assert recorded.arrivals_ns is not None
        recording = recorded.arrivals_ns
        latest = max(0, int(recording[-1]) - horizon_ns)
        times = recording - int(draws.random() * latest)
        times = times[times >= 0]
    return times[times < horizon_ns]
