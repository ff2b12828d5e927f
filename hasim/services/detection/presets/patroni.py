"""Patroni's leader key, as the replicas that watch it see it."""

from __future__ import annotations

from hasim.settings.presets import Preset

PATRONI = Preset(
    about="Patroni's leader key: renewed in each loop of 10 s, it runs out 30 s after the last "
    "time; replicas watch it, and learn of that at once.",
    source="https://patroni.readthedocs.io/en/latest/dynamic_configuration.html "
    "(ttl 30, loop_wait 10, retry_timeout 10)",
    settings={
        "evidence": ["heartbeat"],
        "heartbeat_interval": "10s",  # loop_wait
        "detector": "lease",
        "grace": "30s",  # ttl
        "look_interval": "10ms",  # the watch of the key
    },
)
