"""Confirmed fencing: nothing is promoted before the device says that the others are off."""

from __future__ import annotations

from typing import Annotated

from hasim.services.failover.failover import Failover
from hasim.services.failover.fencing.device import Device, DeviceSettings
from hasim.settings import count, duration, settings
from hasim.units import SECOND


@settings
class ConfirmedSettings(DeviceSettings):
    """How often the device is asked, and after which pauses."""

    attempts: Annotated[
        int,
        count(
            "Fencing orders before the failover gives up.",
            source="Pacemaker stonith-max-attempts (10)",
        ),
    ] = 10
    backoff_ns: Annotated[
        int,
        duration(
            "Pause after a fencing order that the device refused; each further pause is twice as "
            "long, up to the timeout.",
            above=0,
        ),
    ] = 1 * SECOND


class Confirmed(Device):
    """Nothing is promoted before the device confirms that whoever may accept writes is off.

    (Pacemaker's STONITH; Microsoft's storage reservations in spirit.)
    """

    settings: ConfirmedSettings

    def __init__(self, settings: ConfirmedSettings) -> None:
        super().__init__(settings)

    def exhausted(self, failover: Failover) -> bool:
        """Whether as many orders have failed as may."""
        return failover.fence_orders >= self.settings.attempts

    def pause_ns(self, failover: Failover) -> int:
        """Twice as long as the last time, up to the time-out."""
        longest_ns = max(self.settings.backoff_ns, self.settings.timeout_ns)
        failover.fence_pause_ns = min(
            2 * failover.fence_pause_ns or self.settings.backoff_ns, longest_ns
        )
        return failover.fence_pause_ns
