"""A world for each state of a failover in which it is met there, always at the same moment.

Each is the data of a scenario. The owner `a` and two standbys stand in three regions, 10 ms one way
between any two, the control plane and the clients in a fourth. After 20 s the control plane alone
loses the owner, for 40 s, which goes on serving: as long as it is not fenced, it accepts writes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping
from typing import Any

from hasim.units import MILLISECOND

Data = dict[str, Any]

LOST: Data = {"kind": "partition", "scope": "monitor", "target": "a", "at": "20s", "for": "40s"}
"""What begins the failover, unless it is ordered."""
BASE: Data = {
    "horizon": "2m",
    "seed": 1,
    "include_messages": True,
    "data_plane": "reference",
    "masters": [
        {"id": "a", "region": "west", "service": "20ms"},
        {"id": "b", "like": "a", "region": "north", "priority": 2, "standby": True},
        {"id": "c", "like": "a", "region": "south", "priority": 3, "standby": True},
    ],
    "network": {"rtt": "20ms"},
    "traffic": {
        "regions": ["east"],
        "arrivals": {"law": "poisson", "rate": "5/s"},
        "owned": "100%",
        "timeout": "1s",
    },
    "replication": {"copies": 2, "lag": "20ms"},
    "promotion": {"duration": "500ms"},
    "fencing_device": {"latency": "2s", "restart": "10s"},
    "observer": {"region": "east"},
    "accession": {"ask_interval": "500ms", "patience": "2s"},
    "detection": {
        "evidence": ["probe"],
        "interval": "1s",
        "fast_interval": "500ms",
        "timeout": "500ms",
        "fall": 3,
        "rise": 2,
    },
    "failover": {
        "transfer_timeout": "10s",
        "promote_timeout": "3s",
        "demote_timeout": "3s",
        "redirect_timeout": "3s",
        "verify_timeout": "3s",
        "retry_interval": "2s",
    },
    "faults": [LOST],
}
SLOW_COPY: Data = {"replication": {"setup": "3s"}}
BEHIND: Data = {"kind": "replication-lag", "target": "b", "extra": "3s", "at": "5s", "for": "50s"}
"""Who comes first lacks what the other standby has: it is read from that one."""
NOBODY: Data = {"kind": "power-off", "target": ["b", "c"], "at": "15s", "for": "20s"}
"""Nobody is there to take over for a while."""
ORDERED: Data = {"faults": [], "operations": [{"do": "fail-over", "master": "a", "at": "20s"}]}
LATER: Data = {"failover": {"delay": "10s"}}
"""Nothing is done for 10 s after the verdict."""

SITUATIONS: Mapping[str, Data] = {
    "declared": {},
    "held": LATER,
    "fencing": {},
    "aborting": {
        # The switch takes long, the owner is back before, and whether it was in time is not heard.
        "fencing_device": {"latency": "10s"},
        "failover": {"fencing": {"timeout": "15s"}},
        "faults": [LOST | {"for": "4s"}, {"kind": "lost-answers", "at": "23s", "for": "7s"}],
    },
    "selecting": {},
    "catching-up": ORDERED | SLOW_COPY,
    "handing-over": ORDERED,
    "transferring": SLOW_COPY | {"faults": [LOST, BEHIND]},
    "promoting": {"promotion": {"duration": "2s"}},
    "rolling-back": {"failover": {"promote_timeout": "1s"}},
    "waiting": {"faults": [LOST, NOBODY]},
    "redirecting": {},
    "verifying": {"promotion": {"duration": "2s"}, "detection": {"fall": 6}},
    "completed": {},
    "cancelled": LATER | {"faults": [LOST | {"for": "4s"}]},
    "failed": {"failover": {"if_none": "fail"}, "faults": [LOST, NOBODY]},
}
"""By state: what differs from the base."""


WITHOUT: Mapping[str, Collection[str]] = {
    "fencing": ("none", "token"),
    "aborting": ("none", "token", "lease", "step-down", "manual"),
}
"""The states to which no failover comes with these ways of fencing: nobody is powered off."""
PLUG: Data = {"kind": "power-off", "target": "a", "at": "34s", "for": "30s"}
WORD: Data = {"do": "confirm-off", "master": "a", "at": "35s"}
"""Where fencing is by hand: somebody pulls the plug of an owner that is still lost, and says so."""


def _unheard(since_ns: int, until_ns: int) -> Data:
    """The candidate is promoted, and nobody hears of it."""
    lasting = f"{until_ns - since_ns}ns"
    return {"kind": "lost-answers", "at": f"{since_ns + 1}ns", "for": lasting}


def _suspected(since_ns: int, until_ns: int) -> Data:
    """It is suspected when it is promoted, and not yet acquitted when all know of it.

    Its answer leaves 10 ms before it is heard, just after the cut.
    """
    lasting = f"{until_ns - since_ns - 500 * MILLISECOND - 11 * MILLISECOND}ns"
    cut = {"scope": "monitor", "target": "b", "at": f"{since_ns + 500 * MILLISECOND}ns"}
    return {"kind": "partition", **cut, "for": lasting}


DURING_PROMOTION: Mapping[str, Callable[[int, int], Data]] = {
    "rolling-back": _unheard,
    "verifying": _suspected,
}
"""By state: a fault while the candidate is promoted, from when to when that lasts without it, by
which the failover comes to that state."""


def merged(base: Data, more: Data) -> Data:
    """The same with what is different, mapping by mapping."""
    made = dict(base)
    for key, value in more.items():
        own = made.get(key)
        made[key] = (
            merged(own, value) if isinstance(own, dict) and isinstance(value, dict) else value
        )
    return made


def situation(state: str, fencing: Data) -> Data:
    """The data of the scenario in which a failover is met in this state."""
    base = merged(copy.deepcopy(BASE), {"failover": {"fencing": dict(fencing)}})
    made = merged(base, copy.deepcopy(SITUATIONS[state]))
    if fencing["kind"] == "manual" and LOST in made["faults"]:
        made |= {"faults": [*made["faults"], dict(PLUG)], "operations": [dict(WORD)]}
    return made
