"""The reference data plane: one SimPy process per message.

Slow and obviously right: each attempt crosses the network, waits for a worker,
is served, and its answer crosses back, while the client's timeout runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any

import numpy as np
from simpy.events import Event

from hasim.model import Cause
from hasim.services.balancing.chance import Uniforms, hash_of_number
from hasim.services.balancing.fleet import DRAWS
from hasim.simulation.blocks import BlockCounter, Division
from hasim.simulation.clock import ANSWER, ARRIVAL, KEY_BITS, MESSAGES, TIMEOUT, Call, Clock
from hasim.simulation.gateway import SimGateway
from hasim.simulation.master import SimMaster
from hasim.simulation.network import Link, Network, master_endpoint
from hasim.simulation.results import IN_FLIGHT, OUTCOMES, Counts, Results, count
from hasim.simulation.settings import TrafficSettings
from hasim.simulation.traffic import STATELESS, Messages, Traffic, draw_all
from hasim.truth import BlockSketch, LoadBlock


class Attempt(Event):
    """One attempt of one message at one master; succeeds with the `Cause` that ended it."""

    def __init__(self, env: Clock, draw: int, messages: Messages, partition: str | None) -> None:
        super().__init__(env)
        self.clock = env
        self.draw = draw
        self.key = MESSAGES + draw
        self.messages = messages
        self.partition = partition
        self.error_draw = messages.error[draw]
        self.demand_ns = 0
        self.queued_ns = self.remaining_ns = self.resumed_ns = 0
        self.completion: Call | None = None
        self.expires_ns = 0
        self.back: Link

    def reply(self, cause: Cause) -> None:
        """The master answers: the answer crosses back, unless it comes too late to matter."""
        delay = self.back.crossing(
            self.messages.ratio_back[self.draw], self.messages.loss_back[self.draw]
        )
        # Nothing can take back an answer that is on the wire, so this event itself is
        # put on the clock. At a tie the attempt's own timeout is first.
        if delay >= 0 and self.clock.now + delay < self.expires_ns and not self.triggered:
            self._ok, self._value = True, cause
            self.clock.schedule(self, ANSWER << KEY_BITS | self.key, delay)  # type: ignore[arg-type]


class MessagePlane:
    """Runs all messages of a replication and keeps how each of them ended.

    Results per message: `outcome` (a Cause, or IN_FLIGHT at the end of the run),
    `ended_ns`, `master` (the last one tried, or empty), `tries`; `results` has them as arrays.
    """

    def __init__(
        self,
        env: Clock,
        settings: TrafficSettings,
        traffic: Traffic,
        partitions: list[str],
        gateways: list[SimGateway],
        masters: dict[str, SimMaster],
        network: Network,
        answered: Callable[[str], None],
        division: Division,
    ) -> None:
        self.env = env
        self._horizon_ns = traffic.horizon_ns
        self._drawn = draw_all(traffic)
        self._pick_seed = traffic.pick_seed
        self.messages = messages = Messages(self._drawn)
        n = messages.count
        self.outcome: list[str] = [IN_FLIGHT] * n
        self.ended_ns = [0] * n
        self.master = [""] * n
        self.tries = [0] * n
        self.attempt_causes: dict[tuple[str, Cause], int] = {}
        self._division = division
        self._chosen = np.zeros((division.last + 1, len(masters)), dtype=np.int64)
        self._number_of = {master: number for number, master in enumerate(masters)}
        self._lost = 0
        self._settings = settings
        self._partitions = partitions
        self._gateways = gateways
        self._masters = masters
        self._answered = answered
        self._waiting: deque[Attempt] = deque()
        self._demands = {m.id: messages.demand_ns[m.settings.service] for m in masters.values()}
        self._links = {
            (gateway.region, master): (
                network.links[gateway.endpoint, master_endpoint(master)],
                network.links[master_endpoint(master), gateway.endpoint],
            )
            for gateway in gateways
            for master in masters
        }

    def run(self, until: int) -> None:
        """Run the world up to (and without) `until` nanoseconds."""
        if self.messages.count:  # each arrival schedules the next
            Call(self.env, self.messages.arrival_ns[0], ARRIVAL, self._arrive, 0, MESSAGES)
        self.env.run(until=until)

    def changed(self) -> None:
        """Routing, links, masters' conditions or roles changed: they are looked up anyway."""

    def rerouted(self) -> None:
        """A gateway uses another routing table: it is looked up anyway."""

    def settle(self) -> None:
        """Hand over what is not written yet: everything is written at once."""

    def sent_and_lost(self) -> tuple[tuple[int, ...], int]:
        """Attempts sent to each master so far, and messages that ended without an answer."""
        balancers = [gateway.balancer for gateway in self._gateways]
        sent = tuple(sum(b.load_of(master).sent for b in balancers) for master in self._masters)
        return sent, self._lost

    def results(self) -> Results:
        """How each message ended."""
        drawn = self._drawn
        place = {outcome: i for i, outcome in enumerate(OUTCOMES)}
        index = {"": -1} | {master: i for i, master in enumerate(self._masters)}
        return Results(
            drawn.arrival_ns,
            drawn.gateway,
            drawn.partition,
            drawn.vip,
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
            deadline_ns=self._settings.deadline_ns,
            horizon_ns=self._horizon_ns,
        )

    def blocks(self) -> Iterator[LoadBlock | BlockSketch]:
        """The messages, counted by block; nothing if no warm-up is to be left out."""
        counter = BlockCounter(self._division, deadline_ns=self._settings.deadline_ns)
        found = self.results()
        ok = found.outcome == OUTCOMES.index(Cause.OK)
        counter.add(found.arrival_ns, found.vip, ok, found.ended_ns, found.tries)
        return counter.records(self._chosen)

    def _choose(self, message: int, master: str) -> None:
        """Count an attempt at a master, by the block in which the message arrived."""
        block = int(self._drawn.arrival_ns[message]) // self._division.block_ns
        self._chosen[min(block, self._division.last), self._number_of[master]] += 1

    def _arrive(self, event: Call) -> None:
        message: int = event.load
        following = message + 1
        if following < self.messages.count:
            delay = self.messages.arrival_ns[following] - self.env.now
            key = MESSAGES + following * self.messages.attempts
            Call(self.env, delay, ARRIVAL, self._arrive, following, key)
        self.env.process(self._life(message))

    def _life(self, i: int) -> Generator[Event, Any, None]:
        """The life of message `i`, from its arrival at the gateway to its last answer."""
        env, messages, settings = self.env, self.messages, self._settings
        gateway = self._gateways[messages.gateway[i]]
        index = messages.partition[i]
        partition = None if index == STATELESS else self._partitions[index]
        vip, balancer = messages.vip[i], gateway.balancer
        gateway.budget.deposit()
        master: str | None = None
        cause = Cause.UNROUTABLE
        for attempt_number in range(settings.retry.attempts):
            draw = i * messages.attempts + attempt_number
            if attempt_number:
                # Full jitter: uniform between nothing and the doubled bound.
                bound = settings.retry.backoff_ns << (attempt_number - 1)
                pause = int(messages.backoff[draw] * bound)
                in_time = env.now + pause < messages.arrival_ns[i] + settings.deadline_ns
                if not in_time or not gateway.budget.withdraw():
                    break
                yield Call(env, pause, ARRIVAL, None, key=MESSAGES + draw)
            self.tries[i] += 1
            master = balancer.select_master(
                env.now,
                partition,
                vip=vip,
                avoid=master,
                key=messages.key[i] if messages.key else None,
                hashed=None if messages.key else hash_of_number(i),
                draw=Uniforms(self._pick_seed, draw * DRAWS),
            )
            if not gateway.armed:
                gateway.arm()
            if master is None:
                cause = balancer.refusal
                continue
            self.master[i] = master
            self._choose(i, master)
            sent = env.now
            cause = yield self._send(gateway, master, draw, partition)
            key = (master, cause)
            self.attempt_causes[key] = self.attempt_causes.get(key, 0) + 1
            if cause is Cause.OK:
                gateway.perform(
                    balancer.record_message_corresponded(env.now, master, env.now - sent)
                )
                if partition is not None:
                    self._answered(partition)
                break
            elapsed_ns = env.now - sent
            gateway.perform(balancer.record_message_failed(env.now, master, cause, elapsed_ns))
        self.outcome[i] = cause
        self.ended_ns[i] = env.now
        self._lost += cause is not Cause.OK

    def _send(self, gateway: SimGateway, master: str, draw: int, partition: str | None) -> Attempt:
        """Put one attempt on its way and start the client's timeout."""
        messages = self.messages
        attempt = Attempt(self.env, draw, messages, partition)
        attempt.demand_ns = self._demands[master][draw]
        there, attempt.back = self._links[gateway.region, master]
        delay = there.crossing(messages.ratio_there[draw], messages.loss_there[draw])
        if delay >= 0:
            load = (self._masters[master], attempt)
            Call(self.env, delay, ARRIVAL, self._deliver, load, attempt.key)
        attempt.expires_ns = self.env.now + self._settings.timeout_ns
        self._waiting.append(attempt)
        if len(self._waiting) == 1:
            Call(self.env, self._settings.timeout_ns, TIMEOUT, self._expire)
        return attempt

    def _expire(self, _: Call) -> None:
        """The first attempt in line has been waited for long enough.

        One timeout for all attempts: they expire in the order in which they were
        sent, so one timer for the first that still waits does for all of them.
        """
        waiting, now = self._waiting, self.env.now
        while waiting and (waiting[0].triggered or waiting[0].expires_ns <= now):
            attempt = waiting.popleft()
            if not attempt.triggered:
                attempt.succeed(Cause.TIMEOUT)
        if waiting:
            Call(self.env, waiting[0].expires_ns - now, TIMEOUT, self._expire)

    def _deliver(self, event: Call) -> None:
        master, attempt = event.load
        master.accept(attempt)
