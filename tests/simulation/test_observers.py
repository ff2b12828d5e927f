"""Several control planes in one world: each at its site, each named, none aware of the other.

A scenario has one; what is checked here is that nothing but the world's assembly knows.
"""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from hasim.appended import write
from hasim.deployed import replay_recorded
from hasim.events import GatewayReport, ProbeReply, ProbeStretch, SendProbe, StatusChanged
from hasim.journal import Journal, JournalError, read
from hasim.measures import measure
from hasim.model import Status
from hasim.oracle import difference
from hasim.report.explain import explain
from hasim.services.failover import FailoverSettings, NoFencingSettings
from hasim.simulation import world as world_module
from hasim.simulation.settings import JitterLaw, NetworkSettings, ReplicationSettings, WorldSettings
from hasim.simulation.settings.faults import Crash, NetworkPartition
from hasim.singles import singly
from hasim.study.gate.fingerprint import fingerprint
from hasim.study.replaying import what_if
from hasim.truth import MasterFenced
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.worlds import after, lasting, masters, run, traffic, world

SITES = {"here": "west", "there": "east"}
NETWORK = NetworkSettings(jitter=JitterLaw(cv=0.3), loss=0.01)


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worlds have two observers, one of them at another site than the masters."""
    monkeypatch.setattr(world_module, "observers_of", lambda _: SITES)


def hanging_off(scope: str, **more: object) -> WorldSettings:
    """Three masters in the west, of which m1 is cut off for a while."""
    fault = NetworkPartition(
        kind="partition", scope=scope, target="m1", at=after(20), for_=lasting(30), **more
    )
    regions = tuple(dataclasses.replace(m, region="west") for m in masters(3))
    return world(
        120,
        masters=regions,
        network=NETWORK,
        traffic=traffic(20, regions=("west", "east")),
        failover=FailoverSettings(fencing=NoFencingSettings()),
        faults=(fault,),
    )


def declared(journal: Journal, observer: str) -> list[str]:
    found = journal.seen_by(observer).of(StatusChanged)
    return [change.master for _, change in found if change.new is Status.FAILED]


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("plane", ["compiled", "reference"])
def test_each_observer_probes_hears_and_concludes_by_itself(plane: str) -> None:
    journal = run(dataclasses.replace(hanging_off("monitor"), data_plane=plane))
    assert journal.observers == ("here", "there")
    assert {r.observer for r in journal.records if r.lane != "truth"} == set(SITES)
    assert {r.observer for r in journal.records if r.lane == "truth"} == {""}
    count = Counter((r.observer, type(r.body)) for r in journal.records)
    for observer in SITES:
        assert count[observer, SendProbe] > count[observer, ProbeReply] > 10
        assert count[observer, GatewayReport] > 10
        assert declared(journal, observer) == ["m1"]
    round_trips = [_round_trip_ns(journal, observer) for observer in SITES]
    # Both ways at NETWORK's 1 ms inside a site and 10 ms to another one, with jitter.
    assert round_trips[0] < 2 * MILLISECOND < 5 * MILLISECOND < round_trips[1]


def _round_trip_ns(journal: Journal, observer: str) -> float:
    sent: dict[tuple[str, int], int] = {}
    taken = []
    for record in journal.seen_by(observer).records:
        if isinstance(record.body, SendProbe):
            sent[record.body.master, record.body.probe] = record.t_ns
        elif isinstance(record.body, ProbeReply):
            taken.append(record.t_ns - sent[record.body.master, record.body.probe])
    return sum(taken) / len(taken)


@pytest.mark.usefixtures("both")
def test_data_planes_agree_with_two_observers_and_deep_probes() -> None:
    settings = hanging_off("all")
    deep = tuple(dataclasses.replace(m, health="deep", workers=1) for m in settings.masters)
    settings = dataclasses.replace(settings, masters=deep)
    one, other = (
        run(dataclasses.replace(settings, data_plane=plane)) for plane in ("compiled", "reference")
    )
    assert difference(one, other) is None
    assert len(one.records) > 500


@pytest.mark.usefixtures("both")
def test_each_observer_hands_probing_over_by_itself() -> None:
    settings = dataclasses.replace(hanging_off("monitor"), detection=detection(interval_ns=SECOND))
    single, handed = (
        run(dataclasses.replace(settings, probes=probes)) for probes in ("single", "stretches")
    )
    assert difference(single, singly(handed)) is None
    assert {r.observer for r in handed.records if type(r.body) is ProbeStretch} == set(SITES)


@pytest.mark.usefixtures("both")
def test_replay_and_what_if_follow_the_observer_that_is_named(tmp_path) -> None:
    journal = run(hanging_off("monitor"))
    write(journal, tmp_path / "run.jsonl.gz")
    journal = singly(read(tmp_path / "run.jsonl.gz"))
    for observer in SITES:
        own = [r for r in journal.records if r.observer == observer]
        replayed = replay_recorded(journal, observer)
        assert replayed.difference is None
        assert replayed.journal.records == own
        assert what_if(journal, [("detection.interval", "10s")], observer).records != own
    assert replay_recorded(journal).inputs == replay_recorded(journal, "here").inputs
    assert replay_recorded(journal).inputs != replay_recorded(journal, "there").inputs
    with pytest.raises(JournalError, match="unknown observer 'her'; did you mean here"):
        replay_recorded(journal, "her")
    with pytest.raises(JournalError, match="unknown observer 'nowhere'"):
        measure(journal, "nowhere")


@pytest.mark.usefixtures("both")
def test_an_observer_that_is_cut_off_declares_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition between m1 and one observer: only that one is mistaken. It moves nothing, since
    the first alone acts."""
    scene = world_module.Scene

    def reaching_one(*parts: object) -> object:
        """The scope `monitor` of a fault strikes every observer; here it strikes one."""
        return dataclasses.replace(scene(*parts), observers=frozenset({"there"}))

    monkeypatch.setattr(world_module, "Scene", reaching_one)
    journal = run(hanging_off("monitor"))
    assert declared(journal, "here") == []
    assert declared(journal, "there") == ["m1"]
    here, there = measure(journal, "here"), measure(journal, "there")
    assert (len(here.mistakes), len(there.mistakes)) == (0, 1)
    assert (len(here.failovers), len(there.failovers)) == (0, 0)
    assert here.service.uptime == there.service.uptime  # what really happened


