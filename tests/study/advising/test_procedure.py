"""Limits and the race on cells whose truth is known: what is decided, with how much work."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import hasim
from hasim.study.advising.limits import LOOKS, check, least_replications, share_of_error
from hasim.study.advising.logarithms import GROUPS, logarithm
from hasim.study.advising.procedure import decide
from hasim.study.advising.race import ENOUGH, bounds, log_ratio, race
from hasim.study.advising.terms import AdviceError, terms_of
from tests.study.advising.made import HOURS_A_YEAR, Lognormal

LIMIT = f"failovers.needless < {HOURS_A_YEAR:g}/y"
"""One an hour."""


def terms(**options):
    return terms_of("outage.p99", [LIMIT], **options)


def test_clear_cells_are_decided_at_once_and_open_ones_get_four_times_the_work() -> None:
    source = Lognormal([1, 1, 1], [0.05, 5.0, 0.8])
    found = check([0, 1, 2], terms(), source)
    assert [found[c].standing for c in (0, 1, 2)] == ["feasible", "infeasible", "feasible"]
    assert found[0].replications == found[1].replications == 20
    assert found[2].replications in (320, 1280)
    assert source.asked[:2] == [((0, 1, 2), 20), ((2,), 80)]


def test_a_cell_at_its_limit_stays_undecided_and_is_never_recommended() -> None:
    source = Lognormal([1, 3], [1.0, 0.1])
    decision = decide([0, 1], terms(most=320), source, today=1)
    assert decision.undecided == (0,)
    assert decision.chosen == 1
    assert decision.checked[0].replications == 320


def test_without_any_event_the_exact_bound_decides() -> None:
    """ln(1 / error) hours without a failover show less than one an hour, and not one less."""
    wanted = terms()
    least = least_replications(wanted.limits[0], wanted, 3600.0)
    assert least == math.ceil(-math.log(share_of_error(wanted, 2)))
    for first, standing in ((least - 1, "undecided"), (least, "feasible")):
        found = check([0, 1], terms(first=first, most=first), Lognormal([1, 1], [0, 0]))
        assert found[0].standing == standing


def test_the_error_is_shared_by_cells_limits_and_looks() -> None:
    two = terms_of("outage.p99", [LIMIT, "outage.p99 < 9s"])
    assert share_of_error(two, 40) * 40 * 2 * LOOKS == pytest.approx(0.025)


def test_log_ratios_of_paired_cells_are_exact_and_of_others_cover() -> None:
    """Common faults scaled by 1.5: no error at all. Drawn anew: the interval holds 1.5."""
    paired = Lognormal([1.0, 1.5], [0, 0])
    paired.take([0, 1], 60)
    logs = [logarithm("outage.p99", paired.runs(cell, 60)) for cell in (0, 1)]
    assert bounds(log_ratio(logs[1], logs[0])) == pytest.approx((1.5, 1.5, 1.5))
    hits = 0
    for seed in range(100):
        source = Lognormal([1.0, 1.5], [0, 0], seed=seed, incidents=120, paired=False)
        source.take([0, 1], 20)
        logs = [logarithm("outage.p99", source.runs(cell, 20)) for cell in (0, 1)]
        _, low, high = bounds(log_ratio(logs[1], logs[0]))
        hits += low <= 1.5 <= high
    assert hits >= 89  # of 100 at 95 %: fewer have a probability below 1 %


def test_the_jackknife_of_a_mean_is_that_of_the_textbook() -> None:
    """Equal groups: (G - 1) / G times the squares of left-out means is s^2 / G of the groups."""
    source = Lognormal([1.0], [0], incidents=1)
    source.take([0], GROUPS)
    times = np.array([run.incidents[0].outage_s for run in source.runs(0, GROUPS)])
    own = logarithm("outage.mean", source.runs(0, GROUPS))
    left_out = np.exp(own.left_out)
    assert left_out == pytest.approx((times.sum() - times) / (GROUPS - 1))
    variance = (GROUPS - 1) / GROUPS * ((left_out - left_out.mean()) ** 2).sum()
    assert variance == pytest.approx(stats.sem(times) ** 2)


def test_nobody_is_dropped_before_600_incidents() -> None:
    source = Lognormal([1.0, 9.0], [0, 0], incidents=2)
    ended = race([0, 1], terms(most=100), source)
    assert (ended.winners, ended.dropped, ended.survivors) == ((), {}, (0, 1))
    assert ended.needed >= ENOUGH / 2
    ended = race([0, 1], terms(), source)
    assert (ended.winners, dict(ended.dropped)) == ((0,), {1: 1})
    assert ended.replications >= ENOUGH / 2


def test_cells_within_the_indifference_are_equal_and_today_wins_among_them() -> None:
    scales = [1.0, 1.02, 1.5]
    for today, chosen in ((1, 1), (2, 0), (None, 0)):
        decision = decide([0, 1, 2], terms(), Lognormal(scales, [0.1] * 3), today=today)
        assert decision.chosen == chosen
    assert bounds(decide([0, 1, 2], terms(), Lognormal(scales, [0.1] * 3), 2).against_today)[
        0
    ] == pytest.approx(1 / 1.5)


def test_a_race_that_is_not_over_says_how_much_more_it_takes() -> None:
    source = Lognormal([1.0, 1.0], [0, 0], incidents=10, paired=False)
    wanted = terms_of("outage.p99", [], first=60, most=60, indifference=0.01)
    decision = decide([0, 1], wanted, source)
    assert decision.chosen is None
    assert decision.ended.survivors == (0, 1)
    assert decision.ended.needed > 60 * 10


def test_no_cell_keeps_the_limits() -> None:
    decision = decide([0, 1], terms(), Lognormal([1, 2], [9, 9]))
    assert decision.chosen is decision.ended is None
    assert decision.undecided == ()


def test_what_cannot_be_asked_for() -> None:
    for minimise, limits, text in (
        ("outage.p9", [], "did you mean outage.p9"),
        ("attempts", [], "no value of it is better"),
        ("outage.p99", ["outage.p99"], "expected a limit such as"),
        ("outage.p99", ["outage.p99 < 3"], "expected a limit such as"),
        ("outage.p99", ["uptime.renewal_reward >= 99%"], "projection"),
        ("outage.p99", [LIMIT, LIMIT], "twice"),
    ):
        with pytest.raises(AdviceError, match=text):
            terms_of(minimise, limits)


@pytest.fixture(scope="module")
def trials():
    """What makes results/advise.md."""
    path = Path(hasim.__file__).parent.parent / "results" / "advise.py"
    spec = importlib.util.spec_from_file_location("advise_trials", path)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_best_cell_of_a_grid_is_found(trials) -> None:
    for world in (trials.WORLDS[1], trials.above_the_limit()):
        found = trials.trial((world, 1000))
        assert found.chosen is not None
        assert not found.wrong


@pytest.mark.slow
def test_of_100_seeds_at_most_9_are_wrong_and_at_most_10_refused(trials) -> None:
    for world in (*trials.WORLDS, trials.above_the_limit()):
        found = [trials.trial((world, seed)) for seed in range(100)]
        assert sum(one.wrong for one in found) <= 9
        assert sum(one.chosen is None for one in found) <= 10
