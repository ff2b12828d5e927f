"""pg_auto_failover: the monitor drains the primary, waits for it, and promotes the secondary."""

from __future__ import annotations

from hasim.settings.presets import Preset

PG_AUTO_FAILOVER = Preset(
    about="pg_auto_failover: the primary is told to drain, and counts as demoted when it says so "
    "or after 30 s; it stops by itself after 20 s without the monitor (there: without the monitor "
    "and the secondary). The candidate of highest priority fetches what another one has of more. "
    "With the preset of detection of this name. A secondary is synchronous by default: see "
    "`replication`.",
    source="https://pg-auto-failover.readthedocs.io/en/main/ref/configuration.html; "
    "https://pg-auto-failover.readthedocs.io/en/main/failover-state-machine.html; "
    "https://github.com/hapostgres/pg_auto_failover/blob/main/src/monitor/group_state_machine.c "
    "(DrainTimeoutMs, ProceedGroupState, SelectFailoverCandidateNode)",
    settings={
        "selection": ["priority", "freshest"],  # candidate-priority; the reported LSN
        "report_interval": "1s",  # PG_AUTOCTL_KEEPER_SLEEP_TIME
        "fencing": {
            **{"kind": "step-down", "ttl": "20s", "renew": "1s"},  # network_partition_timeout
            "wait": "30s",  # primary_demote_timeout
        },
        "transfer": "freshest",  # fast_forward
        "promotion": "by-answer",
        "block": "0s",
        "retry_interval": "1s",
        "failback": "manual",
    },
)
