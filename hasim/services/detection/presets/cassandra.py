"""Apache Cassandra's failure detector."""

from __future__ import annotations

from hasim.settings.presets import Preset

CASSANDRA = Preset(
    about="Cassandra: gossip each second as heartbeats, phi by an exponential law, 18.4 mean gaps.",
    source="https://cassandra.apache.org/doc/latest/cassandra/managing/configuration/"
    "cass_yaml_file.html#phi_convict_threshold; "
    "https://github.com/apache/cassandra/blob/trunk/src/java/org/apache/cassandra/gms/"
    "FailureDetector.java",
    settings={
        "evidence": ["heartbeat"],
        "heartbeat_interval": "1s",  # Gossiper.intervalInMillis
        "detector": "phi-exponential",
        "threshold": 8.0,  # phi_convict_threshold
        "samples": 1000,
    },
)
