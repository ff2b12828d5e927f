"""keepalived's VRRP: a backup takes over when it has heard no advertisement for long enough."""

from __future__ import annotations

from hasim.settings.presets import Preset

KEEPALIVED = Preset(
    about="keepalived's VRRP instance: advertisements each second, silence for three and a skew.",
    source="https://www.keepalived.org/manpage.html (advert_int 1, priority 100, version 2); "
    "https://www.rfc-editor.org/rfc/rfc3768#section-6.1 (Master_Down_Interval)",
    settings={
        "evidence": ["heartbeat"],
        "heartbeat_interval": "1s",  # advert_int
        "detector": "vrrp",
        "vrrp_version": 2,
        "priority": 100,
    },
)
