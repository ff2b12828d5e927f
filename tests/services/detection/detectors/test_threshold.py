"""The threshold detector against its definition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hasim.services.agenda import NEVER
from hasim.services.detection.detectors.detector import Opinion
from hasim.services.detection.detectors.threshold import Threshold, ThresholdSettings


@given(fall=st.integers(1, 5), checks=st.lists(st.booleans(), max_size=60))
def test_it_convicts_exactly_at_a_run_of_fall(fall: int, checks: list[bool]) -> None:
    """The last `fall` checks all failed; a check that passes while it only suspects clears."""
    detector = Threshold(ThresholdSettings(fall=fall))
    for i, passed in enumerate(checks):
        if passed:
            detector.passed(i, i, 1)
            detector.cleared(i)
        else:
            detector.failed(i)
        last = checks[max(0, i - fall + 1) : i + 1]
        convicts = len(last) == fall and not any(last)
        assert (detector.opinion(i) is Opinion.CONVICT) == convicts
        assert (detector.suspicion(i) >= 1) == convicts
        assert (detector.opinion(i) is Opinion.TRUST) == passed == (detector.suspicion(i) == 0)


def test_silence_says_nothing_to_it() -> None:
    detector = Threshold(ThresholdSettings(fall=2))
    detector.begin(0)
    detector.failed(1)
    assert detector.changes_ns() == NEVER
    assert detector.opinion(10**18) is Opinion.SUSPECT


def test_what_it_says_of_itself() -> None:
    settings = ThresholdSettings(fall=3, rise=4)
    assert (settings.convicting_checks, settings.acquitting_checks) == (3, 4)
    assert settings.late_window_ns(7) == 7
