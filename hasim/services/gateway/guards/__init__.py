"""Guards: what stands around the choice of a master, to keep one that fails from doing harm.

Plain functions over fields and indexable sequences: the service calls them with lists of
`Guard`, the compiled data plane calls the very same functions with arrays of records.
"""

from hasim.services.gateway.guards.breaker import BreakerSettings
from hasim.services.gateway.guards.guard import Guard
from hasim.services.gateway.guards.limits import LimitSettings
from hasim.services.gateway.guards.outliers import OutlierSettings
from hasim.services.gateway.guards.slow_start import SlowStartSettings

__all__ = ["BreakerSettings", "Guard", "LimitSettings", "OutlierSettings", "SlowStartSettings"]
