"""The condition of a master: what faults have done to it."""

from __future__ import annotations


class Condition:
    """Faults are counted, so that overlapping ones of one kind end independently.

    `crashes` (connections are refused), `offs` (silence: power-off or fenced),
    `hangs` (accepts, never answers), `stalls` (the same for a moment: how long each lasts, in ns),
    `speeds` and `error_rates` (lists that multiply).
    """

    def __init__(self) -> None:
        self.crashes = self.offs = self.hangs = 0
        self.stalls: list[int] = []
        self.speeds: list[float] = []
        self.error_rates: list[float] = []

    @property
    def silent(self) -> bool:
        """Packets to it vanish."""
        return self.offs > 0

    @property
    def refusing(self) -> bool:
        """The host lives and nobody listens."""
        return self.crashes > 0 and not self.silent

    @property
    def answering(self) -> bool:
        """The process runs and is not stuck."""
        return not (self.offs or self.crashes or self.stuck)

    @property
    def stuck(self) -> bool:
        """It accepts and does not answer."""
        return self.hangs > 0 or bool(self.stalls)
