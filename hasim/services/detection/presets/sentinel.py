"""Redis Sentinel's detection: subjectively down, and objectively by a quorum."""

from __future__ import annotations

from hasim.settings.presets import Preset

SENTINEL = Preset(
    about="Redis Sentinel's sdown, odown and tilt with a quorum of two; the other sentinels are "
    "the witnesses of observer.",
    source="https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/; "
    "https://github.com/redis/redis/blob/7.0/src/sentinel.c",
    settings={
        "evidence": ["ping"],
        "ping_interval": "1s",
        "detector": "down-after",
        "down_after": "30s",  # down-after-milliseconds
        "confirm": "objective",
        "quorum": 2,
        "ask_interval": "1s",
        "distrust": "tilt",
    },
)
