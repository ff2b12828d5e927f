"""The condition of a master: what faults have done to it."""

from __future__ import annotations

from collections.abc import Callable

from hasim.model import Cause


class Condition:
    """Faults are counted, so that overlapping ones of one kind end independently.

    `crashes` (connections are refused), `offs` (silence: power-off or fenced),
    `hangs` (accepts, never answers), `stalls` (the same for a moment: how long each lasts, in ns),
    `deadlocks` (the same, but for health checks and heartbeats, which have threads of their own),
    `disks` (writes do not go on), `lies` (health checks pass whatever is wrong), `speeds` and
    `error_rates` (lists that multiply), `delays` (added to what begins: a list, in ns),
    `error_times` (what fails takes the shortest of them, in ns). `lags` (what is added to
    the lag of its copies: a list, in ns). `held` are the partitions whose
    writes do not go on although its disk does. `farewell` is what it does before it stops in good
    order.
    """

    def __init__(self) -> None:
        self.crashes = self.offs = self.hangs = self.deadlocks = self.disks = self.lies = 0
        self.stalls: list[int] = []
        self.delays: list[int] = []
        self.speeds: list[float] = []
        self.error_rates: list[float] = []
        self.error_times: list[int] = []
        self.lags: list[int] = []
        self.held: frozenset[str] = frozenset()
        self.farewell: Callable[[], None] = lambda: None

    @property
    def writes_wait(self) -> bool:
        """Writes do not go on: there is one log for all partitions."""
        return self.disks > 0 or bool(self.held)

    @property
    def silent(self) -> bool:
        """Packets to it vanish."""
        return self.offs > 0

    @property
    def refusing(self) -> bool:
        """The host lives and nobody listens."""
        return self.crashes > 0 and not self.silent

    @property
    def dead(self) -> bool:
        """No process runs: it refuses or is silent."""
        return self.offs > 0 or self.crashes > 0

    @property
    def answering(self) -> bool:
        """The process runs and is not stuck."""
        return not (self.offs or self.crashes or self.blocked)

    @property
    def beating(self) -> bool:
        """The process runs, and threads that wait for nobody run in it."""
        return not (self.offs or self.crashes or self.stuck)

    @property
    def stuck(self) -> bool:
        """It accepts and does not answer."""
        return self.hangs > 0 or bool(self.stalls)

    @property
    def blocked(self) -> bool:
        """It does not answer, except health checks perhaps."""
        return self.deadlocks > 0 or self.stuck

    @property
    def health(self) -> Cause | None:
        """How a health check ends that goes past the queue; None: it is not answered."""
        if self.offs:
            return None
        if self.lies or self.beating:
            return Cause.OK
        return Cause.REFUSED if self.crashes else None
