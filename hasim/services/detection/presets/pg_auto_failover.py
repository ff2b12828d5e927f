"""What pg_auto_failover's monitor takes for an unhealthy node."""

from __future__ import annotations

from hasim.settings.presets import Preset

PG_AUTO_FAILOVER = Preset(
    about="pg_auto_failover's monitor: a node is unhealthy when its keeper, which reports each "
    "second, has been silent for 20 s and no health check (each 5 s) has passed since; the call of "
    "another node, each second, finds that.",
    source="https://pg-auto-failover.readthedocs.io/en/main/ref/configuration.html "
    "(health_check_period 5 s, health_check_timeout 5 s, node_considered_unhealthy_timeout 20 s); "
    "https://github.com/hapostgres/pg_auto_failover/blob/main/src/monitor/group_state_machine.c "
    "(IsUnhealthy)",
    settings={
        "evidence": ["heartbeat", "probe"],
        "heartbeat_interval": "1s",  # PG_AUTOCTL_KEEPER_SLEEP_TIME
        "rhythm": "clock",
        "interval": "5s",  # health_check_period
        "fast_interval": None,
        "down_interval": None,
        "timeout": "5s",  # health_check_timeout
        "detector": "lease",
        "grace": "20s",  # node_considered_unhealthy_timeout
        "look_interval": "1s",
    },
)
