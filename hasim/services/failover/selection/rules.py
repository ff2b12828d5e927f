"""The rules of selection by name: a line for each."""

from __future__ import annotations

from hasim.services.failover.selection.candidate import Rule
from hasim.services.failover.selection.fewest_partitions import by_fewest_partitions
from hasim.services.failover.selection.freshest import by_freshest
from hasim.services.failover.selection.least_loaded import by_least_loaded
from hasim.services.failover.selection.name import by_name
from hasim.services.failover.selection.nearest import by_nearest
from hasim.services.failover.selection.priority import by_priority
from hasim.settings.registry import Named

RULES: Named[Rule] = Named(
    "a rule of selection",
    {
        "priority": by_priority,
        "freshest": by_freshest,
        "least-loaded": by_least_loaded,
        "nearest": by_nearest,
        "fewest-partitions": by_fewest_partitions,
        "name": by_name,
    },
)
"""By name; ``RULES.register("my-own", my_rule)`` adds one of a user's own."""
