"""Key churn: the keys whose master another routing table changes, with and without need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hasim.model import RoutingTable
from hasim.simulation.clients.gateway import SimGateway
from hasim.simulation.clients.traffic import STATELESS, Traffic
from hasim.simulation.clock import Clock
from hasim.truth import KeysMoved, Truth

MOST_KEYS = 1000
"""Keys that are looked at, at each change and gateway: the share is known to 0.016 or better."""
CHUNK = 4096


class Before(NamedTuple):
    """What holds at a gateway before it takes up another routing table."""

    keys: list[int]
    homes: list[int]
    usable: list[bool]


class KeyChurn:
    """Looks at the keys around each change of routing, in any data plane.

    Where a key belongs follows from the routing (for sticky sessions: from the session table),
    so that no message has to be recorded: before and after, the balancer is asked for the
    master of each key seen so far. Only algorithms with a `home` for keys are asked.
    """

    def __init__(
        self,
        env: Clock,
        traffic: Traffic,
        regions: Sequence[str],
        masters: Sequence[str],
        record: Callable[[Truth], None],
    ) -> None:
        self._env = env
        self._masters = masters
        self._record = record
        self._seen = Seen(traffic, len(regions)) if traffic.keys else None
        self._numbers = {region: number for number, region in enumerate(regions)}

    def before(self, gateway: SimGateway, table: RoutingTable) -> Before | None:
        """To be called before the gateway takes up `table`; None if no key can move by it."""
        balancer = gateway.balancer
        usable = balancer.standing.usable_masters()
        coming = set(table.eligible) - set(table.draining)
        same = coming == set(usable) and table.algorithm == balancer.choice.algorithm
        if self._seen is None or same or not balancer.choice.keeps_keys:
            return None
        keys = self._seen.keys(self._numbers[gateway.name], self._env.now)
        homes = balancer.choice.homes_of(keys)
        return Before(keys, homes, self._flags(usable))

    def after(self, gateway: SimGateway, before: Before | None) -> None:
        """To be called afterwards, with what `before` gave: records which keys have moved."""
        balancer = gateway.balancer
        if before is None or not balancer.choice.keeps_keys:
            return
        usable = self._flags(balancer.standing.usable_masters())
        homes = balancer.choice.homes_of(before.keys)
        keys, left, joined, needless = moves(before.homes, homes, before.usable, usable)
        if keys:
            weights = [float(weight) for weight in balancer.choice.fleet.base_weight]
            ideal = least_moved(weights, before.usable, usable)
            algorithm = balancer.choice.algorithm
            self._record(KeysMoved(gateway.name, algorithm, keys, left, joined, needless, ideal))

    def _flags(self, masters: Sequence[str]) -> list[bool]:
        named = frozenset(masters)
        return [master in named for master in self._masters]


def moves(
    homes: Sequence[int], then: Sequence[int], usable: Sequence[bool], usable_then: Sequence[bool]
) -> tuple[int, int, int, int]:
    """Keys that had a master; those that moved for it left, for the new one joined, or for neither.

    `homes` and `then` are the masters of the same keys before and after (-1: none, which is no
    move by itself: a session that begins anew).
    """
    keys = left = joined = needless = 0
    for home, new in zip(homes, then, strict=True):
        if home < 0:
            continue
        keys += 1
        if new == home:
            continue
        if not usable_then[home]:
            left += 1
        elif new >= 0 and not usable[new]:
            joined += 1
        elif new >= 0:
            needless += 1
    return keys, left, joined, needless


def least_moved(weights: Sequence[float], before: Sequence[bool], after: Sequence[bool]) -> float:
    """The least share of keys that has to move if masters have them in proportion to weight.

    Half the sum of the differences of their shares: 1/N for one of N equal masters that goes
    or comes.
    """
    shares = []
    for usable in (before, after):
        own = [weight if may else 0.0 for weight, may in zip(weights, usable, strict=True)]
        total = sum(own)
        shares.append([weight / total if total else 0.0 for weight in own])
    if not sum(shares[1]):
        return 1.0
    return float(sum(abs(a - b) for a, b in zip(*shares, strict=True)) / 2)


class Seen:
    """The keys of the stateless messages that have arrived at each gateway, up to any time.

    The traffic is drawn once more for it, up to the present and only when asked.
    """

    def __init__(self, traffic: Traffic, gateways: int) -> None:
        self._traffic = traffic
        self._gateways = gateways
        self._flags: NDArray[np.bool_] | None = None
        self._chunks: Iterator[NDArray[np.int64]] = traffic.arrivals(CHUNK)
        self._arrivals = np.zeros(0, dtype=np.int64)
        self._first = 0  # the number of the first message that has not been looked at

    def keys(self, gateway: int, now: int) -> list[int]:
        """The keys seen at a gateway before `now`; of many, `MOST_KEYS` in equal distances."""
        found = np.flatnonzero(self._upto(now)[gateway])
        if len(found) > MOST_KEYS:
            found = found[np.linspace(0, len(found) - 1, MOST_KEYS).astype(np.int64)]
        return [int(key) for key in found]

    def _upto(self, now: int) -> NDArray[np.bool_]:
        settings = self._traffic.keys
        assert settings is not None, "there are keys to be seen"
        if self._flags is None:
            self._flags = np.zeros((self._gateways, settings.number), dtype=np.bool_)
        while True:
            if not len(self._arrivals):
                self._arrivals = next(self._chunks, self._arrivals)
            count = int(np.searchsorted(self._arrivals, now))
            if not count:
                return self._flags
            self._look_at(self._first, count)
            self._arrivals = self._arrivals[count:]
            self._first += count

    def _look_at(self, first: int, count: int) -> None:
        assert self._flags is not None, "they are there by now"
        traffic = self._traffic
        free = traffic.partition(first, count) == STATELESS
        self._flags[traffic.gateway(first, count)[free], traffic.key(first, count)[free]] = True
