"""What a dispatcher remembers."""

from __future__ import annotations

from typing import Any, Self

from hasim.model import Cause
from hasim.services.balancing.chance import hash_of_text
from hasim.services.frozen import freeze, thaw
from hasim.services.gateway.attempts import Attempt, Message
from hasim.services.gateway.budget import Budget, hedges_of, retries_of
from hasim.services.gateway.chance import Chance, Seeded
from hasim.services.gateway.directory import Directory
from hasim.services.gateway.line import Line
from hasim.services.gateway.pace import BUCKETS, Pace
from hasim.services.gateway.retrying import layers_of
from hasim.services.gateway.service import GatewayService
from hasim.services.gateway.settings import DispatcherSettings
from hasim.services.gateway.wakeups import Serial, Wakeups


class Memory:
    """The state of a dispatcher, which can be frozen and restored; `Dispatcher` says what of."""

    def __init__(
        self,
        gateway: GatewayService,
        settings: DispatcherSettings,
        chance: Chance | None = None,
        *,
        number: int = 0,
        serial: Serial | None = None,
    ) -> None:
        self.gateway = gateway
        self.settings = settings
        self.causes: dict[tuple[str, Cause], int] = {}
        """How many attempts have ended, by master and how."""
        self._chance = chance or Seeded(hash_of_text(gateway.gateway))
        self._retries, self._hedges = retries_of(settings), hedges_of(settings)
        self._directory = Directory(settings.clients, gateway, self._chance.client)
        self._outer, self._inner = layers_of(settings.retry)
        self._each = settings.retry.total
        self._pace, self._latencies = Pace(), [0] * BUCKETS
        self._messages: dict[int, Message] = {}
        self._attempts: dict[int, Attempt] = {}
        self._wakeups = Wakeups(self._attempts, settings.timeout_ns, serial or Serial())
        self._line = Line(number, self._wakeups)

    @property
    def retries_cut(self) -> int:
        """How many retries its budget has not allowed."""
        return self._retries.cut

    def freeze(self) -> dict[str, Any]:
        """The whole state as plain data (JSON); the gateway service's is another."""
        return {
            "messages": freeze(list(self._messages.values())),
            "attempts": freeze(list(self._attempts.values())),
            **self._line.freeze(),
            "wakeups": self._wakeups.freeze(),
            "retries": freeze(self._retries),
            "hedges": freeze(self._hedges),
            "pace": freeze(self._pace),
            "latencies": freeze(self._latencies),
            "directory": self._directory.freeze(),
            "causes": [[master, cause.value, n] for (master, cause), n in self.causes.items()],
        }

    @classmethod
    def restore(
        cls,
        gateway: GatewayService,
        settings: DispatcherSettings,
        data: dict[str, Any],
        chance: Chance | None = None,
        *,
        number: int = 0,
        serial: Serial | None = None,
    ) -> Self:
        """The dispatcher that `freeze` was called on; `gateway` was restored as well."""
        made = cls(gateway, settings, chance, number=number, serial=serial)
        made._messages = {m.number: m for m in thaw(list[Message], data["messages"])}
        made._attempts.update((a.number, a) for a in thaw(list[Attempt], data["attempts"]))
        made._line.restore(data)
        made._wakeups.restore(data["wakeups"])
        made._retries = thaw(Budget, data["retries"])
        made._hedges = thaw(Budget, data["hedges"])
        made._directory.restore(data["directory"])
        made._pace = thaw(Pace, data["pace"])
        made._latencies = list(data["latencies"])
        made.causes = {(master, Cause(cause)): n for master, cause, n in data["causes"]}
        return made
