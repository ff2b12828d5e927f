"""The runs behind a budget: where faults are put, and what is measured of them."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare, kstest, norm

from hasim.scenario.loader import Loaded, from_data
from hasim.simulation.laws import Constant
from hasim.study.rare.amounts import Amounts
from hasim.study.rare.analysis import analyse
from hasim.study.rare.estimate import ALL, FAULTS, OVERLAP, Pair, Run
from hasim.study.rare.rates import classes_of
from hasim.study.rare.runs import CANDIDATES, Design, Trials
from hasim.study.rare.strikes import Candidates, Several
from hasim.units import HOUR, MINUTE, SECOND, YEAR
from tests.intervals import LEVEL, WITHIN, assert_met
from tests.study import standins

DATA = {
    "name": "rare",
    "horizon": "10m",
    "masters": [{"id": "a"}, {"id": "b", "priority": 2}, {"id": "c", "priority": 3}],
    "network": {"rtt": "0s", "local_rtt": "0s"},
    "traffic": {"arrivals": {"law": "poisson", "rate": "2/s"}, "owned": "100%"},
    "detection": {"evidence": "probe", "interval": "10s", "fall": 1},
    "faults": [
        {"kind": "crash", "target": "each", "every": "10h",
         "for": {"law": "exponential", "mean": "5m"}},
        {"kind": "hang", "target": "each", "every": "40h", "for": "10m"},
    ],
}  # fmt: skip


def scenario(**more: object) -> Loaded:
    return from_data({**DATA, **more})


def design(loaded: Loaded, **more: int) -> Design:
    world = loaded.cells[0].world
    classes = tuple(classes_of(world))
    return Design(world, classes, loaded.scenario.seed, more.pop("quiet_ns", MINUTE), **more)


def test_single_faults_meet_every_target_and_phase_alike() -> None:
    made = design(scenario())
    strikes = [made.single(number, 0) for number in range(600)]
    counts = np.bincount([strike.target for strike in strikes])
    assert len(counts) == 3
    assert counts.min() > 160
    starts = np.array([strike.start_ns for strike in strikes]) / SECOND
    assert starts.min() >= 60
    assert starts.max() <= 120
    assert kstest((starts - 60) / 60, "uniform").pvalue > 0.001
    lasting = np.array([strike.duration_ns for strike in strikes]) / SECOND
    assert kstest(lasting, "expon", args=(0, 300)).pvalue > 0.001


def test_pairs_are_drawn_in_proportion_to_the_intensities_uniform_in_the_window() -> None:
    made = design(scenario())
    crash, hang = (one.kind.intensity.value or 0.0 for one in made.classes)
    share = hang / (crash + hang)
    pairs = range(len(made.classes), 10 * made.groups, made.groups)
    found = [made.candidates(2, number)[0] for number in pairs]
    count = 10 * CANDIDATES[2]
    for strikes in zip(*(f.strikes for f in found), strict=True):
        hangs = np.mean([s.klass == 1 for s in strikes])
        assert abs(hangs - share) < 3.3 * np.sqrt(share * (1 - share) / count)
        targets = np.bincount(np.concatenate([s.target for s in strikes]))
        assert chisquare(targets).pvalue > 0.001
    for one in found:
        (first, _), (window_ns,) = one.strikes, one.windows_ns
        assert (window_ns == first.duration_ns + made.after_ns).all()
    gaps = [(f.strikes[1].start_ns - f.strikes[0].start_ns) / f.windows_ns[0] for f in found]
    assert kstest(np.concatenate(gaps), "uniform").pvalue > 0.001


def test_a_process_does_not_strike_while_its_own_fault_lasts() -> None:
    found, _ = design(scenario()).candidates(2, 0)
    for place in range(0, CANDIDATES[2], 8):
        one, other = (strikes.at(place) for strikes in found.strikes)
        same = one.klass == other.klass and one.target == other.target
        assert found.possible[place] == (not (same and other.start_ns < one.end_ns))
    assert 0 < sum(~found.possible) < CANDIDATES[2] / 2


@pytest.mark.parametrize("crews", [0, 1])
def test_choosing_pairs_by_importance_changes_the_variance_and_not_the_mean(crews: int) -> None:
    """Both down of two, known in closed form: rates and repairs squared, halved by two crews."""
    hour = {"law": "exponential", "mean": "10h"}
    fault = {"kind": "crash", "target": "each", "every": "1000h", "for": hour}
    masters = [{"id": "a"}, {"id": "b", "priority": 2}]
    made = design(scenario(masters=masters, faults=[fault], repair={"crews": crews}))

    def together_s(double: Candidates | Several) -> Any:
        one, other = double.strikes
        rest_s = (one.end_ns - other.start_ns) / SECOND
        both_s = rest_s if crews else np.minimum(rest_s, other.duration_ns / SECOND)
        return np.where(one.target != other.target, np.maximum(0, both_s), 0.0)

    chosen = [made.several(2, number) for number in range(1000)]
    added = np.array([double.weight * together_s(double) for double in chosen])
    plain = [made.candidates(2, number)[0] for number in range(8)]
    drawn = np.concatenate([f.windows_ns[0] / SECOND * together_s(f) for f in plain])
    exact = 36_000.0**2 / 2 * (1 if crews else 1 / 2)
    for found in (added, drawn):
        assert abs(found.mean() - exact) < 3.3 * found.std() / np.sqrt(len(found))
    assert added.std() / exact < 0.2
    assert drawn.std() / exact > 3


ONE_OF_THREE = {
    "faults": [
        {
            "kind": "crash",
            "target": "each",
            "every": {"law": "exponential", "mean": "1000h"},
            "for": {"law": "exponential", "mean": "10h"},
        }
    ],
    "repair": {"crews": 0},
    "traffic": {"arrivals": {"law": "poisson", "rate": "0.001/s"}, "owned": "100%"},
    "detection": {"evidence": "probe", "interval": "5m", "fall": 1, "rise": 1},
    "replication": {"lag": "0s", "copies": 2},
}
"""As many crews as are needed: nobody is left of three for (10 h / 1010 h)^3 of the time."""


@pytest.mark.parametrize(
    ("runs", "within"), [(1000, 0.1), pytest.param(20_000, 0.02, marks=pytest.mark.slow)]
)
def test_three_at_once_are_their_closed_form(runs: int, within: float) -> None:
    """9.7059e-7, by the lengths of the faults alone."""
    made = design(scenario(**ONE_OF_THREE), most=3)
    intensity = sum(one.kind.intensity.value or 0.0 for one in made.classes)
    found = []
    for number in range(runs):
        three = made.several(3, number)
        together_ns = min(s.end_ns for s in three.strikes) - three.strikes[-1].start_ns
        differ = len({s.target for s in three.strikes}) == 3
        found.append(differ * max(0, together_ns) / SECOND * three.weight * intensity**3)
    assert_met(found, (10 / 1010) ** 3, within)


@pytest.mark.parametrize(
    ("triples", "within"), [(16, 1.2), pytest.param(800, WITHIN, marks=pytest.mark.slow)]
)
def test_one_of_three_is_down_when_all_are(triples: int, within: float) -> None:
    """Case 47: 9.7059e-7 as the share of overlap, for want of a backup; 0.51 minutes a year."""
    (cell,) = analyse(scenario(**ONE_OF_THREE), Amounts(2, 2, HOUR, triples=triples))
    found = cell.budget.parts[OVERLAP, "no_capacity"]
    # Of many runs the distances of a 95 % interval are normal ones.
    wider = norm.ppf((1 + LEVEL) / 2) / norm.ppf(0.975) if triples > 100 else 1.0
    value = found.value or 0.0
    low, high = (value + wider * (end - value) for end in (found.low, found.high))
    assert low <= 9.7059e-7 <= high
    assert (high - low) / 2 < within * 9.7059e-7
    assert pytest.approx(0.51, abs=0.001) == 9.7059e-7 * YEAR / MINUTE
    assert cell.budget.left_out < 1e-7  # four at a time


@pytest.mark.parametrize(("needed", "count", "triples"), [(3, 5, 12), (1, 3, 16)])
def test_as_many_as_are_needed_are_binomial(needed: int, count: int, triples: int) -> None:
    """The cheap cases of the closed form: MTBF 1000 h, MTTR 10 h, crews as needed."""
    script = standins.script("rare-events")
    world = from_data(script.enough(needed, count))
    amounts = Amounts(2, 2, HOUR, triples=triples, quadruples=2)
    (cell,) = analyse(world, amounts, of="uptime.k_of_n")
    exact = script.fewer(needed, count)
    found = cell.budget.parts[OVERLAP, "no_capacity"]
    assert found.low <= exact <= found.high
    assert (found.high - found.low) / 2 < 1.2 * exact
    assert cell.budget.most == 4


def test_the_closed_form_of_k_of_n_is_that_of_all_states() -> None:
    """All 32 states of five masters, each well or not, one by one."""
    fewer, down = standins.script("rare-events").fewer, 10 / 1010
    states = itertools.product((0, 1), repeat=5)
    exact = sum(
        math.prod(1 - down if well else down for well in state)
        for state in states
        if sum(state) < 3
    )
    assert fewer(3, 5) == pytest.approx(exact, rel=1e-12)
    assert fewer(1, 3) == pytest.approx(9.7059e-7, rel=1e-5)


def test_cells_are_compared_in_pairs() -> None:
    """Case 43: what polling costs more than messages as evidence, far from undecided."""
    evidence = {"detection.evidence": [["probe"], ["probe", "messages"]]}
    fault = {"kind": "crash", "target": "owner-of:p1", "every": "30d", "for": "10m"}
    traffic = {"arrivals": {"law": "poisson", "rate": "40/s"}, "owned": "100%"}
    loaded = scenario(
        vary=evidence,
        faults=[fault],
        traffic=traffic,
        failover={"fencing": "none"},
        promotion={"duration": "2s"},
    )
    first, second = analyse(loaded, Amounts(16, 2, MINUTE))
    assert first.more is None
    more = second.more
    assert more is not None
    alone = [cell.budget.parts[FAULTS, ALL] for cell in (first, second)]
    assert more.value == pytest.approx((alone[1].value or 0.0) - (alone[0].value or 0.0))
    assert more.high < 0
    # Nothing is saved by pairing where the rhythm of checks decides in one cell alone.
    assert more.high - more.low < 1.2 * sum(part.high - part.low for part in alone)


def test_a_cell_is_like_itself() -> None:
    """The same faults at the same moments: the difference is none, with an interval of none."""
    loaded = scenario(vary={"traffic.retry.attempts": [1, 2]})
    _, second = analyse(loaded, Amounts(3, 2, MINUTE))
    assert second.more is not None
    assert (second.more.value, second.more.low, second.more.high) == (0.0, 0.0, 0.0)


def test_runs_of_two_hold_what_runs_of_one_hold() -> None:
    made = design(scenario())
    first, second = made.several(2, 0).strikes
    both = made.struck(HOUR, first, second).faults
    assert both == (*made.struck(HOUR, first).faults, *made.struck(HOUR, second).faults)
    assert both[0].at == (Constant(mean_ns=first.start_ns),)
    assert both[0].for_ == Constant(mean_ns=first.duration_ns)
    assert both[0].target == "abc"[first.target]
    assert (both[0].every, both[0].schedule) == (None, None)


def test_a_random_target_is_the_same_with_and_without_another_fault() -> None:
    fault = {"kind": "crash", "target": "random", "every": "1h"}
    made = design(scenario(faults=[fault, {**fault, "kind": "region-outage"}]))
    masters, regions = set(), set()
    for number in range(60):
        first, second = made.several(2, number).strikes
        (alone,) = made.struck(HOUR, second).faults
        assert made.struck(HOUR, first, second).faults[1] == alone
        (masters if second.klass == 0 else regions).add(alone.target)
    assert masters == {"a", "b", "c"}
    assert regions == {"region:local"}


def test_a_plain_world_has_every_process_at_its_rate() -> None:
    faults = design(scenario(), plain_ns=5 * HOUR).plain().faults
    assert [fault.target for fault in faults] == ["a", "b", "c", "a", "b", "c"]
    assert [fault.every for fault in faults[2:4]] == [
        Constant(mean_ns=10 * HOUR),
        Constant(mean_ns=40 * HOUR),
    ]
    assert not any(fault.at or fault.schedule for fault in faults)


def test_a_run_of_each_sort_is_what_it_says() -> None:
    loaded = scenario()
    made = design(loaded, plain_ns=20 * HOUR)
    work = Trials(loaded, (made,), "uptime")
    crash, hang, pair, quiet, plain = (work(0, number).found for number in range(5))
    assert isinstance(crash, Run)
    assert sum(crash.down_s) > 0
    assert isinstance(hang, Run)
    assert sum(hang.down_s) > 2
    assert len(hang.failovers_s) == 1
    assert not hang.open_end
    assert isinstance(pair, Pair)
    assert isinstance(quiet, Run)
    assert (quiet.down_s, quiet.span_s) == ((0.0,) * 9, 60.0)
    assert isinstance(plain, Run)
    assert plain.span_s == 20 * 3600


def test_two_faults_at_once_on_two_of_two_masters_leave_nobody() -> None:
    """What a pair adds is the time with both down: for want of a backup."""
    masters = [{"id": "a"}, {"id": "b", "priority": 2}]
    fault = {"kind": "crash", "target": "each", "every": "100h", "for": "10m"}
    loaded = scenario(masters=masters, faults=[fault])
    made = design(loaded)
    work = Trials(loaded, (made,), "uptime")
    seen = 0
    for number in range(1, 40 * made.groups, made.groups):  # group 1: pairs
        first, second = made.several(2, number).strikes
        found = work(0, number).found
        assert isinstance(found, Pair)
        gap_s = (second.start_ns - first.start_ns) / SECOND
        if first.target != second.target and gap_s < 590:
            # Until the first is cured, and probed and promoted again within ten seconds or two.
            together_s = 600 - gap_s
            assert -40 < sum(found.excess_s) - together_s < 40
            seen += 1
    assert seen >= 5


def test_the_mean_partition_is_down_a_third_as_much_as_all_three() -> None:
    fault = {"kind": "crash", "target": "a", "every": "100h", "for": "5m"}
    loaded = scenario(faults=[fault])
    made = design(loaded)
    whole, mean = (Trials(loaded, (made,), of)(0, 0).found for of in ("uptime", "uptime.mean"))
    assert isinstance(whole, Run)
    assert isinstance(mean, Run)
    assert sum(mean.down_s) == pytest.approx(sum(whole.down_s) / 3)


def test_progress_is_told_of_every_piece_of_the_work() -> None:
    """Of the runs, then of the replicates for false failovers, then of what these cost."""
    steps: list[tuple[int, int]] = []
    loaded = scenario(network={"loss": "2%"})
    (cell,) = analyse(
        loaded, Amounts(3, 2, MINUTE), jobs=1, progress=lambda *step: steps.append(step)
    )
    assert cell.false is not None
    assert cell.false.told is not None
    assert [done for done, _ in steps].count(1) == 3  # each piece counts from one
    assert steps[-1] == (3, 3)
    assert all(0 < done <= total for done, total in steps)


def test_the_same_seed_gives_the_same_budget_with_any_jobs() -> None:
    loaded = scenario(vary={"detection.fall": [1, 2]})
    amounts = Amounts(singles=3, pairs=2, quiet_ns=2 * HOUR, plain_ns=2 * HOUR)
    one, two = (analyse(loaded, amounts, jobs=jobs) for jobs in (1, 2))
    assert one == two
    other = analyse(from_data({**loaded.data, "seed": 2}), amounts, jobs=1)
    assert other[0].budget.parts != one[0].budget.parts
    assert [cell.varied for cell in one] == [{"detection.fall": 1}, {"detection.fall": 2}]
    assert one[0].budget.quiet_s == 7200
    assert one[0].plain_s == pytest.approx(7200)
    fast, slow = (cell.budget.parts["crash", ALL].value or 0.0 for cell in one)
    assert fast < slow


# -- against closed forms, and against plain simulation --------------------------------


CASES = {case.name: case for case in standins.script("rare-events").CASES}
UNCOVERED = from_data(CASES["failover, coverage 0.95, D+F 40 s"].data)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_world_hits_its_closed_form(name: str) -> None:
    """Failover with coverage 1 and 0.95, one out of two with two repair crews and with one."""
    case = CASES[name]
    found = case.budget().budget.parts[case.part]
    assert found.low <= case.exact <= found.high
    assert (found.high - found.low) / 2 <= 0.02 * case.exact


def test_a_fence_that_fails_is_met_in_half_of_the_runs_and_weighed_by_its_chance() -> None:
    """The cheap case of the closed form: few runs, and a half-width below 10 % all the same."""
    (cell,) = analyse(UNCOVERED, Amounts(24, 0, MINUTE))
    found = cell.budget.parts[FAULTS, ALL]
    assert found.low <= 8.409787e-5 <= found.high
    assert (found.high - found.low) / 2 <= 0.1 * 8.409787e-5
    made = design(UNCOVERED)
    runs = [Trials(UNCOVERED, (made,), "uptime")(0, made.groups * n).found for n in range(4)]
    single = [run for run in runs if isinstance(run, Run)]
    assert [(run.outcome, run.chance) for run in single] == [(0, 0.95), (1, 0.05)] * 2
    assert [sum(run.down_s) > 3500 for run in single] == [False, True] * 2


def test_only_the_first_order_is_given() -> None:
    """The second one is drawn: the device takes 29.9 s twice, and there is no more to it."""
    loaded = from_data(
        {**UNCOVERED.data, "failover": {"fencing": {"kind": "confirmed", "timeout": "40s"}}}
    )
    made = design(loaded)
    run = Trials(loaded, (made,), "uptime")(0, made.groups).found
    assert isinstance(run, Run)
    assert run.outcome == 1
    assert 59.9 < sum(run.down_s) < 80


def compared(data: dict[str, object], amounts: Amounts, of: str) -> tuple[float, float, float]:
    """Plain minus estimated unavailability: its 95 % bounds, and the estimate."""
    (cell,) = analyse(from_data(data), amounts, of=of)  # type: ignore[arg-type]
    assert cell.plain is not None
    seen = cell.budget.seen
    gap = (cell.plain.value or 0.0) - (seen.value or 0.0)
    half = np.hypot(cell.plain.high - (cell.plain.value or 0), seen.high - (seen.value or 0.0))
    return gap - half, gap + half, seen.value or 0.0


@pytest.mark.slow
def test_budget_agrees_with_plain_simulation_of_the_service() -> None:
    """Whoever owns p1 crashes; wherever p1 is, that costs the same.

    Waits vary little, so that the plain run does not spread by the number of its faults.
    """
    data = {
        **DATA,
        "faults": [
            {
                "kind": "crash",
                "target": "owner-of:p1",
                "every": {"law": "uniform", "low": "10m", "high": "30m"},
                "for": "1m",
            }
        ],
    }
    low, high, whole = compared(data, Amounts(500, 20, MINUTE, 150 * HOUR), "uptime")
    assert low <= 0 <= high
    assert (high - low) / 2 < 0.08 * whole


@pytest.mark.slow
def test_budget_agrees_with_plain_simulation_of_the_mean_partition() -> None:
    """Two kinds of faults at inflated rates: partitions wander, but each has one owner.

    Waits must be exponential: an owner that has just taken over must be as likely to fail as
    any other.
    """
    data = {
        **DATA,
        "faults": [
            {
                "kind": kind,
                "target": "each",
                "every": {"law": "exponential", "mean": mean},
                "for": {"law": "exponential", "mean": "1m"},
            }
            for kind, mean in (("crash", "1h"), ("hang", "90m"))
        ],
    }
    low, high, whole = compared(data, Amounts(200, 80, MINUTE, 200 * HOUR), "uptime.mean")
    assert low <= 0 <= high
    assert (high - low) / 2 < 0.15 * whole
