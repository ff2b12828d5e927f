"""One of Route 53's health checkers; that 18 % of them suffice is a matter of confirmation."""

from __future__ import annotations

from hasim.settings.presets import Preset

ROUTE53 = Preset(
    about="A Route 53 health checker of an HTTP endpoint: by its own clock, one of many.",
    source="https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/"
    "dns-failover-determining-health-of-endpoints.html; health-checks-creating-values.html "
    "(request interval 30, failure threshold 3)",
    settings={
        "evidence": ["probe"],
        "rhythm": "clock",
        "interval": "30s",
        "fast_interval": None,
        "down_interval": None,
        "connect_timeout": "4s",
        "timeout": "2s",  # after connecting
        "detector": "threshold",
        "fall": 3,
        "rise": 3,
    },
)
