"""Who takes an attempt: the algorithm in use, the fleet that it sees, the guards around it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, MutableSequence, Sequence
from typing import Any, Protocol

from hasim.model import Cluster
from hasim.services.balancing.chance import hash_of_number, hash_of_text
from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.balancing.tables import members_of
from hasim.services.frozen import freeze, thaw
from hasim.services.gateway.avoiding import chooser, effective_weights
from hasim.services.gateway.guards.gate import (
    FAILED,
    NOBODY,
    ROOM,
    SENT,
    Gate,
    Protection,
    admit,
    admit_owned,
    note,
    rules_of,
)
from hasim.services.gateway.guards.guard import Guard, forget
from hasim.services.routing.standing import Standing

GUARD = tuple(field.name for field in dataclasses.fields(Guard))


class Memory(Protocol):
    """Where a fleet's columns are: makes a sequence with the items of a column."""

    def __call__(self, column: str, items: list[Any]) -> MutableSequence[Any]:
        """The new home of a column of `Fleet`."""
        ...


class Choice:
    """Chooses among the masters of a standing, by their numbers.

    The memory of an algorithm (a cursor, averages, sessions) starts afresh when one is
    switched to; what is in flight is counted on.
    """

    def __init__(
        self, settings: BalancingSettings, cluster: Cluster, gateway: str, standing: Standing
    ) -> None:
        self.algorithm: str = settings.algorithm
        self.protection = _protection(settings, cluster)
        self.fleet = _fleet(settings, cluster, gateway)
        self._settings = settings
        self._standing = standing
        self._start = hash_of_text(gateway) % len(cluster.masters)
        self._memory: Memory = _as_list
        self._guarded = self.protection.rules.any
        self.begin(settings.algorithm)

    # -- attempts ----------------------------------------------------------------

    def admit(self, now: int, owner: int, *, pinned: bool = False) -> int:
        """ROOM, FULL or NOBODY: whether anybody may be sent an attempt; `owner` -1: stateless.

        `pinned`: whether the owner is eligible does not matter.
        """
        if owner < 0:
            return admit(self.protection, self.fleet, now) if self._guarded else ROOM
        if not pinned and not self._standing.eligible[owner]:
            return NOBODY
        return admit_owned(self.protection, self.fleet, owner) if self._guarded else ROOM

    def pick(self, request: Request, avoided: Sequence[int]) -> int:
        """The master for a stateless attempt that was admitted, or -1."""
        return self._pick(self.fleet, request, avoided)

    def sent(self, now: int, index: int) -> None:
        """An attempt is sent to a master."""
        self.fleet.in_flight[index] += 1
        if self._guarded:
            note(self.protection, SENT, index, now, now)

    def ended(self, now: int, index: int, elapsed_ns: int, kind: int) -> None:
        """One that took so long has ended: ANSWERED, FAILED or CANCELLED."""
        self.fleet.in_flight[index] -= 1
        if self._algorithm.ended is not None:
            self._algorithm.ended(self.fleet, index, now, elapsed_ns, kind == FAILED)
        if self._guarded:
            note(self.protection, kind, index, now, now - elapsed_ns)

    # -- what masters tell ---------------------------------------------------------

    def reported(
        self, now: int, index: int, rate: float, error_rate: float, utilisation: float
    ) -> None:
        """A master reports of itself: answers and errors per second, share of busy workers."""
        if self._algorithm.reported is not None:
            self._algorithm.reported(self.fleet, index, now, rate, error_rate, utilisation)

    def probed(self, now: int, index: int, in_flight: int, latency_ns: int) -> None:
        """A master answered a load probe: requests at it, and the latency that it expects."""
        if self._algorithm.probed is not None:
            self._algorithm.probed(self.fleet, index, now, in_flight, latency_ns)

    @property
    def probes_masters(self) -> bool:
        """Whether the algorithm in use wants load probes."""
        return self._algorithm.probed is not None

    def take_targets(self) -> Sequence[int]:
        """The masters to ask for their load, after the last selection; once."""
        if self._algorithm.probed is None:
            return ()
        counts = self.fleet.counts
        targets = counts[1 : 1 + counts[0]]
        counts[0] = 0
        return targets

    # -- the algorithm and its fleet -----------------------------------------------

    def begin(self, algorithm: str) -> None:
        """Take up an algorithm, with a fresh memory."""
        self.algorithm = algorithm
        self._algorithm = known = ALGORITHMS[algorithm]
        self._pick = chooser(known.pick)
        self.draws = known.draws_by(self._settings)
        masters = len(self._standing.ids)
        counts = [0] * known.counts(masters, self._settings)
        values = [0.0] * known.values(masters, self._settings)
        if known.begin is not None:
            known.begin(counts, masters, self._start)
        self._tell_gate()
        self.fleet = self.fleet._replace(
            counts=self._memory("counts", counts), values=self._memory("values", values)
        )
        self.look()

    def change(
        self, now: int, eligible: Sequence[bool], away: Sequence[bool], algorithm: str
    ) -> None:
        """The standing has changed from this; guards begin or forget, the algorithm goes on."""
        rules = self.protection.rules
        for index, guard in enumerate(self.protection.guards):
            if self._standing.eligible[index] and not eligible[index]:
                guard.back_ns, guard.credit = now, 0.0
                if rules.outliers.check_ends:
                    guard.ejected = guard.failures = 0
            if self._standing.away[index] and not away[index]:
                forget(guard)
            elif self.protection.members[index] and self._standing.draining[index]:
                guard.ejected = guard.failures = 0  # what is no member is not counted as ejected
        if algorithm == self.algorithm:
            self.look()
        else:
            self.begin(algorithm)

    def look(self) -> None:
        """Bring up to date what follows from who is eligible."""
        fleet, standing = self.fleet, self._standing
        flags = zip(standing.eligible, standing.draining, standing.away, strict=True)
        for index, (eligible, draining, away) in enumerate(flags):
            fleet.member[index] = not away
            fleet.eligible[index] = eligible and not draining
            fleet.available[index] = fleet.eligible[index]  # guards say more with each attempt
            self.protection.members[index] = not (draining or away)
        for index, weight in enumerate(effective_weights(fleet.eligible, fleet.base_weight)):
            fleet.weight[index] = weight
        build = self._algorithm.build
        members = members_of(standing.ids, fleet.base_weight)
        table = build(members, fleet.eligible, self._settings) if build is not None else ()
        self.fleet = fleet._replace(table=self._memory("table", list(table)))

    @property
    def keeps_keys(self) -> bool:
        """Whether the algorithm in use keeps a key (a session) at a master."""
        return self._algorithm.home is not None

    def homes_of(self, keys: Iterable[int]) -> list[int]:
        """The number of the master to which each key belongs; -1: none, or anywhere.

        By the routing in use: guards and load are left out of it.
        """
        home, fleet = self._algorithm.home, self.fleet
        if home is None:
            return [-1 for _ in keys]
        quiet = fleet._replace(
            weight=effective_weights(fleet.eligible, fleet.base_weight),
            in_flight=[0] * len(self._standing.ids),
            table=[int(entry) for entry in fleet.table],
        )
        return [home(quiet, hash_of_number(key)) for key in keys]

    # -- in somebody else's memory ---------------------------------------------------

    def share_protection(self, protection: Protection) -> None:
        """Go on with guards that are in the memory of a data plane that picks by itself.

        They are as at the start; the data plane has the same rules.
        """
        self.protection = protection
        self._tell_gate()
        self.look()

    def share_fleet(self, memory: Memory) -> None:
        """Move the fleet's columns into the memory of a data plane that picks by itself."""
        self._memory = memory
        columns = {
            name: memory(name, list(column))
            for name, column in self.fleet._asdict().items()
            if name != "settings"
        }
        self.fleet = Fleet(settings=self._settings, **columns)

    # -- freezing --------------------------------------------------------------------

    def freeze(self) -> dict[str, Any]:
        """The state as plain data; what is in flight is known from the loads."""
        return {
            "algorithm": self.algorithm,
            "guards": [{f: getattr(g, f) for f in GUARD} for g in self.protection.guards],
            "gate": freeze(self.protection.gate),
            "counts": [int(number) for number in self.fleet.counts],
            "values": [float(number) for number in self.fleet.values],
        }

    def restore(self, data: dict[str, Any], in_flight: Iterable[int]) -> None:
        """Take over what `freeze` gave; the standing must have been restored before."""
        for index, count in enumerate(in_flight):
            self.fleet.in_flight[index] = count
        guards = [Guard(**fields) for fields in data["guards"]]
        self.protection = self.protection._replace(guards=guards, gate=thaw(Gate, data["gate"]))
        self.begin(data["algorithm"])
        self.fleet.counts[:] = data["counts"]
        self.fleet.values[:] = data["values"]

    def _tell_gate(self) -> None:
        """What the guards have to know of the algorithm."""
        gate, algorithm = self.protection.gate, self._algorithm
        gate.tiered = int(algorithm.group == "tier")
        gate.regional = int(algorithm.group == "region")
        gate.turns = int(algorithm.slow_start == "turns")
        gate.equal = int(algorithm.equal)


