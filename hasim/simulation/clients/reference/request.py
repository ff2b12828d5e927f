"""The request of an attempt: what a master serves, and how the answer comes back."""

from __future__ import annotations

from collections.abc import Callable

from hasim.model import Cause
from hasim.simulation.clients.reference.ways import Way
from hasim.simulation.clients.traffic import Messages
from hasim.simulation.clock import ANSWER, Call, Clock
from hasim.simulation.masters.job import NOT_ASKED, UNWRITTEN


class Request:
    """One attempt on its way to a master, and there a job like any other."""

    __slots__ = (
        *("key", "demand_ns", "error_draw", "partition"),
        *("queued_ns", "remaining_ns", "resumed_ns", "completion", "asks", "asked", "written_ns"),
        *("opened_ns", "faulty", "_env", "_expires_ns", "_messages", "_place", "_way"),
    )

    def __init__(
        self,
        env: Clock,
        messages: Messages,
        way: Way,
        *,
        key: int,
        place: int,
        partition: str | None,
        expires_ns: int,
        opened_ns: int,
        faulty: bool,
    ) -> None:
        self.key = key
        self.demand_ns = way.demands_ns[place]
        self.error_draw = messages.error[place]
        self.partition = partition
        self.queued_ns = self.remaining_ns = self.resumed_ns = 0
        self.completion: Call | None = None
        self.asks, self.asked, self.written_ns = True, NOT_ASKED, UNWRITTEN
        self._env = env
        self._messages = messages
        self._way = way
        self._place = place
        self._expires_ns = expires_ns
        self.opened_ns = opened_ns
        self.faulty = faulty

    def tell(self, connected: Callable[[Call], None]) -> None:
        """The client hears that its connection was accepted."""
        messages, place = self._messages, self._place
        ratio, luck = messages.ratio_back[place], messages.loss_back[place]
        delay = self._way.back.crossing(ratio, luck, self._env.now)
        if delay >= 0:
            Call(self._env, delay, ANSWER, connected, self.key, self.key)

    def reply(self, cause: Cause) -> bool:
        """The master answers; who has given up by the time that it comes has hung up before."""
        messages, place, env = self._messages, self._place, self._env
        ratio, luck = messages.ratio_back[place], messages.loss_back[place]
        delay = self._way.back.crossing(ratio, luck, env.now)
        comes = delay >= 0 and env.now + delay < self._expires_ns
        if comes:
            Call(env, delay, ANSWER, self._way.answered, (self.key, cause, env.now), self.key)
        return comes
