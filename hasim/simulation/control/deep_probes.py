"""Health checks that a worker has to look at, and what they are drawn from."""

from __future__ import annotations

from collections.abc import Callable

from hasim.model import Cause
from hasim.simulation.clock import Call
from hasim.simulation.laws import whole_ns
from hasim.simulation.masters.job import NOT_ASKED, UNWRITTEN
from hasim.simulation.service import ServiceLaw
from hasim.simulation.settings import MasterSettings
from hasim.simulation.streams import Stream


class DeepProbe:
    """A health check that goes through the queue like a message; `number` tells it from others."""

    def __init__(
        self, number: int, demand_ns: int, error_draw: float, answer: Callable[[Cause], None]
    ) -> None:
        self.key = number
        self.demand_ns = demand_ns
        self.error_draw = error_draw
        self.partition: str | None = None
        self.queued_ns = self.remaining_ns = self.resumed_ns = 0
        self.completion: Call | None = None
        self.asks, self.asked = False, NOT_ASKED
        self.faulty, self.written_ns = False, UNWRITTEN
        self._answer = answer

    def reply(self, cause: Cause) -> bool:
        """The master answers; nothing is acknowledged by that."""
        self._answer(cause)
        return False


class ProbeDraws:
    """The work and the errors of a master's deep probes, for all observers.

    `law` is that of its messages: probes without a law of their own are as much work.
    """

    def __init__(
        self, settings: MasterSettings, law: ServiceLaw, *, seed: int, replication: int
    ) -> None:
        self._law: ServiceLaw = settings.health_work or law
        # Streams for each master: what one of them needs does not shift the others' luck.
        self._work = Stream(seed, replication, f"probe-work:{settings.id}")
        self._errors = Stream(seed, replication, f"probe-errors:{settings.id}")

    def take(self) -> tuple[int, float]:
        """The work of the next probe (nanoseconds), and the uniform that says if it fails."""
        return int(whole_ns(self._law, self._work.uniforms())[0]), self._errors.uniform()
