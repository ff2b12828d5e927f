"""Message outcomes as evidence, against their definitions."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.events import GatewayReport, MasterTraffic, ProbeReply, StatusChanged
from hasim.model import Cause, Status
from hasim.services.detection.evidence.counting import OVERTAKEN
from hasim.services.detection.evidence.messages import MessageSettings
from hasim.services.detection.evidence.runs import Runs
from hasim.services.detection.evidence.shares import Shares
from hasim.services.detection.evidence.windows import Windowed
from hasim.services.detection.service import FailoverDetectionService
from hasim.services.watch import CODES, holds
from hasim.units import SECOND
from tests.services.bench import cluster, detection

WINDOW_NS = 10 * SECOND


def traffic(streak: int, against: int, ended: int = 0) -> MasterTraffic:
    """`against` of the `ended` messages failed, the last `streak` of them in a row."""
    answered = max(0, ended - against)
    return MasterTraffic("m1", answered, against, 0, streak, Cause.ERROR, 0, against)


def test_old_failures_are_excused_once_the_master_is_healthy_again() -> None:
    runs = Runs(2, WINDOW_NS)
    assert runs.update(0, "a", 1, traffic(5, 5)) == 2
    runs.excuse(forgive=True)
    assert runs.update(1, "a", 2, traffic(5, 5)) == 0
    assert runs.update(2, "a", 3, traffic(6, 6)) == 0
    assert runs.update(3, "a", 4, traffic(7, 7)) == 1


def test_a_run_that_is_as_long_as_the_excused_one_counts_if_it_is_another() -> None:
    runs = Runs(2, WINDOW_NS)
    runs.update(0, "a", 1, traffic(2, 2))
    runs.excuse(forgive=True)
    assert runs.update(1, "a", 2, traffic(2, 4)) == 1


def test_a_report_that_was_overtaken_is_known_as_such() -> None:
    runs = Runs(2, WINDOW_NS)
    assert runs.update(0, "a", 2, traffic(1, 1)) == 0
    assert runs.update(0, "a", 1, traffic(5, 5)) == OVERTAKEN
    assert runs.standing() == 1


def test_an_answer_elsewhere_voids_the_runs_that_do_not_grow() -> None:
    """A gateway without traffic would else add to every lost message for ever."""
    runs = Runs(2, WINDOW_NS)
    runs.update(0, "a", 1, traffic(1, 1))
    runs.update(SECOND, "b", 1, traffic(1, 1))
    runs.update(2 * SECOND, "b", 2, traffic(0, 1))
    assert runs.standing() == 1
    runs.update(WINDOW_NS, "b", 3, traffic(0, 1))
    assert runs.standing() == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=80), st.integers(1, 4))
def test_runs_against_their_definition(events, limit: int) -> None:
    """Failed checks so far equal the peak of standing failures // limit since all runs ended."""
    counted, runs, failures = (
        Runs(limit, WINDOW_NS),
        dict.fromkeys("abc", 0),
        dict.fromkeys("abc", 0),
    )
    peak = 0
    for sequence, (gateway, failed) in enumerate(events, 1):
        runs[gateway] = runs[gateway] + 1 if failed else 0
        failures[gateway] += failed
        seen = traffic(runs[gateway], failures[gateway])
        added = counted.update(sequence, gateway, sequence, seen)
        standing = sum(runs.values())
        peak = peak if standing else 0
        assert added == max(0, standing // limit - peak)
        peak = max(peak, standing // limit)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 4), st.booleans()), max_size=80),
    st.integers(1, 4),
)
def test_a_window_against_its_definition(events, limit: int) -> None:
    """As many failures as the limit within the window, none of them counted before."""
    counted, failures, now = Windowed(limit, WINDOW_NS), dict.fromkeys("ab", 0), 0
    times: list[int] = []
    for sequence, (gateway, wait_s, failed) in enumerate(events, 1):
        now += wait_s * SECOND
        failures[gateway] += failed
        times += [now] * failed
        times = [time for time in times if time > now - WINDOW_NS]
        added = counted.update(now, gateway, sequence, traffic(int(failed), failures[gateway]))
        assert added == (len(times) >= limit)
        if len(times) >= limit:
            times.clear()
            assert counted.insists(now)
            assert not counted.insists(now + WINDOW_NS)


def test_the_share_of_an_interval() -> None:
    """85 of 100 in the first interval, 84 of 100 in the second, 49 of 49 in the third."""
    shares = Shares(0.85, 50, WINDOW_NS)
    assert shares.update(0, "a", 1, traffic(0, 0, 0)) == 0
    assert shares.update(WINDOW_NS - 1, "a", 2, traffic(9, 85, 100)) == 0
    assert shares.update(WINDOW_NS, "b", 1, traffic(0, 0, 0)) == 1
    assert shares.insists(WINDOW_NS)
    assert shares.words() == "85% of 100 messages failed, the last one: error"
    assert shares.update(2 * WINDOW_NS, "a", 3, traffic(0, 169, 200)) == 0
    assert not shares.insists(2 * WINDOW_NS)
    assert shares.update(3 * WINDOW_NS, "a", 4, traffic(49, 218, 249)) == 0


# -- through the service --------------------------------------------------------------


class Told:
    """A service that watches one healthy master, and the failures that were reported to it."""

    def __init__(self, **settings: Any) -> None:
        self.service = FailoverDetectionService(detection(**settings), cluster(1, ("g",)))
        self.service.start_monitoring(0)
        self.service.step(0, ProbeReply("m1", 1, Cause.OK))
        self.probe, self.sequence = 1, itertools.count(1)

    def report(self, now: int, failures: int) -> list[Status]:
        seen = traffic(failures, failures)
        report = GatewayReport("g", next(self.sequence), (seen,))
        return self.statuses(self.service.step(now, report))

    def answer(self, now: int, cause: Cause) -> list[Status]:
        self.service.check_master_health(now, "m1")
        probe = self.service.generate_health_report(now)["m1"]["probes_sent"]
        return self.statuses(self.service.step(now, ProbeReply("m1", probe, cause)))

    @staticmethod
    def statuses(outputs: Any) -> list[Status]:
        return [output.new for output in outputs if isinstance(output, StatusChanged)]


@pytest.mark.parametrize(
    ("on_error", "at_limit", "after_a_failed_probe"),
    [
        ("fast-interval", [], [Status.SUSPECT]),
        ("fail-check", [Status.SUSPECT], []),
        ("sudden-death", [Status.SUSPECT], [Status.FAILED]),
        ("mark-down", [Status.FAILED], []),
    ],
)
def test_what_the_error_limit_does(on_error, at_limit, after_a_failed_probe) -> None:
    """HAProxy's on-error, with fall 4: one failed check after it convicts, or does not."""
    told = Told(error_limit=3, fall=4, on_error=on_error)
    assert told.report(SECOND, 2) == []
    assert told.report(SECOND, 3) == at_limit
    assert told.service.generate_health_report(SECOND)["m1"]["probes_sent"] == 2
    assert told.answer(SECOND, Cause.TIMEOUT) == after_a_failed_probe


def test_sudden_death_where_one_failed_check_convicts_does_so() -> None:
    assert Told(error_limit=3, fall=1, on_error="sudden-death").report(1, 3) == [Status.FAILED]


@pytest.mark.parametrize(
    ("settings", "against", "refuting"),
    [
        ({}, {"refused", "connect_timeout", "reset", "error", "timeout"}, {"ok", "client_error"}),
        (
            {"counted": ["timeout"]},
            {"refused", "connect_timeout", "timeout"},
            {"ok", "client_error"},
        ),
        (
            {"counted": ["error", "rejected"]},
            {"refused", "connect_timeout", "error", "rejected"},
            {"ok", "client_error"},
        ),
        (
            {"observe": "connection"},
            {"refused", "connect_timeout"},
            {"ok", "client_error", "error", "reset", "rejected", "not_owner"},
        ),
    ],
)
def test_which_ends_count(settings, against, refuting) -> None:
    watch = detection(**settings).watch
    assert {c for c in Cause if holds(watch.against, CODES[c])} == against
    assert {c for c in Cause if holds(watch.refuting, CODES[c])} == refuting


def test_what_is_reported_at_once_is_what_may_convict() -> None:
    """Up to the last failed check; one is enough to mark down; a share needs no haste."""
    assert detection(error_limit=5, fall=3).watch.failures == 15
    assert detection(error_limit=5, fall=3, on_error="mark-down").watch.failures == 5
    assert detection(error_limit=5, fall=3, count_by="share").watch.failures == 0
    windowed = detection(error_limit=5, fall=3, count_by="in-window").watch
    assert (windowed.failures, windowed.window_ns) == (15, WINDOW_NS)


def test_ends_that_no_rule_looks_at_are_refused() -> None:
    own = MessageSettings(observe="connection", counted=("error",))
    assert [place for place, _ in own.problems()] == ["counted"]
