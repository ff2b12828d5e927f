"""When replications end: rounds, precision, events, the cap; and how often that is right."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hasim.scenario.replications import Sequential
from hasim.study.estimates.statistics import Interval, quantile_interval, t_interval
from hasim.study.execution import runner
from hasim.study.folder.reading import open_run
from hasim.study.planning.stopping import (
    Look,
    Stop,
    decide,
    events,
    look_at,
    looks,
    relative_half_width,
)
from tests.study.runs import run
from tests.study.standins import TWO_CELLS, Loaded, Synthetic


def rule(precision: float = 0.1, **settings: int) -> Sequential:
    return Sequential(until={"uptime": precision}, **settings)


def known(half: float, count: int | None = 100) -> Look:
    """An estimate of 1 with half this width."""
    return lambda n, measure: (Interval(1.0, 1 - half, 1 + half, n, "test"), count)


def test_cells_are_looked_at_when_a_round_is_complete_and_at_the_cap():
    assert list(looks(rule(at_least=20, at_most=45))) == [20, 30, 40, 45]
    assert list(looks(rule(at_least=20, at_most=40))) == [20, 30, 40]
    assert list(looks(rule(at_least=7, at_most=7))) == [7]


def test_a_precision_of_g_takes_a_half_width_of_g_over_1_plus_g():
    allowed = 0.1 / 1.1
    assert decide(rule(at_most=100), 20, known(allowed)) == Stop(20, "precision")
    assert decide(rule(at_most=100), 20, known(allowed * 1.001)) is None
    assert decide(rule(at_most=100), 20, known(0.099)) is None


def test_too_few_events_never_stop_a_cell_before_the_cap():
    few = known(0.0, 9)
    assert decide(rule(at_most=100), 90, few) is None
    stop = decide(rule(at_most=100), 100, few)
    assert stop == Stop(100, "cap", "uptime: 9 of 10 events seen")
    assert decide(rule(events=9, at_most=100), 20, few) == Stop(20, "precision")
    assert decide(rule(at_most=100), 20, known(0.0, None)) == Stop(20, "precision")


def test_the_cap_tells_each_measure_that_is_not_precise_enough():
    found = {
        "uptime": Interval(1.0, 0.99, 1.01, 5, "test"),
        "outage.p95": Interval(4.0, 3.0, 5.0, 5, "test"),
        "outage.p99": Interval(4.0, 3.0, math.inf, 5, "test", 72),
    }
    several = Sequential(until={"uptime": 0.05, "outage.p95": 0.05, "outage.p99": 0.05})
    stop = decide(several, 400, lambda n, measure: (found[measure], 100))
    assert stop is not None
    assert stop.by == "cap"
    assert stop.missing == (
        "outage.p95: half-width 25.00%, 4.76% allowed; outage.p99: no bounds yet, 4.76% allowed"
    )


@pytest.mark.parametrize(
    ("found", "width"),
    [
        (Interval(2.0, 1.0, 4.0, 9, ""), 0.75),  # half the interval, be it lopsided
        (Interval(-2.0, -3.0, -1.0, 9, ""), 0.5),
        (Interval(0.0, 0.0, 0.0, 9, ""), math.inf),
        (Interval(None, -math.inf, math.inf, 0, ""), math.inf),
        (Interval(2.0, 1.0, math.inf, 9, ""), math.inf),
        (Interval(2.0, 1.0, 3.0, 9, "", 72), math.inf),  # a quantile without enough
    ],
)
def test_relative_half_width(found, width):
    assert relative_half_width(found) == width


def test_events_are_those_that_a_measure_rests_on():
    runs = [run(0, [2.0, None], outage_s=9.0), run(1, [1.0], mistakes=3), run(2)]
    assert events("detection_time.p95", runs, faults=True) == 3
    assert events("outage.mean", runs, faults=True) == 3
    assert events("failover_time.mean", runs, faults=True) == sum(len(r.failovers) for r in runs)
    assert events("mistakes", runs, faults=True) == 3
    assert events("uptime", runs, faults=True) == 6
    assert events("latency.p99", runs, faults=True) == 6
    assert events("latency.p99", runs, faults=False) is None
    assert events("uptime", runs, faults=False) == 6


# -- coverage --------------------------------------------------------------------------


Observed = Callable[[np.ndarray], int | None]


def sequentially(values: np.ndarray, settings: Sequential, seen: Observed, p: float | None) -> Stop:
    """How a study of these values ends, one value a replication."""

    def look(n: int, measure: str) -> tuple[Interval, int | None]:
        first = values[:n]
        found = t_interval(first) if p is None else quantile_interval(np.sort(first), p, 0.95)
        return found, seen(first)

    return next(stop for n in looks(settings) if (stop := decide(settings, n, look)))


def coverage(draw, truth, settings, seen=len, trials=400, p=None) -> tuple[float, float]:
    """Share of studies whose last interval holds the truth, and the mean replications."""
    hits, counts = 0, []
    for trial in range(trials):
        values = draw(np.random.default_rng([7, trial]), settings.at_most)
        n = sequentially(values, settings, seen, p).replications
        first = values[:n]
        found = t_interval(first) if p is None else quantile_interval(np.sort(first), p, 0.95)
        hits += found.low <= truth <= found.high
        counts.append(n)
    return hits / trials, float(np.mean(counts))


def exponential(rng, n):
    return rng.exponential(1.0, n)


def zero_inflated(rng, n):
    """Nineteen of twenty replications see nothing happen."""
    return np.where(rng.random(n) < 0.05, rng.exponential(20.0, n), 0.0)


def rarely_down(rng, n):
    """Uptime of which one replication in twenty loses something: 99.5 % on average."""
    return 1 - np.where(rng.random(n) < 0.05, 0.1, 0.0)


def test_coverage_of_an_exponential_mean():
    covered, mean = coverage(exponential, 1.0, rule(0.1, at_least=10, at_most=1500))
    assert 0.92 <= covered <= 0.98
    assert 420 <= mean <= 510  # (1.96 x 1.1 / 0.1)^2 = 465


def test_coverage_of_a_median_by_order_statistics():
    settings = rule(0.15, at_least=20, at_most=1500)
    covered, _ = coverage(exponential, math.log(2), settings, p=0.5)
    assert covered >= 0.92


def test_a_start_without_events_is_no_precision():
    """The mean of something rare: without a least number of events, many stop at once."""

    def seen(values: np.ndarray) -> int:
        return int(np.count_nonzero(values != 1.0))

    naive = rule(0.01, at_least=10, at_most=2000, events=0)
    covered, mean = coverage(rarely_down, 0.995, naive, seen)
    assert covered < 0.5  # the trap: all replications equal, width zero
    covered, wary = coverage(rarely_down, 0.995, rule(0.01, at_least=10, at_most=2000), seen)
    assert covered >= 0.9
    assert wary > 5 * mean


def test_a_mean_that_is_zero_at_first_goes_on():
    def seen(values: np.ndarray) -> int:
        return int(np.count_nonzero(values))

    settings = rule(0.25, at_least=10, at_most=4000)
    covered, mean = coverage(zero_inflated, 1.0, settings, seen, trials=200)
    assert covered >= 0.9
    assert mean > 1000


# -- studies ---------------------------------------------------------------------------

UNTIL = Sequential(until={"detection_time.mean": 0.08}, at_least=10, at_most=120)


@pytest.fixture
def loaded(monkeypatch) -> Loaded:
    """Two cells, of which the second takes more replications: its detection varies more."""
    monkeypatch.setattr(runner, "Replicate", lambda *a: Synthetic())
    return Loaded(TWO_CELLS.cells, replications=UNTIL)


@pytest.mark.parametrize("jobs", [2, None])
def test_what_is_decided_does_not_depend_on_jobs(loaded, jobs):
    one, other = runner.run_study(loaded, jobs=1), runner.run_study(loaded, jobs=jobs)
    assert one.stops == other.stops
    assert {k: o.measured for k, o in one.outcomes.items()} == {
        k: o.measured for k, o in other.outcomes.items()
    }


def test_each_cell_ends_by_itself_at_the_first_look_that_is_precise(loaded):
    study = runner.run_study(loaded, jobs=1)
    first, second = study.stops[0], study.stops[1]
    assert (first.by, second.by) == ("precision", "cap")
    assert first.replications < second.replications == 120
    assert "detection_time.mean: half-width" in second.missing
    for cell, stop in study.stops.items():
        assert [o.replication for o in study.of_cell(cell)] == list(range(stop.replications))
    runs = [Synthetic().run(0, r) for r in range(120)]
    look = look_at(runs, None, faults=True)
    ended = [n for n in looks(UNTIL) if decide(UNTIL, n, look) == Stop(n, "precision")]
    assert ended[0] == first.replications > 10


def test_more_replications_that_are_there_change_nothing(loaded, tmp_path):
    at_once = runner.run_study(loaded, jobs=1, out=tmp_path / "one")
    many = Loaded(TWO_CELLS.cells, replications=100)
    runner.run_study(many, jobs=1, out=tmp_path / "two")
    grown = runner.run_study(loaded, jobs=1, out=tmp_path / "two")
    assert grown.stops == at_once.stops
    assert grown.outcomes.keys() == at_once.outcomes.keys()
    read = open_run(tmp_path / "two")
    assert (read.stops, read.replications) == (at_once.stops, UNTIL)
    assert read.outcomes.keys() == at_once.outcomes.keys()


def test_a_folder_with_fewer_replications_is_completed(loaded, tmp_path: Path):
    few = Loaded(TWO_CELLS.cells, replications=7)
    runner.run_study(few, jobs=1, out=tmp_path / "run")
    seen: list[int] = []
    grown = runner.run_study(
        loaded, jobs=1, out=tmp_path / "run", progress=lambda p: seen.append(p.outcome.replication)
    )
    assert min(seen) == 7
    assert grown.stops == runner.run_study(loaded, jobs=1).stops
