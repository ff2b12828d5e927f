"""Numbers for people."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim.report import format as f
from hasim.study.estimates.estimate import Estimate


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 s"),
        (0.00085, "850 us"),
        (0.85, "850 ms"),
        (0.9996, "1.00 s"),
        (2.3149, "2.31 s"),
        (9.996, "10.0 s"),
        (59.94, "59.9 s"),
        (59.97, "1 m 00 s"),
        (72, "1 m 12 s"),
        (3599.6, "1 h 00 m"),
        (7500, "2 h 05 m"),
        (86399, "1 d 00 h"),
        (200_000, "2 d 08 h"),
        (-0.5, "-500 ms"),
        (math.inf, "inf"),
    ],
)
def test_seconds(value, text):
    assert f.seconds(value) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.5, "50 %"),
        (0.123456, "12.3 %"),
        (0.999992, "99.9992 %"),
        (0.9999, "99.99 %"),
        (0.99984, "99.984 %"),
        (0.9999999, "99.99999 %"),
        (-0.0003, "-0.03 %"),
    ],
)
def test_percent(ratio, text):
    assert f.percent(ratio) == text


@given(st.floats(0, 1).filter(lambda r: 0 < r < 1 - 1e-9))
def test_only_all_reads_as_all(ratio):
    assert f.percent(ratio) != "100 %"
    # Three digits of the ratio, but two of what is missing once that is little.
    error = 0.051 * (1 - ratio) if ratio >= 0.99 else 0.0051 * ratio
    shown = float(f.percent(ratio).removesuffix(" %")) / 100
    assert shown == pytest.approx(ratio, abs=max(error, 6e-10))


@given(st.floats(1e-9, 59))
def test_seconds_keep_three_digits(value):
    number, unit = f.seconds(value).split(" ")[:2]
    if unit != "m":
        scale = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}[unit]
        assert float(number) * scale == pytest.approx(value, rel=5.1e-3)
        assert len(re.sub(r"^0\.0*|\.", "", number)) <= 4


def estimate(value, low, high, unit="s", n=120, needed=None):
    return Estimate("m", unit, value, low, high, n, "method", needed)


@pytest.mark.parametrize(
    ("given_estimate", "text"),
    [
        (estimate(2.31, 2.2, 2.45), "2.31 s [2.20, 2.45]"),
        (estimate(0.9, 0.85, 1.2), "900 ms [850, 1200]"),
        (estimate(72, 59, 80), "1 m 12 s [59.0 s, 1 m 20 s]"),
        (estimate(0.975, 0.929, 0.9948, "ratio"), "97.5 % [92.9, 99.5]"),
        (estimate(1.0, 0.929, 1.0, "ratio"), "100 % [92.9, 100]"),
        (estimate(0.99984, 0.9998, 0.99988, "ratio"), "99.984 % [99.980, 99.988]"),
        (estimate(0.5, 0.2, 0.99999, "ratio"), "50.0 % [20.0, 99.999]"),
        (estimate(-0.25, -0.5, 0.1), "-250 ms [-500, 100]"),
        (estimate(0.0123, 0.01, 0.02, "per_hour"), "0.0123 /h [0.0100, 0.0200]"),
        (estimate(0.5, 0.2, 1.25, "per_year"), "0.500 /y [0.200, 1.25]"),
        (estimate(1.5, None, None, "count"), "1.50"),
        (estimate(2.31, 2.2, math.inf), "2.31 s [2.20, inf]"),
        (estimate(math.inf, 2.2, math.inf), "> 2.20 s"),
        (estimate(math.inf, None, math.inf), "inf"),
        (estimate(None, None, None, needed=368), "- (needs 368, has 120)"),
        (estimate(None, None, None, n=0), "- (no observations)"),
        (estimate(None, None, None), "-"),
        (estimate(math.nan, None, None), "-"),
    ],
)
def test_estimate(given_estimate, text):
    assert f.estimate_text(given_estimate) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 s"), (0.5, "500 ms"), (2.5, "2.5 s"), (100, "100 s"), (600, "10 m 00 s")],
)
def test_tick(value, text):
    assert f.tick(value) == text
