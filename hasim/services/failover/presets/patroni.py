"""Patroni's failover: the leader key is a lease, and who cannot renew it stops by itself."""

from __future__ import annotations

from hasim.settings.presets import Preset

PATRONI = Preset(
    about="Patroni: a leader key of 30 s that is renewed every 10 s; a watchdog resets a host that "
    "hangs; the first replica in order is promoted with what it has. With the preset of detection "
    "of this name, whose heartbeats are the renewals.",
    source="https://patroni.readthedocs.io/en/latest/dynamic_configuration.html; "
    "https://patroni.readthedocs.io/en/latest/watchdog.html; "
    "https://github.com/patroni/patroni/blob/master/patroni/ha.py",
    settings={
        "selection": ["priority"],  # failover_priority
        "fencing": {"kind": "lease", "ttl": "30s", "renew": "10s", "watchdog": True},
        "transfer": "none",
        "promotion": "by-answer",
        "retry_interval": "10s",  # loop_wait
        "failback": "manual",
    },
)
