"""The failure monitoring of the AWS Advanced JDBC Wrapper."""

from __future__ import annotations

from hasim.settings.presets import Preset

AWS_JDBC_EFM = Preset(
    about="AWS Advanced JDBC Wrapper, host monitoring (efm): the monitor begins with a query and "
    "waits for 30 s before its first probe; a probe each 5 s, and the third in a row that is not "
    "acknowledged by the time of the next one fails the host (the documentation names no time-out; "
    "it likens the three parameters to TCP's keepalive). Each run is one query from its start on.",
    source="https://github.com/aws/aws-advanced-jdbc-wrapper/blob/main/docs/using-the-jdbc-driver/"
    "using-plugins/UsingTheHostMonitoringPlugin.md#enhanced-failure-monitoring-parameters",
    settings={
        "evidence": ["probe"],
        "rhythm": "clock",
        "phase": "none",
        "initial_delay": "30s",  # failureDetectionTime
        "interval": "5s",  # failureDetectionInterval
        "fast_interval": None,
        "down_interval": None,
        "timeout": None,
        "detector": "threshold",
        "fall": 3,  # failureDetectionCount
        "rise": 1,
    },
)
