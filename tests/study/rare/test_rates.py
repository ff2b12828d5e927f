"""Rates: given, in the scenario, fitted to recorded outages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hasim.scenario.tables.errors import TraceError
from hasim.scenario.traces.outages import read_outages
from hasim.settings.validation import SettingsError
from hasim.simulation.laws import Constant, Exponential, Weibull
from hasim.simulation.settings import MasterSettings, WorldSettings
from hasim.simulation.settings.faults import (
    AnyFault,
    Crash,
    Hang,
    RegionOutage,
)
from hasim.simulation.settings.recordings import OutageTrace
from hasim.study.rare.rates import (
    between,
    classes_of,
    fit,
    over,
    parse_rates,
    unknown_kinds,
)
from hasim.units import DAY, HOUR, MINUTE, SECOND, YEAR

OSG = Path(__file__).parents[3] / "scenarios" / "data" / "osg_outages.csv"
MASTERS = (
    MasterSettings(id="a", region="east"),
    MasterSettings(id="b", region="west"),
    MasterSettings(id="c", region="west"),
)
LASTING = Constant(mean_ns=10 * MINUTE)
EVERY = Exponential(mean_ns=30 * DAY)


def test_a_cure_that_waits_for_the_declaration_is_refused() -> None:
    fault = Crash(kind="crash", every=Exponential(mean_ns=DAY), from_="declaration")
    with pytest.raises(SettingsError, match="timed from their start"):
        classes_of(world(fault))


def world(*faults: AnyFault) -> WorldSettings:
    return WorldSettings(masters=MASTERS, horizon_ns=HOUR, faults=faults)


# -- fitting -----------------------------------------------------------------------


def test_a_chi_square_interval_from_times_between_outages() -> None:
    """10 gaps of 100 s in all; chi-square with 20 degrees: 9.5908 and 34.1696 (tables)."""
    outages = [[(i * 20 * SECOND, (i * 20 + 10) * SECOND) for i in range(11)]]
    found = between(outages)
    assert found.n == 10
    assert found.value == pytest.approx(0.1)
    assert found.low == pytest.approx(9.5908 / 200, rel=1e-5)
    assert found.high == pytest.approx(34.1696 / 200, rel=1e-5)


def test_a_poisson_interval_from_all_time_up() -> None:
    """5 outages of 10 s in 4 x 1000 s watched: 5 in 3950 s up; Poisson limits 1.6235, 11.6683."""
    outages = [[(0, 10 * SECOND), (500 * SECOND, 510 * SECOND)],
               [(100 * SECOND, 110 * SECOND), (300 * SECOND, 310 * SECOND),
                (990 * SECOND, 1000 * SECOND)]]  # fmt: skip
    found = over(outages, 4)
    assert found.value == pytest.approx(5 / 3950)
    assert found.low == pytest.approx(1.6235 / 3950, rel=1e-4)
    assert found.high == pytest.approx(11.6683 / 3950, rel=1e-4)


def test_the_interval_covers_the_rate_that_outages_were_drawn_with() -> None:
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(800):
        resources = []
        for _ in range(5):
            now, spans = 0, []
            for up in rng.exponential(1000.0, 4):
                now += round(up * SECOND)
                spans.append((now, now + 5 * SECOND))
                now += 5 * SECOND
            resources.append(spans)
        found = between(resources)
        hits += found.low <= 1 / 1000 <= found.high
    assert 0.935 <= hits / 800 <= 0.965


def test_the_grid_s_outages_as_published() -> None:
    """The mean time between outages that stands in the trace's own description: 4,091.7 h."""
    trace = OutageTrace(trace=str(OSG), unit="s", least_outages=3)
    mean_h = 1 / (between(read_outages(trace)).value or 0) / 3600
    assert mean_h == pytest.approx(4091.7, abs=0.05)


def test_a_fit_is_in_real_time_whatever_the_time_scale() -> None:
    fast = OutageTrace(trace=str(OSG), unit="s", time_scale=6500)
    slow = OutageTrace(trace=str(OSG), unit="s")
    assert fit(fast) == fit(slow)
    assert fit(fast).per_s.method == "exact chi-square"
    per_year = (fit(fast).per_s.value or 0) * YEAR / SECOND
    assert 1.5 < per_year < 3


