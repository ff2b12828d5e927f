"""NFD-S: a freshness point for each heartbeat, from the time at which it was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from hasim.services.detection.detectors.freshness import Freshness, FreshnessSettings
from hasim.settings import duration, settings
from hasim.units import MILLISECOND


@settings
class SynchronisedSettings(FreshnessSettings):
    """Freshness points follow the sending times; the clocks of both must be synchronised."""

    NUMBERED: ClassVar[bool] = True

    shift_ns: Annotated[
        int,
        duration(
            "From the sending of a heartbeat to its freshness point (delta): a crash is detected "
            "within interval + shift, whatever the delays and losses are.",
            source="Chen, Toueg, Aguilera 2002, section 3; `hasim configure nfd-s` chooses it",
        ),
    ] = 500 * MILLISECOND


@dataclass(slots=True)
class Synchronised(Freshness):
    """Convicts when the next heartbeat is not there by its freshness point: sending time + shift.

    tau(l+1) = sigma(l) + eta + delta, with sigma the sending time by the master's clock and l the
    highest number heard.

    Of all detectors that send as often and detect within eta + delta, it is correct for the
    largest share of the time (Chen, Toueg, Aguilera: On the quality of service of failure
    detectors, IEEE ToC 51(5), 2002, theorem 6).
    """

    settings: SynchronisedSettings

    def passed(self, now: int, number: int, took_ns: int) -> None:
        """A heartbeat that was sent `took_ns` ago."""
        self.heard_ns = now
        self.due_ns = max(self.due_ns, now - took_ns + self.patience_ns())

    def patience_ns(self) -> int:
        """From a sending to the freshness point of the next one."""
        return self.period_ns + self.settings.shift_ns
