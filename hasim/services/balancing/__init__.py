"""Load balancing: the algorithms, and both halves of the service under one name."""

from hasim.services.balancing import registry
from hasim.services.balancing.settings import BalancingSettings

__all__ = ["BalancingSettings", "registry"]
