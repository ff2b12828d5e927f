"""The kubelet's probes of a container."""

from __future__ import annotations

from hasim.settings.presets import Preset

KUBERNETES = Preset(
    about="The kubelet's liveness and readiness probes: by the clock, one failure is none.",
    source="https://kubernetes.io/docs/tasks/configure-pod-container/"
    "configure-liveness-readiness-startup-probes/#configure-probes",
    settings={
        "evidence": ["probe"],
        "rhythm": "clock",
        "initial_delay": "0s",
        "interval": "10s",  # periodSeconds
        "fast_interval": None,
        "down_interval": None,
        "timeout": "1s",  # timeoutSeconds
        "detector": "threshold",
        "fall": 3,  # failureThreshold
        "rise": 1,  # successThreshold
    },
)
