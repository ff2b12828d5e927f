"""Drives one gateway's dispatcher under SimPy: its requests, answers and wake-ups."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hasim.events import SendReport
from hasim.model import Cause
from hasim.services.gateway.addresses import OPENS
from hasim.services.gateway.chance import Seeded
from hasim.services.gateway.dispatcher import Dispatcher, Effects
from hasim.services.gateway.effects import Followed, ProbeLoad, Released, Send, Settle, Wakeup
from hasim.services.gateway.settings import DispatcherSettings
from hasim.services.gateway.wakeups import Serial
from hasim.simulation.clients.delays import Delays
from hasim.simulation.clients.gateway import SimGateway
from hasim.simulation.clients.load_probes import LoadProbes
from hasim.simulation.clients.reference.request import Request
from hasim.simulation.clients.reference.ways import Way
from hasim.simulation.clients.traffic import Messages
from hasim.simulation.clock import (
    ARRIVAL,
    HEDGE,
    LIMIT,
    LINE,
    MESSAGES,
    TIMEOUT,
    Call,
    Clock,
)
from hasim.simulation.masters.master import SimMaster
from hasim.simulation.network import Network, master_endpoint

RANKS = ((LIMIT, MESSAGES), (TIMEOUT, 0), (LINE, 0), (HEDGE, MESSAGES), (ARRIVAL, MESSAGES))
"""By kind of wake-up: its rank, and what its key has to be added to."""


class Drawn(Seeded):
    """The uniforms of a run: picks by arithmetic, waits as they were drawn for the messages."""

    def __init__(self, seed: int, messages: Messages) -> None:
        super().__init__(seed)
        self._messages = messages

    def backoff(self, attempt: int) -> float:
        """The one that says how long to wait before an attempt."""
        return self._messages.backoff[self._messages.place(attempt)]


class SimDispatcher:
    """One dispatcher, and what carries out its effects.

    `offset` is that of its tier: it is added to the keys of all that happens.
    `delays` is told what clients waited for, `settled` of each message that has ended, `sent` of
    the message and the number of the master of each attempt.
    """

    def __init__(
        self,
        env: Clock,
        gateway: SimGateway,
        settings: DispatcherSettings,
        messages: Messages,
        partitions: Sequence[str],
        probes: LoadProbes,
        seed: int,
        *,
        number: int,
        serial: Serial,
        offset: int,
        delays: Delays,
        sent: Callable[[int, int], None],
        settled: Callable[[Settle, int], None],
    ) -> None:
        self.dispatcher = Dispatcher(
            gateway.balancer, settings, Drawn(seed, messages), number=number, serial=serial
        )
        self._env = env
        self._offset = offset
        self._gateway = gateway
        self._messages = messages
        # The number of a partition is its place; that of stateless messages is the last one's.
        self._partitions: list[str | None] = [*partitions, None]
        self._probes = probes
        self._delays = delays
        self._sent = sent
        self._number = number
        self._clients = settings.clients.number if settings.clients else 0
        self._connects = settings.connect_timeout_ns > 0
        self._settled = settled
        self._served_ns = -1
        """When the master had served what was answered last (nanoseconds)."""
        self._ways: dict[str, Way] = {}
        # The wake-ups that calls are under way for, the next one last. One that is not needed
        # any more comes all the same, since that is harmless.
        self._armed: list[Wakeup] = []

    def connect(self, masters: dict[str, SimMaster], network: Network) -> None:
        """Find the ways to all masters."""
        here = self._gateway.endpoint
        for number, master in enumerate(masters.values()):
            there = master_endpoint(master.id)
            self._ways[master.id] = Way(
                master,
                number,
                network.links[here, there],
                network.links[there, here],
                self._messages.demand_ns[master.law],
                self._answered,
            )

    def arrive(self, message: int) -> None:
        """A message arrives, now."""
        messages = self._messages
        self._perform(
            self.dispatcher.arrived(
                self._env.now,
                message,
                self._partitions[messages.partition[message]],
                vip=messages.vip[message],
                key=messages.key[message] if messages.key else None,
                client=self._client_of(message),
            )
        )

    def _client_of(self, message: int) -> int:
        """Who sends a message, among the clients of all gateways."""
        clients, own = self._clients, self._messages.client
        return self._number * clients + own[message] if clients else 0

    def rerouted(self) -> None:
        """A gateway uses another routing table."""
        self._perform(self.dispatcher.rerouted(self._env.now))

    def _connected(self, call: Call) -> None:
        attempt = call.load - MESSAGES - self._offset
        self._perform(self.dispatcher.connected(self._env.now, attempt))

    def _answered(self, call: Call) -> None:
        key, cause, self._served_ns = call.load
        self._perform(self.dispatcher.answered(self._env.now, key - MESSAGES - self._offset, cause))

    def _perform(self, effects: Effects) -> None:
        """Carry out effects, and make sure that the dispatcher is called when it wants to be."""
        for effect in effects:
            if isinstance(effect, Send):
                self._send(effect)
            elif isinstance(effect, Settle):
                self._settled(effect, self._served_ns)
            elif isinstance(effect, SendReport):
                self._gateway.perform((effect,))
            elif isinstance(effect, ProbeLoad):
                self._probes.send(self._gateway, effect.attempt, effect.masters)
            elif isinstance(effect, Followed | Released):
                self._note(effect)
            # A master goes on with what was cancelled: it does not know.
        wakeup = self.dispatcher.next_wakeup()
        if wakeup is not None and (not self._armed or wakeup < self._armed[-1]):
            self._armed.append(wakeup)
            rank, base = RANKS[wakeup.kind]
            delay = wakeup.time_ns - self._env.now
            Call(self._env, delay, rank, self._wake, wakeup, base + wakeup.key + self._offset)

    def _note(self, effect: Followed | Released) -> None:
        """What a client, or a message, has waited for."""
        gateway, partition = self._number, effect.partition or ""
        if isinstance(effect, Followed):
            left = effect.left or ""
            follows = self._delays.following(gateway, effect.since_ns, left, partition)
            follows.add(effect.name_ns, effect.pool_ns, effect.stay_ns, effect.pause_ns)
        else:
            tabled_ns = self._gateway.balancer.tabled_ns
            self._delays.holding(gateway, tabled_ns, partition).add(effect.held_ns)

    def _wake(self, call: Call) -> None:
        self._armed.pop()
        self._perform(self.dispatcher.woken(self._env.now, call.load))

    def _send(self, effect: Send) -> None:
        """Put a request on its way."""
        messages, way = self._messages, self._ways[effect.master]
        self._sent(effect.message, way.number)
        place = messages.place(effect.attempt)
        ratio, luck = messages.ratio_there[place], messages.loss_there[place]
        delay = way.there.crossing(ratio, luck, self._env.now)
        if delay >= 0:
            request = Request(
                self._env,
                messages,
                way,
                key=MESSAGES + self._offset + effect.attempt,
                place=place,
                partition=self._partitions[messages.partition[effect.message]],
                expires_ns=effect.expires_ns,
                opened_ns=effect.opened_ns,
                faulty=bool(messages.faulty) and messages.faulty[effect.message],
            )
            Call(self._env, delay, ARRIVAL, self._deliver, (way, request), request.key)
        if not self._gateway.armed:
            self._gateway.arm()

    def _deliver(self, call: Call) -> None:
        """A request arrives at its master; a host that is on has accepted its connection.

        A process knows nothing of connections to one that died.
        """
        way, request = call.load
        master, opens = way.master, request.opened_ns == OPENS
        if not (opens or master.silent) and request.opened_ns < master.died_ns:
            request.reply(Cause.RESET)
            return
        if self._connects and opens and not (master.silent or master.refusing):
            request.tell(self._connected)
        master.accept(request)
