"""The dispatcher: sends each message's attempts until it is answered, or has failed."""

from __future__ import annotations

from hasim.model import SERVED, Cause
from hasim.services.balancing.chance import hash_of_number
from hasim.services.gateway.addresses import OPENS
from hasim.services.gateway.attempts import Attempt, Message
from hasim.services.gateway.budget import (
    allows,
    deposit,
    release,
    withdraw,
)
from hasim.services.gateway.effects import (
    HEDGE,
    LIMIT,
    LINE,
    RETRY,
    TIMEOUT,
    Cancel,
    DispatcherEffect,
    ProbeLoad,
    Released,
    Send,
    Settle,
    Wakeup,
)
from hasim.services.gateway.memory import Memory
from hasim.services.gateway.pace import note_latency
from hasim.services.gateway.retrying import CLINGS, LEAVES, NONE, follows, starts_at, stays
from hasim.services.gateway.rules import (
    HEDGED,
    NEVER,
    hedge_after,
    is_passed_over,
    may_join,
    still_waits,
)
from hasim.services.watch import CODES

Effects = list[DispatcherEffect]
"""In the order in which they were decided."""
LAST = Wakeup(NEVER, RETRY, 2**63, -1)
"""After every wake-up that there can be."""


class Dispatcher(Memory):
    """The life of every attempt of the messages at one gateway, as a machine without any I/O.

    It is told of what happens, and answers with what is to be done (see `effects`): a message
    `arrived`, an attempt was `connected` or `answered`, the time has come that `next_wakeup`
    asked for (`woken`). It chooses, counts and reports through the gateway service. What it does by
    itself: times out, retries after a back-off within a budget, sends a second attempt beside a
    slow one (hedging), lets attempts wait for room, and settles each message once.

    Messages are known by a number of the driver's, each once; attempt k (from 0) of message i
    is number i x (attempts at most) + k, and the one beside it has `HEDGED` added. `chance` gives
    the uniforms; without it they are by arithmetic from the gateway's name. Dispatchers that are
    driven together have each a `number`, which says whose line is looked after first, and
    share one `serial`, so that their attempts time out in the order in which they were sent.
    """

    # -- what happens --------------------------------------------------------------

    def arrived(
        self,
        now: int,
        message: int,
        partition: str | None = None,
        *,
        vip: bool = False,
        key: int | str | None = None,
        client: int = 0,
    ) -> Effects:
        """A message has come; see `GatewayService.select_master`.

        `client` is the number of who sends it, among the clients of all gateways.

        ValueError for one that is under way, KeyError for an unknown partition.
        """
        if message in self._messages:
            raise ValueError(f"message {message} is under way already")
        if partition is not None:
            self.gateway.standing.owner_of(partition)
        deposit(self._retries)
        deposit(self._hedges)
        give_up_ns = now + self.settings.deadline_ns
        made = self._messages[message] = Message(message, partition, vip, key, give_up_ns, client)
        out: Effects = []
        self._try(now, made, out)
        return out

    def answered(self, now: int, attempt: int, cause: Cause) -> Effects:
        """The answer of an attempt has come, or its failure; ignored if nobody waits for it."""
        found = self._attempts.get(attempt)
        out: Effects = []
        if (
            found is not None
            and found.master
            and still_waits(now, found.since_ns, self.settings.timeout_ns)
        ):
            self._end(now, found, cause, out)
        return out

    def connected(self, now: int, attempt: int) -> Effects:
        """A host has accepted an attempt's connection: from now on only an answer is waited for.

        To be told only if there is a timeout for it.
        """
        found = self._attempts.get(attempt)
        if found is not None and still_waits(now, found.since_ns, self.settings.connect_timeout_ns):
            found.connected = True
        return []

    def rerouted(self, now: int) -> Effects:
        """The gateway service has applied another routing table: there may be room."""
        self._line.call(now)
        return []

    def next_wakeup(self) -> Wakeup | None:
        """When it wants to be called if nothing happens."""
        return self._wakeups.first()

    def woken(self, now: int, until: Wakeup = LAST) -> Effects:
        """Do what the next wake-up is for, if its time has come, and it is not after `until`.

        One at a time: whoever does nothing else at this instant calls until `next_wakeup` lies
        ahead. Too early or too late is harmless.
        """
        wakeup = self._wakeups.first()
        out: Effects = []
        if wakeup is None or wakeup.time_ns > now or wakeup > until:
            return out
        self._wakeups.remove(wakeup)
        if wakeup.kind == TIMEOUT:
            self._expire(now, self._attempts[wakeup.attempt], out)
        elif wakeup.kind == LIMIT:
            self._reach_limit(now, self._attempts[wakeup.attempt], out)
        elif wakeup.kind == LINE:
            self._serve_line(now, out)
        elif wakeup.kind == HEDGE:
            self._hedge(now, self._attempts[wakeup.attempt], out)
        else:
            self._try(now, self._messages[wakeup.attempt // self._each], out)
        return out

    def under_way(self) -> list[Message]:
        """The messages that are not settled."""
        return list(self._messages.values())

    # -- sending -------------------------------------------------------------------

    def _try(self, now: int, message: Message, out: Effects) -> None:
        """Send an attempt, or let it wait for room, or leave it at that."""
        number = message.number * self._each + message.round
        message.tries += 1
        attempt = Attempt(number, message.number, now)
        master = self._directory.known_to(now, message) or self._select(
            now, message, number, message.tried, out
        )
        if master is not None:
            self._send(now, message, attempt, master, out)
            return
        refusal, hold = self.gateway.refusal, self.settings.hold
        attempt.held = refusal is Cause.UNROUTABLE
        most = hold.most if attempt.held else self.gateway.settings.limits.max_queue
        if may_join(len(self._line.waiting), most):
            self._attempts[number] = attempt
            message.open.append(number)
            self._line.join(attempt, hold.for_ns)
            self._line.look_again(now, self.gateway.opens_ns)
        else:
            self._end_round(now, message, refusal, out)

    def _select(
        self,
        now: int,
        message: Message,
        attempt: int,
        avoid: list[str],
        out: Effects,
        *,
        strict: bool = False,
    ) -> str | None:
        gateway, key = self.gateway, message.key
        master = gateway.select_master(
            now,
            message.partition,
            vip=message.vip,
            avoid=avoid,
            key=key,
            hashed=hash_of_number(message.number) if key is None else None,
            draw=self._chance.picks(attempt),
            strict=strict,
            again=message.master if (stay := self._stays(message, attempt)) else None,
            pinned=stay == CLINGS,
        )
        if gateway.choice.probes_masters and (asked := gateway.take_load_probes()):
            out.append(ProbeLoad(attempt, tuple(asked)))
        return master

    def _stays(self, message: Message, attempt: int) -> int:
        """Whether an attempt shall go to the master of the one before it (see `stays`)."""
        retried = attempt < HEDGED and message.partition is None and message.master != ""
        return stays(self._outer, self._inner, message.round) if retried else LEAVES

    def _send(
        self, now: int, message: Message, attempt: Attempt, master: str, out: Effects
    ) -> None:
        """Put an attempt on its way; the client's timeout begins anew."""
        number = attempt.number
        if attempt.held:
            out.append(Released(number, message.partition, now - attempt.since_ns))
            attempt.held = False
        attempt.master, attempt.since_ns = master, now
        opened_ns = OPENS
        if number < HEDGED:
            followed = self._directory.follows(now, message, number, master)
            out += [] if followed is None else [followed]
            opened_ns = self._directory.use(now, message, master)
        self._attempts[number] = attempt
        if number not in message.open:
            message.open.append(number)
        message.master = master
        self._wakeups.wait(attempt)
        if self.settings.connect_timeout_ns and opened_ns == OPENS:
            self._wakeups.add(now + self.settings.connect_timeout_ns, LIMIT, number, number)
        attempt.connected = opened_ns != OPENS
        if message.partition is None and number < HEDGED:
            wait_ns = hedge_after(self._pace.delay_ns, self.settings.hedge.after_ns)
            if wait_ns > 0:
                self._wakeups.add(now + wait_ns, HEDGE, number, number)
        expires_ns = now + self.settings.timeout_ns
        out.append(Send(number, message.number, master, expires_ns, opened_ns))

    def _hedge(self, now: int, first: Attempt, out: Effects) -> None:
        """There is no answer yet: a second attempt, at another master, if the budget allows."""
        message = self._messages[first.message]
        if not allows(self._hedges):
            return
        number, avoid = first.number + HEDGED, [*message.tried, first.master]
        master = self._select(now, message, number, avoid, out, strict=True)
        if master is None:
            return
        withdraw(self._hedges)
        message.tries += 1
        self._send(now, message, Attempt(number, message.number, now), master, out)

    # -- ends ------------------------------------------------------------------------

    def _expire(self, now: int, attempt: Attempt, out: Effects) -> None:
        """A client has waited long enough."""
        if attempt.master:
            self._end(now, attempt, Cause.TIMEOUT, out)
            return
        self._leave(now, attempt, Cause.OVERFLOW, out)

    def _reach_limit(self, now: int, attempt: Attempt, out: Effects) -> None:
        """A client has waited long enough for a connection, or was held for long enough."""
        waited_ns = now - attempt.since_ns
        if attempt.held and waited_ns == self.settings.hold.for_ns:
            self._leave(now, attempt, Cause.UNROUTABLE, out)
        elif waited_ns == self.settings.connect_timeout_ns and attempt.unconnected:
            self._end(now, attempt, Cause.CONNECT_TIMEOUT, out)

    def _leave(self, now: int, attempt: Attempt, cause: Cause, out: Effects) -> None:
        """One has waited in vain for somebody to take it."""
        message = self._messages[attempt.message]
        del self._line.waiting[attempt.number], self._attempts[attempt.number]
        message.open.remove(attempt.number)
        self._end_round(now, message, cause, out)

    def _end(self, now: int, attempt: Attempt, cause: Cause, out: Effects) -> None:
        """An attempt that was sent was answered, or has failed."""
        message = self._messages[attempt.message]
        self._record(now, attempt, cause, out)
        message.open.remove(attempt.number)
        if cause in SERVED:
            message.master = attempt.master
            for number in message.open:
                other = self._attempts[number]
                out.append(Cancel(number, other.master))
                self._record(now, other, Cause.CANCELLED, out)
            message.open.clear()
        else:
            message.tried.append(attempt.master)
            if attempt.number < HEDGED:
                self._directory.failed(now, message, attempt.master, cause)
        if not message.open:
            self._end_round(now, message, cause, out)

    def _record(self, now: int, attempt: Attempt, cause: Cause, out: Effects) -> None:
        """Gateway, counts, and the first of those who wait for room."""
        gateway, master = self.gateway, attempt.master
        elapsed_ns = now - attempt.since_ns
        del self._attempts[attempt.number]
        self.causes[master, cause] = self.causes.get((master, cause), 0) + 1
        self._line.call(now)
        if cause is Cause.CANCELLED:
            gateway.record_message_cancelled(now, master, elapsed_ns)
        elif cause in SERVED:
            out += gateway.record_message_corresponded(now, master, elapsed_ns)
            quantile = self.settings.hedge.quantile
            if quantile > 0.0:
                note_latency(self._latencies, 0, self._pace, quantile, elapsed_ns)
        else:
            out += gateway.record_message_failed(now, master, cause, elapsed_ns)

    def _end_round(self, now: int, message: Message, cause: Cause, out: Effects) -> None:
        """All attempts of a round have ended: the message is settled, unless it tries again."""
        if message.round:
            release(self._retries)
        outer, inner = self._outer, self._inner
        following = follows(outer, inner, message.round, CODES[cause])
        if following != NONE:
            number = message.number * self._each + following
            uniform = self._chance.backoff(number)
            at = starts_at(now, message.give_up_ns, outer, inner, following, uniform)
            if at != NEVER and allows(self._retries):
                withdraw(self._retries)
                message.round = following
                self._wakeups.add(at, RETRY, number, number)
                return
            if at != NEVER:
                self._retries.cut += 1
        del self._messages[message.number]
        out.append(Settle(message.number, cause, message.master, message.tries))

    # -- waiting for room --------------------------------------------------------------

    def _serve_line(self, now: int, out: Effects) -> None:
        """Send the first one for whom there is room, and look again."""
        self._line.begin(now)
        blocked = False
        for number in self._line.waiting:
            attempt = self._attempts[number]
            message = self._messages[attempt.message]
            stateless = message.partition is None and not self._stays(message, number)
            if is_passed_over(stateless, blocked):
                continue
            master = self._select(now, message, number, message.tried, out)
            if master is not None:
                del self._line.waiting[number]
                self._send(now, message, attempt, master, out)
                self._line.call(now)
                return
            blocked = blocked or stateless
        self._line.look_again(now, self.gateway.opens_ns)
