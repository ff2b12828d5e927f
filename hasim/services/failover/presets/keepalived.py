"""keepalived's VRRP instance: a backup takes the address over, and gives it back."""

from __future__ import annotations

from hasim.settings.presets import Preset

KEEPALIVED = Preset(
    about="keepalived: the backup with the best priority takes over at once, nobody is fenced, and "
    "a master of higher priority that returns preempts it. With the preset of detection of this "
    "name.",
    source="https://www.keepalived.org/manpage.html (preempt, preempt_delay 0, garp_master_delay); "
    "https://www.rfc-editor.org/rfc/rfc3768#section-6.4",
    settings={
        "selection": ["priority"],
        "fencing": "none",
        "transfer": "none",  # an address has no state
        "promotion": "by-answer",
        "failback": "automatic",  # preempt
        "failback_after": "0s",  # preempt_delay
    },
)
