"""The rhythm of probes: from end to end or by the clock, with other intervals and jitter."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

from hasim.events import ProbeReply, SendProbe, StatusChanged, WakeUp
from hasim.model import Cause, Status
from hasim.scenario.checks import world_problems
from hasim.services.detection import FailoverDetectionService
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import cluster, detection
from tests.simulation.worlds import world

TAKES_NS = 200 * MILLISECOND


class Asked:
    """A service with one master, whose probes end after 200 ms as they are told, or never."""

    def __init__(self, *, seed: int | None = 7, **beside: Any) -> None:
        settings = detection(evidence=["probe"], **beside)
        self.service = FailoverDetectionService(settings, cluster(1), seed=seed)
        self.sent_ns: list[int] = []
        self.verdicts: list[tuple[int, Status, str]] = []
        self.ends: Cause | None = Cause.OK
        self._answer: tuple[int, int] | None = None
        self._note(0, self.service.start_monitoring(0))

    def until(self, time_ns: int) -> None:
        while True:
            due_ns = self.service.next_wakeup()
            answer, self._answer = self._answer, None
            if answer is not None and (due_ns is None or answer[0] <= due_ns):
                if answer[0] > time_ns:
                    self._answer = answer
                    return
                if self.ends is not None:
                    reply = ProbeReply("m1", answer[1], self.ends)
                    self._note(answer[0], self.service.step(answer[0], reply))
                continue
            self._answer = answer
            if due_ns is None or due_ns > time_ns:
                return
            self._note(due_ns, self.service.step(due_ns, WakeUp()))

    def _note(self, now: int, outputs: list[Any]) -> None:
        for output in outputs:
            if isinstance(output, SendProbe):
                self.sent_ns.append(now)
                self._answer = (now + TAKES_NS, output.probe)
            elif isinstance(output, StatusChanged):
                self.verdicts.append((now, output.new, output.reason))

    def gaps_s(self) -> list[float]:
        """Between probes, from the third one on: the first two make the phase."""
        return [(b - a) / SECOND for a, b in itertools.pairwise(self.sent_ns[1:])]


def test_from_end_to_end_the_answer_takes_its_time_besides() -> None:
    asked = Asked(interval_ns=10 * SECOND)
    asked.until(100 * SECOND)
    assert set(asked.gaps_s()) == {10.2}


def test_by_the_clock_it_does_not_and_neither_does_a_timeout() -> None:
    asked = Asked(interval_ns=10 * SECOND, timeout_ns=SECOND, rhythm="clock", fast_interval=None)
    asked.until(50 * SECOND)
    asked.ends = None
    asked.until(200 * SECOND)
    assert set(asked.gaps_s()) == {10.0}


def test_a_question_between_two_ticks_does_not_shift_the_clock() -> None:
    asked = Asked(interval_ns=10 * SECOND, rhythm="clock", fast_interval=None)
    asked.until(35 * SECOND)
    before = asked.sent_ns[-1]
    asked._note(35 * SECOND, asked.service.check_master_health(35 * SECOND, "m1"))
    asked.until(60 * SECOND)
    regular = [t_ns for t_ns in asked.sent_ns if t_ns > 35 * SECOND]
    assert [t_ns - before for t_ns in regular[:2]] == [10 * SECOND, 20 * SECOND]


@pytest.mark.parametrize(
    ("rhythm", "expected"), [("end", [2.5, 2.5, 20.5, 20.5]), ("clock", [2, 2, 20, 20])]
)
def test_a_fast_interval_in_transition_and_another_one_when_it_is_down(rhythm, expected) -> None:
    """HAProxy: fastinter while failures are counted, downinter from then on."""
    asked = Asked(
        interval_ns=10 * SECOND,
        fast_interval_ns=2 * SECOND,
        down_interval_ns=20 * SECOND,
        timeout_ns=SECOND // 2,
        fall=3,
        rhythm=rhythm,
    )
    asked.until(35 * SECOND)
    asked.ends, count = None, len(asked.sent_ns)
    asked.until(120 * SECOND)
    gaps = [(b - a) / SECOND for a, b in itertools.pairwise(asked.sent_ns[count:])]
    assert gaps[:4] == expected
    assert [status for _, status, _ in asked.verdicts[1:]] == [Status.SUSPECT, Status.FAILED]


def test_what_is_not_given_is_the_interval() -> None:
    asked = Asked(interval_ns=3 * SECOND, fast_interval=None, timeout=None, fall=2)
    asked.ends = None
    asked.until(30 * SECOND)
    # 3 s until each times out, and 3 s until the next: the second one convicts.
    assert asked.sent_ns[:3] == [0, 6 * SECOND, 12 * SECOND]
    assert (9 * SECOND, Status.FAILED) in [verdict[:2] for verdict in asked.verdicts]


def test_the_first_probe_waits_for_the_initial_delay() -> None:
    asked = Asked(initial_delay_ns=5 * SECOND)
    asked.until(5 * SECOND - 1)
    assert not asked.sent_ns
    asked.until(5 * SECOND)
    assert asked.sent_ns == [5 * SECOND]


def test_haproxy_spreads_both_ways_and_envoy_adds() -> None:
    for beside, low, width in (
        ({"spread_checks": "5%"}, 9.5, 1.0),
        ({"interval_jitter_ns": 2 * SECOND}, 10.0, 2.0),
        ({"interval_jitter_percent": "30%"}, 10.0, 3.0),
    ):
        asked = Asked(interval_ns=10 * SECOND, **beside)
        asked.until(4000 * SECOND)
        waits = np.array(asked.gaps_s()) - TAKES_NS / SECOND
        assert low <= waits.min() < waits.max() <= low + width
        assert kstest(waits, "uniform", args=(low, width)).pvalue > 0.001
        same = Asked(interval_ns=10 * SECOND, **beside)
        same.until(4000 * SECOND)
        assert same.sent_ns == asked.sent_ns
        other = Asked(seed=8, interval_ns=10 * SECOND, **beside)
        other.until(4000 * SECOND)
        assert other.sent_ns != asked.sent_ns


def test_the_jitter_does_not_shift_the_clock() -> None:
    asked = Asked(interval_ns=10 * SECOND, rhythm="clock", interval_jitter_ns=SECOND)
    asked.until(10_000 * SECOND)
    phases = np.array(asked.sent_ns[1:]) % (10 * SECOND) / SECOND
    first = Asked(interval_ns=10 * SECOND, rhythm="clock")
    first.until(20 * SECOND)
    tick = first.sent_ns[1] % (10 * SECOND) / SECOND
    assert kstest((phases - tick) % 10, "uniform", args=(0, 1)).pvalue > 0.001


def test_a_fatal_answer_is_enough() -> None:
    """Elasticsearch: a closed connection, however many tries there are."""
    asked = Asked(interval_ns=SECOND, timeout_ns=30 * SECOND, fall=3, fatal=["refused"])
    asked.until(10 * SECOND)
    asked.ends = Cause.REFUSED
    asked.until(12 * SECOND)
    assert [status for _, status, _ in asked.verdicts] == [Status.HEALTHY, Status.FAILED]
    assert asked.verdicts[1][2].endswith("refused, which is fatal")


def test_a_timeout_above_the_interval_is_legal_where_probes_follow_each_other() -> None:
    def told(**beside: Any) -> list[tuple[Any, str]]:
        return list(world_problems(world(60, detection=detection(**beside))))

    long = {"interval_ns": SECOND, "timeout_ns": 30 * SECOND}
    assert not told(**long)
    assert told(**long, rhythm="clock") == [
        (("detection", "timeout"), "is longer than the interval, 1s, which goes by the clock")
    ]
    assert told(rhythm="clock", spread_checks="5%")[0][0] == ("detection", "spread_checks")
