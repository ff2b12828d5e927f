"""Corosync's membership: the token is lost, and the others agree on who is left."""

from __future__ import annotations

from hasim.settings.presets import Preset

COROSYNC = Preset(
    about="Corosync: the token of a ring of two nodes is lost after 3 s, and those that are left "
    "agree on that 3.6 s later (consensus, 1.2 times the token); with each further node it is "
    "1.43 s more. For the token, which goes round all the time, a heartbeat each 100 ms stands.",
    source="https://manpages.debian.org/bookworm/corosync/corosync.conf.5.en.html (token 3000, "
    "token_coefficient 650, consensus 1.2 x token)",
    settings={
        "evidence": ["heartbeat"],
        "heartbeat_interval": "100ms",
        "detector": "timeout",
        "down_after": "6.6s",  # token + consensus
    },
)
