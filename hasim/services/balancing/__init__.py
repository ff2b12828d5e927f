"""Load balancing: eligibility x load metric x picker, and the service that gateways run."""

from hasim.services.balancing.service import LoadBalancingService
from hasim.services.balancing.settings import BalancingSettings

__all__ = ["BalancingSettings", "LoadBalancingService"]
