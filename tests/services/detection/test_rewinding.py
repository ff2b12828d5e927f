"""A service that is put back goes on as if what came after had never been."""

from __future__ import annotations

import dataclasses
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import pytest

from hasim.events import (
    GatewayReport,
    Heartbeat,
    Input,
    MasterTraffic,
    ProbeReply,
    SendProbe,
    WakeUp,
)
from hasim.model import Cause
from hasim.services.detection.rewinding import Rewindable, copied
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import cluster, detection

WAYS: tuple[dict[str, Any], ...] = (
    {"evidence": ["probe"], "fall": 2, "rise": 2},
    {"evidence": ["probe"], "detector": "phi-accrual", "flapping": "changes"},
    {"evidence": ["heartbeat"], "detector": "nfd-e"},
    {"evidence": ["heartbeat"], "detector": "2w-fd"},
)


class Future:
    """Inputs as a master would give them, drawn from a seed, and all that is answered."""

    def __init__(self, service: Rewindable, now: int, probe: int) -> None:
        self.service, self.now, self.probe = service, now, probe

    def lived(self, seed: int, steps: int) -> list[Any]:
        draw, said = random.Random(seed), list[Any]()
        for _ in range(steps):
            due_ns = self.service.next_wakeup()
            later_ns = self.now + draw.randrange(1, 2 * SECOND)
            self.now = later_ns if due_ns is None else max(self.now, min(due_ns, later_ns))
            out = self.service.take(self.now, self._input(draw))
            self.probe = next((o.probe for o in out if isinstance(o, SendProbe)), self.probe)
            said.append((self.now, out))
        return said

    def _input(self, draw: random.Random) -> Input:
        kind = draw.choice(["wake", "wake", "answer", "beat"])
        if kind == "answer":
            cause = draw.choice([Cause.OK, Cause.OK, Cause.REFUSED])
            return ProbeReply("m1", self.probe, cause)
        if kind == "beat":
            return Heartbeat("m1", self.now // SECOND, self.now - MILLISECOND)
        return WakeUp()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.get("detector", "threshold"))
def test_the_same_future_of_one_past_is_lived_alike_again_and_again(way: dict[str, Any]) -> None:
    service = Rewindable(detection(**way), cluster(1), seed=3)
    (first, *_) = [*service.start_monitoring(0), None]
    past = Future(service, 0, first.probe if isinstance(first, SendProbe) else 0)
    past.lived(1, 60)
    memory, frozen, due_ns = service.save(), service.freeze(), service.next_wakeup()
    told: dict[int, list[Any]] = {}
    for seed in (2, 3, 2, 3, 4, 2):
        service.load(memory)
        assert (service.freeze(), service.next_wakeup()) == (frozen, due_ns)
        future = Future(service, past.now, past.probe)
        lived = future.lived(seed, 120)
        assert told.setdefault(seed, lived) == lived
    assert any(out for _, out in told[2])
    assert len({repr(each) for each in told.values()}) == 3  # futures are different ones


@dataclass
class Changes:
    number: int
    inside: list[Any]
    by_name: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stands:
    inside: tuple[int, ...]


def test_a_copy_is_equal_and_shares_nothing_that_can_change() -> None:
    stands = Stands((1, 2))
    line = deque([1.5, Changes(2, [])], maxlen=3)
    whole = Changes(1, [Changes(3, ["a"]), (Changes(4, []), None)], {"line": line, "it": stands})
    made = copied(whole)
    assert made == whole
    assert made.by_name["it"] is stands
    assert made.by_name["line"].maxlen == 3
    before = dataclasses.replace(whole, inside=copied(whole.inside), by_name=copied(whole.by_name))
    made.number = 9
    made.inside[0].inside.append("b")
    made.inside[1][0].number = 9
    made.by_name["line"].append(7)
    made.by_name["line"][1].inside.append(8)
    made.by_name["more"] = 1
    assert whole == before


def test_what_cannot_be_copied_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"^cannot copy a Random$"):
        copied([random.Random(1)])


def test_how_many_failed_checks_messages_have_made_is_told() -> None:
    """Two in a row make one; without messages as evidence there is none."""
    service = Rewindable(detection(evidence=["probe"]), cluster(1), seed=3)
    assert service.messages_weighed("m1") == 0
    counted = {"kind": "messages", "on_error": "fail-check", "error_limit": 2}
    service = Rewindable(detection(evidence=["probe", counted], fall=9), cluster(1), seed=3)
    service.start_monitoring(0)
    service.take(0, ProbeReply("m1", 1, Cause.OK))
    for streak, checks in ((1, 0), (2, 1), (3, 1), (6, 3)):
        row = MasterTraffic("m1", 0, streak, 0, streak, Cause.TIMEOUT, 0, streak)
        service.take(streak * SECOND, GatewayReport("local", streak, (row,)))
        assert service.messages_weighed("m1") == checks
