"""High-availability services, tested against simulated masters.

>>> import hasim
>>> result = hasim.run("quickstart", replications=5)  # doctest: +SKIP
>>> result.summary()  # doctest: +SKIP

A name is imported when it is first used, so that ``import hasim`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hasim.api import (
        bench,
        compare,
        configure,
        data,
        doctor,
        load_run,
        resume,
        run,
        tradeoff,
    )
    from hasim.deciding import advise, budget, capacity
    from hasim.findings.advice import Advice
    from hasim.findings.budgets import Budgets
    from hasim.findings.capacity import Capacity
    from hasim.findings.contest import hear
    from hasim.findings.frames import read_frame
    from hasim.findings.gating import GateReport
    from hasim.findings.objectives import objectives
    from hasim.findings.result import Result
    from hasim.journal import Journal
    from hasim.services.balancing.service import LoadBalancingService
    from hasim.services.control_plane import ControlPlane
    from hasim.services.detection import FailoverDetectionService
    from hasim.services.failover import FailoverOrchestrator
    from hasim.services.gateway.dispatcher import Dispatcher
    from hasim.services.gateway.service import GatewayService
    from hasim.services.monitoring import HighAvailabilityMonitor
    from hasim.version import __version__

_HOMES = {
    "Advice": "hasim.findings.advice",
    "Budgets": "hasim.findings.budgets",
    "Capacity": "hasim.findings.capacity",
    "ControlPlane": "hasim.services.control_plane",
    "Dispatcher": "hasim.services.gateway.dispatcher",
    "FailoverDetectionService": "hasim.services.detection",
    "FailoverOrchestrator": "hasim.services.failover",
    "GateReport": "hasim.findings.gating",
    "GatewayService": "hasim.services.gateway.service",
    "HighAvailabilityMonitor": "hasim.services.monitoring",
    "Journal": "hasim.journal",
    "LoadBalancingService": "hasim.services.balancing.service",
    "Result": "hasim.findings.result",
    "__version__": "hasim.version",
    "advise": "hasim.deciding",
    "bench": "hasim.api",
    "budget": "hasim.deciding",
    "capacity": "hasim.deciding",
    "compare": "hasim.api",
    "configure": "hasim.api",
    "data": "hasim.api",
    "doctor": "hasim.api",
    "hear": "hasim.findings.contest",
    "load_run": "hasim.api",
    "objectives": "hasim.findings.objectives",
    "read_frame": "hasim.findings.frames",
    "resume": "hasim.api",
    "run": "hasim.api",
    "tradeoff": "hasim.api",
}
__all__ = [
    "Advice",
    "Budgets",
    "Capacity",
    "ControlPlane",
    "Dispatcher",
    "FailoverDetectionService",
    "FailoverOrchestrator",
    "GateReport",
    "GatewayService",
    "HighAvailabilityMonitor",
    "Journal",
    "LoadBalancingService",
    "Result",
    "__version__",
    "advise",
    "bench",
    "budget",
    "capacity",
    "compare",
    "configure",
    "data",
    "doctor",
    "hear",
    "load_run",
    "objectives",
    "read_frame",
    "resume",
    "run",
    "tradeoff",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'hasim' has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
