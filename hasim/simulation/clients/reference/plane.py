"""The reference data plane: one SimPy process per message.

Slow and obviously right: each attempt crosses the network, waits for a worker,
is served, and its answer crosses back, while the client's timeout runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any, cast

import numpy as np
from simpy.events import Event

from hasim.model import Cause
from hasim.services.balancing.chance import DRAWS, Uniforms, hash_of_number
from hasim.services.gateway.guards.gate import NEVER
from hasim.simulation.clients.blocks import BlockCounter, Division
from hasim.simulation.clients.gateway import SimGateway
from hasim.simulation.clients.load_probes import LoadProbes
from hasim.simulation.clients.results import IN_FLIGHT, OUTCOMES, Counts, Results, count
from hasim.simulation.clients.traffic import STATELESS, Messages, Traffic, draw_all
from hasim.simulation.clock import (
    ANSWER,
    ARRIVAL,
    HEDGE,
    HEDGED,
    KEY_BITS,
    LINE,
    MESSAGES,
    TIMEOUT,
    Call,
    Clock,
    Pause,
)
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import Link, Network, master_endpoint
from hasim.simulation.settings import TrafficSettings
from hasim.truth import BlockSketch, LoadBlock


class Attempt(Event):
    """One attempt of one message at one master; succeeds with the `Cause` that ended it.

    `master` is empty while it waits at the gateway for room. A cancelled one may still be
    answered, and nobody listens.
    """

    def __init__(self, env: Clock, draw: int, messages: Messages, round_: Round) -> None:
        super().__init__(env)
        self.clock = env
        self.draw = draw
        self.key = MESSAGES + draw
        self.messages = messages
        self.round = round_
        self.partition = round_.partition
        self.place = messages.place(draw)
        self.error_draw = messages.error[self.place]
        self.master = ""
        self.cancelled = False
        self.sent_ns = self.demand_ns = 0
        self.queued_ns = self.remaining_ns = self.resumed_ns = 0
        self.completion: Call | None = None
        self.expires_ns = 0
        self.back: Link

    def reply(self, cause: Cause) -> None:
        """The master answers: the answer crosses back, unless it comes too late to matter."""
        delay = self.back.crossing(
            self.messages.ratio_back[self.place], self.messages.loss_back[self.place]
        )
        # Nothing can take back an answer that is on the wire, so this event itself is
        # put on the clock. At a tie the attempt's own timeout is first.
        if delay >= 0 and self.clock.now + delay < self.expires_ns and not self.triggered:
            self._ok, self._value = True, cause
            self.clock.schedule(self, ANSWER << KEY_BITS | self.key, delay)  # type: ignore[arg-type]

    def cancel(self) -> None:
        """The client gives it up: it will not expire, and an answer on the wire is ignored."""
        self.cancelled = True
        if not self.triggered:
            self._ok, self._value = True, Cause.CANCELLED


class Round(Event):
    """One try of a message: an attempt, and perhaps a second one beside it (hedging).

    Ends with the `Cause` of the attempt that decided it. `tried` are the masters that failed
    the message so far, in earlier rounds as well. `open` are the attempts that have not ended.
    """

    def __init__(
        self,
        env: Clock,
        gateway: SimGateway,
        message: int,
        draw: int,
        partition: str | None,
        tried: list[str],
    ) -> None:
        super().__init__(env)
        self.gateway = gateway
        self.message = message
        self.draw = draw
        self.partition = partition
        self.tried = tried
        self.open: list[Attempt] = []

    def end(self, cause: Cause) -> None:
        """Whoever waits for it goes on at once, not after others of this instant."""
        self._ok, self._value = True, cause
        callbacks, self.callbacks = self.callbacks, None  # type: ignore[assignment]
        for callback in callbacks:
            callback(self)


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
        self._load_probes = LoadProbes(env, self._pick_seed, masters, network)
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
        self._waiting: deque[tuple[int, Attempt]] = deque()
        self._demands = {m.id: messages.demand_ns[m.law] for m in masters.values()}
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
        """A gateway uses another routing table: there may be room for those who wait."""
        for gateway in self._gateways:
            self._call_line(gateway)

    def settle(self) -> None:
        """Hand over what is not written yet: everything is written at once."""

    def sent_and_lost(self) -> tuple[tuple[int, ...], int]:
        """Attempts sent to each master so far, and messages that ended without an answer."""
        loads = zip(*(gateway.balancer.reports.loads for gateway in self._gateways), strict=True)
        return tuple(sum(load.sent for load in of_master) for of_master in loads), self._lost

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
        gateway.budget.deposit()
        gateway.hedge_budget.deposit()
        tried: list[str] = []
        cause = Cause.UNROUTABLE
        for attempt_number in range(settings.retry.attempts):
            draw = i * messages.attempts + attempt_number
            if attempt_number:
                # Full jitter: uniform between nothing and the doubled bound.
                bound = settings.retry.backoff_ns << (attempt_number - 1)
                pause = int(messages.backoff[messages.place(draw)] * bound)
                in_time = env.now + pause < messages.arrival_ns[i] + settings.deadline_ns
                if not in_time or not gateway.budget.withdraw():
                    break
                yield Pause(env, pause, ARRIVAL, MESSAGES + draw)
            self.tries[i] += 1
            one_try = Round(env, gateway, i, draw, partition, tried)
            self._begin(one_try)
            cause = yield one_try
            if attempt_number:
                gateway.budget.release()
            if cause is Cause.OK:
                break
        self.outcome[i] = cause
        self.ended_ns[i] = env.now
        self._lost += cause is not Cause.OK

    def _select(self, round_: Round, draw: int, avoid: list[str], *, strict: bool) -> str | None:
        gateway, messages, i = round_.gateway, self.messages, round_.message
        master = gateway.balancer.select_master(
            self.env.now,
            round_.partition,
            vip=messages.vip[i],
            avoid=avoid,
            key=messages.key[i] if messages.key else None,
            hashed=None if messages.key else hash_of_number(i),
            draw=Uniforms(self._pick_seed, draw * DRAWS),
            strict=strict,
        )
        self._load_probes.send(gateway, draw, gateway.balancer.take_load_probes())
        if not gateway.armed:
            gateway.arm()
        return master

    def _begin(self, round_: Round) -> None:
        """Send an attempt, or let it wait at the gateway for room, or end the round at once."""
        gateway = round_.gateway
        master = self._select(round_, round_.draw, round_.tried, strict=False)
        refusal = gateway.balancer.refusal
        if master is None and not (refusal is Cause.OVERFLOW and gateway.has_room):
            round_.end(refusal)
            return
        attempt = Attempt(self.env, round_.draw, self.messages, round_)
        if master is None:
            round_.open.append(attempt)
            gateway.line.append(attempt)
            self._await(attempt)
            self._look_again(gateway)
        else:
            self._send(attempt, master)
            round_.open.append(attempt)

    def _send(self, attempt: Attempt, master: str) -> None:
        """Put one attempt on its way and start the client's timeout."""
        messages, place, round_ = self.messages, attempt.place, attempt.round
        gateway, now = round_.gateway, self.env.now
        attempt.master, attempt.sent_ns = master, now
        self.master[round_.message] = master
        self._choose(round_.message, master)
        attempt.demand_ns = self._demands[master][place]
        there, attempt.back = self._links[gateway.region, master]
        delay = there.crossing(messages.ratio_there[place], messages.loss_there[place])
        if delay >= 0:
            load = (self._masters[master], attempt)
            Call(self.env, delay, ARRIVAL, self._deliver, load, attempt.key)
        self._await(attempt)
        wait_ns = gateway.hedge_wait_ns if round_.partition is None else 0
        if wait_ns and attempt.draw == round_.draw:
            Call(self.env, wait_ns, HEDGE, self._hedge, attempt, attempt.key)

    def _hedge(self, event: Call) -> None:
        """There is no answer yet: a second attempt, at another master, if the budget allows."""
        first: Attempt = event.load
        round_ = first.round
        if round_.open != [first] or round_.gateway.hedge_budget.tokens < 1.0:
            return
        draw = first.draw + HEDGED
        master = self._select(round_, draw, [*round_.tried, first.master], strict=True)
        if master is None:
            return
        round_.gateway.hedge_budget.withdraw()
        self.tries[round_.message] += 1
        second = Attempt(self.env, draw, self.messages, round_)
        self._send(second, master)
        round_.open.append(second)

    # -- ends ----------------------------------------------------------------------

    def _ended(self, attempt: Attempt) -> None:
        """An attempt was answered, or has failed."""
        if attempt.cancelled:
            return
        round_, cause = attempt.round, cast(Cause, attempt.value)
        round_.open.remove(attempt)
        if not attempt.master:
            round_.gateway.line.remove(attempt)
            round_.end(Cause.OVERFLOW)
            return
        self._record(attempt, cause)
        if cause is Cause.OK:
            self.master[round_.message] = attempt.master
            for other in round_.open:
                self._cancel(other)
            round_.open.clear()
        else:
            round_.tried.append(attempt.master)
        if not round_.open:
            round_.end(cause)

    def _record(self, attempt: Attempt, cause: Cause) -> None:
        """Balancer, counts, and the first of those who wait for room."""
        gateway, master = attempt.round.gateway, attempt.master
        balancer, now = gateway.balancer, self.env.now
        elapsed_ns = now - attempt.sent_ns
        key = (master, cause)
        self.attempt_causes[key] = self.attempt_causes.get(key, 0) + 1
        self._call_line(gateway)
        if cause is Cause.CANCELLED:
            balancer.record_message_cancelled(now, master, elapsed_ns)
        elif cause is Cause.OK:
            gateway.perform(balancer.record_message_corresponded(now, master, elapsed_ns))
            gateway.note_latency(elapsed_ns)
            if attempt.partition is not None:
                self._answered(attempt.partition)
        else:
            gateway.perform(balancer.record_message_failed(now, master, cause, elapsed_ns))

    def _cancel(self, attempt: Attempt) -> None:
        attempt.cancel()
        self._record(attempt, Cause.CANCELLED)

    # -- waiting for room ----------------------------------------------------------

    def _call_line(self, gateway: SimGateway) -> None:
        """There may be room for one who waits: look when all has ended that ends now."""
        if gateway.line and not gateway.line_called:
            gateway.line_called = True
            number = self._gateways.index(gateway)
            Call(self.env, 0, LINE, self._serve_line, gateway, number)

    def _serve_line(self, event: Call) -> None:
        """Send the first one for whom there is room, and look again."""
        gateway: SimGateway = event.load
        gateway.line_called = blocked = False
        if self.env.now >= gateway.look_ns:
            gateway.look_ns = NEVER
        for attempt in gateway.line:
            stateless = attempt.partition is None
            if blocked and stateless:
                continue
            master = self._select(attempt.round, attempt.draw, attempt.round.tried, strict=False)
            if master is not None:
                gateway.line.remove(attempt)
                self._send(attempt, master)
                self._call_line(gateway)
                return
            blocked = blocked or stateless
        self._look_again(gateway)

    def _look_again(self, gateway: SimGateway) -> None:
        """Look when there may be room although nothing ends, unless that is done before."""
        opens_ns = gateway.balancer.opens_ns
        if gateway.line and self.env.now < opens_ns < gateway.look_ns:
            gateway.look_ns = opens_ns
            delay, number = opens_ns - self.env.now, self._gateways.index(gateway)
            Call(self.env, delay, LINE, self._serve_line, gateway, number)

    # -- timeouts --------------------------------------------------------------------

    def _await(self, attempt: Attempt) -> None:
        """The client waits from now on, for an answer or for room."""
        if attempt.expires_ns == 0:
            assert attempt.callbacks is not None
            attempt.callbacks.append(self._ended)
        attempt.expires_ns = self.env.now + self._settings.timeout_ns
        self._waiting.append((attempt.expires_ns, attempt))
        if len(self._waiting) == 1:
            Call(self.env, self._settings.timeout_ns, TIMEOUT, self._expire)

    def _expire(self, _: Call) -> None:
        """The first attempt in line has been waited for long enough.

        One timeout for all attempts: they expire in the order in which they were
        sent, so one timer for the first that still waits does for all of them.
        """
        waiting, now = self._waiting, self.env.now
        while waiting:
            expires_ns, attempt = waiting[0]
            # One that waited for room has waited anew since it was sent.
            settled = attempt.triggered or attempt.expires_ns != expires_ns
            if not settled and expires_ns > now:
                break
            waiting.popleft()
            if not settled:
                attempt.succeed(Cause.TIMEOUT)
        if waiting:
            Call(self.env, waiting[0][0] - now, TIMEOUT, self._expire)

    def _deliver(self, event: Call) -> None:
        master, attempt = event.load
        master.accept(attempt)
