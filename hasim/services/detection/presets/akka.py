"""Akka Cluster's failure detector."""

from __future__ import annotations

from hasim.settings.presets import Preset

AKKA = Preset(
    about="Akka Cluster: heartbeats each second, phi-accrual with a pause of 3 s.",
    source="https://doc.akka.io/libraries/akka-core/current/typed/cluster.html#failure-detector; "
    "https://github.com/akka/akka/blob/main/akka-cluster/src/main/resources/reference.conf",
    settings={
        "evidence": ["heartbeat"],
        "heartbeat_interval": "1s",
        "detector": "phi-accrual",
        "threshold": 8.0,
        "samples": 1000,  # max-sample-size
        "min_deviation": "100ms",
        "acceptable_pause": "3s",
    },
)
