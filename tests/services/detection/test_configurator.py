"""The configurator against the numbers of its paper, and against heartbeats that are drawn."""

from __future__ import annotations

import math

import pytest

import hasim
from hasim.services.detection.configurator import (
    Configuration,
    Network,
    UnreachableError,
    Wanted,
    exponential_tail,
    nfd_e,
    nfd_s,
    nfd_s_by_moments,
    quality,
)

EXAMPLE = Wanted(detection_s=30, recurrence_s=30 * 86_400, duration_s=60)
"""Of the paper: within 30 s, at most one mistake in 30 days, corrected within a minute."""
TAIL = exponential_tail(0.02)


def test_the_example_of_section_4() -> None:
    """1 % lost, exponential delays of 20 ms in the mean: eta = 9.97 s, delta = 20.03 s."""
    found = nfd_s(EXAMPLE, 0.01, TAIL)
    assert math.floor(found.interval_s * 100) / 100 == 9.97
    assert found.interval_s + found.extra_s == pytest.approx(30)


def test_the_example_of_section_5() -> None:
    """Only E(D) = V(D) = 0.02 are known: eta = 9.71 s, delta = 20.29 s."""
    found = nfd_s_by_moments(EXAMPLE, Network(0.01, 0.02, math.sqrt(0.02)))
    assert (round(found.interval_s, 2), round(found.extra_s, 2)) == (9.71, 20.29)


@pytest.mark.parametrize(
    ("bound_s", "recurrence", "duration", "accuracy"),
    [
        (1.05, 11.07, 0.1252, 0.988688),
        (1.10, 60.59, 0.5659, 0.990660),
        (1.25, 101.0, 0.7798, 0.992277),
        (1.50, 101.0, 0.5301, 0.994752),
        (2.00, 101.0, 0.0301, 0.999702),
        (2.05, 1107.0, 0.1252, 0.9998869),
        (2.10, 6059.0, 0.5659, 0.9999066),
        (2.50, 1.01e4, 0.5301, 0.9999475),
    ],
)
def test_the_staircase(bound_s: float, recurrence: float, duration: float, accuracy: float) -> None:
    """Theorem 5 with a heartbeat each second, against a table that was worked out elsewhere."""
    found = quality(Configuration(1.0, bound_s - 1), 0.01, TAIL)
    assert found.detection_bound_s == pytest.approx(bound_s)
    assert found.recurrence_s == pytest.approx(recurrence, rel=1e-3)
    assert found.duration_s == pytest.approx(duration, rel=1e-3)
    assert found.accuracy == pytest.approx(accuracy, abs=1e-6)


@pytest.mark.parametrize("days", [0.01, 1, 30, 3000])
@pytest.mark.parametrize("detection_s", [1.0, 4.0])
def test_what_is_found_keeps_the_bounds_and_little_more_does_not(
    days: float, detection_s: float
) -> None:
    wanted = Wanted(detection_s, days * 86_400, 60)
    found = nfd_s(wanted, 0.01, TAIL)
    assert quality(found, 0.01, TAIL).recurrence_s >= wanted.recurrence_s * (1 - 1e-9)
    assert quality(found, 0.01, TAIL).duration_s <= wanted.duration_s
    longer = found.interval_s * 1.0001
    beyond = Configuration(longer, detection_s - longer)
    assert quality(beyond, 0.01, TAIL).recurrence_s < wanted.recurrence_s


def test_less_knowledge_costs_a_shorter_interval() -> None:
    network = Network(0.01, 0.02, 0.02)
    known = nfd_s(EXAMPLE, 0.01, TAIL).interval_s
    unknown = nfd_s_by_moments(EXAMPLE, network).interval_s
    assert unknown < known
    # Counted from the mean delay, NFD-E has that much more time than NFD-S.
    later = Wanted(30 + network.mean_s, EXAMPLE.recurrence_s, EXAMPLE.duration_s)
    assert nfd_e(EXAMPLE, network).interval_s == pytest.approx(
        nfd_s_by_moments(later, network).interval_s
    )


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(UnreachableError, match="mean delay alone"):
        nfd_s_by_moments(Wanted(0.01, 60, 60), Network(0.0, 0.02, 0.02))
    with pytest.raises(UnreachableError, match="no interval gives it"):
        nfd_s(Wanted(0.05, 1e30, 1), 0.9, TAIL)
    with pytest.raises(ValueError, match="recurrence_s must be greater than zero"):
        Wanted(1, 0, 1)
    with pytest.raises(ValueError, match="loss must be at least 0 and below 1"):
        Network(1.0, 0.02, 0.02)


def test_from_python() -> None:
    found = hasim.configure(
        "nfd-s",
        detection_time="30s",
        mistake_recurrence="30d",
        mistake_duration="60s",
        loss="1%",
        delay_mean="20ms",
        delay_law="exponential",
    )
    assert found.settings == {
        "evidence": "heartbeat",
        "heartbeat_interval": "9s976ms",
        "detector": "nfd-s",
        "shift": "20s24ms",
    }
    assert found.quality is not None
    assert found.quality.recurrence_s >= 30 * 86_400
