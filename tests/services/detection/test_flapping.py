"""Flap detection, against the definitions of its sources, and in the service."""

from __future__ import annotations

import itertools
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.events import ProbeReply, StartMaintenance, StatusChanged, StopMaintenance
from hasim.model import Cause, Status
from hasim.services.detection.flapping.changes import Changes, ChangesSettings
from hasim.services.detection.flapping.damping import Damping, DampingSettings
from hasim.services.detection.service import FailoverDetectionService
from hasim.settings import SettingsError
from hasim.units import SECOND
from tests.services.bench import cluster, detection

MINUTE = 60 * SECOND


def test_one_and_two_failures_never_hold_down() -> None:
    """2 x 1000 is not above 2000, and the first one has decayed."""
    damping = Damping(DampingSettings())
    damping.failed(0)
    damping.failed(1)
    assert not damping.holds(1)


def test_the_third_failure_holds_down_until_the_penalty_is_750() -> None:
    """3000 halves twice in half an hour: 750."""
    damping = Damping(DampingSettings())
    for _ in range(3):
        damping.failed(MINUTE)
    assert damping.penalty == 3000
    assert damping.holds(MINUTE + 30 * MINUTE - 1)
    assert not damping.holds(MINUTE + 30 * MINUTE)
    assert damping.words(MINUTE) == "held down for 30m by a penalty of 3000 for its failures"


def test_nobody_is_held_for_longer_than_the_longest_hold() -> None:
    damping = Damping(DampingSettings())
    for _ in range(100):
        damping.failed(0)
    assert damping.penalty == pytest.approx(750 * 2**4)
    assert damping.holds(60 * MINUTE - 1)
    assert not damping.holds(60 * MINUTE)


@given(st.lists(st.integers(0, 20), max_size=12))
def test_the_penalty_is_the_sum_of_what_is_left_of_each_failure(waits) -> None:
    """Below the ceiling: 1000 x 2^-(age / half-life) each (RFC 2439, section 4.2)."""
    own = DampingSettings(longest_hold_ns=10 * 60 * MINUTE, suppress=4000.0)
    damping, times = Damping(own), [t * MINUTE for t in itertools.accumulate(waits)]
    held_until = 0.0
    for now in times:
        damping.failed(now)
        penalty = sum(1000 * 2 ** ((t - now) / own.half_life_ns) for t in times if t < now)
        penalty += 1000 * times[: times.index(now) + 1].count(now)
        penalty = max(penalty, 0.0)
        if damping.penalty == pytest.approx(penalty) and penalty > 4000:
            held_until = now + own.half_life_ns * math.log2(penalty / 750)
    if times and times == sorted(set(times)):
        last = times[-1]
        whole = sum(1000 * 2 ** ((t - last) / own.half_life_ns) for t in times)
        assert damping.penalty == pytest.approx(whole)
        assert damping.holds(last) == (held_until > last)


@given(st.lists(st.booleans(), max_size=60))
def test_the_share_of_changes_against_its_definition(results) -> None:
    """Twenty places for changes, weighing 0.75 at the oldest to 1.25 at the newest."""
    changes = Changes(ChangesSettings())
    flapping = False
    for count, passed in enumerate(results, 1):
        changes.checked(passed)
        last = results[max(0, count - 21) : count]
        changed = [a is not b for a, b in itertools.pairwise(last)]
        padded = [False] * (20 - len(changed)) + changed
        weights = [0.75 + 0.5 * place / 19 for place in range(20)]
        share = sum(w for w, c in zip(weights, padded, strict=True) if c) / 20
        assert changes.share() == pytest.approx(share)
        flapping = share >= 0.2 or (flapping and share >= 0.05)
        assert changes.holds(0) == flapping


def test_results_told_at_once_are_those_told_singly() -> None:
    one, many = Changes(ChangesSettings()), Changes(ChangesSettings())
    for passed, number in ((True, 3), (False, 40), (True, 2), (False, 25), (True, 1)):
        one.checked_many(passed, number)
        for _ in range(number):
            many.checked(passed)
        assert one == many


