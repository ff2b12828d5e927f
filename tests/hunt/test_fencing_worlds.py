"""Random worlds under each way of fencing: no schedule of faults breaks an invariant.

`.ci/run` looks at 200 of each (`results/failover.py --only-worlds`), with `--slow` at 5,000.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hasim.hunt.fenced import STRIKES, WAYS, look, world
from hasim.hunt.running import run
from hasim.services.failover.registry import FENCINGS


def test_every_way_that_ships_is_tried() -> None:
    assert set(WAYS) == set(FENCINGS.shipped)


@pytest.mark.parametrize("way", WAYS)
def test_no_random_schedule_of_faults_breaks_an_invariant(way: str) -> None:
    seen = look(way, range(30))
    assert seen.broken == []
    assert seen.worlds == 30
    # By hand, most of them wait, and are called off when their owner is back.
    assert seen.failovers > 15
    assert seen.returned > 0
    assert seen.refused > 0
    assert [kind for kind in STRIKES if seen.faults[kind] < 3] == []
    # With `step-down` there is no watchdog: a host that hung serves on until it looks, in a second.
    if way in ("confirmed", "lease", "token"):
        assert seen.dual_s == 0.0
    elif way == "step-down":
        assert seen.dual_s < 1.0


FOUND = {
    "question-for-a-lease-overtaken": "what was asked before a lapse and comes after it is none",
    "order-of-a-forgotten-process": "its successor declares healthy whom the device should strike",
    "promoted-anew-and-silent": "an owner that was fenced, and that another one promoted since",
    "gateway-that-is-down": "attempts that a dead gateway refuses were at no master",
    "nobody-passes": "with `if_none: promote` the best may lag further than is allowed",
    "lease-over-after-it-was-spared": "its time to step down began while it was told to, healthy",
    "asked-at-once-while-foreseen": "what a driver foresaw of a probing is told before it is asked",
    "promoted-by-a-term-that-is-over": "a promotion ends without effect if a later term is granted",
    "power-off-that-nobody-answers": "an owner that returns is asked what it accepts until it says",
    "term-known-by-an-order": "who knows a term by an order under it has granted it to nobody yet",
    "lease-over-while-promoted": "a promotion that nobody has answered may come after the lapse",
    "lease-over-while-a-part-moves": "what a standby owns beside that is failed over, too",
    "woken-while-it-rests": "who rests is not woken again and again for what it would have done",
    "alert-ended-late": "who was paused ends an old alert when its cause comes again",
    "term-granted-before-a-restart": "a gateway keeps what it has granted, or a term begins twice",
    "lapse-told-while-probes-stand-still": "probes told at once begin no term, the wake-up does",
    "no-leader-any-more": "who rests since no majority answers it moves no failover",
    "serves-only-some": "a healthy owner is spared though it does not accept all that it owns",
    "struck-by-the-way": "nor is it struck for a promotion that it was told of, when it returns",
    "fails-while-it-is-given-back": "an owner fails while its failover waits for it to be off",
    "fails-again-when-all-is-given-back": "it has redirected to the owner, which then fails",
    "fails-again-under-best-effort": "the same, where nobody waits for the device",
    "woke-after-its-lease": "whom its own lease ends need not be told when another takes over",
    "moved-while-a-switchover-waited": "an owner that others told to stop has nothing to hand over",
    "called-off-and-nobody-serves": "what a healthy owner does not serve is failed over after all",
    "no-verdict-yet": "a control plane that has just begun strikes nobody before a verdict",
    "planned-from-the-snapshot-on": "a switchover given up since goes on with the snapshot",
    "what-an-old-process-chose": "what the process before has chosen, this one does not leave",
    "told-by-a-gateway-that-died": "an acknowledgement that comes late says nothing of the next",
    "owner-fails-while-it-hands-over": "a switchover whose owner fails fetches nothing any more",
    "refuses-to-step-down": "a host that refuses at once is told again after a pause, not at once",
    "promoted-last-and-no-owner": "who claims another's under the last epoch stops above it",
    "promoted-while-it-is-struck": "who gets its own back is not powered off for another any more",
    "word-from-before-its-promotion": "an answer that comes twice, late, drops no living owner",
    "sleeps-through-the-end-of-its-lease": "without a watchdog it looks at the clock by itself",
    "answers-another-question": "who has granted a term to nobody outbids nobody by saying so",
    "tried-since-the-snapshot": "whom a process tried since its snapshot the next one has not",
    "fenced-and-well-again": "an owner with the only copy is asked where nobody else can take over",
    "promotion-taken-back-beside-its-owner": "who still accepts the writes owns them again",
    "restored-twice": "a snapshot of a process that did nothing has what that one began with",
    "told-at-that-moment": "a table that comes with a message need not be in use for it",
    "connection-closed": "with `on_close: fail` a closed connection convicts by itself",
    "promoted-and-failed-since": "who was promoted already is failed over itself, by one failover",
    "moved-on-since-it-led": "what another process has moved on is no failover of this one",
    "taken-back-from-its-owner": "who owns already what is taken back from it has one failover",
    "promoted-before-the-snapshot-knew": "who is the owner by now, and fails, has one failover",
    "answers-although-declared-failed": "who answers a new process is checked before it is left",
    "stopped-under-the-epoch-of-its-promotion": "no promotion has the epoch of an order to stop",
    "refuses-a-table-not-sent-yet": "the term that a gateway obeys is not that of its table",
    "promoted-by-a-term-that-is-forgotten": "an order to stop is above all terms before",
    "well-again-and-never-promoted": "an owner that is well again may be read from",
}
"""Worlds in which an invariant was broken once, each with what is right."""


@pytest.mark.parametrize("name", FOUND)
def test_a_world_that_broke_an_invariant_does_not_any_more(name: str) -> None:
    worlds = json.loads(Path(__file__).with_name("fencing.json").read_text(encoding="utf-8"))
    assert list(worlds.keys() - FOUND.keys()) == []
    assert run(worlds[name]).breaches == []


def test_a_world_is_the_same_whatever_the_fencing() -> None:
    number = next(n for n in range(20) if "failover" in world("none", n)[0])
    made = [world(way, number)[0] for way in ("none", "confirmed", "lease")]
    assert [data["failover"].pop("fencing")["kind"] for data in made] == [
        *("none", "confirmed", "lease")
    ]
    assert made[0] == made[1] == made[2]
