"""Envoy's active health checks, with the numbers of Envoy Gateway where Envoy has none."""

from __future__ import annotations

from hasim.settings.presets import Preset

ENVOY = Preset(
    about="Envoy's active health checks. Timeout, interval and thresholds, which Envoy wants to be "
    "told, are Envoy Gateway's defaults.",
    source="https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/health_check.proto; "
    "https://gateway.envoyproxy.io/docs/api/extension_types/#activehealthcheck",
    settings={
        "evidence": ["probe"],
        "rhythm": "end",
        "interval": "3s",
        "timeout": "1s",
        # unhealthy_edge_interval and unhealthy_interval are the interval, if not given.
        "fast_interval": None,
        "down_interval": None,
        "interval_jitter": "0s",
        "interval_jitter_percent": "0%",
        # A status that is not expected is a failure whatever the threshold says.
        "fatal": ["error"],
        "detector": "threshold",
        "fall": 3,
        "rise": 1,
    },
)
