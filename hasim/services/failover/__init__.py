"""Failover: trigger, selection, lifecycle, and the orchestrator that carries it out."""

from hasim.services.failover.fencing.best_effort import BestEffortSettings
from hasim.services.failover.fencing.confirmed import ConfirmedSettings
from hasim.services.failover.fencing.lease import LeaseFencingSettings
from hasim.services.failover.fencing.manual import ManualSettings
from hasim.services.failover.fencing.none import NoFencingSettings
from hasim.services.failover.fencing.step_down import StepDownSettings
from hasim.services.failover.fencing.token import TokenSettings
from hasim.services.failover.orchestrator import FailoverOrchestrator
from hasim.services.failover.settings import FailoverSettings

__all__ = [
    "BestEffortSettings",
    "ConfirmedSettings",
    "FailoverOrchestrator",
    "FailoverSettings",
    "LeaseFencingSettings",
    "ManualSettings",
    "NoFencingSettings",
    "StepDownSettings",
    "TokenSettings",
]
