"""Kinds of leadership and their presets, by name: a line for each."""

from __future__ import annotations

from hasim.services.leadership.fixed import Fixed
from hasim.services.leadership.leader import Leader
from hasim.services.leadership.presets.etcd import ETCD
from hasim.services.leadership.presets.sentinel import SENTINEL
from hasim.services.leadership.raft import Raft
from hasim.services.leadership.sentinel import SentinelElection
from hasim.settings.presets import Preset
from hasim.settings.registry import Named, Registry

LEADERS: Registry[Leader] = Registry(
    "a kind of leadership", {"fixed": Fixed, "by-failover": SentinelElection, "raft": Raft}
)
PRESETS: Named[Preset] = Named("a preset of leadership", {"sentinel": SENTINEL, "etcd": ETCD})
