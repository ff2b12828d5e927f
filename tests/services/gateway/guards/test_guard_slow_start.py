"""Slow start against Envoy's formula."""

from __future__ import annotations

import pytest

from hasim.services.gateway.guards import Guard, SlowStartSettings
from hasim.services.gateway.guards.slow_start import ramp, ramping
from hasim.units import SECOND

RULES = SlowStartSettings(window_ns=60 * SECOND)


@pytest.mark.parametrize(
    ("after_s", "aggression", "share"),
    [
        (0, 1.0, 0.1),  # 1/60 is less than the least
        (6, 1.0, 0.1),
        (15, 1.0, 0.25),
        (30, 1.0, 0.5),
        (59, 1.0, 59 / 60),
        (60, 1.0, 1.0),
        (15, 2.0, 0.5),  # the square root: faster at first
        (0, 2.0, (1 / 60) ** 0.5),
        (30, 0.5, 0.25),
    ],
)
def test_the_formula(after_s: int, aggression: float, share: float) -> None:
    rules = SlowStartSettings(window_ns=60 * SECOND, aggression=aggression)
    guard = Guard(back_ns=100 * SECOND)
    assert ramp(rules, guard, (100 + after_s) * SECOND) == pytest.approx(share)


def test_a_master_that_was_never_away_has_its_whole_weight() -> None:
    assert ramp(RULES, Guard(), 5) == 1.0
    assert not ramping(RULES, Guard(), 5)


def test_ramping_is_having_less_than_all() -> None:
    guard = Guard(back_ns=0)
    for second in range(0, 70, 7):
        assert ramping(RULES, guard, second * SECOND) == (ramp(RULES, guard, second * SECOND) < 1.0)
