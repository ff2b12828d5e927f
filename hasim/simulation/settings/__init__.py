"""What a simulated world is made of, as settings, by subject; faults and operations by name."""

from hasim.services.gateway.settings import HedgeSettings, RetrySettings
from hasim.simulation.settings.masters import (
    ColdSettings,
    FencingDeviceSettings,
    MasterSettings,
    PromotionSettings,
    ReplicationSettings,
    StateSettings,
)
from hasim.simulation.settings.network import (
    BurstSettings,
    FixedRtt,
    JitterLaw,
    NetworkSettings,
)
from hasim.simulation.settings.recordings import JitterTrace, MatrixTrace, TraceArrivals
from hasim.simulation.settings.tiers import ClusterSettings, ObserverSettings, TierSettings
from hasim.simulation.settings.traffic import (
    ConstantArrivals,
    CurveArrivals,
    KeySettings,
    PoissonArrivals,
    RequestSettings,
    TrafficSettings,
)
from hasim.simulation.settings.world import WorldSettings

__all__ = [
    "BurstSettings",
    "ClusterSettings",
    "ColdSettings",
    "ConstantArrivals",
    "CurveArrivals",
    "FencingDeviceSettings",
    "FixedRtt",
    "HedgeSettings",
    "JitterLaw",
    "JitterTrace",
    "KeySettings",
    "MasterSettings",
    "MatrixTrace",
    "NetworkSettings",
    "ObserverSettings",
    "PoissonArrivals",
    "PromotionSettings",
    "ReplicationSettings",
    "RequestSettings",
    "RetrySettings",
    "StateSettings",
    "TierSettings",
    "TraceArrivals",
    "TrafficSettings",
    "WorldSettings",
]
