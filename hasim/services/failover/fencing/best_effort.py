"""Fencing by best effort: one order to the device, and the failover goes on."""

from __future__ import annotations

from typing import ClassVar

from hasim.services.failover.fencing.device import Device, DeviceSettings
from hasim.settings import settings


@settings
class BestEffortSettings(DeviceSettings):
    """One order to power off, and no more."""

    ONE_PRIMARY: ClassVar[bool] = False


class BestEffort(Device):
    """One order to power off, and the failover goes on whatever becomes of it.

    Whoever may still accept writes is told to step down. (MHA's shutdown_script; orchestrator's
    PreFailoverProcesses, whose failure can be ignored.)
    """

    settings: BestEffortSettings
    ENOUGH: ClassVar[bool] = True

    def __init__(self, settings: BestEffortSettings) -> None:
        super().__init__(settings)
