"""HAProxy's health checks as they are unless a server line says otherwise."""

from __future__ import annotations

from hasim.settings.presets import Preset

HAPROXY = Preset(
    about="HAProxy's health checks of a server with `check` alone; no check of messages (observe).",
    source="https://docs.haproxy.org/2.6/configuration.html#5.2 (inter, fastinter, downinter, "
    "fall, rise, error-limit, on-error), #3.1 (spread-checks), #4.2 (timeout check)",
    settings={
        "evidence": ["probe"],
        "rhythm": "end",
        "interval": "2s",
        # Not given, all of them are inter: the fast one, the slow one, the timeout of a check.
        "fast_interval": None,
        "down_interval": None,
        "timeout": None,
        "spread_checks": "0%",
        "detector": "threshold",
        "fall": 3,
        "rise": 2,
        # Of no effect until evidence has messages, which is HAProxy's observe layer7.
        "error_limit": 10,
        "on_error": "fail-check",
    },
)
