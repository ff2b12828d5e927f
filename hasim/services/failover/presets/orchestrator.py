"""orchestrator's recovery of a dead MySQL master."""

from __future__ import annotations

from hasim.settings.presets import Preset

ORCHESTRATOR = Preset(
    about="orchestrator: the replica that has received most is promoted (then replaced by one that "
    "is to be preferred: promotion rules prefer, neutral, prefer-not, must-not of masters, which "
    "catches up first); it does not wait for what is not applied; nobody is fenced; a cluster is "
    "not recovered again within an hour, whether that went well or not. With the preset of "
    "detection of this name.",
    source="https://github.com/openark/orchestrator/blob/master/docs/topology-recovery.md; "
    "https://github.com/openark/orchestrator/blob/master/docs/configuration-recovery.md "
    "(RecoveryPeriodBlockSeconds 3600, DelayMasterPromotionIfSQLThreadNotUpToDate and "
    "FailMasterPromotionIfSQLThreadNotUpToDate false, PreventCrossRegionMasterFailover false); "
    "https://github.com/openark/orchestrator/blob/master/go/config/config.go",
    settings={
        "selection": ["freshest", "name"],
        "report_interval": "5s",  # InstancePollSeconds
        "region_guard": False,  # PreventCrossRegionMasterFailover
        "fencing": "none",
        "transfer": "freshest",
        "unapplied": "discard",
        "promotion": "by-answer",
        "if_none": "fail",
        "block": "1h",  # RecoveryPeriodBlockSeconds
        "blocks": "any-fault",  # of the cluster
        "retry_interval": "1h",  # the same
        "parallel": 0,
        "failback": "manual",
    },
)
