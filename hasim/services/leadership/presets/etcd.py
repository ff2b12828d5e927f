"""etcd's election of its leader."""

from __future__ import annotations

from hasim.settings.presets import Preset

ETCD = Preset(
    about="etcd: heartbeats each 100 ms, an election after one to two seconds without, by PreVote, "
    "and a leader that a majority does not answer stops leading.",
    source="https://etcd.io/docs/v3.6/tuning/; https://etcd.io/docs/v3.6/op-guide/configuration/; "
    "https://github.com/etcd-io/raft/blob/main/raft.go",
    settings={
        "leader": "raft",
        "heartbeat": "100ms",
        "election_timeout": "1s",
        "pre_vote": True,
        "check_quorum": True,
    },
)
