"""Consul's gossip pools, which have memberlist's settings."""

from __future__ import annotations

from hasim.settings.presets import Preset

SOURCE = (
    "https://developer.hashicorp.com/consul/docs/reference/agent/configuration-file/gossip; "
    "https://github.com/hashicorp/memberlist/blob/master/config.go"
)

CONSUL_LAN = Preset(
    about="Consul's LAN pool: SWIM with Lifeguard, as memberlist has it for a data centre.",
    source=SOURCE,
    settings={
        "evidence": ["gossip"],
        "probe_interval": "1s",
        "probe_timeout": "500ms",
        "indirect_checks": 3,
        "suspicion_mult": 4,
        "suspicion_max_mult": 6,
        "retransmit_mult": 4,
        "gossip_interval": "200ms",
        "gossip_nodes": 3,
        "sync_interval": "30s",
        "detector": "hearsay",
    },
)

CONSUL_WAN = Preset(
    about="Consul's WAN pool: SWIM with Lifeguard, as memberlist has it between data centres.",
    source=SOURCE,
    settings={
        **CONSUL_LAN.settings,
        "probe_interval": "5s",
        "probe_timeout": "3s",
        "suspicion_mult": 6,
        "gossip_interval": "500ms",
        "gossip_nodes": 4,
        "sync_interval": "60s",
    },
)
