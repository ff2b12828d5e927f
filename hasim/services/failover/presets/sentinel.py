"""Redis Sentinel's failover, from the election of a leader to the old master's rejoin."""

from __future__ import annotations

from hasim.settings.presets import Preset

SENTINEL = Preset(
    about="Redis Sentinel: no fencing, a replica is promoted with what it has, which is seen by "
    "its INFO; an old master is made a replica 8 s after its return, at the next INFO. With the "
    "presets of detection and leadership of this name.",
    source="https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/; "
    "https://github.com/redis/redis/blob/7.0/src/sentinel.c",
    settings={
        # replica-priority, the replication offset, the run id, for which the name stands
        "selection": ["priority", "freshest", "name"],
        "report_interval": "1s",  # INFO to the replicas of a master that is down
        "report_age": "5s",  # info_validity_time: five of them
        "fencing": "none",
        "most_candidates": 1,  # -failover-abort-no-good-slave, -slave-timeout
        "transfer": "none",
        "promotion": "by-role",
        "role_interval": "1s",
        "role_idle_interval": "10s",  # SENTINEL_INFO_PERIOD
        "role_jitter": "75ms",
        "role_grace": "8s",  # SENTINEL_PUBLISH_PERIOD * 4
        "demote_retry": "10s",
        "limit": "180s",  # failover-timeout
        "promote_timeout": "180s",
        "retry": "by-election",  # after twice the failover-timeout, see that of leadership
        "block": "0s",
        "failback": "manual",
    },
)
