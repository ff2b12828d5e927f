"""orchestrator's detection: the master is dead if its replicas have lost it, too."""

from __future__ import annotations

from hasim.settings.presets import Preset

ORCHESTRATOR = Preset(
    about="orchestrator: one failed poll in 5 s makes a master suspect; it is dead when every "
    "replica in reach says that its replication is broken (DeadMaster, DeadMasterAndSomeReplicas), "
    "and not when one replicates (UnreachableMaster) or none is in reach (DeadMasterAndReplicas).",
    source="https://github.com/openark/orchestrator/blob/master/docs/failure-detection.md; "
    "https://github.com/openark/orchestrator/blob/master/go/config/config.go "
    "(InstancePollSeconds 5, MySQLConnectTimeoutSeconds 2); "
    "https://github.com/openark/orchestrator/blob/master/go/inst/analysis_dao.go",
    settings={
        "evidence": ["probe"],
        "rhythm": "clock",
        "interval": "5s",  # InstancePollSeconds
        "fast_interval": None,
        "down_interval": None,
        "timeout": "2s",  # MySQLConnectTimeoutSeconds
        "detector": "threshold",
        "fall": 1,
        "rise": 1,
        "confirm": "replicas",
        "ask_interval": "1s",
        "answer_valid": "6s",  # a poll and a second
    },
)
