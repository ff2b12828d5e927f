"""Pacemaker's recovery of a node that has failed: no promotion before it is known to be off."""

from __future__ import annotations

from hasim.settings.presets import Preset

PACEMAKER = Preset(
    about="Pacemaker: a node that is lost is fenced first (STONITH), with 60 s for each of ten "
    "attempts; then its resources go to the node with the best score, and back when a better one "
    "returns, by more than what sticks (1, as of clones). The resource agents know of no lag. With "
    "the preset of detection corosync.",
    source="https://clusterlabs.org/projects/pacemaker/doc/2.1/Pacemaker_Explained/html/"
    "options.html (stonith-enabled, stonith-timeout 60s, stonith-max-attempts 10); "
    "https://clusterlabs.org/projects/pacemaker/doc/2.1/Pacemaker_Explained/html/resources.html "
    "(resource-stickiness, migration-threshold, failure-timeout)",
    settings={
        "selection": ["priority", "fewest-partitions"],  # location scores; then spread
        "fencing": {"kind": "confirmed", "timeout": "60s", "attempts": 10},
        "transfer": "none",
        "promotion": "by-answer",
        "migration_threshold": 0,  # INFINITY
        "failure_timeout": "0s",
        "failback": "automatic",
        "failback_after": "0s",
        "stickiness": 1,
    },
)
