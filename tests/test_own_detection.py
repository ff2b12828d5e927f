"""A detector, a source of evidence and a rule of selection of a user's own.

Each is defined here, registered by one line, and run from a scenario file: simulation, journal,
replay, freezing between any two inputs, worker processes.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest

import hasim
from hasim import appended
from hasim import journal as journals
from hasim.events import FailoverChanged, Heartbeat, Input, Output, ProbeReply, SendProbe, WakeUp
from hasim.events import StatusChanged as Changed
from hasim.journal import Journal
from hasim.model import Cause, Cluster, Diagnosis, Status
from hasim.scenario.loader import Loaded, load
from hasim.services.control_plane import ControlPlane
from hasim.services.detection.detectors.detector import Detector, DetectorSettings, Opinion
from hasim.services.detection.evidence.source import Judge, Source, SourceSettings
from hasim.services.detection.registry import DETECTORS, SOURCES
from hasim.services.failover.selection.candidate import Candidate
from hasim.services.failover.selection.rules import RULES
from hasim.services.frozen import freeze, thaw
from hasim.settings import duration, settings
from hasim.simulation.run import simulate
from hasim.study.replaying import what_if
from hasim.units import SECOND

OK = Cause.OK


@settings
class SilenceSettings(DetectorSettings):
    """Silence that lasts."""

    silence_ns: Annotated[int, duration("Nothing was heard for so long.", above=0)] = 2 * SECOND


@dataclass(slots=True)
class Silence(Detector):
    """Convicts when nothing was heard for a time."""

    settings: SilenceSettings
    heard_ns: int = 0

    def passed(self, now: int, number: int, took_ns: int) -> None:
        self.heard_ns = now

    def cleared(self, now: int) -> None:
        self.heard_ns = now

    def opinion(self, now: int) -> Opinion:
        return Opinion.CONVICT if now >= self.changes_ns() else Opinion.TRUST

    def suspicion(self, now: int) -> float:
        return (now - self.heard_ns) / self.settings.silence_ns

    def changes_ns(self) -> int:
        return self.heard_ns + self.settings.silence_ns


@settings
class BeatSettings(SourceSettings):
    """Heartbeats."""

    every_ns: Annotated[int, duration("Masters say so often that they live.", above=0)] = SECOND

    @property
    def period_ns(self) -> int:
        return self.every_ns

    @property
    def news_ns(self) -> int:
        return self.every_ns

    @property
    def heartbeat_ns(self) -> int:
        return self.every_ns


class Beats(Source):
    """Takes heartbeats, those aside that were overtaken."""

    INPUTS: ClassVar[frozenset[type[Input]]] = frozenset({Heartbeat})
    WHAT: ClassVar[str] = "heartbeat"

    settings: BeatSettings

    def __init__(self, settings: BeatSettings, judge: Judge, cluster: Cluster) -> None:
        self.judge = judge
        self.last = {master.id: 0 for master in cluster.masters}

    def step(self, now: int, item: Input) -> list[Output]:
        assert isinstance(item, Heartbeat)
        if item.number <= self.last[item.master]:
            return []
        self.last[item.master] = item.number
        return self.judge.passed(now, item.master, self, item.number, 0)

    def freeze(self) -> Any:
        return freeze(self.last)

    def thaw(self, data: Any) -> None:
        self.last = thaw(dict[str, int], data)


def by_last_name(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates whose name comes last."""
    last = max(one.master.id for one in candidates)
    return [one for one in candidates if one.master.id == last]


