"""Ways of fencing, and presets of failover, by name: a line for each.

``FENCINGS.register("my-own", MyFencing)`` adds one of a user's own.
"""

from __future__ import annotations

from hasim.services.failover.fencing.best_effort import BestEffort
from hasim.services.failover.fencing.confirmed import Confirmed
from hasim.services.failover.fencing.fencing import Fencing
from hasim.services.failover.fencing.lease import LeaseFencing
from hasim.services.failover.fencing.manual import Manual
from hasim.services.failover.fencing.none import NoFencing
from hasim.services.failover.fencing.step_down import StepDown
from hasim.services.failover.fencing.token import Token
from hasim.services.failover.presets.keepalived import KEEPALIVED
from hasim.services.failover.presets.kubernetes import KUBERNETES
from hasim.services.failover.presets.orchestrator import ORCHESTRATOR
from hasim.services.failover.presets.pacemaker import PACEMAKER
from hasim.services.failover.presets.patroni import PATRONI
from hasim.services.failover.presets.pg_auto_failover import PG_AUTO_FAILOVER
from hasim.services.failover.presets.sentinel import SENTINEL
from hasim.settings.presets import Preset
from hasim.settings.registry import Named, Registry

FENCINGS: Registry[Fencing] = Registry(
    "a way of fencing",
    {
        "none": NoFencing,
        "best-effort": BestEffort,
        "confirmed": Confirmed,
        "lease": LeaseFencing,
        "token": Token,
        "step-down": StepDown,
        "manual": Manual,
    },
)
PRESETS: Named[Preset] = Named(
    "a preset of failover",
    {
        "sentinel": SENTINEL,
        "patroni": PATRONI,
        "keepalived": KEEPALIVED,
        "orchestrator": ORCHESTRATOR,
        "pg-auto-failover": PG_AUTO_FAILOVER,
        "pacemaker": PACEMAKER,
        "kubernetes": KUBERNETES,
    },
)
