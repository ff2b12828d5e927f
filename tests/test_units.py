from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hasim import units

NANOSECONDS = st.integers(0, units.LONGEST_NS)
RATIOS = st.floats(0, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30s", 30_000_000_000),
        ("250ms", 250_000_000),
        ("1h30m", 5_400_000_000_000),
        ("0.1s", 100_000_000),
        ("1e3us", 1_000_000),
        (" 5 s ", 5_000_000_000),
        ("2d", 172_800_000_000_000),
        ("9007199.254740993s", 9_007_199_254_740_993),  # not a float in nanoseconds
    ],
)
def test_durations_are_exact(text: str, expected: int) -> None:
    assert units.parse_duration(text) == expected


@pytest.mark.parametrize("text", ["30", "", "s", "5 sec", "1h 30m", "30s1h", "1m1m", "1.s", "١s"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration such as 250ms"):
        units.parse_duration(text)


@pytest.mark.parametrize("read", [units.parse_duration, units.parse_size, units.parse_rate])
def test_negative_is_said_to_be_negative(read) -> None:
    with pytest.raises(ValueError, match="must not be negative, got '-5"):
        read("-5s")


@pytest.mark.parametrize("text", ["1e300s", "300000d", "200000d200000h", "9e18s"])
def test_durations_beyond_64_bits_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="too large"):
        units.parse_duration(text)


@pytest.mark.parametrize("text", ["1e300%", "1e99%"])
def test_percentages_without_end_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="too large"):
        units.parse_percent(text)


@given(NANOSECONDS)
def test_duration_text_reads_back(time_ns: int) -> None:
    assert units.parse_duration(units.format_duration(time_ns)) == time_ns


@given(RATIOS)
def test_percent_text_reads_back(ratio: float) -> None:
    assert units.parse_percent(units.format_percent(ratio)) == ratio


@given(st.floats(1e-300, 1e15))
def test_rate_text_reads_back(per_second: float) -> None:
    assert units.parse_rate(units.format_rate(per_second)) == per_second


@given(st.integers(0, 2**62))
def test_size_text_reads_back(size_bytes: int) -> None:
    assert units.parse_size(units.format_size(size_bytes)) == size_bytes
    assert units.parse_bandwidth(units.format_bandwidth(size_bytes)) == size_bytes


@given(st.integers(1, 10**6), st.sampled_from(["s", "m", "h", "d"]))
def test_rate_is_the_float_nearest_to_the_fraction(count: int, unit: str) -> None:
    exact = Fraction(count) * units.SECOND / units.DURATION_UNITS[unit]
    assert units.parse_rate(f"{count}/{unit}") == float(exact)


def test_percentages_are_the_nearest_float() -> None:
    assert units.parse_percent("99.99%") == 0.9999
    assert units.parse_percent("99.999%") == 0.99999
    assert units.format_percent(0.9999) == "99.99%"
    assert units.format_percent(1.0) == "100%"


def test_bandwidth_is_a_size_per_second() -> None:
    assert units.parse_bandwidth("200MiB/s") == 200 * 2**20
    with pytest.raises(ValueError, match="expected a bandwidth such as 200MiB/s, got '200MiB'"):
        units.parse_bandwidth("200MiB")
    with pytest.raises(ValueError, match="expected a bandwidth such as 200MiB/s, got '2/s'"):
        units.parse_bandwidth("2/s")
