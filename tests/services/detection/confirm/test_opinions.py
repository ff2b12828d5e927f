"""Confirmations by observers: who has to agree, and what an opinion is worth."""

from __future__ import annotations

import pytest

from hasim.events import AskOpinion, GiveOpinion, OpinionGiven
from hasim.services.detection.chance import chance_of
from hasim.services.detection.confirm.objective import Objective, ObjectiveSettings
from hasim.services.detection.confirm.quorum import Quorum, QuorumSettings
from hasim.services.detection.confirm.replicas import Replicas, ReplicasSettings
from hasim.services.detection.confirm.share import Share, ShareSettings
from hasim.services.detection.confirm.witness import Witness, WitnessSettings
from hasim.services.detection.ticks import first_tick_ns
from hasim.units import MILLISECOND, SECOND

PEERS = ("b", "c", "d", "e", "f")


def met(confirmation, peers=PEERS):
    confirmation.meet(peers, ["m"], chance_of(1, ["m"]))
    return confirmation


def down(confirmation, now, *peers, number=1, held=True):
    for peer in peers:
        confirmation.heard(now, OpinionGiven(peer, "m", number, held))


@pytest.mark.parametrize(("observers", "needed"), [(0, 4), (1, 1), (2, 2), (6, 6)])
def test_a_quorum_counts_this_observer_and_needs_it(observers: int, needed: int) -> None:
    quorum = met(Quorum(QuorumSettings(observers=observers)))
    down(quorum, 0, *PEERS[: needed - 1])
    assert not quorum.confirms(0, "m", convicted=False)
    told = quorum.changed(0, "m", convicted=True)
    assert told == [GiveOpinion(peer, "m", 1, True) for peer in PEERS]
    assert quorum.confirms(0, "m", convicted=True)
    if needed > 1:
        down(quorum, 0, PEERS[0], number=2, held=False)
        assert not quorum.confirms(0, "m", convicted=True)


@pytest.mark.parametrize(
    ("observers", "healthy", "failed"),
    [(5, 1, False), (5, 0, True), (6, 1, True), (6, 2, False), (11, 1, True), (11, 2, False)],
)
def test_more_than_18_per_cent_keep_a_master_healthy(
    observers: int, healthy: int, failed: bool
) -> None:
    """Route 53: 1 of 5 is 20 %, 1 of 6 is 16.7 %, 2 of 11 is 18.2 %."""
    peers = tuple(f"o{n}" for n in range(observers - 1))
    share = met(Share(ShareSettings()), peers)
    down(share, 0, *peers[healthy:])
    down(share, 0, *peers[:healthy], held=False)
    share.changed(0, "m", convicted=True)
    assert share.confirms(0, "m", convicted=True) is failed
    assert share.acquits(0, "m") is not failed
    assert share.forbids(0, "m") is failed


def test_the_share_goes_by_the_others_where_this_observer_sees_nothing() -> None:
    share = met(Share(ShareSettings()))
    down(share, 0, *PEERS)
    assert share.confirms(0, "m", convicted=False)  # 1 of 6
    assert not share.confirms(5 * SECOND + 1, "m", convicted=False)  # they have not been heard


def test_an_opinion_that_was_overtaken_says_nothing() -> None:
    quorum = met(Quorum(QuorumSettings(observers=2)))
    quorum.changed(0, "m", convicted=True)
    down(quorum, 0, "b", number=7, held=False)
    down(quorum, 1, "b", number=6)
    assert not quorum.confirms(1, "m", convicted=True)


def test_opinions_are_told_again_and_grow_old() -> None:
    quorum = met(Quorum(QuorumSettings(observers=2)))
    quorum.changed(0, "m", convicted=True)
    at = quorum.next_ns()
    assert 0 <= at < SECOND
    sent, masters = quorum.wake(at)
    assert [(out.peer, out.down) for out in sent] == [(peer, True) for peer in PEERS]
    assert list(masters) == ["m"]
    assert quorum.next_ns() == at + SECOND
    down(quorum, at, "b")
    assert quorum.confirms(at + 5 * SECOND, "m", convicted=True)
    assert not quorum.confirms(at + 5 * SECOND + 1, "m", convicted=True)


def test_sentinel_asks_at_once_and_each_second_and_counts_at_its_ticks() -> None:
    sentinel = met(Objective(ObjectiveSettings(quorum=3)))
    now = first_tick_ns(SECOND, sentinel.phase_ns, 10)
    asked = sentinel.changed(now, "m", convicted=True)
    assert asked == [AskOpinion(peer, "m", 1) for peer in PEERS]
    assert sentinel.changed(now, "m", convicted=True) == []
    down(sentinel, now + MILLISECOND, "b", "c")
    tick = sentinel.next_ns()
    assert 52 * MILLISECOND <= tick - now <= 100 * MILLISECOND  # 1000/19 to 1000/10 ms
    assert sentinel.wake(tick) == ([], ["m"])
    assert sentinel.confirms(tick, "m", convicted=True)
    again = sentinel.next_ns()
    assert now + SECOND <= again < now + SECOND + 100 * MILLISECOND
    assert again == first_tick_ns(again, sentinel.phase_ns, 10)
    sent, _ = sentinel.wake(again)
    assert sent == [AskOpinion(peer, "m", 2) for peer in PEERS]
    assert sentinel.changed(again, "m", convicted=False) == []
    assert not sentinel.confirms(again, "m", convicted=True)
    down(sentinel, again, "b", number=2)  # too late: nobody is asked any more
    assert not sentinel.opinions.of


def test_a_witness_counts_only_as_long_as_its_answer_is_young() -> None:
    """Whoever has seen the master lately contradicts, and after `answer_valid` is out of reach."""
    settings = WitnessSettings(answer_valid_ns=5 * SECOND, seen_within_ns=2 * SECOND)
    witness = met(Witness(settings), ("b",))
    witness.changed(100 * SECOND, "m", convicted=True)
    witness.heard(101 * SECOND, OpinionGiven("b", "m", 1, False, SECOND))
    assert not witness.confirms(106 * SECOND, "m", convicted=True)
    assert witness.words(106 * SECOND, "m") == (
        "1 of 1 witnesses in reach; last seen 1s before it was asked"
    )
    assert witness.words(106 * SECOND + 1, "m") == "no witness in reach"


def test_replicas_that_have_lost_a_master_are_counted_apart_from_those_that_follow_it() -> None:
    replicas = Replicas(ReplicasSettings())
    replicas.meet((), ["m", "a", "b", "c"], chance_of(1, ["m"]))
    replicas.changed(0, "m", convicted=True)
    for name, lost in (("a", True), ("b", True), ("c", False)):
        replicas.heard(0, OpinionGiven(name, "m", 1, lost))
    assert replicas.words(0, "m") == "2 of 3 replicas in reach have lost it"
    assert not replicas.confirms(0, "m", convicted=True)
    replicas.heard(1, OpinionGiven("c", "m", 2, True))
    assert replicas.words(1, "m") == "3 of 3 replicas in reach have lost it"
    assert replicas.confirms(1, "m", convicted=True)