# -- in the service -------------------------------------------------------------------


class Watched:
    """One master, whose checks end as they are told to."""

    def __init__(self, **settings) -> None:
        self.settings = detection(evidence=("probe",), fall=1, rise=1, **settings)
        self.service = FailoverDetectionService(self.settings, cluster(1))
        self.service.start_monitoring(0)
        self.events: list[StatusChanged] = []
        self.now = 0
        self.answer(Cause.OK)

    def answer(self, cause: Cause, wait_ns: int = SECOND) -> list[Status]:
        """The next check ends like this."""
        self.now += wait_ns
        self.service.check_master_health(self.now, "m1")
        number = self.service.generate_health_report(self.now)["m1"]["probes_sent"]
        out = self.service.step(self.now, ProbeReply("m1", number, cause))
        found = [event for event in out if isinstance(event, StatusChanged)]
        self.events += found
        return [event.new for event in found]

    def flap(self, times: int) -> None:
        for _ in range(times):
            self.answer(Cause.REFUSED)
            self.answer(Cause.OK)


def test_without_flap_detection_each_passed_check_acquits() -> None:
    watched = Watched()
    watched.flap(10)
    assert [event.new for event in watched.events[1:]] == [Status.FAILED, Status.HEALTHY] * 10


def test_a_master_that_fails_again_and_again_stays_failed_although_its_checks_pass() -> None:
    watched = Watched(flapping="damping")
    watched.flap(3)
    assert [event.new for event in watched.events[-2:]] == [Status.HEALTHY, Status.FAILED]
    assert "held down for 29m" in watched.events[-1].reason
    assert watched.answer(Cause.OK, 10 * MINUTE) == []
    assert watched.answer(Cause.OK, 20 * MINUTE) == [Status.HEALTHY]


def test_too_many_changes_hold_down_until_enough_checks_have_passed() -> None:
    """Two changes for each failure: the third one is above 20 %; then they grow old."""
    watched = Watched(flapping="changes")
    watched.flap(3)
    assert watched.events[-1].new is Status.FAILED
    passed = 0
    while not watched.answer(Cause.OK):
        passed += 1
    assert 10 < passed < 21


def test_an_operator_ends_it() -> None:
    watched = Watched(flapping="damping")
    watched.flap(3)
    watched.service.record_recovery(watched.now, "m1", "operator")
    assert watched.service.get_healthy_masters() == ["m1"]
    watched.flap(2)
    assert watched.events[-1].new is Status.HEALTHY
    watched.flap(1)
    watched.service.step(watched.now, StartMaintenance("m1"))
    watched.service.step(watched.now, StopMaintenance("m1"))
    watched.answer(Cause.OK)
    watched.flap(2)
    assert watched.events[-1].new is Status.HEALTHY


@pytest.mark.parametrize("rule", ["damping", "changes"])
def test_frozen_it_goes_on_alike(rule: str) -> None:
    watched, twin = Watched(flapping=rule), Watched(flapping=rule)
    watched.flap(3)
    twin.flap(3)
    data = json.loads(json.dumps(twin.service.freeze()))
    twin.service = FailoverDetectionService.restore(twin.settings, cluster(1), data)
    for wait_ns in (SECOND, 10 * MINUTE, 20 * MINUTE, MINUTE, MINUTE):
        assert watched.answer(Cause.OK, wait_ns) == twin.answer(Cause.OK, wait_ns)
    assert watched.service.freeze() == twin.service.freeze()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"flapping": "damping", "reuse": 3000}, ("reuse", "is above suppress, 2000")),
        ({"flapping": "changes", "low": "30%"}, ("low", "is above high, 20%")),
    ],
)
def test_thresholds_that_would_end_it_at_once_are_refused(settings, problem) -> None:
    assert list(detection(**settings).problems()) == [problem]


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(SettingsError, match="unknown value 'dampening'"):
        detection(flapping="dampening")
