"""The health checks of an AWS Application Load Balancer's target group."""

from __future__ import annotations

from hasim.settings.presets import Preset

AWS_ALB = Preset(
    about="AWS Application Load Balancer: a target group's health checks, of instances and IPs.",
    source="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/"
    "target-group-health-checks.html",
    settings={
        "evidence": ["probe"],
        "rhythm": "clock",
        "interval": "30s",  # HealthCheckIntervalSeconds
        "fast_interval": None,
        "down_interval": None,
        "timeout": "5s",  # HealthCheckTimeoutSeconds
        "detector": "threshold",
        "fall": 2,  # UnhealthyThresholdCount
        "rise": 5,  # HealthyThresholdCount
    },
)