def _as_list(column: str, items: list[Any]) -> MutableSequence[Any]:
    """The memory of a service on its own."""
    return items


def _fleet(settings: BalancingSettings, cluster: Cluster, gateway: str) -> Fleet:
    """The masters as they are at the start, all eligible; the picker's memory is empty."""
    masters = cluster.masters
    regions = {region: n for n, region in enumerate(dict.fromkeys(m.region for m in masters))}
    weights = [float(m.workers) if m.weight is None else m.weight for m in masters]
    return Fleet(
        eligible=[True] * len(masters),
        member=[True] * len(masters),
        available=[True] * len(masters),
        weight=list(weights),
        held=[0.0] * len(masters),
        base_weight=weights,
        in_flight=[0] * len(masters),
        workers=[master.workers for master in masters],
        tier=[master.priority for master in masters],
        region=[regions[master.region] for master in masters],
        rtt=_round_trips(cluster, gateway),
        table=[],
        counts=[],
        values=[],
        settings=settings,
    )


def _protection(settings: BalancingSettings, cluster: Cluster) -> Protection:
    """The guards as they are at the start."""
    masters, rules = len(cluster.masters), rules_of(settings)
    return Protection(
        rules=rules,
        gate=Gate(sweep_ns=rules.outliers.interval_ns),
        guards=[Guard() for _ in cluster.masters],
        members=[1] * masters,
        pool=[0] * masters,
    )


def _round_trips(cluster: Cluster, gateway: str) -> list[int]:
    """Expected round-trip times from this gateway."""
    if not cluster.rtt_ns:
        return [0] * len(cluster.masters)
    if gateway not in cluster.gateways:
        known = ", ".join(cluster.gateways)
        raise ValueError(f"expected a gateway of the cluster ({known}), got {gateway!r}")
    return list(cluster.rtt_ns[cluster.gateways.index(gateway)])
