"""The high-availability monitor: alerts, observed uptime, error budget, dashboard, metrics."""

from hasim.services.monitoring.alerts import ActiveAlert, AlertRecord
from hasim.services.monitoring.service import HighAvailabilityMonitor
from hasim.services.monitoring.settings import MonitorSettings

__all__ = ["ActiveAlert", "AlertRecord", "HighAvailabilityMonitor", "MonitorSettings"]
