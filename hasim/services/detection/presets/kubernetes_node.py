"""Kubernetes' node lease, as the node lifecycle controller looks at it."""

from __future__ import annotations

from hasim.settings.presets import Preset

KUBERNETES_NODE = Preset(
    about="A Kubernetes node: its lease is renewed each 10 s, has a grace of 40 s, and is looked "
    "at each 5 s (NotReady). From 1.32 on the grace is 50 s.",
    source="https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats; "
    "https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/",
    settings={
        "evidence": ["heartbeat"],
        "heartbeat_interval": "10s",
        "detector": "lease",
        "grace": "40s",  # node-monitor-grace-period
        "look_interval": "5s",  # node-monitor-period
    },
)
