"""The ways to interrupt a failover, each as faults and operations of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hasim.hunt.interruptions.situations import PLUG
from hasim.units import SECOND

Data = dict[str, Any]
ANSWERED = frozenset(
    {
        *("fencing", "catching-up", "handing-over", "transferring", "promoting"),
        *("rolling-back", "redirecting"),
    }
)
"""The states in which an order is under way."""


@dataclass(frozen=True, slots=True)
class Met:
    """A failover in a state, as it is met without an interruption; times in nanoseconds.

    `state` is where it is after what came to it at `since_ns`: the next one, if it passes through
    the one that was looked for. `until_ns` is when it leaves that, None if it stays.
    `source`: whose state is moved, or from whom it is read; `lives`: whether that one is on;
    `cut`: whether the control plane alone has lost the owner, which is on.
    """

    state: str
    since_ns: int
    until_ns: int | None
    candidate: str
    source: str
    lives: bool
    cut: bool

    @property
    def at_ns(self) -> int:
        """In the middle of its stay; a second after its end, where it has ended."""
        if self.until_ns is None:
            return self.since_ns + SECOND
        return self.since_ns + max(1, (self.until_ns - self.since_ns) // 2)


Interrupted = Data | None
"""The scenario with the interruption; None where there is nothing that it could strike."""


def _struck(data: Data, met: Met, fault: Data) -> Data:
    return data | {"faults": [*data["faults"], {"at": f"{met.at_ns}ns"} | fault]}


def _nothing(data: Data, met: Met) -> Interrupted:
    return data


def _control_plane(data: Data, met: Met) -> Interrupted:
    return _struck(data, met, {"kind": "observer-crash", "for": "3s"})


def _forgets(data: Data, met: Met) -> Interrupted:
    made = data | {"observer": data["observer"] | {"remembers": "nothing"}}
    return _control_plane(made, met)


def _source(data: Data, met: Met) -> Interrupted:
    if not met.lives:
        return None
    return _struck(data, met, {"kind": "power-off", "target": met.source, "for": "30s"})


def _target(data: Data, met: Met) -> Interrupted:
    return _struck(data, met, {"kind": "power-off", "target": met.candidate or "b", "for": "30s"})


def _owner_back(data: Data, met: Met) -> Interrupted:
    """The cut ends, and who is on is declared healthy at once: nobody pulls its plug any more."""
    first = next(iter(data["faults"]), None)
    if first is None or not met.cut:
        return None
    lasting = {"for": f"{met.at_ns - 20 * SECOND}ns"}
    made = data | {"faults": [first | lasting, *data["faults"][1:]]}
    if not met.lives or met.source != "a":
        return made
    made["faults"] = [fault for fault in made["faults"] if fault != PLUG]
    word = {"do": "declare-healthy", "master": "a", "at": f"{met.at_ns + 1}ns"}
    return made | {"operations": [word]}


def _answers(data: Data, met: Met, fault: Data) -> Interrupted:
    if met.state not in ANSWERED or met.until_ns is None:
        return None
    lasting = f"{met.until_ns - met.since_ns}ns"
    return _struck(data, met, fault | {"at": f"{met.since_ns + 1}ns", "for": lasting})


def _lost(data: Data, met: Met) -> Interrupted:
    return _answers(data, met, {"kind": "lost-answers"})


def _doubled(data: Data, met: Met) -> Interrupted:
    return _answers(data, met, {"kind": "doubled-answers", "after": "5s"})


def _gateway(data: Data, met: Met) -> Interrupted:
    return _struck(data, met, {"kind": "gateway-crash", "target": "east", "for": "2s"})


KINDS: Mapping[str, Callable[[Data, Met], Interrupted]] = {
    "nothing": _nothing,
    "control plane killed": _control_plane,
    "control plane forgets": _forgets,
    "source killed": _source,
    "target killed": _target,
    "owner back": _owner_back,
    "answer lost": _lost,
    "answer twice": _doubled,
    "gateway restarted": _gateway,
}
"""By name: the scenario in which a failover that is met so is interrupted."""