SCENARIO = """
horizon: 60s
replications: 4
seed: 3
masters: [{id: a, region: eu, priority: 1}, {id: b, like: a, priority: 2}, {id: c, like: a}]
network: {rtt: 10ms, jitter: {law: lognormal, cv: 0.5}}
traffic: {arrivals: {law: poisson, rate: 5/s}}
failover: {fencing: none}
faults:
  - {kind: crash, target: a, at: 10s, for: 10s}
  - {kind: hang, target: b, at: 40s, for: 10s}
"""
CROSSING_NS = SECOND // 2000  # half a round trip within a region
BY_PROBES = "detection: {evidence: probe, interval: 1s, detector: silence, silence: 2500ms}\n"
BY_BEATS = "detection: {evidence: beats, every: 800ms, detector: silence, silence: 3s}\n"


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    DETECTORS.register("silence", Silence)
    SOURCES.register("beats", Beats)
    RULES.register("last-name", by_last_name)
    yield
    for names, name in ((DETECTORS, "silence"), (SOURCES, "beats"), (RULES, "last-name")):
        names.forget(name)


def loaded(tmp_path: Path, detection: str, *overrides: tuple[str, str]) -> Loaded:
    path = tmp_path / "own.yaml"
    path.write_text(SCENARIO + detection)
    return load(path, overrides)


def journal_of(study: Loaded, replication: int = 0) -> Journal:
    cell = study.cells[0]
    return simulate(cell.world, study.recorded_of(cell), seed=3, replication=replication)


def control_plane(study: Loaded, journal: Journal) -> ControlPlane:
    world, cluster = study.cells[0].world, journal.header["cluster"]
    made = thaw(Cluster, cluster)
    return ControlPlane(
        made,
        world.detection,
        world.failover,
        world.balancing,
        world.monitor,
        seed=journal.header["observers"]["observer"]["seed"],
    )


def heard(journal: Journal, master: str, until_ns: int) -> int:
    """When something was last heard of a master before a time."""
    times = [
        t_ns
        for t_ns, item in journal.of(ProbeReply, Heartbeat)
        if item.master == master
        and t_ns < until_ns
        and getattr(item, "cause", Cause.OK) is Cause.OK
    ]
    return times[-1]


@pytest.mark.parametrize(("text", "silence_s"), [(BY_PROBES, 2.5), (BY_BEATS, 3.0)])
@pytest.mark.parametrize("replication", [0, 1])
def test_it_declares_exactly_when_it_has_been_silent_for_so_long(
    tmp_path, text, silence_s, replication
):
    journal = journal_of(loaded(tmp_path, text), replication)
    failed = [(t, e) for t, e in journal.of(Changed) if e.new is Status.FAILED]
    assert [event.master for _, event in failed] == ["a", "b"]
    for t_ns, event in failed:
        assert t_ns - heard(journal, event.master, t_ns) == silence_s * SECOND
        assert event.reason == "nothing was heard"
    # A crash refuses probes, and says by that what it is; without them it is silence.
    kinds = [event.diagnosis for _, event in failed]
    crash = Diagnosis.PROCESS_DOWN if text == BY_PROBES else Diagnosis.UNREACHABLE
    assert kinds == [crash, Diagnosis.UNREACHABLE]
    recovered = [t for t, e in journal.of(Changed) if e.old is Status.FAILED]
    assert len(recovered) == 2
    assert all(heard(journal, m, t + 1) == t for m, t in zip("ab", recovered, strict=True))


def test_heartbeats_are_sent_by_the_clock_while_the_master_answers(tmp_path):
    study = loaded(tmp_path, BY_BEATS, ("network", "{rtt: 10ms}"))
    phases = []
    for replication in range(3):
        journal = journal_of(study, replication)
        assert not list(journal.of(SendProbe))
        for master, gap in (("a", (10, 20)), ("b", (40, 50)), ("c", (60, 60))):
            beats = [(t, b.number) for t, b in journal.of(Heartbeat) if b.master == master]
            first = beats[0][0]
            assert 0 <= first - CROSSING_NS < 0.8 * SECOND
            phases.append(first)
            sent = range(first, 60 * SECOND, 8 * 10**8)
            down = range(*(CROSSING_NS + end * SECOND for end in gap))
            assert beats == [(t, n) for n, t in enumerate(sent, 1) if t not in down]
    assert len(set(phases)) == 9


