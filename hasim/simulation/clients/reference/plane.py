"""The reference data plane: every crossing, every end of service and every wait is an event.

Slow and obviously right: each attempt crosses the network, waits for a worker, is served, and
its answer crosses back, while the client's timeout runs. What gateways do about it is the
dispatcher's, as it would be in a live proxy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from hasim.model import SERVED, Cause
from hasim.services.gateway.effects import Settle
from hasim.services.gateway.wakeups import Serial
from hasim.simulation.clients.blocks import BlockCounter, Division
from hasim.simulation.clients.delays import Delays
from hasim.simulation.clients.gateway import SimGateway
from hasim.simulation.clients.load_probes import LoadProbes
from hasim.simulation.clients.plane import Rollup
from hasim.simulation.clients.reference.dispatching import SimDispatcher
from hasim.simulation.clients.results import ANSWERED, IN_FLIGHT, OUTCOMES, Counts, Results, count
from hasim.simulation.clients.traffic import STATELESS, Messages, Traffic, draw_all
from hasim.simulation.clients.users import UserTime
from hasim.simulation.clock import ARRIVAL, MESSAGES, TIER, Call, Clock
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import Network
from hasim.simulation.settings import RequestSettings


class MessagePlane:
    """Runs all messages of a replication and keeps how each of them ended.

    Results per message: `outcome` (a Cause, or IN_FLIGHT at the end of the run),
    `ended_ns`, `master` (the last one tried, or empty), `tries`; `results` has them as arrays.
    """

    def __init__(
        self,
        env: Clock,
        settings: RequestSettings,
        traffic: Traffic,
        partitions: list[str],
        gateways: list[SimGateway],
        masters: dict[str, SimMaster],
        network: Network,
        answered: Callable[[str, str, int], None],
        division: Division,
        *,
        place: int = 0,
    ) -> None:
        self.env = env
        offset = place * TIER
        self._key = MESSAGES + offset
        self._horizon_ns = traffic.horizon_ns
        self._deadline_ns = settings.deadline_ns
        self.pick_seed = traffic.pick_seed
        self.messages = messages = self._messages_of(traffic)
        n = messages.count
        self.outcome: list[str] = [IN_FLIGHT] * n
        self.ended_ns = [0] * n
        self.master = [""] * n
        self.tries = [0] * n
        self._behind: MessagePlane | None = None
        self._division = division
        self._users = UserTime(traffic)
        self._chosen = [[0] * len(masters) for _ in range(division.last + 1)]
        self._lost = 0
        self._partitions = partitions
        self._gateways = gateways
        self._masters = list(masters)
        self._answered = answered
        self._delays = Delays()
        probes, serial = LoadProbes(env, self.pick_seed, masters, network, offset), Serial()
        self._dispatchers = [
            SimDispatcher(
                env,
                gateway,
                settings,
                messages,
                partitions,
                probes,
                self.pick_seed,
                number=number,
                serial=serial,
                offset=offset,
                delays=self._delays,
                sent=self._sent,
                settled=self._settled,
            )
            for number, gateway in enumerate(gateways)
        ]
        for dispatcher in self._dispatchers:
            dispatcher.connect(masters, network)

    def _messages_of(self, traffic: Traffic) -> Messages:
        return Messages(draw_all(traffic))

    def run(self, until: int) -> None:
        """Run the world up to (and without) `until` nanoseconds."""
        if self.messages.count:  # each arrival schedules the next
            Call(self.env, self.messages.arrival_ns[0], ARRIVAL, self._arrive, 0, self._key)
        self.env.run(until=until)
        self.conclude()

    def put_before(self, behind: MessagePlane) -> None:
        """The masters ask the next tier: this is its plane, which is run along."""
        self._behind = behind

    def conclude(self) -> None:
        """The run is over: note what is under way."""
        if self._behind is not None:
            self._behind.conclude()
        for side in self._dispatchers:
            for message in side.dispatcher.under_way():
                self.master[message.number] = message.master
                self.tries[message.number] = message.tries

    def changed(self) -> None:
        """Routing, links, masters' conditions or roles changed: they are looked up anyway."""

    def rerouted(self) -> None:
        """A gateway uses another routing table: there may be room for those who wait."""
        for dispatcher in self._dispatchers:
            dispatcher.rerouted()

    def settle(self) -> None:
        """Hand over what is not written yet: everything is written at once."""

    def sent_and_lost(self) -> tuple[tuple[int, ...], int]:
        """Attempts sent to each master so far, and messages that ended without an answer."""
        loads = zip(*(gateway.balancer.reports.loads for gateway in self._gateways), strict=True)
        return tuple(sum(load.sent for load in of_master) for of_master in loads), self._lost

    @property
    def attempt_causes(self) -> dict[tuple[str, Cause], int]:
        """Attempts by master and how they ended."""
        found: dict[tuple[str, Cause], int] = {}
        for side in self._dispatchers:
            for key, number in side.dispatcher.causes.items():
                found[key] = found.get(key, 0) + number
        return found

    @property
    def retries_cut(self) -> tuple[int, ...]:
        """Retries that the budget of each gateway did not allow."""
        return tuple(side.dispatcher.retries_cut for side in self._dispatchers)

    def delays(self) -> Delays:
        """How long clients took to follow the routing, and messages were held that were sent."""
        return self._delays

    def results(self) -> Results:
        """How each message ended."""
        messages = self.messages
        place = {outcome: i for i, outcome in enumerate(OUTCOMES)}
        index = {"": -1} | {master: i for i, master in enumerate(self._masters)}
        return Results(
            np.array(messages.arrival_ns, dtype=np.int64),
            np.array(messages.gateway, dtype=np.int64),
            np.array(messages.partition[: messages.count], dtype=np.int64),
            np.array(messages.vip[: messages.count], dtype=np.bool_),
            np.array([place[outcome] for outcome in self.outcome], dtype=np.int8),
            np.array(self.ended_ns, dtype=np.int64),
            np.array([index[master] for master in self.master], dtype=np.int32),
            np.array(self.tries, dtype=np.int32),
        )

    def counts(self) -> Counts:
        """The messages, counted."""
        return count(
            self.results(),
            masters=len(self._masters),
            deadline_ns=self._deadline_ns,
            horizon_ns=self._horizon_ns,
        )

    def rollups(self) -> Iterator[Rollup]:
        """The messages by block, if a warm-up is to be left out; the users' time, if there are."""
        counter = BlockCounter(self._division, deadline_ns=self._deadline_ns)
        found = self.results()
        ok = np.isin(found.outcome, ANSWERED)
        counter.add(found.arrival_ns, found.vip, ok, found.ended_ns, found.tries)
        yield from counter.records(np.array(self._chosen, dtype=np.int64))
        in_time = ok & (found.ended_ns - found.arrival_ns <= self._deadline_ns)
        settled = found.outcome != OUTCOMES.index(IN_FLIGHT)
        settled &= found.arrival_ns + self._deadline_ns <= self._horizon_ns
        self._users.add(0, found.arrival_ns, in_time, settled)
        yield from self._users.records()

    def _arrive(self, event: Call) -> None:
        messages, message = self.messages, event.load
        following = message + 1
        if following < messages.count:
            delay = messages.arrival_ns[following] - self.env.now
            key = self._key + following * messages.attempts
            Call(self.env, delay, ARRIVAL, self._arrive, following, key)
        self._dispatchers[messages.gateway[message]].arrive(message)

    def _sent(self, message: int, master: int) -> None:
        """Count an attempt at a master, by the block in which the message arrived."""
        block = self.messages.arrival_ns[message] // self._division.block_ns
        self._chosen[min(block, self._division.last)][master] += 1

    def _settled(self, end: Settle, served_ns: int) -> None:
        """A message has its outcome; if it was answered, its master had served it at that time."""
        number = end.message
        self.outcome[number], self.ended_ns[number] = end.cause, self.env.now
        self.master[number], self.tries[number] = end.master, end.tries
        if end.cause not in SERVED:
            self._lost += 1
        elif (partition := self.messages.partition[number]) != STATELESS:
            self._answered(self._partitions[partition], end.master, served_ns)
