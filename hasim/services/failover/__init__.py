"""Failover: trigger, selection, lifecycle, and the orchestrator that carries it out."""

from hasim.services.failover.orchestrator import FailoverOrchestrator
from hasim.services.failover.settings import FailoverSettings, FencingSettings

__all__ = ["FailoverOrchestrator", "FailoverSettings", "FencingSettings"]
