"""Redis Sentinel's election of the one that fails over."""

from __future__ import annotations

from hasim.settings.presets import Preset

SENTINEL = Preset(
    about="Redis Sentinel: an election for each failover, a vote for each epoch, another attempt "
    "after twice the failover timeout.",
    source="https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/; "
    "https://github.com/redis/redis/blob/7.0/src/sentinel.c",
    settings={
        "leader": "by-failover",
        "votes": 2,
        "failover_timeout": "180s",
        "election_timeout": "10s",
        "vote_interval": "1s",
        "desync": "1s",
        "hello_interval": "2s",
        "timer_hz": 10,
    },
)