def test_resources_that_never_failed_lower_the_rate() -> None:
    trace = OutageTrace(trace=str(OSG), unit="s")
    failing, all_of_them = fit(trace), fit(trace, 434)
    assert (all_of_them.per_s.n, all_of_them.origin) == (
        1303,  # merged per resource, as the trace's description has it
        "1303 outages of 434 resources in osg_outages.csv",
    )
    assert (all_of_them.per_s.high) < failing.per_s.low
    with pytest.raises(TraceError, match="names 257 resources, more than the 100 watched"):
        fit(trace, 100)


# -- the faults of a scenario ----------------------------------------------------------


def test_rates_have_units() -> None:
    rates = parse_rates({"crash": "12/y", "hang": 1e-6})
    assert rates["crash"].per_s.value == pytest.approx(12 / 31_557_600)
    assert rates["hang"].per_s.value == 1e-6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("12", "rate crash: expected a rate such as 12/y or 1/d, got '12'"),
        ("-1/y", "rate crash: must not be negative, got '-1/y'"),
        ("0/y", "rate crash: must be greater than 0/s, got 0/y"),
    ],
)
def test_what_is_no_rate(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_rates({"crash": text})
    assert str(caught.value) == message


def test_each_master_is_a_process() -> None:
    (found,) = classes_of(world(Crash(kind="crash", target="each", every=EVERY, for_=LASTING)))
    assert found.targets == ("a", "b", "c")
    assert (found.whose, found.rate.origin) == ("master", "every")
    assert found.kind.rate_per_s.value == pytest.approx(1 / (30 * 86400))
    assert found.kind.mean_s == 600


def test_a_rhythm_of_its_own_is_one_process_and_a_given_rate_one_for_each() -> None:
    fault = Crash(kind="crash", target="random", every=EVERY)
    assert classes_of(world(fault))[0].targets == ("random",)
    given = parse_rates({"crash": "1/d"})
    assert classes_of(world(fault), given)[0].targets == ("a", "b", "c")


def test_regions_named_masters_and_owners() -> None:
    faults = (
        RegionOutage(kind="region-outage", target="random", at=(LASTING,)),
        RegionOutage(kind="region-outage", target="region:west", at=(LASTING,)),
        Crash(kind="crash", target=("a", "b"), at=(LASTING,)),
        Hang(kind="hang", target="owner-of:p1", at=(LASTING,)),
    )
    found = classes_of(world(*faults), mtbf_ns=10 * DAY)
    assert [one.targets for one in found] == [
        ("region:east", "region:west"), ("region:west",), (("a", "b"),), ("owner-of:p1",),
    ]  # fmt: skip
    assert [one.name for one in found] == [
        "region-outage (faults.0)", "region-outage (faults.1)", "crash", "hang",
    ]  # fmt: skip
    assert [one.whose for one in found] == ["region", "region:west", "a and b", "owner-of:p1"]
    assert {one.rate.origin for one in found} == {"projection"}


def test_the_mean_of_any_law_counts() -> None:
    fault = Crash(kind="crash", every=Weibull(mean_ns=5 * DAY, shape=0.7))
    assert classes_of(world(fault))[0].rate.per_s.value == pytest.approx(1 / (5 * 86400))


def test_a_schedule_is_fitted() -> None:
    trace = OutageTrace(trace=str(OSG), unit="s", time_scale=6500)
    (found,) = classes_of(world(Crash(kind="crash", target="each", schedule=trace)))
    assert found.rate == fit(trace)
    assert found.rate.per_s.low < (found.rate.per_s.value or 0) < found.rate.per_s.high


def test_every_fault_without_a_rate_is_told() -> None:
    faults = (
        Crash(kind="crash", at=(LASTING,)),
        Hang(kind="hang", every=EVERY),
        Hang(kind="hang", at=(LASTING,)),
    )
    with pytest.raises(SettingsError) as caught:
        classes_of(world(*faults))
    assert [where for where, _ in caught.value.problems] == [("faults", 0), ("faults", 2)]
    assert "--rate crash=12/y" in str(caught.value)


def test_a_rate_of_nothing_is_told_with_the_nearest() -> None:
    worlds = [world(Crash(kind="crash", every=EVERY)), world(Hang(kind="hang", every=EVERY))]
    assert unknown_kinds(worlds, {"crash": 1, "hang": 1}) == []
    assert unknown_kinds(worlds, {"crahs": 1}) == [
        "none is of the kind 'crahs'; did you mean crash?"
    ]
