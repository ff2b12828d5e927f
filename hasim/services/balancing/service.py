"""The load balancing service: chooses a master for each message and keeps count."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, MutableSequence, Sequence
from typing import Any, ClassVar, Protocol

from hasim.events import (
    AlgorithmSwitched,
    DrainMaster,
    Event,
    GatewayReport,
    Input,
    MasterTraffic,
    Output,
    OwnerChanged,
    RoutingAck,
    SendReport,
    StatusChanged,
    SwitchAlgorithm,
    UndrainMaster,
    WakeUp,
)
from hasim.model import Cause, Cluster, Ownership, RoutingTable, Status
from hasim.services.balancing.chance import Uniforms, hash_of_number, hash_of_text
from hasim.services.balancing.fleet import Fleet, Request
from hasim.services.balancing.guards.gate import (
    ANSWERED,
    CANCELLED,
    FAILED,
    FULL,
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
from hasim.services.balancing.guards.guard import Guard, forget
from hasim.services.balancing.load import Load, jain_index
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.balancing.routing import RoutingPublisher
from hasim.services.balancing.selection import chooser, effective_weights
from hasim.services.balancing.settings import BalancingSettings
from hasim.services.balancing.tables import members_of
from hasim.services.frozen import freeze, thaw

Draw = Callable[[], float]
"""Gives a uniform in [0, 1) at each call."""
GUARD = tuple(field.name for field in dataclasses.fields(Guard))
NOT_ELIGIBLE = (Status.FAILED, Status.RECOVERING, Status.MAINTENANCE)


class Memory(Protocol):
    """Where a fleet's columns are: makes a sequence with the items of a column."""

    def __call__(self, column: str, items: list[Any]) -> MutableSequence[Any]:
        """The new home of a column of `Fleet`."""
        ...


