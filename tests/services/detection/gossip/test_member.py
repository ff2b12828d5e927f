"""A member of a gossip, packet by packet: who is asked, who is told, when, and what follows."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from hasim.events import GossipPacket, MemberNews
from hasim.model import MemberStanding, PacketKind
from hasim.services.detection.gossip.member import Member
from hasim.services.detection.gossip.settings import SwimSettings
from hasim.units import MILLISECOND, SECOND

ALIVE, SUSPECT, DEAD = MemberStanding
LAN = SwimSettings()
OTHERS = ("b", "c", "d", "e")


def begun(own: SwimSettings = LAN, others: tuple[str, ...] = OTHERS) -> Member:
    """One that probes at one second, gossips at 0.1 s, and syncs much later."""
    member = Member(own, "a", others, 1)
    member.begin(0)
    member.probe_ns, member.gossip_ns, member.sync_ns = SECOND, SECOND // 10, 1000 * SECOND
    return member


def pinged(member: Member, now: int = SECOND) -> tuple[str, GossipPacket]:
    """Whom it probes, and the ping."""
    ((target, packet),) = [
        (to, packet) for to, packet in member.wake(now) if packet.kind is PacketKind.PING
    ]
    return target, packet


def standing(member: Member, other: str) -> tuple[MemberStanding, int, int]:
    peer = member.peers[other]
    return peer.standing, peer.incarnation, peer.since_ns


def test_a_ping_is_acknowledged_under_its_number() -> None:
    member = begun()
    packet = GossipPacket(PacketKind.PING, 7, "")
    assert member.heard(5, "c", packet) == [("c", GossipPacket(PacketKind.ACK, 7, ""))]
    assert member.changes == []


def test_a_ping_for_another_is_passed_on_and_its_end_told_to_whoever_asked() -> None:
    member = begun()
    asks = GossipPacket(PacketKind.PING_REQ, 7, "d")
    ((to, ping),) = member.heard(5, "c", asks)
    assert (to, ping) == ("d", GossipPacket(PacketKind.PING, 1, ""))
    assert member.next_ns() == 5 + LAN.probe_timeout_ns
    answer = member.heard(9, "d", GossipPacket(PacketKind.ACK, ping.number, ""))
    assert answer == [("c", GossipPacket(PacketKind.ACK, 7, ""))]
    assert member.heard(10, "d", GossipPacket(PacketKind.ACK, ping.number, "")) == []
    assert member.heard(11, "c", GossipPacket(PacketKind.PING_REQ, 8, "stranger")) == []
    # The second one nobody answers: that is told when the time for a ping is over.
    ((to, ping),) = member.heard(20, "b", asks)
    assert (to, ping.number) == ("d", 2)
    assert member.wake(20 + LAN.probe_timeout_ns - 1) == []
    regret = member.wake(20 + LAN.probe_timeout_ns)
    assert regret == [("b", GossipPacket(PacketKind.NACK, 7, ""))]
    assert member.heard(SECOND - 1, "d", GossipPacket(PacketKind.ACK, 2, "")) == []
    assert member.score == 0


def test_who_answers_is_probed_again_in_its_turn_and_nothing_is_found() -> None:
    member = begun()
    asked = list[str]()
    for turn in range(1, 9):
        target, packet = pinged(member, turn * SECOND)
        assert packet == GossipPacket(PacketKind.PING, turn, "")
        assert member.next_ns() == turn * SECOND + LAN.probe_timeout_ns
        assert member.heard(turn * SECOND + 1, target, GossipPacket(PacketKind.ACK, turn, "")) == []
        assert member.next_ns() == (turn + 1) * SECOND
        asked.append(target)
    assert sorted(asked[:4]) == sorted(asked[4:]) == list(OTHERS)
    assert (member.score, member.changes) == (0, [])


@pytest.mark.parametrize(("nacks", "score"), [(0, 3), (2, 1), (3, 0)])
def test_who_does_not_is_asked_for_through_others_and_suspected_at_the_end_of_the_interval(
    nacks: int, score: int
) -> None:
    member = begun()
    target, ping = pinged(member)
    late = SECOND + LAN.probe_timeout_ns
    assert member.wake(late - 1) == []
    asked = member.wake(late)
    assert {to for to, _ in asked} == set(OTHERS) - {target}
    assert {packet for _, packet in asked} == {
        GossipPacket(PacketKind.PING_REQ, ping.number, target)
    }
    assert member.next_ns() == 2 * SECOND
    for helper, _ in asked[:nacks]:
        member.heard(late + 1, helper, GossipPacket(PacketKind.NACK, ping.number, ""))
    member.heard(late + 2, "b", GossipPacket(PacketKind.NACK, ping.number + 5, ""))
    member.wake(2 * SECOND - 1)
    assert member.changes == []
    member.wake(2 * SECOND)
    assert member.changes == [MemberNews(target, SUSPECT, 0, "a")]
    assert standing(member, target) == (SUSPECT, 0, 2 * SECOND)
    assert member.score == score


@pytest.mark.parametrize(("lha", "ends_s"), [(True, 4), (False, 2)])
def test_who_is_not_well_itself_probes_more_slowly(lha: bool, ends_s: int) -> None:
    """Lifeguard: 1 + score intervals."""
    member = begun(replace(LAN, lha_probe=lha))
    member.score = 2
    pinged(member)
    member.wake(SECOND + LAN.probe_timeout_ns)
    assert member.next_ns() == ends_s * SECOND


def test_the_score_stays_within_its_bounds() -> None:
    member = begun()
    for expected in (1, 2, 3, 4, 5, 6, 7, 7, 7):
        member.learn(1, [MemberNews("a", SUSPECT, member.incarnation, "b")])
        assert member.score == expected
    member.score = 0
    _, ping = pinged(member)
    member.heard(SECOND + 1, "b", GossipPacket(PacketKind.ACK, ping.number, ""))
    assert member.score == 0


def test_a_suspicion_ends_in_a_death_unless_it_is_refuted() -> None:
    """Five members, two confirmations wanted: 24 s alone, 4 s with both (memberlist)."""
    member = begun()
    member.learn(10, [MemberNews("b", SUSPECT, 0, "c"), MemberNews("d", SUSPECT, 0, "c")])
    assert member.next_ns() == SECOND // 10  # news is there to be told
    member.probe_ns = 1000 * SECOND
    assert [member.suspicions[name].due_ns for name in "bd"] == [10 + 24 * SECOND] * 2
    member.learn(20, [MemberNews("d", SUSPECT, 0, "e")])
    middle = 24 - 20 * math.log(2) / math.log(3)
    assert member.suspicions["d"].due_ns == 10 + math.floor(middle * 1000) * MILLISECOND
    told = {(piece.news.member, piece.news.by) for piece in member.outbox.pieces}
    assert told == {("b", "c"), ("d", "e")}  # a confirmation is passed on, in place of the first
    member.learn(30, [MemberNews("d", SUSPECT, 0, "b"), MemberNews("b", ALIVE, 1, "b")])
    assert member.suspicions.keys() == {"d"}
    assert member.suspicions["d"].due_ns == 10 + 4 * SECOND
    assert standing(member, "b") == (ALIVE, 1, 30)
    member.changes.clear()
    member.wake(10 + 4 * SECOND - 1)
    assert member.changes == []
    member.wake(10 + 4 * SECOND)
    assert member.changes == [MemberNews("d", DEAD, 0, "a")]
    assert standing(member, "d") == (DEAD, 0, 10 + 4 * SECOND)
    assert member.suspicions == {}


def test_who_is_accused_of_being_dead_says_that_it_lives() -> None:
    member = begun()
    member.learn(5, [MemberNews("a", DEAD, 3, "b")])
    assert (member.incarnation, member.changes) == (4, [])
    (piece,) = member.outbox.pieces
    assert piece.news == MemberNews("a", ALIVE, 4, "a")


def test_two_that_tell_each_other_all_take_the_dead_for_suspected_only() -> None:
    member = begun()
    member.learn(5, [MemberNews("b", ALIVE, 2, "b"), MemberNews("c", DEAD, 0, "d")])
    member.changes.clear()
    asked = GossipPacket(PacketKind.SYNC, 0, "", (MemberNews("d", DEAD, 1, "e"),))
    ((to, answer),) = member.heard(9, "e", asked)
    assert (to, answer.kind, answer.number, answer.about) == ("e", PacketKind.SYNCED, 0, "")
    assert set(answer.news) == {
        MemberNews("a", ALIVE, 0, "a"), MemberNews("b", ALIVE, 2, "a"),
        MemberNews("c", DEAD, 0, "a"),
        MemberNews("d", ALIVE, 0, "a"), MemberNews("e", ALIVE, 0, "a"),
    }  # fmt: skip
    assert member.changes == [MemberNews("d", SUSPECT, 1, "e")]
    # The same in a gossip's packet is believed.
    member.heard(10, "e", GossipPacket(PacketKind.GOSSIP, 0, "", asked.news))
    assert member.changes[1:] == [MemberNews("d", DEAD, 1, "e")]


def test_it_tells_one_of_the_living_all_from_time_to_time() -> None:
    member = begun()
    member.probe_ns = 5000 * SECOND
    member.learn(5, [MemberNews(name, DEAD, 0, "x") for name in "bcd"])
    member.outbox.pieces.clear()
    assert member.next_ns() == 1000 * SECOND
    ((to, packet),) = member.wake(1000 * SECOND)
    assert (to, packet.kind, len(packet.news)) == ("e", PacketKind.SYNC, 5)
    assert member.next_ns() == 1000 * SECOND + LAN.sync_interval_ns
    member.incarnation = 3
    assert member.restart(7)[0][1].kind is PacketKind.SYNC
    assert (member.incarnation, standing(member, "b")) == (0, (ALIVE, 0, 7))


def test_news_goes_to_three_at_a_time_and_a_while_to_the_dead_too() -> None:
    member = begun()
    member.probe_ns = 5000 * SECOND
    member.learn(SECOND // 20, [MemberNews("b", DEAD, 0, "c")])
    out = member.wake(SECOND // 10)
    assert len({to for to, _ in out}) == 3
    assert {packet for _, packet in out} == {
        GossipPacket(PacketKind.GOSSIP, 0, "", (MemberNews("b", DEAD, 0, "c"),))
    }
    assert member.next_ns() == SECOND // 10 + LAN.gossip_interval_ns
    # Four members beside it: 4 x ceil(log10 6) = 4 times, of which one is left.
    assert len(member.wake(SECOND // 10 + LAN.gossip_interval_ns)) == 1
    assert member.outbox.pieces == []
    # What is learnt late is told at the next of the regular times.
    member.learn(SECOND, [MemberNews("c", ALIVE, 1, "c")])
    assert member.next_ns() == SECOND + LAN.gossip_interval_ns // 2
    told = set[str]()
    for turn in range(400):
        member.learn(60 * SECOND + turn, [MemberNews("c", ALIVE, 2 + turn, "c")])
        told |= {to for to, _ in member.wake(member.gossip_ns)}
    assert told == {"c", "d", "e"}  # b has been dead for too long


def test_who_is_suspected_is_told_so_by_the_next_ping() -> None:
    for buddy in (True, False):
        member = begun(replace(LAN, buddy=buddy), others=("b",))
        member.learn(5, [MemberNews("b", SUSPECT, 2, "c")])
        member.outbox.pieces.clear()
        target, packet = pinged(member)
        said = (MemberNews("b", SUSPECT, 2, "a"),) if buddy else ()
        assert (target, packet) == ("b", GossipPacket(PacketKind.PING, 1, "", said))
    member = begun(others=("b",))
    member.learn(5, [MemberNews("b", DEAD, 2, "c")])
    assert [packet.kind for _, packet in member.wake(SECOND)] == [PacketKind.GOSSIP]


@pytest.mark.parametrize("members", [2, 3, 10, 11, 40, 200])
def test_a_suspicion_lasts_by_all_members_this_one_included(members: int) -> None:
    """memberlist: mult x max(1, log10 n) intervals at least, six times that at most."""
    own = replace(LAN, lha_suspicion=True)
    others = tuple(f"m{number}" for number in range(1, members))
    member = begun(own, others)
    member.learn(5, [MemberNews("m1", SUSPECT, 0, "m1")])
    suspicion = member.suspicions["m1"]
    scale = math.floor(1000 * max(1.0, math.log10(members)))
    least = own.suspicion_mult * scale * own.probe_interval_ns // 1000
    assert (suspicion.least, suspicion.most) == (least, own.suspicion_max_mult * least)
    assert suspicion.wanted == (own.suspicion_mult - 2 if members >= own.suspicion_mult else 0)
    assert suspicion.due_ns == 5 + (suspicion.most if suspicion.wanted else least)
