"""Kubernetes: what becomes of a stateful set's pod when its node is not ready."""

from __future__ import annotations

from hasim.settings.presets import Preset

KUBERNETES = Preset(
    about="Kubernetes, a pod of a stateful set: the pods of a node that is not ready are evicted "
    "after 300 s; one of a stateful set is not replaced before its node is back, or somebody says "
    "that it is off (the taint out-of-service; here the operation confirm-off). With `fencing: "
    "none` it is a deployment with one pod, which may run twice. With the preset of detection "
    "kubernetes-node.",
    source="https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"
    "#taint-based-evictions (tolerationSeconds 300); "
    "https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/"
    "#non-graceful-node-shutdown; "
    "https://kubernetes.io/docs/tasks/run-application/force-delete-stateful-set-pod/",
    settings={
        "selection": ["fewest-partitions"],  # the scheduler spreads
        "delay": "300s",  # tolerationSeconds of not-ready and unreachable
        "fencing": "manual",
        "limit": "1000h",  # it is waited for without an end
        "transfer": "none",  # the volume is attached where the pod runs
        "promotion": "by-answer",
        "block": "0s",
        "parallel": 0,
        "failback": "manual",
    },
)