class LoadBalancingService:
    """One instance chooses masters at each gateway; one in the control plane decides the routing.

    The control plane's instance (`gateway` None) turns verdicts and changes of
    owner into routing tables and merges the gateways' reports. A gateway's
    instance applies the newest table, selects masters, counts what becomes of
    the messages, and reports; it can also serve alone, without any table.

    `draw` gives the uniforms that some algorithms need; without it the service uses a
    sequence of its own, the same for the same gateway. The memory of an algorithm
    (a cursor, averages, sessions) starts afresh when one is switched to; what is in
    flight is counted on.
    """

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset(
        {WakeUp, RoutingAck, GatewayReport, SwitchAlgorithm, DrainMaster, UndrainMaster}
    )

    def __init__(
        self,
        settings: BalancingSettings,
        cluster: Cluster,
        *,
        gateway: str | None = None,
        watch_failures: int = 0,
        draw: Draw | None = None,
    ) -> None:
        self.settings = settings
        self.gateway = gateway
        self.algorithm: str = settings.algorithm
        self._watch_failures = watch_failures
        self._ids = [master.id for master in cluster.masters]
        self._index = {master: i for i, master in enumerate(self._ids)}
        self._loads = [Load() for _ in self._ids]
        self._uniforms = Uniforms(hash_of_text(gateway or ""))
        self._draw: Draw = draw or self._uniforms
        self._messages = 0
        self._memory: Memory = _as_list
        self.refusal = Cause.UNROUTABLE
        # By the routing: who may take messages at all, who gets owned ones alone, who is away.
        self._eligible = [not master.absent for master in cluster.masters]
        self._draining = [False] * len(self._ids)
        self._away = [master.absent for master in cluster.masters]
        self.protection = _protection(settings, cluster)
        self._guarded = self.protection.rules.any
        self.fleet = _fleet(settings, cluster, gateway)
        self._begin_algorithm()
        self._owners = {p.id: Ownership(p.id, p.owner, 1) for p in cluster.partitions}
        self._sequence = 0
        self._report_at: int | None = None
        self._gateways: dict[str, dict[str, MasterTraffic]] = {}
        self._reports: dict[str, int] = {}
        table = RoutingTable(
            1,
            tuple(self.eligible_masters()),
            tuple(self._owners.values()),
            self.algorithm,
            away=self._named(self._away),
        )
        self._version = table.version
        publish_to = cluster.gateways if gateway is None else ()
        self._publisher = RoutingPublisher(table, publish_to, settings.resend_interval_ns)

    # -- messages --------------------------------------------------------------

    def select_master(
        self,
        now: int,
        partition: str | None = None,
        *,
        vip: bool = False,
        avoid: str | Sequence[str] | None = None,
        key: str | int | None = None,
        hashed: int | None = None,
        draw: Draw | None = None,
        strict: bool = False,
    ) -> str | None:
        """The master for one attempt, or None: `refusal` then says why (a `Cause`).

        UNROUTABLE: nobody is eligible; OVERFLOW: nobody has room, by the limits. An owned
        message (`partition` given) goes to the owner of its partition if that is
        eligible. `avoid` are masters that failed the message so far, in turn; they are chosen
        only if there is no other, the last one of them least of all, and not even then if
        `strict`. `key` is what hashing algorithms and
        sticky sessions go by (a session, a user); without one each message is a key of
        its own, unless its hash is given as `hashed` (0 to 2**63). `draw` gives this
        attempt's uniforms in place of the service's.
        """
        found = self._admit(now, partition)
        named = (avoid,) if isinstance(avoid, str) else avoid or ()
        avoided = [self._index[master] for master in named]
        self.refusal = Cause.OVERFLOW if found == FULL else Cause.UNROUTABLE
        if found != ROOM:
            return None
        if partition is not None:
            index = self._index[self._owners[partition].owner]
        else:
            if hashed is None:
                hashed = self._hash(key)
            draws = tuple((draw or self._draw)() for _ in range(self.draws))
            request = Request(now, vip, hashed, key is not None, draws)
            index = self._choose(self.fleet, request, avoided)
        if index < 0 or (strict and avoided and index == avoided[-1]):
            return None
        load = self._loads[index]
        load.sent += 1
        load.in_flight += 1
        self.fleet.in_flight[index] += 1
        if self._guarded:
            note(self.protection, SENT, index, now, now)
        self.expect_report(now)
        return self._ids[index]

    def _admit(self, now: int, partition: str | None) -> int:
        """ROOM, FULL or NOBODY: whether somebody may be sent the attempt at all."""
        if partition is None:
            return admit(self.protection, self.fleet, now) if self._guarded else ROOM
        owner = self._index[self._owners[partition].owner]
        if not self._eligible[owner]:
            return NOBODY
        return admit_owned(self.protection, self.fleet, owner) if self._guarded else ROOM

    def record_message_corresponded(self, now: int, master: str, latency_ns: int) -> list[Output]:
        """A message was answered after `latency_ns` nanoseconds."""
        index = self._index[master]
        load = self._loads[index]
        ends_run = load.streak > 0 and self._watch_failures > 0
        load.answer(latency_ns)
        self._ended(now, index, latency_ns, ANSWERED)
        return self._report(now, [index]) if ends_run else []

    def record_message_failed(
        self, now: int, master: str, cause: Cause, elapsed_ns: int = 0
    ) -> list[Output]:
        """An attempt failed after `elapsed_ns`; a run's first failures are reported at once."""
        index = self._index[master]
        load = self._loads[index]
        load.fail(cause)
        self._ended(now, index, elapsed_ns, FAILED)
        news = 0 < load.streak <= self._watch_failures
        return self._report(now, [index]) if news else []

    def record_message_cancelled(self, now: int, master: str, elapsed_ns: int) -> None:
        """An attempt was given up after `elapsed_ns`, since its twin (hedging) was answered."""
        index = self._index[master]
        self._loads[index].in_flight -= 1
        self._ended(now, index, elapsed_ns, CANCELLED)

    def record_load_report(
        self, now: int, master: str, rate: float, error_rate: float, utilisation: float
    ) -> None:
        """A master reports of itself: answers and errors per second, share of busy workers."""
        if self._algorithm.reported is not None:
            index = self._index[master]
            self._algorithm.reported(self.fleet, index, now, rate, error_rate, utilisation)

    def record_load_probe(self, now: int, master: str, in_flight: int, latency_ns: int) -> None:
        """A master answered a load probe: requests at it, and the latency that it expects."""
        if self._algorithm.probed is not None:
            self._algorithm.probed(self.fleet, self._index[master], now, in_flight, latency_ns)

    @property
    def opens_ns(self) -> int:
        """When an attempt that was refused (`refusal`) may find room although none ends.

        Nanoseconds: then a breaker lets a trial through, or an ejection may end; `NEVER` if that
        is not to be. Whoever lets attempts wait looks again then, when an attempt ends, and when
        a routing table was applied.
        """
        return int(self.protection.gate.opens_ns)

    @property
    def probes_masters(self) -> bool:
        """Whether the algorithm in use wants load probes."""
        return self._algorithm.probed is not None

    def take_load_probes(self) -> list[str]:
        """The masters that shall be asked for their load, after the last selection; once."""
        if self._algorithm.probed is None:
            return []
        counts = self.fleet.counts
        targets = [self._ids[index] for index in counts[1 : 1 + counts[0]]]
        counts[0] = 0
        return targets

    def _ended(self, now: int, index: int, elapsed_ns: int, kind: int) -> None:
        self.fleet.in_flight[index] -= 1
        if self._algorithm.ended is not None:
            self._algorithm.ended(self.fleet, index, now, elapsed_ns, kind == FAILED)
        if self._guarded:
            note(self.protection, kind, index, now, now - elapsed_ns)

    def _hash(self, key: str | int | None) -> int:
        if key is None:
            self._messages += 1
            return hash_of_number(self._messages)
        return hash_of_number(key) if isinstance(key, int) else hash_of_text(key)

    # -- the algorithm and its fleet ---------------------------------------------------

    def _begin_algorithm(self) -> None:
        """Take up the present algorithm, with a fresh memory."""
        self._algorithm = algorithm = ALGORITHMS[self.algorithm]
        self._choose = chooser(algorithm.pick)
        self.draws = algorithm.draws_by(self.settings)
        masters = len(self._ids)
        counts = [0] * algorithm.counts(masters, self.settings)
        values = [0.0] * algorithm.values(masters, self.settings)
        self._tell_gate()
        self.fleet = self.fleet._replace(
            counts=self._memory("counts", counts), values=self._memory("values", values)
        )
        self._eligibility_changed()

    def _eligibility_changed(self) -> None:
        """Bring up to date what follows from who is eligible."""
        fleet = self.fleet
        for index, may in enumerate(self._eligible):
            fleet.member[index] = not self._away[index]
            fleet.eligible[index] = may and not self._draining[index]
            fleet.available[index] = fleet.eligible[index]  # guards say more with each attempt
            self.protection.members[index] = not (self._draining[index] or self._away[index])
        for index, weight in enumerate(effective_weights(fleet.eligible, fleet.base_weight)):
            fleet.weight[index] = weight
        build = self._algorithm.build
        members = members_of(self._ids, fleet.base_weight)
        table = build(members, fleet.eligible, self.settings) if build is not None else ()
        self.fleet = fleet._replace(table=self._memory("table", list(table)))

    def _tell_gate(self) -> None:
        """What the guards have to know of the algorithm."""
        gate, algorithm = self.protection.gate, self._algorithm
        gate.tiered = int(algorithm.group == "tier")
        gate.regional = int(algorithm.group == "region")
        gate.turns = int(algorithm.slow_start == "turns")
        gate.equal = int(algorithm.equal)

    def share_protection(self, protection: Protection) -> None:
        """Go on with guards that are in the memory of a data plane that picks by itself.

        They are as at the start; the data plane has the same rules.
        """
        self.protection = protection
        self._tell_gate()
        self._eligibility_changed()

    def share_fleet(self, memory: Memory) -> None:
        """Move the fleet's columns into the memory of a data plane that picks by itself."""
        self._memory = memory
        columns = {
            name: memory(name, list(column))
            for name, column in self.fleet._asdict().items()
            if name != "settings"
        }
        self.fleet = Fleet(settings=self.settings, **columns)

    # -- counting by somebody else -----------------------------------------------

    @property
    def loads(self) -> list[Load]:
        """The masters' counters in turn, for a data plane that counts by itself to fill in."""
        return self._loads

    def expect_report(self, now: int) -> None:
        """Such a data plane has sent an attempt: a regular report is due in an interval."""
        if self._report_at is None:
            self._report_at = now + self.settings.report_interval_ns

    def report_now(self, now: int, master: str) -> list[Output]:
        """Such a data plane has seen something about a master that is reported at once."""
        return self._report(now, [self._index[master]])

    # -- acting ----------------------------------------------------------------

    def step(self, now: int, item: Input) -> list[Output]:
        """Take one input at `now` (nanoseconds)."""
        match item:
            case WakeUp():
                return self._publisher.on_wakeup(now) + self._regular_report(now)
            case RoutingAck():
                return self._publisher.acknowledged(item)
            case GatewayReport():
                return self.update_load_metrics(now, item)
            case SwitchAlgorithm():
                return self.switch_algorithm(now, item.algorithm)
            case DrainMaster():
                return self.drain(now, item.master)
            case UndrainMaster():
                return self.undrain(now, item.master)
            case _:
                return []

    def next_wakeup(self) -> int | None:
        """When a report or a repeated routing table is due (nanoseconds)."""
        report, resend = self._report_at, self._publisher.next_wakeup()
        if report is None or resend is None:
            return resend if report is None else report
        return min(report, resend)

    def handle_event(self, now: int, event: Event) -> list[Output]:
        """Take an event of another service: verdicts and changes of owner change the routing."""
        match event:
            case StatusChanged():
                return self._status_changed(now, event)
            case OwnerChanged():
                self._owners[event.partition] = Ownership(event.partition, event.owner, event.epoch)
                return self._publisher.change(now, owners=tuple(self._owners.values()))
            case _:
                return []

    def apply_routing(self, now: int, table: RoutingTable) -> RoutingAck:
        """Use `table` unless a newer one is in use; messages in flight are counted on as before."""
        if table.version > self._version:
            self._version = table.version
            for index, master in enumerate(self._ids):
                self._draining[index] = master in table.draining
                self._set_state(now, index, master in table.eligible, master in table.away)
            self._owners = {o.partition: o for o in table.owners}
            if table.algorithm != self.algorithm:
                self.algorithm = table.algorithm
                self._begin_algorithm()
            else:
                self._eligibility_changed()
        return RoutingAck(self.gateway or "", self._version)

    def drain(self, now: int, master: str) -> list[Output]:
        """Send a master no new stateless messages. KeyError for an unknown one."""
        return self._set_draining(now, self._index[master], draining=True)

    def undrain(self, now: int, master: str) -> list[Output]:
        """Send it stateless messages again. KeyError for an unknown one."""
        return self._set_draining(now, self._index[master], draining=False)

    def _set_draining(self, now: int, index: int, *, draining: bool) -> list[Output]:
        self._draining[index] = draining
        self._eligibility_changed()
        return self._publisher.change(now, draining=self._named(self._draining))

    def _status_changed(self, now: int, event: StatusChanged) -> list[Output]:
        """Who is healthy is eligible, who is failed is not; a suspect stays what it was."""
        index = self._index[event.master]
        before = self._eligible[index], self._away[index], self._draining[index]
        healthy, gone = event.new is Status.HEALTHY, event.new is Status.MAINTENANCE
        eligible = healthy or (before[0] and event.new not in NOT_ELIGIBLE)
        away = gone or (before[1] and not healthy)
        if (eligible, away, before[2] and not gone) == before:
            return []
        self._draining[index] = before[2] and not gone
        self._set_state(now, index, eligible, away)
        self._eligibility_changed()
        return self._publisher.change(
            now,
            eligible=tuple(self.eligible_masters()),
            draining=self._named(self._draining),
            away=self._named(self._away),
        )

    def _set_state(self, now: int, index: int, eligible: bool, away: bool) -> None:
        """What a change of eligibility means to the guards."""
        guard, rules = self.protection.guards[index], self.protection.rules
        if eligible and not self._eligible[index]:
            guard.back_ns, guard.credit = now, 0.0
            if rules.outliers.check_ends:
                guard.ejected = guard.failures = 0
        if away and not self._away[index]:
            forget(guard)
        self._eligible[index], self._away[index] = eligible, away

    def _named(self, flags: list[bool]) -> tuple[str, ...]:
        return tuple(master for master, flag in zip(self._ids, flags, strict=True) if flag)

    def update_load_metrics(self, now: int, report: GatewayReport) -> list[Output]:
        """Merge a gateway's report; an older one than the last is ignored."""
        if report.sequence > self._reports.get(report.gateway, 0):
            self._reports[report.gateway] = report.sequence
            rows = self._gateways.setdefault(report.gateway, {})
            for traffic in report.masters:
                rows[traffic.master] = traffic
        return []

    def switch_algorithm(self, now: int, algorithm: str) -> list[Output]:
        """Balance with another algorithm from now on; what is in flight stays counted.

        Raises ValueError, naming the known ones, for an unknown algorithm.
        """
        if algorithm not in ALGORITHMS:
            raise ValueError(f"unknown algorithm {algorithm!r}; known: {', '.join(ALGORITHMS)}")
        old, self.algorithm = self.algorithm, algorithm
        if old == algorithm:
            return []
        self._begin_algorithm()
        switched: list[Output] = [AlgorithmSwitched(old, algorithm)]
        return switched + self._publisher.change(now, algorithm=algorithm)

    # -- asking ----------------------------------------------------------------

    def owner_of(self, partition: str) -> str:
        """The owner by the routing in use. KeyError for an unknown partition."""
        return self._owners[partition].owner

    def is_eligible(self, master: str) -> bool:
        """Whether a master may take messages. KeyError for an unknown one."""
        return self._eligible[self._index[master]]

    def is_draining(self, master: str) -> bool:
        """Whether a master gets owned messages alone. KeyError for an unknown one."""
        return self._draining[self._index[master]]

    def eligible_masters(self) -> list[str]:
        """Masters that may take messages."""
        return list(self._named(self._eligible))

    def usable_masters(self) -> list[str]:
        """Masters that may take stateless messages: eligible and not drained."""
        flags = zip(self._ids, self._eligible, self._draining, strict=True)
        return [master for master, eligible, draining in flags if eligible and not draining]

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
            in_flight=[0] * len(self._ids),
            table=[int(entry) for entry in fleet.table],
        )
        return [home(quiet, hash_of_number(key)) for key in keys]

    def get_load_metrics(self) -> dict[str, dict[str, int]]:
        """Per master: sent, answered, failed, in flight, moving average of latency (ns).

        In the control plane, the sum over the gateways' last reports beside its own counts.
        """
        metrics = {
            master: {
                "sent": load.sent,
                "answered": load.answered,
                "failed": load.failed,
                "in_flight": load.in_flight,
                "latency_ns": load.latency_ns,
            }
            for master, load in zip(self._ids, self._loads, strict=True)
        }
        for reported in self._gateways.values():
            for master, traffic in reported.items():
                row = metrics[master]
                row["sent"] += traffic.answered + traffic.failed + traffic.in_flight
                row["answered"] += traffic.answered
                row["failed"] += traffic.failed
                row["in_flight"] += traffic.in_flight
                row["latency_ns"] = max(row["latency_ns"], traffic.latency_ns)
        return metrics

    def compute_load_distribution(self) -> dict[str, float]:
        """Each master's share of the attempts sent; all 0 before the first."""
        sent = {master: row["sent"] for master, row in self.get_load_metrics().items()}
        total = sum(sent.values())
        return {master: count / total if total else 0.0 for master, count in sent.items()}

    def get_metrics_report(self) -> dict[str, object]:
        """Algorithm, eligible masters, load, distribution, Jain's index over all and eligible."""
        distribution = self.compute_load_distribution()
        return {
            "algorithm": self.algorithm,
            "eligible": self.eligible_masters(),
            "load": self.get_load_metrics(),
            "distribution": distribution,
            "jain": jain_index(distribution.values()),
            "jain_eligible": jain_index(distribution[m] for m in self.eligible_masters()),
        }

    def healthy(self) -> bool:
        """Whether this service itself is at work: no count has gone below zero."""
        return all(load.in_flight >= 0 for load in self._loads)

    # -- freezing --------------------------------------------------------------

    def freeze(self) -> dict[str, Any]:
        """The whole state as plain data (JSON), from which `restore` goes on."""
        return {
            "algorithm": self.algorithm,
            "loads": freeze(self._loads),
            "eligible": freeze(self._eligible),
            "draining": freeze(self._draining),
            "away": freeze(self._away),
            "guards": [{f: getattr(g, f) for f in GUARD} for g in self.protection.guards],
            "gate": freeze(self.protection.gate),
            "owners": freeze(self._owners),
            "counts": [int(number) for number in self.fleet.counts],
            "values": [float(number) for number in self.fleet.values],
            "uniforms_taken": self._uniforms.taken,
            "messages": self._messages,
            "sequence": self._sequence,
            "report_at": self._report_at,
            "gateways": freeze(self._gateways),
            "reports": freeze(self._reports),
            "version": self._version,
            "publisher": self._publisher.freeze(),
        }

    @classmethod
    def restore(
        cls,
        settings: BalancingSettings,
        cluster: Cluster,
        data: dict[str, Any],
        *,
        gateway: str | None = None,
        watch_failures: int = 0,
        draw: Draw | None = None,
    ) -> LoadBalancingService:
        """The service that `freeze` was called on."""
        service = cls(settings, cluster, gateway=gateway, watch_failures=watch_failures, draw=draw)
        service.algorithm = data["algorithm"]
        service._loads = thaw(list[Load], data["loads"])
        service._uniforms.taken = data["uniforms_taken"]
        service._messages = data["messages"]
        for index, load in enumerate(service._loads):
            service.fleet.in_flight[index] = load.in_flight
            service._eligible[index] = data["eligible"][index]
            service._draining[index] = data["draining"][index]
            service._away[index] = data["away"][index]
        guards = [Guard(**fields) for fields in data["guards"]]
        service.protection = service.protection._replace(
            guards=guards, gate=thaw(Gate, data["gate"])
        )
        service._begin_algorithm()
        for column, numbers in (
            (service.fleet.counts, data["counts"]),
            (service.fleet.values, data["values"]),
        ):
            for index, number in enumerate(numbers):
                column[index] = number
        service._owners = thaw(dict[str, Ownership], data["owners"])
        service._sequence = data["sequence"]
        service._report_at = data["report_at"]
        service._gateways = thaw(dict[str, dict[str, MasterTraffic]], data["gateways"])
        service._reports = thaw(dict[str, int], data["reports"])
        service._version = data["version"]
        service._publisher.restore(data["publisher"])
        return service

    # -- reporting -------------------------------------------------------------

    def _regular_report(self, now: int) -> list[Output]:
        if self._report_at is None or now < self._report_at:
            return []
        self._report_at = None
        if self.gateway is None:
            return []
        news = [i for i, load in enumerate(self._loads) if not load.reported]
        return self._report(now, news)

    def _report(self, now: int, indexes: list[int]) -> list[Output]:
        if not indexes:
            return []
        self._sequence += 1
        return [
            SendReport(
                GatewayReport(
                    self.gateway or "", self._sequence, tuple(map(self._traffic, indexes))
                )
            )
        ]

    def _traffic(self, index: int) -> MasterTraffic:
        load = self._loads[index]
        load.reported = True
        return MasterTraffic(
            self._ids[index],
            load.answered,
            load.failed,
            load.in_flight,
            load.streak,
            load.last_cause,
            load.latency_ns,
        )


def _as_list(column: str, items: list[Any]) -> MutableSequence[Any]:
    """The memory of a service on its own."""
    return items


def _fleet(settings: BalancingSettings, cluster: Cluster, gateway: str | None) -> Fleet:
    """The masters as they are at the start, all eligible; the picker's memory is empty."""
    masters = cluster.masters
    regions = list(dict.fromkeys(master.region for master in masters))
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
        region=[regions.index(master.region) for master in masters],
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


def _round_trips(cluster: Cluster, gateway: str | None) -> list[int]:
    """Expected round-trip times from this gateway; from the first one in the control plane."""
    if not cluster.rtt_ns:
        return [0] * len(cluster.masters)
    row = 0 if gateway is None else cluster.gateways.index(gateway)
    return list(cluster.rtt_ns[row])
