"""Paired differences between runs and within one, against scipy and values worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from hasim.study.comparing.compare import CompareError, against, compare, p_value
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.summary import paired
from tests.simulation.worlds import lasting, masters, traffic, world
from tests.simulation.worlds import run as simulated
from tests.study.runs import run


def cell(shift_s: float, noise_s: float = 0.0, seed: int = 0, replications: int = 12):
    """Replications whose detection takes `shift_s` longer, up to noise of its own."""
    rng = np.random.default_rng(seed)
    common = np.random.default_rng(99).uniform(1, 9, replications)
    own = rng.normal(0, noise_s, replications) if noise_s else np.zeros(replications)
    return {n: run(n, [common[n] + shift_s + own[n]]) for n in range(replications)}


FOUR = [
    (0, {"a": 1, "b": "x"}, cell(0.0, 0.1, 1)),
    (1, {"a": 1, "b": "y"}, cell(0.5, 0.1, 2)),
    (2, {"a": 2, "b": "x"}, cell(0.0, 0.1, 3)),
    (3, {"a": 2, "b": "y"}, cell(2.0, 0.1, 4)),
]
MEASURES = ("detection_time.mean", "uptime")


def means(number: int) -> np.ndarray:
    runs = FOUR[number][2]
    return np.array([runs[n].incidents[0].detection_s for n in range(12)])


def test_one_cell_as_baseline_of_all_others() -> None:
    found = against(FOUR, {"a": 1, "b": "x"}, MEASURES)
    assert [(one.cell, one.baseline, one.measure) for one in found] == [
        (number, 0, measure) for number in (1, 2, 3) for measure in MEASURES
    ]
    first = found[0].difference
    test = stats.ttest_rel(means(1), means(0))
    interval = test.confidence_interval(0.95)
    assert first.value == pytest.approx((means(1) - means(0)).mean())
    assert (first.low, first.high) == pytest.approx((interval.low, interval.high))
    assert [one.verdict for one in found] == ["worse", "same", "undecided", "same", "worse", "same"]


def test_settings_that_are_not_named_are_the_same_in_both_cells() -> None:
    found = against(FOUR, {"b": "x"}, ("detection_time.mean",))
    assert [(one.cell, one.baseline) for one in found] == [(1, 0), (3, 2)]
    found = against(FOUR, {"a": 1}, ("detection_time.mean",))
    assert [(one.cell, one.baseline) for one in found] == [(2, 0), (3, 1)]


def test_holm_by_hand_over_all_differences() -> None:
    """Sorted p-values times 3, 2, 1, and never falling (Holm 1979)."""
    found = against(FOUR, {"a": 1, "b": "x"}, ("detection_time.mean",))
    raw = [float(stats.ttest_rel(means(n), means(0)).pvalue) for n in (1, 2, 3)]
    smallest, middle, largest = sorted(raw)
    adjusted = {smallest: min(1, 3 * smallest)}
    adjusted[middle] = max(adjusted[smallest], min(1, 2 * middle))
    adjusted[largest] = max(adjusted[middle], largest)
    assert [one.p for one in found] == pytest.approx([adjusted[p] for p in raw], rel=1e-6)


def test_a_point_beside_the_grid_is_compared_with_the_only_baseline_there_is() -> None:
    cells = [*FOUR[:2], (2, {"c": 5}, FOUR[3][2])]
    found = against(cells, {"b": "x"}, ("detection_time.mean",))
    assert [(one.cell, one.baseline) for one in found] == [(1, 0), (2, 0)]


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ({"aa": 1}, "is not varied; did you mean a?"),
        ({"a": 3}, "no cell has 3; there are 1, 2"),
        ({"a": 1, "b": "z"}, "no cell has z; there are x, y"),
    ],
)
def test_a_baseline_that_is_not_there(baseline: dict[str, object], message: str) -> None:
    with pytest.raises(CompareError, match=message.replace("?", r"\?")):
        against(FOUR, baseline)


def test_too_little_to_compare() -> None:
    alone = [(0, {"a": 1}, cell(0.0)), (1, {"a": 2}, cell(0.0, replications=1))]
    with pytest.raises(CompareError, match="two replications in common are needed, found 1"):
        against(alone, {"a": 1})
    with pytest.raises(CompareError, match="no other cell"):
        against(alone[:1], {"a": 1})


def test_only_common_replications_are_pairs() -> None:
    fewer = {n: one for n, one in FOUR[1][2].items() if n % 3}
    found = against([FOUR[0], (1, FOUR[1][1], fewer)], {"b": "x"}, ("detection_time.mean",))
    assert found[0].difference.n == 8


def test_two_runs_are_compared_cell_by_cell() -> None:
    before = [(0, {"a": 1}, cell(1.0, 0.1, 5)), (1, {"a": 2}, cell(0.0, 0.1, 6))]
    after = [(0, {"a": 2}, cell(0.0, 0.1, 7)), (1, {"a": 1}, cell(0.0, 0.1, 8))]
    found = compare(before, after, ("detection_time.mean",))
    assert [(one.cell, one.baseline, one.verdict) for one in found] == [
        (0, None, "better"),
        (1, None, "undecided"),
    ]
    with pytest.raises(CompareError, match="no cell in common"):
        compare(before, [(0, {"b": 2}, {})])


def test_a_quantile_with_too_few_has_no_difference() -> None:
    assert against(FOUR, {"b": "x"}, ("detection_time.p99",)) == []
    found = against(FOUR, {"b": "x"}, ("detection_time.p50",))
    assert [one.difference.method for one in found] == ["paired cluster bootstrap"] * 2
    assert found[1].verdict == "worse"


def test_what_is_no_longer_detected_is_worse_not_left_out() -> None:
    """Detected after 10 s before; after, one of four at 20 s, the others not in the 60 s they last.

    The areas under the curves up to 60 s: 10 s, and 20 s + 3/4 of 40 s. Without those that
    were censored the difference would be 10 s.
    """
    before = {n: run(n, [10.0, 10.0]) for n in range(12)}
    after = {n: run(n, [20.0 if n % 2 else None, None]) for n in range(12)}
    cells = [(0, {"a": 1}, before), (1, {"a": 2}, after)]
    (found,) = against(cells, {"a": 1}, ("detection_time.mean",))
    assert found.difference.value == pytest.approx(40)
    assert 20 < found.difference.low < 40 < found.difference.high < 60
    assert (found.difference.n, found.verdict) == (12, "worse")
    assert found.difference.note == "the first 60 s; censored: 0 of 24 and 18 of 24"
    (back,) = against(cells, {"a": 2}, ("detection_time.mean",))
    assert back.difference.value == pytest.approx(-40)
    assert (back.difference.high, back.verdict) == (-found.difference.low, "better")


def test_p_values() -> None:
    values = np.random.default_rng(8).normal(0.3, 1, 25)
    interval = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    one = Estimate("uptime", "s", values.mean(), interval.low, interval.high, 25, "paired t")
    assert p_value(one) == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert p_value(Estimate("uptime", "s", 0.0, 0.0, 0.0, 25, "")) == 1
    # Nothing but the signs to go by: all six the same, either way.
    assert p_value(Estimate("uptime", "s", 2.0, 2.0, 2.0, 6, "")) == 2 / 64
    assert p_value(Estimate("uptime", "s", 2.0, -math.inf, math.inf, 6, "")) == 1


def test_false_alarms_of_the_whole_family_stay_below_five_percent() -> None:
    """Five cells without a difference to the baseline: any claim is false; Holm allows 5 %."""
    false = 0
    for seed in range(60):
        cells = [(n, {"a": n}, cell(0.0, 0.2, 100 * seed + n, 10)) for n in range(6)]
        found = against(cells, {"a": 0}, ("detection_time.mean",))
        false += any(one.verdict in ("better", "worse") for one in found)
    # 5 % of 60 are 3; more than 7 had a probability of 1 %.
    assert false <= 7


def test_algorithms_meet_the_same_luck() -> None:
    """Common random numbers: cells differ in the algorithm, not in faults, arrivals or demands."""
    from hasim.services.balancing import BalancingSettings
    from hasim.simulation.laws import Exponential
    from hasim.simulation.settings.faults import Crash
    from hasim.truth import FaultCured, FaultStarted, MessageRecord
    from hasim.units import SECOND

    def journal(algorithm: str, replication: int):
        settings = world(
            60,
            masters=masters(3),
            traffic=traffic(20.0, vip=0.2),
            faults=(
                Crash(
                    kind="crash",
                    target="random",
                    every=Exponential(mean_ns=20 * SECOND),
                    for_=lasting(5),
                ),
            ),
            balancing=BalancingSettings(algorithm=algorithm),
        )
        return simulated(settings, replication=replication, messages=True)

    def luck(algorithm: str, replication: int = 0):
        found = journal(algorithm, replication)
        faults = [(t, b) for cls in (FaultStarted, FaultCured) for t, b in found.of(cls)]
        messages = [
            (m.arrived_ns, m.gateway, m.klass, m.partition) for _, m in found.of(MessageRecord)
        ]
        return faults, messages

    robin = luck("round-robin")
    assert robin[0]
    assert robin[1]
    assert luck("least-loaded") == robin
    assert luck("priority") == robin
    assert luck("round-robin", 1) != robin


def test_pairs_are_narrower_than_cells() -> None:
    """What common random numbers are for."""
    first, second = list(FOUR[0][2].values()), list(FOUR[3][2].values())
    difference = paired(first, second, "detection_time.mean")
    apart = stats.ttest_ind(means(3), means(0)).confidence_interval(0.95)
    assert difference.high - difference.low < 0.2 * (apart.high - apart.low)
