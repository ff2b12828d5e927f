"""What a gossip's news is worth to the detection service: doubts, convictions, acquittals."""

from __future__ import annotations

from dataclasses import replace

from hasim.events import GossipHeard, GossipPacket, MemberNews, SendGossip, StatusChanged, WakeUp
from hasim.model import MemberStanding, PacketKind, Status
from hasim.services.detection import DetectionSettings, FailoverDetectionService
from hasim.settings import from_plain
from hasim.units import SECOND
from tests.services.bench import cluster

ALIVE, SUSPECT, DEAD = MemberStanding
OBSERVERS = ("here", "there")


def service(**own: object) -> FailoverDetectionService:
    written = {"evidence": ["gossip"], "detector": "hearsay"} | own
    made = replace(cluster(3), observers=OBSERVERS)
    found = FailoverDetectionService(
        from_plain(DetectionSettings, written), made, seed=3, observer="here"
    )
    said = found.start_monitoring(0)
    assert [(out.master, out.new) for out in said if isinstance(out, StatusChanged)] == [
        ("m1", Status.HEALTHY), ("m2", Status.HEALTHY), ("m3", Status.HEALTHY),
    ]  # fmt: skip
    return found


def news(*pieces: MemberNews) -> GossipHeard:
    return GossipHeard("there", GossipPacket(PacketKind.GOSSIP, 0, "", pieces))


def test_a_death_convicts_a_suspicion_is_a_doubt_and_who_is_back_is_healthy() -> None:
    made = service()
    (suspected,) = made.step(5, news(MemberNews("m2", SUSPECT, 0, "there")))
    assert (suspected.master, suspected.new) == ("m2", Status.SUSPECT)
    assert "there holds it to be suspect" in suspected.reason
    (failed,) = made.step(6, news(MemberNews("m2", DEAD, 0, "m3")))
    assert (failed.master, failed.new) == ("m2", Status.FAILED)
    assert "m3 holds it to be dead" in failed.reason
    assert made.step(7, news(MemberNews("m2", ALIVE, 0, "m2"))) == []  # of before its death
    said = made.step(8, news(MemberNews("m2", ALIVE, 1, "m2")))
    assert made.get_all_master_statuses()["m2"] is Status.HEALTHY
    assert [out.master for out in said] == ["m2"] * len(said)


def test_back_alive_it_passes_as_many_checks_as_acquit() -> None:
    made = service(detector="threshold", fall=1, rise=5)
    made.step(6, news(MemberNews("m1", DEAD, 0, "m3")))
    assert made.get_failed_masters() == ["m1"]
    made.step(8, news(MemberNews("m1", ALIVE, 1, "m1")))
    assert made.get_healthy_masters() == ["m1", "m2", "m3"]


def test_of_other_observers_and_of_those_taken_out_nothing_is_declared() -> None:
    made = service()
    assert made.step(5, news(MemberNews("there", DEAD, 0, "m1"))) == []
    said = made.step(6, news(MemberNews("here", DEAD, 0, "m1"), MemberNews("m1", DEAD, 0, "m3")))
    assert [(out.master, out.new) for out in said] == [("m1", Status.FAILED)]


def test_it_takes_part_as_a_member_of_its_own_name() -> None:
    made = service()
    ((ack),) = made.step(5, GossipHeard("m1", GossipPacket(PacketKind.PING, 4, "")))
    assert ack == SendGossip("m1", GossipPacket(PacketKind.ACK, 4, ""))
    targets, now = set[str](), 0
    while now < 8 * SECOND and (due := made.next_wakeup()) is not None:
        now = due
        for out in made.step(now, WakeUp()):
            if isinstance(out, SendGossip) and out.packet.kind is PacketKind.PING:
                targets.add(out.member)
                made.step(now, GossipHeard(out.member, GossipPacket(
                    PacketKind.ACK, out.packet.number, "")))  # fmt: skip
    assert targets == {"m1", "m2", "m3", "there"}
    report = made.generate_health_report(now)
    assert {(row["standing"], row["local_health"]) for row in report.values()} == {("alive", 0)}


def test_nobody_answers_and_all_are_suspected_and_fail() -> None:
    made, now, seen = service(), 0, dict[str, list[Status]]()
    while now < 60 * SECOND and (due := made.next_wakeup()) is not None:
        now = due
        for out in made.step(now, WakeUp()):
            if isinstance(out, StatusChanged):
                seen.setdefault(out.master, []).append(out.new)
    assert seen == {name: [Status.SUSPECT, Status.FAILED] for name in ("m1", "m2", "m3")}
    report = made.generate_health_report(now)
    assert {row["standing"] for row in report.values()} == {"dead"}
    # Nobody helped: it is as unwell as it can be.
    assert {row["local_health"] for row in report.values()} == {7}