def test_nobody_sends_heartbeats_that_nobody_asks_for(tmp_path):
    assert not list(journal_of(loaded(tmp_path, BY_PROBES)).of(Heartbeat))


@pytest.mark.parametrize("text", [BY_PROBES, BY_BEATS])
def test_a_journal_of_it_is_written_read_and_replayed(tmp_path, text):
    study = loaded(tmp_path, text)
    journal = journal_of(study)
    appended.write(journal, tmp_path / "own.jsonl")
    back = journals.read(tmp_path / "own.jsonl")
    assert back.records == journal.records
    about = back.header["observers"]["observer"]
    assert about["settings"]["detection"]["detector"] == "silence"
    assert about["late_window_ns"] == (1.5 if text == BY_PROBES else 0.8) * SECOND
    same = what_if(back, [])
    steps = (Changed, FailoverChanged)
    assert list(same.of(*steps)) == list(journal.of(*steps)) != []
    patient = what_if(back, [("detection.silence", "20s")])
    assert not [e for _, e in patient.of(Changed) if e.new is Status.FAILED]
    assert patient.header["observers"]["observer"]["settings"]["detection"]["silence"] == "20s"


@pytest.mark.parametrize("text", [BY_PROBES, BY_BEATS])
def test_frozen_between_any_two_inputs_it_goes_on_alike(tmp_path, text):
    study = loaded(tmp_path, text)
    journal = journal_of(study)
    machine = control_plane(study, journal)
    machine.start(0)
    inputs = [(r.t_ns, r.body) for r in journal.records if r.lane == "input"]
    assert sum(isinstance(item, WakeUp) for _, item in inputs) >= 2
    for t_ns, item in inputs:
        frozen = json.loads(json.dumps(machine.freeze()))
        expected = machine.step(t_ns, item)
        restored = control_plane(study, journal)
        restored.restore(frozen)
        assert restored.step(t_ns, item) == expected
        assert restored.next_wakeup() == machine.next_wakeup()
        machine = restored


@pytest.mark.parametrize("text", [BY_PROBES, BY_BEATS])
def test_worker_processes_learn_it(tmp_path, text):
    study = loaded(tmp_path, text, ("failover.selection", "last-name"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        alone = hasim.run(study.data, jobs=1)
        spread = hasim.run(study.data, jobs=2)
    assert alone.incidents.equals(spread.incidents)
    assert alone.failovers.equals(spread.failovers)
    assert set(alone.incidents["outcome"]) == {"detected"}
    assert set(alone.failovers["candidates"]) == {"c"}


def test_it_is_listed_and_refused_like_those_that_are_shipped(tmp_path):
    from hasim.study.reference import described

    rows = {row.path: row for row in described()}
    assert rows["detection.detector"].choices[-1] == "silence"
    assert rows["detection.detector"].about[-1] == "Convicts when nothing was heard for a time."
    assert rows["detection.silence"].default == "2s"
    assert rows["detection.evidence"].choices[-1] == "beats"
    with pytest.raises(ValueError, match="expected a duration"):
        loaded(tmp_path, BY_BEATS, ("detection.silence", "long"))
    with pytest.raises(ValueError, match="there is a detector 'silence' already"):
        DETECTORS.register("silence", Silence)
    with pytest.raises(ValueError, match="SilenceSettings are the settings of silence already"):
        DETECTORS.register("silent", Silence)
    with pytest.raises(ValueError, match="expected a name"):
        RULES.register("Last name", by_last_name)


def test_what_stands_in_a_function_cannot_be_registered():
    class Local(Silence):
        settings: SettingsOfNobody  # noqa: F821  # a name that is not at the top level

    with pytest.raises(ValueError, match="must stand at the top level"):
        DETECTORS.register("local", Local)
    with pytest.raises(ValueError, match="has no attribute `settings`"):
        DETECTORS.register("plain", object)