@pytest.mark.usefixtures("both")
def test_truths_say_whose_failover_they_belong_to() -> None:
    """Both declare m1, the first fences it; its failover is charged with the writes it lost."""
    crash = Crash(kind="crash", target="m1", at=after(20), for_=lasting(60))
    settings = dataclasses.replace(
        hanging_off("monitor"),
        faults=(crash,),
        failover=FailoverSettings(),
        replication=ReplicationSettings(lag_ns=5 * SECOND),
    )
    journal = run(settings)
    fenced = Counter(body.observer for _, body in journal.of(MasterFenced))
    assert fenced == {"here": 1}
    lost = [sum(f.writes_lost for f in measure(journal, name).failovers) for name in SITES]
    assert sum(lost) == sum(row.writes_lost for row in measure(journal).partitions) > 0
    stories = [str(explain(journal, 1, name)) for name in SITES]
    assert stories[0] != stories[1]
    assert all("m1 is declared failed" in story for story in stories)
    assert stories[0] == str(explain(journal, 1))


def test_a_name_alone_changes_no_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = hanging_off("monitor")
    before = fingerprint(run(settings))
    journal = run(settings)
    renamed = Journal(
        {**journal.header, "observers": {"x": journal.header["observers"]["observer"]}},
        [r._replace(observer="x" if r.observer else "") for r in journal.records],
    )
    assert fingerprint(renamed) == before
