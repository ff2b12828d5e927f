"""What holds of the detection service whatever it is told, in whatever order."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hasim.events import (
    AddMaster,
    GatewayReport,
    Input,
    MasterTraffic,
    Output,
    ProbeReply,
    RemoveMaster,
    SendProbe,
    StartMaintenance,
    StatusChanged,
    StopMaintenance,
    WakeUp,
)
from hasim.model import Cause, Status
from hasim.oracle.slow_detection import SlowModel
from hasim.services.detection import DetectionSettings, FailoverDetectionService
from hasim.services.detection.evidence.messages import MessageSettings
from hasim.services.detection.evidence.probe_settings import ProbeSettings
from hasim.services.detection.verdicts import VERDICTS
from hasim.units import SECOND
from tests.services.bench import cluster, detection

MASTERS = ("m1", "m2", "m3")
OPERATIONS = (StartMaintenance, StopMaintenance, AddMaster, RemoveMaster)
causes = st.sampled_from([Cause.OK, Cause.OK, Cause.REFUSED, Cause.TIMEOUT, Cause.ERROR])
masters = st.sampled_from(MASTERS)
steps = st.one_of(
    st.tuples(st.just("reply"), masters, causes, st.sampled_from([0, 0, 0, 1])),
    st.tuples(st.just("report"), masters, st.sampled_from("ab"), st.integers(0, 6)),
    st.tuples(st.just("delayed"), masters, st.sampled_from("ab"), st.integers(0, 6)),
    st.tuples(st.just("arrives"), masters, st.just(0), st.just(0)),
    st.tuples(st.just("operate"), masters, st.sampled_from(OPERATIONS), st.just(0)),
    st.tuples(st.just("ask"), masters, st.just(0), st.just(0)),
    st.tuples(st.just("wait"), st.just("m1"), st.integers(0, 4 * SECOND), st.just(0)),
)
scripts = st.lists(steps, max_size=60)
on_one = st.one_of(
    st.tuples(st.just("probe"), st.just("m1"), causes, st.just(0)),
    st.tuples(st.just("probe"), st.just("m1"), causes, st.just(0)),
    st.tuples(st.just("report"), st.just("m1"), st.sampled_from("ab"), st.integers(0, 4)),
    st.tuples(st.just("delayed"), st.just("m1"), st.sampled_from("ab"), st.integers(0, 4)),
    st.tuples(st.just("arrives"), st.just("m1"), st.just(0), st.just(0)),
    steps,
)
dense = st.lists(on_one, min_size=10, max_size=80)
configurations = st.builds(
    detection,
    evidence=st.sampled_from([["probe"], ["messages"], ["probe", "messages"]]),
    fall=st.integers(1, 3),
    rise=st.integers(1, 3),
    error_limit=st.integers(1, 3),
    error_window_ns=st.sampled_from([SECOND, 5 * SECOND]),
    interval_ns=st.sampled_from([SECOND, 3 * SECOND]),
    fast_interval_ns=st.sampled_from([SECOND // 5, SECOND]),
    timeout_ns=st.sampled_from([SECOND // 10, SECOND // 2]),
)


@dataclass
class Told:
    """A service, the present time, and all that it said and was told so far."""

    service: FailoverDetectionService
    now: int = 0
    said: list[tuple[int, Output]] = field(default_factory=list)
    heard: list[tuple[int, Input]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    reports: int = 0
    counted: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    delayed: dict[str, tuple[Input, ...]] = field(default_factory=dict)
    """By master, reports on their way, which later ones may overtake."""
    model: SlowModel | None = None

    def start(self) -> Told:
        self.note(self.service.start_monitoring(self.now))
        return self

    def note(self, outputs: Sequence[Output]) -> None:
        self.said += [(self.now, output) for output in outputs]
        if self.model is not None:
            self.model.sent(self.now, outputs)
        self.sent |= {o.master: o.probe for o in outputs if isinstance(o, SendProbe)}

    def take(self, item: Input) -> None:
        self.heard.append((self.now, item))
        if self.model is not None:
            self.model.take(self.now, item)
        self.note(self.service.step(self.now, item))
        if self.model is not None:
            verdicts = {name: master.status for name, master in self.model.masters.items()}
            assert verdicts == self.service.get_all_master_statuses()

    def wait(self, until_ns: int) -> None:
        while (due := self.service.next_wakeup()) is not None and due <= until_ns:
            assert due > self.now, "woken again at the same instant, for ever"
            self.now = due
            self.take(WakeUp())
        self.now = until_ns

    def do(self, step: tuple[str, str, Any, int]) -> None:
        kind, master, what, _ = step
        if kind == "wait":
            self.wait(self.now + what)
        elif kind == "ask":
            self.note(self.service.check_master_health(self.now, master))
        elif kind == "delayed":
            self.delayed[master] = (*self.delayed.get(master, ()), self.input(step))
        elif kind == "arrives":
            for report in self.delayed.pop(master, ()):
                self.take(report)
        elif kind == "probe":
            self.note(self.service.check_master_health(self.now, master))
            self.take(ProbeReply(master, self.sent.get(master, 0), what))
        else:
            self.take(self.input(step))

    def input(self, step: tuple[str, str, Any, int]) -> Input:
        kind, master, what, number = step
        if kind == "reply":
            return ProbeReply(master, max(0, self.sent.get(master, 0) - number), what)
        if kind == "operate":
            return what(master)
        self.reports += 1
        against, last = self.counted.get((what, master), (0, 0))
        # A shorter run is a new one; one that is as long is the same.
        against += number - last if number >= last else number
        self.counted[what, master] = against, number
        traffic = MasterTraffic(master, 1, against, 0, number, Cause.TIMEOUT, 0, against)
        return GatewayReport(what, self.reports, (traffic,))


def told(configuration: DetectionSettings, script: list[Any]) -> Told:
    made = Told(FailoverDetectionService(configuration, cluster(3, ("a", "b")))).start()
    for step in script:
        made.do(step)
    return made


def with_model(configuration: DetectionSettings) -> Told:
    """A service beside the rules written down once more."""
    kinds = {type(source): source for source in configuration.evidence}
    messages = kinds.get(MessageSettings)
    model = SlowModel(
        MASTERS,
        kinds[ProbeSettings].timeout_ns,
        fall=configuration.detector.fall,
        rise=configuration.detector.rise,
        limit=messages.error_limit if messages else 1,
        window_ns=messages.error_window_ns if messages else 1,
    )
    model.hears_messages = messages is not None
    service = FailoverDetectionService(configuration, cluster(3, ("a", "b")))
    return Told(service, model=model).start()


@settings(max_examples=400)
@given(configurations, dense)
def test_the_verdicts_are_those_of_the_rules_written_down_once_more(configuration, script) -> None:
    run = with_model(configuration)
    for step in script:
        run.do(step)


@pytest.mark.parametrize(("overtakes", "verdict"), [("m2", "suspect"), ("m1", "healthy")])
def test_a_report_is_overtaken_by_a_later_one_of_the_same_master_alone(overtakes, verdict) -> None:
    run = with_model(detection(evidence=["probe", "messages"], fall=3, error_limit=2))
    run.do(("probe", "m1", Cause.OK, 0))
    run.do(("delayed", "m1", "a", 2))
    run.do(("report", overtakes, "a", 0))
    run.do(("arrives", "m1", 0, 0))
    assert run.service.get_all_master_statuses()["m1"] == verdict


@given(configurations, scripts)
def test_every_verdict_is_a_move_of_the_table_from_the_one_before(configuration, script) -> None:
    run = told(configuration, script)
    last = dict.fromkeys(MASTERS, Status.UNKNOWN)
    for _, event in run.said:
        if isinstance(event, StatusChanged):
            assert event.old is last[event.master]
            assert event.new in VERDICTS[event.old].values()
            last[event.master] = event.new
    assert last == run.service.get_all_master_statuses()


@given(configurations, scripts)
def test_probes_are_numbered_in_turn_and_one_at_a_time(configuration, script) -> None:
    """A probe follows an answer to the last one, its timeout, or a return from maintenance."""
    run = told(configuration, script)
    (probes,) = [s for s in configuration.evidence if hasattr(s, "timeout_ns")]
    sent: dict[str, list[int]] = {master: [] for master in MASTERS}
    for t_ns, effect in run.said:
        if isinstance(effect, SendProbe):
            sent[effect.master].append(t_ns)
            assert effect.probe == len(sent[effect.master])
    for master, times in sent.items():
        ends = [
            t
            for t, item in run.heard
            if isinstance(item, (ProbeReply, *OPERATIONS)) and item.master == master
        ]
        for before, after in itertools.pairwise(times):
            answered = any(before <= end <= after for end in ends)
            assert answered or after >= before + probes.timeout_ns


@given(configurations, scripts)
def test_nobody_is_failed_on_less_than_fall_failed_checks(configuration, script) -> None:
    """Failed probes, and every `error_limit` failures that a report adds, at the most."""
    run = told(configuration, script)
    limit = next((s.error_limit for s in configuration.evidence if hasattr(s, "error_limit")), 0)
    for t_ns, event in run.said:
        if not isinstance(event, StatusChanged) or event.new is not Status.FAILED:
            continue
        if event.old is Status.RECOVERING:
            continue  # one failed check is enough
        failures = sum(
            item.cause is not Cause.OK
            for t, item in run.heard
            if isinstance(item, ProbeReply) and item.master == event.master and t <= t_ns
        )
        failures += sum(t <= t_ns and isinstance(i, WakeUp) for t, i in run.heard)  # timeouts
        streaks = [
            item.masters[0].streak
            for t, item in run.heard
            if isinstance(item, GatewayReport)
            and item.masters[0].master == event.master
            and t <= t_ns
        ]
        checks = failures + (sum(streaks) // limit if limit else 0)
        assert checks >= configuration.detector.fall


@given(configurations, scripts, st.integers(0, 60))
def test_frozen_at_any_moment_it_goes_on_alike(configuration, script, cut) -> None:
    run = told(configuration, script[:cut])
    data = json.loads(json.dumps(run.service.freeze()))
    restored = FailoverDetectionService.restore(configuration, cluster(3, ("a", "b")), data)
    counts = run.reports, dict(run.counted), dict(run.delayed)
    twin = Told(restored, run.now, [], [], dict(run.sent), *counts)
    run.said.clear()
    for step in script[cut:]:
        run.do(step)
        twin.do(step)
    assert twin.said == run.said
    assert restored.freeze() == run.service.freeze()
    assert restored.generate_health_report(run.now) == run.service.generate_health_report(run.now)


@given(configurations, scripts)
def test_a_wakeup_before_its_time_says_nothing(configuration, script) -> None:
    run = told(configuration, [])
    for step in script:
        due = run.service.next_wakeup()
        if due is None or due > run.now:
            before = run.service.freeze()
            assert run.service.step(run.now, WakeUp()) == []
            assert run.service.freeze() == before
        run.do(step)


@given(configurations, scripts, masters)
def test_what_is_said_of_one_master_depends_on_no_other(configuration, script, master) -> None:
    whole = told(configuration, script)
    alone = told(configuration, [s for s in script if s[0] == "wait" or s[1] == master])

    def about(run: Told) -> list[tuple[int, Output]]:
        return [(t, o) for t, o in run.said if getattr(o, "master", "") == master]

    assert about(whole) == about(alone)


@settings(max_examples=50)
@given(configurations, scripts)
def test_a_master_that_answers_every_probe_is_healthy_in_the_end(configuration, script) -> None:
    """Whatever happened: once nothing speaks against it for long enough, all is well."""
    run = told(configuration, script)
    for master in MASTERS:
        run.take(StopMaintenance(master))
    for gateway in "ab":
        run.reports += 1
        quiet = (MasterTraffic(m, 1, 0, 0, 0, Cause.OK, 0, 0) for m in MASTERS)
        run.take(GatewayReport(gateway, run.reports, tuple(quiet)))
    deadline = run.now + configuration.recovery_ns + 10 * SECOND
    while (due := run.service.next_wakeup()) is not None and due <= deadline:
        run.now = max(run.now, due)
        run.take(WakeUp())
        for master in MASTERS:
            run.take(ProbeReply(master, run.sent[master], Cause.OK))
    assert set(run.service.get_all_master_statuses().values()) == {Status.HEALTHY}
