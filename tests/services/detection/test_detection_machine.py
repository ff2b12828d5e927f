"""The detection service alone, whatever it is told: all of its inputs, late, doubled, of nobody.

Under every detector, source and confirmation that goes with it. Beside it stands who is watched,
and which probe is under way, as its effects alone tell.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from hasim.events import (
    AddMaster,
    CheckMaster,
    ConnectionClosed,
    GatewayHello,
    GatewayReport,
    GiveOpinion,
    GossipHeard,
    GossipPacket,
    Heartbeat,
    Input,
    MasterTraffic,
    MemberNews,
    OpinionAsked,
    OpinionGiven,
    OrderRefused,
    Output,
    ProbeReply,
    ProbeStretch,
    RecordFailure,
    RecordRecovery,
    RemoveMaster,
    SendProbe,
    StartMaintenance,
    StatusChanged,
    StopMaintenance,
    WakeUp,
)
from hasim.model import Cause, MemberStanding, PacketKind, Status
from hasim.services.detection import DetectionSettings, FailoverDetectionService
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.services.detection.registry import (
    CONFIRMATIONS,
    DETECTORS,
    DISTRUSTS,
    FLAPPINGS,
    SOURCES,
)
from hasim.services.detection.rhythm import Rhythm
from hasim.services.detection.verdicts import VERDICTS
from hasim.settings import from_plain
from hasim.times import Times
from hasim.units import MINUTE, SECOND
from tests.services.bench import cluster
from tests.services.machines import at_random
from tests.services.saying import assert_well_formed

MASTERS, ABSENT = ("m1", "m2", "m3", "m4"), "m4"
"""The last is no part of the cluster yet."""
ALL = cluster(4, ("a", "b"))
CLUSTER = replace(
    ALL,
    masters=(*ALL.masters[:3], replace(ALL.masters[3], absent=True)),
    partitions=ALL.partitions[:3],
    observers=("here", "there", "yonder"),
)
WAYS: tuple[dict[str, Any], ...] = (
    *({"evidence": ["probe"], "fall": fall, "rise": rise} for fall, rise in ((1, 1), (3, 2))),
    {"evidence": ["messages"], "error_limit": 2},
    {"evidence": ["probe", "messages"], "error_limit": 2, "fall": 2},
    *({"evidence": ["probe"], "detector": d} for d in ("timeout", "phi-accrual", "vrrp")),
    *({"evidence": ["heartbeat"], "detector": d} for d in (
        "timeout", "lease", "nfd-s", "nfd-e", "bertier", "2w-fd", "phi-accrual", "phi-normal",
        "phi-exponential", "ed", "vrrp")),
    {"evidence": ["ping"], "detector": "down-after"},
    {"evidence": ["gossip"], "detector": "hearsay"},
    {"evidence": ["gossip"], "fall": 2, "rise": 2},
    {"evidence": ["probe", "outliers"], "fall": 2},
    {"evidence": ["probe"], "when": "in-doubt"},
    *({"evidence": ["probe"], "confirm": c} for c in ("quorum", "share", "replicas", "witness")),
    {"evidence": ["ping"], "detector": "down-after", "confirm": "objective"},
    {"evidence": ["probe"], "flapping": "damping"},
    {"evidence": ["probe"], "flapping": "changes"},
    {"evidence": ["ping"], "detector": "down-after", "distrust": "tilt"},
)  # fmt: skip
MEMBERS = (*MASTERS, "here", "there", "yonder")
OPERATIONS = (StartMaintenance, StopMaintenance, AddMaster, RemoveMaster, CheckMaster)
OUT, BACK = (StartMaintenance, RemoveMaster), (StopMaintenance, AddMaster)
masters = st.sampled_from(MASTERS)
causes = st.sampled_from(
    [Cause.OK, Cause.OK, Cause.REFUSED, Cause.ERROR, Cause.TIMEOUT, Cause.RESET]
)

news = st.builds(
    MemberNews, st.sampled_from(MEMBERS), st.sampled_from(list(MemberStanding)),
    st.integers(0, 3), st.sampled_from(MEMBERS),
)  # fmt: skip


def possible() -> list[DetectionSettings]:
    """The settings of all ways."""
    return [from_plain(DetectionSettings, way) for way in WAYS]


def followed(rhythm: Rhythm | None) -> Rhythm | None:
    """What can be compared."""
    return None if rhythm is None else replace(rhythm, jitter_ns=None)


class Machine(RuleBasedStateMachine):
    """A service, a copy restored from it, and what it was told from the start."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.told: list[tuple[int, Input]] = []
        self.said: list[list[Output]] = []
        self.watched = set(MASTERS) - {ABSENT}
        self.statuses = dict.fromkeys(MASTERS, Status.UNKNOWN) | {ABSENT: Status.MAINTENANCE}
        self.under_way: dict[str, tuple[int, int]] = {}
        """By master: the probe that awaits its answer, and until when it may come."""
        self.probes: list[SendProbe] = []
        self.asked: list[tuple[str, str, int]] = []
        self.reports = {"a": 0, "b": 0}

    @initialize(settings=st.sampled_from(possible()))
    def begin(self, settings: DetectionSettings) -> None:
        self.settings = settings
        probes = [each for each in settings.evidence if type(each) is ProbeSettings]
        self.timeout_ns = probes[0].timeout_ns if probes else None
        self.twins = [self.fresh()]
        assert self.twins[0].generate_health_report(0).keys() == set(MASTERS)
        self.hear([twin.start_monitoring(0) for twin in self.twins])

    def fresh(self) -> FailoverDetectionService:
        return FailoverDetectionService(self.settings, CLUSTER, seed=7, observer="here")

    # -- what it is told -----------------------------------------------------------------

    @rule(step=st.sampled_from([0, 1, SECOND // 10, SECOND, 7 * SECOND, MINUTE, 60 * MINUTE]))
    def wait(self, step: int) -> None:
        self.now += step
        self.tell(WakeUp())

    @rule(times=st.integers(1, 5))
    def wake(self, times: int) -> None:
        for _ in range(times):
            due = self.twins[0].next_wakeup()
            if due is not None:
                self.now = max(self.now, due)
                self.tell(WakeUp())
                again = self.twins[0].next_wakeup()
                assert again is None or again > self.now, "woken at one instant, for ever"

    @rule(master=masters, cause=causes, after=st.integers(0, SECOND // 50))
    def answer(self, master: str, cause: Cause, after: int) -> None:
        """In time, to what was asked last."""
        if master in self.under_way:
            probe, until = self.under_way[master]
            self.now = max(self.now, min(self.now + after, until - 1))
            self.tell(ProbeReply(master, probe, cause))

    @rule(
        which=st.integers(0, 5), cause=causes, beside=st.sampled_from([0, 0, 1, 9]), master=masters
    )
    def stray_answer(self, which: int, cause: Cause, beside: int, master: str) -> None:
        """Again, late, of another, to nothing that was asked."""
        if self.probes:
            probe = self.probes[-1 - which % len(self.probes)]
            name = probe.master if beside != 9 else master
            self.tell(ProbeReply(name, probe.probe + beside, cause))

    @rule(master=masters, count=st.integers(1, 6), cause=causes, beside=st.sampled_from([0, 0, 1]))
    def stretch(self, master: str, count: int, cause: Cause, beside: int) -> None:
        """Probes of a quiet master, told at once; or of numbers that it has not."""
        rhythm = self.twins[0].rhythm(master)
        if rhythm is None or rhythm.under_way or rhythm.next_ns < self.now:
            return
        sent, ended = self.foreseen(rhythm, count)
        if not rhythm.passing and cause is Cause.OK:
            cause = Cause.TIMEOUT
        cause = Cause.OK if rhythm.passing else cause
        took = Times(b - a for a, b in zip(sent, ended, strict=True))
        item = ProbeStretch(master, rhythm.probe + beside, cause, Times(ended), took)
        before, singly = self.twins[0].freeze(), self.restored()
        for twin in self.twins:
            twin.hand_over_probing(master)
        if beside:
            assert [twin.step(self.now, item) for twin in self.twins] == [[]] * len(self.twins)
            for twin in self.twins:
                twin.take_back_probing(master)
            assert self.twins[0].freeze() == before
            return
        for number, (at_ns, end_ns) in enumerate(zip(sent, ended, strict=True)):
            assert SendProbe(master, rhythm.probe + number) in singly.step(at_ns, WakeUp())
            singly.step(end_ns, ProbeReply(master, rhythm.probe + number, cause))
        self.under_way.pop(master, None)
        self.now = ended[-1]
        assert self.tell(item) == []
        if self.settings.distrust == DetectionSettings().distrust:  # which minds pauses
            one, many = singly, self.twins[0]
            assert (
                many.generate_health_report(self.now)[master]
                == (one.generate_health_report(self.now)[master])
            )
            assert followed(many.rhythm(master)) == followed(one.rhythm(master))

    def foreseen(self, rhythm: Rhythm, count: int) -> tuple[list[int], list[int]]:
        """When so many probes are sent and end: each in a millisecond, or by the timeout."""
        sent, ended = [rhythm.next_ns], list[int]()
        while True:
            assert rhythm.tick_ns is None
            took_ns = SECOND // 1000 if rhythm.passing else rhythm.timeout_ns
            ended.append(sent[-1] + took_ns)
            if len(ended) == count:
                return sent, ended
            jitter_ns = rhythm.jitter_ns(rhythm.probe + len(sent) - 1) if rhythm.jitter_ns else 0
            sent.append(ended[-1] + rhythm.wait_ns + jitter_ns)

    @rule(
        sender=st.sampled_from(MEMBERS[:-3] + MEMBERS[-2:]), kind=st.sampled_from(list(PacketKind)),
        number=st.integers(0, 6), about=st.sampled_from(MEMBERS), told=st.lists(news, max_size=2),
    )  # fmt: skip
    def gossip(self, sender: str, kind: PacketKind, number: int, about: str, told: Any) -> None:
        self.tell(GossipHeard(sender, GossipPacket(kind, number, about, tuple(told))))

    @rule(
        gateway=st.sampled_from(["a", "b"]), master=masters, failed=st.integers(0, 4),
        answered=st.integers(0, 2), back=st.sampled_from([0, 0, 0, 1]),
    )  # fmt: skip
    def report(self, gateway: str, master: str, failed: int, answered: int, back: int) -> None:
        self.reports[gateway] += 1 - back
        cause = Cause.TIMEOUT if failed else Cause.OK
        row = MasterTraffic(master, answered, failed, 0, failed, cause, 1000, failed)
        self.tell(GatewayReport(gateway, max(1, self.reports[gateway]), (row,), 1))

    @rule(gateway=st.sampled_from(["a", "b"]), incarnation=st.integers(1, 3))
    def hello(self, gateway: str, incarnation: int) -> None:
        self.tell(GatewayHello(gateway, incarnation, 1))

    @rule(master=masters, number=st.integers(0, 6), leaving=st.sampled_from([False, False, True]))
    def beat(self, master: str, number: int, leaving: bool) -> None:
        self.tell(Heartbeat(master, number, self.now, leaving))

    @rule(kind=st.sampled_from(OPERATIONS), master=masters)
    def operate(self, kind: Any, master: str) -> None:
        self.tell(kind(master))

    @rule(kind=st.sampled_from([RecordFailure, RecordRecovery]), master=masters)
    def call(self, kind: Any, master: str) -> None:
        self.tell(kind(master, "says somebody"))
        called = Status.FAILED if kind is RecordFailure else Status.HEALTHY
        assert self.statuses[master] is called

    @rule(master=masters)
    def close(self, master: str) -> None:
        self.tell(ConnectionClosed(master))

    @rule(peer=st.sampled_from(["there", "yonder"]), master=masters, number=st.integers(0, 9))
    def is_asked(self, peer: str, master: str, number: int) -> None:
        said = self.tell(OpinionAsked(peer, master, number))
        (opinion,) = [out for out in said if isinstance(out, GiveOpinion)]
        assert (opinion.peer, opinion.master, opinion.number) == (peer, master, number)
        assert not (opinion.down and self.statuses[master] is Status.HEALTHY)

    @rule(
        peer=st.sampled_from(["there", "yonder"]), master=masters, down=st.booleans(),
        number=st.integers(0, 9),
    )  # fmt: skip
    def hears_an_opinion(self, peer: str, master: str, down: bool, number: int) -> None:
        """To a question of its own, or to none."""
        if self.asked and number < 6:
            peer, master, number = self.asked[-1 - number % len(self.asked)]
        self.tell(OpinionGiven(peer, master, number, down, None if down else self.now))

    @rule(keep=st.booleans())
    def another_goes_on(self, keep: bool) -> None:
        frozen, fresh = json.loads(json.dumps(self.twins[0].freeze())), self.restored()
        assert json.loads(json.dumps(fresh.freeze())) == frozen
        assert fresh.next_wakeup() == self.twins[0].next_wakeup()
        assert fresh.generate_health_report(self.now) == self.twins[0].generate_health_report(
            self.now
        )
        self.twins = [self.twins[0], fresh] if keep else [fresh]

    def restored(self) -> FailoverDetectionService:
        frozen = json.loads(json.dumps(self.twins[0].freeze()))
        return FailoverDetectionService.restore(
            self.settings, CLUSTER, frozen, seed=7, observer="here"
        )

    def tell(self, item: Input) -> list[Output]:
        self.told.append((self.now, item))
        probing = self.timeout_ns is not None
        if probing and isinstance(item, ProbeReply) and not self.counts(item):
            before = self.twins[0].freeze()
            said = [twin.step(self.now, item) for twin in self.twins]
            assert said[0] == []
            assert self.twins[0].freeze() == before
            return []
        if probing and isinstance(item, ProbeReply):
            del self.under_way[item.master]
        if isinstance(item, OUT):
            self.watched.discard(item.master)
            self.under_way.pop(item.master, None)
        elif isinstance(item, (*BACK, RecordFailure, RecordRecovery)):  # a word ends maintenance
            self.watched.add(item.master)
        said = [twin.step(self.now, item) for twin in self.twins]
        self.hear(said)
        return said[0]

    def counts(self, reply: ProbeReply) -> bool:
        """Whether it is the one answer to the probe that is under way."""
        probe, until = self.under_way.get(reply.master, (0, 0))
        return reply.probe == probe and self.now < until

    # -- what it says --------------------------------------------------------------------

    def hear(self, said: list[list[Output]]) -> None:
        assert all(each == said[0] for each in said), "what was restored goes on otherwise"
        assert_well_formed(said[0])
        self.said.append(said[0])
        for out in said[0]:
            match out:
                case SendProbe():
                    assert out.master in self.watched, "who is absent is asked"
                    self.probes.append(out)
                    if self.timeout_ns is not None:
                        self.under_way[out.master] = (out.probe, self.now + self.timeout_ns)
                case StatusChanged():
                    assert out.old is self.statuses[out.master]
                    assert out.new in VERDICTS[out.old].values()
                    self.statuses[out.master] = out.new
                case _ if hasattr(out, "peer") and not isinstance(out, GiveOpinion):
                    self.asked.append((out.peer, out.master, out.number))
        first = self.twins[0]
        assert first.get_all_master_statuses() == self.statuses
        healthy = [m for m in MASTERS if self.statuses[m] is Status.HEALTHY]
        failed = [m for m in MASTERS if self.statuses[m] is Status.FAILED]
        assert (first.get_healthy_masters(), first.get_failed_masters()) == (healthy, failed)
        report = first.generate_health_report(self.now)
        absent = {m for m in MASTERS if self.statuses[m] is Status.MAINTENANCE}
        assert absent == set(MASTERS) - self.watched
        assert {m for m in absent if report[m]["suspicion"]} == set()
        assert {m: each["status"] for m, each in report.items()} == self.statuses
        if self.timeout_ns is not None and self.watched:
            assert first.next_wakeup() is not None, "nobody is asked any more"

    # -- the end -------------------------------------------------------------------------

    def teardown(self) -> None:
        """The inputs alone, told to another, give the same; one that is stopped says nothing."""
        if not hasattr(self, "twins"):
            return
        again = self.fresh()
        said = [again.start_monitoring(0)]
        said += [out for now, item in self.told if (out := again.step(now, item)) or True]
        assert [out for out in said if out] == [out for out in self.said if out]
        assert again.stop_monitoring(self.now) == []
        assert again.step(self.now + MINUTE, WakeUp()) == []
        assert not again.healthy()


TestDetection = Machine.TestCase
TestDetection.settings = at_random(80, 40)


@pytest.mark.slow
class TestDetectionLong(Machine.TestCase):
    settings = at_random(3000, 80)


def test_every_part_of_the_registry_is_tried() -> None:
    tried = possible()
    for registry, used in (
        (DETECTORS, {type(each.detector) for each in tried}),
        (SOURCES, {type(source) for each in tried for source in each.evidence}),
        (CONFIRMATIONS, {type(each.confirm) for each in tried}),
        (FLAPPINGS, {type(each.flapping) for each in tried}),
        (DISTRUSTS, {type(each.distrust) for each in tried}),
    ):
        assert {registry.name_of(kind) for kind in used} == set(registry.shipped)


def test_nobody_who_listens_nowhere_is_left_healthy() -> None:
    """Another service was refused by a master: it is declared failed at once."""
    service = FailoverDetectionService(possible()[0], CLUSTER)
    service.start_monitoring(0)
    (changed, *_) = service.handle_event(5, OrderRefused("m2", "promote"))
    assert isinstance(changed, StatusChanged)
    assert (changed.master, changed.new) == ("m2", Status.FAILED)
    assert "promote" in changed.reason


@pytest.mark.parametrize("number", range(len(WAYS)))
def test_who_is_called_healthy_while_it_is_away_is_watched_again(number: int) -> None:
    """A word ends an absence: silence after it tells."""
    settings = possible()[number]
    service = FailoverDetectionService(settings, CLUSTER, observer="here")
    report = service.generate_health_report(0)
    assert {m: each["suspicion"] for m, each in report.items()} == dict.fromkeys(MASTERS, 0.0)
    service.start_monitoring(0)
    service.step(SECOND, RecordRecovery(ABSENT, "an operator"))
    gossips = "gossip" in WAYS[number]["evidence"]  # there everybody is alive at first
    assert service.get_healthy_masters() == (list(MASTERS) if gossips else [ABSENT])
    now = SECOND
    while (due := service.next_wakeup()) is not None and due < 10 * MINUTE:
        now = max(now, due)
        service.step(now, WakeUp())
    if "confirm" not in WAYS[number]:  # nobody else says here what it knows
        assert service.get_all_master_statuses()[ABSENT] is Status.FAILED
