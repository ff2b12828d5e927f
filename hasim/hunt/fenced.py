"""Random worlds for one way of fencing: what strikes failovers themselves is among their faults.

The same numbers give the same worlds whatever the fencing, so far as that may be.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hasim.events import FailoverChanged, InputRefused
from hasim.hunt.drawing import TRIES, Data, draw
from hasim.hunt.drawing.dice import Dice
from hasim.hunt.looking import looked_at
from hasim.hunt.running import run
from hasim.journal import Journal
from hasim.measures.facts import facts_of
from hasim.measures.primacy import dual_primary_ns
from hasim.oracle import INVARIANTS
from hasim.scenario.loader import Loaded, from_data
from hasim.scenario.problems import ScenarioError
from hasim.truth import FaultStarted

WAYS: Mapping[str, Mapping[str, Any]] = {
    "none": {"kind": "none"},
    "best-effort": {"kind": "best-effort", "timeout": "2s"},
    "confirmed": {"kind": "confirmed", "timeout": "2s", "attempts": 3},
    "lease": {"kind": "lease", "ttl": "5s", "renew": "1s"},
    "token": {"kind": "token"},
    "step-down": {"kind": "step-down", "ttl": "5s", "renew": "1s", "wait": "7s"},
    "manual": {"kind": "manual"},
}
"""Every way of fencing, with times that are short beside a run."""
STRIKES = ("gateway-crash", "observer-crash", "lost-answers", "doubled-answers")
"""What strikes a failover itself."""
HORIZON = "30s"
SEED = 1807
FURTHER = 10**6
"""A world that does not allow a way of fencing is replaced by the one so many numbers on."""


@dataclass
class Seen:
    """What some worlds came to."""

    worlds: int = 0
    failovers: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    returned: int = 0
    """Failovers that were called off, or taken back, since their owner was back."""
    refused: int = 0
    """Inputs that came late, twice, or of nobody, and were refused."""
    dual_s: float = 0.0
    seconds: float = 0.0
    """Of one processor."""
    broken: list[str] = field(default_factory=list)

    def add(self, journal: Journal) -> None:
        """One more world."""
        self.worlds += 1
        changes = [change for _, change in journal.of(FailoverChanged)]
        self.failovers += len({change.failover for change in changes})
        self.returned += sum(change.trigger == "owner-recovered" for change in changes)
        self.refused += sum(1 for _ in journal.of(InputRefused))
        self.faults.update(fault.kind for _, fault in journal.of(FaultStarted))
        facts = [facts_of(journal.of_tier(name)) for name in journal.tiers] or [facts_of(journal)]
        self.dual_s += sum(sum(dual_primary_ns(one).values()) for one in facts) / 1e9

    def join(self, other: Seen) -> None:
        """The same of further worlds."""
        self.worlds += other.worlds
        self.failovers += other.failovers
        self.faults.update(other.faults)
        self.returned += other.returned
        self.refused += other.refused
        self.dual_s += other.dual_s
        self.seconds += other.seconds
        self.broken += other.broken


def world(way: str, number: int, seed: int = SEED) -> tuple[Data, Loaded]:
    """The world of a number with this fencing: an owner that returns, and what strikes failovers.

    Raises ScenarioError if none of many is allowed with it.
    """
    for again in range(TRIES):
        data, _ = draw(seed, number + again * FURTHER)
        made = _fenced(data, way, Dice(f"fenced/{seed}/{number}/{again}"))
        try:
            return made, from_data(made)
        except ScenarioError as error:
            last = error
    raise last


def look(way: str, numbers: Iterable[int], seed: int = SEED) -> Seen:
    """Run the worlds of these numbers, and look at all invariants (see `looked_at`)."""
    seen, began_s = Seen(), time.process_time()
    for number in numbers:
        data, loaded = world(way, number, seed)
        found = run(data, loaded, looked_at(number, [*INVARIANTS.known.values()]))
        seen.broken += [f"{seed}/{number} {way}: {breach}" for breach in found.breaches]
        if found.journal is None:
            seen.worlds += 1
        else:
            seen.add(found.journal)
    seen.seconds = time.process_time() - began_s
    return seen


def _fenced(data: Data, way: str, dice: Dice) -> Data:
    made = _part(data, way) | {"horizon": HORIZON, "faults": list(data["faults"])}
    if "tiers" in data:
        made["tiers"] = [_part(tier, way) for tier in data["tiers"]]
    elif data["traffic"]["owned"] == "0%":  # nothing would be failed over
        made["traffic"] = data["traffic"] | {"owned": "50%"}
    at_ms = dice.count(5_000, 15_000)
    if dice.happens(0.7):
        kind = dice.one("crash", "hang", "power-off", "partition")
        back = {"kind": kind, "target": "owner-of:p1", "for": dice.time(2_000, 15_000)}
        made["faults"].append(back | {"at": f"{at_ms}ms"})
    for kind in dice.some(STRIKES, 0.4):
        later_ms = at_ms + dice.count(0, 8_000)
        strike = {"kind": kind, "at": f"{later_ms}ms", "for": dice.time(200, 6_000)}
        if kind == "doubled-answers":
            strike["after"] = dice.time(100, 10_000)
        made["faults"].append(strike)
    return made


def _part(part: Data, way: str) -> Data:
    """A tier, or a world of one, with this fencing."""
    if "failover" not in part:
        return dict(part)
    made = part | {"failover": part["failover"] | {"fencing": dict(WAYS[way])}}
    if way == "token":
        made["replication"] = part["replication"] | {"copies": 2}
    return made
