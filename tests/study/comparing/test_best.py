"""Which cell is best, and which cannot be told apart from it: by a sampler whose order is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from hasim.findings.decisions import decisions
from hasim.measures import Measured
from hasim.study.comparing.best import Best, best_by
from hasim.study.estimates.summary import estimate_of, summarise
from tests.study.runs import run

ONE = run(0, [1.0])
MEASURE = "detection_time.mean"


def cells(means_s: list[float], seed: int, n: int = 12) -> dict[int, list[Measured]]:
    """Cells whose detection takes so long on average; replications share most of their noise."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 3, n)
    return {
        cell: [
            replace(
                ONE,
                replication=r,
                incidents=(replace(ONE.incidents[0], detection_s=20 + mean + common[r] + own),),
            )
            for r, own in enumerate(rng.normal(0, 1, n))
        ]
        for cell, mean in enumerate(means_s)
    }


def best(made: dict[int, list[Measured]]) -> Best:
    estimates = {cell: {MEASURE: estimate_of(MEASURE, runs)} for cell, runs in made.items()}
    found = best_by(MEASURE, estimates, made)
    assert found is not None
    return found


def test_equal_cells_are_told_apart_in_one_of_twenty_studies_at_most() -> None:
    """Of five equal cells the best is chosen and compared, with the same data, in 400 studies."""
    wrong = sum(best(cells([0.0] * 5, seed)).decided for seed in range(400))
    # Not more than the 99.9 % quantile of the binomial number with 5 %.
    assert wrong <= stats.binom(400, 0.05).ppf(0.999)
    assert wrong > 0, "a test that never tells anything apart would pass as well"


def test_what_is_surely_worse_is_told_apart_by_pairs() -> None:
    """3 s of common noise hide a second of difference between cells, but not between pairs."""
    found = best(cells([5.0, 0.0, 0.1, 9.0], 1))
    assert {found.cell, *found.alike} == {1, 2}
    assert [cell for cell, _ in found.behind] == [0, 3]
    assert found.behind[0][1].value == pytest.approx(5, abs=1)
    assert found.unknown == ()


def test_no_choice_where_there_is_none() -> None:
    alone = cells([1.0], 1)
    assert best_by(MEASURE, {0: {MEASURE: estimate_of(MEASURE, alone[0])}}, alone) is None
    with pytest.raises(ValueError, match="attempts is neither better nor worse"):
        best_by("attempts", {}, {})
    with pytest.raises(LookupError, match="did you mean success"):
        best_by("sucess", {}, {})


# -- in sentences -----------------------------------------------------------------------


def said(made: list[list[Measured]], best: str | None = None) -> list[str]:
    varied = [(k, {"detection.fall": k + 1}) for k in range(len(made))]
    return decisions(varied, [summarise(runs, None) for runs in made], made.__getitem__, [], best)


def test_what_the_best_costs_is_said() -> None:
    """The quicker detector makes mistakes."""
    quick = [run(r, [2.0 + r / 100], 2.5 + r / 100, mistakes=4 + r % 2) for r in range(12)]
    slow = [run(r, [5.0 + r / 90], 5.5 + r / 90) for r in range(12)]
    first, second = said([quick, slow])
    assert first.startswith("Best by outage mean: fall=1: 2.56 s [")
    assert "next is fall=2, 3.01 s more." in first
    assert second.startswith("What it costs: mistakes, ")
    assert "/h more than with fall=2" in second
    by_mistakes = said([quick, slow], "mistakes")
    assert by_mistakes[0].startswith("Best by mistakes: fall=2: 0 /h [")
    assert "detection mean, 3.0" in by_mistakes[1]


def test_a_best_that_is_hardly_better_is_told_with_its_price() -> None:
    """0.05 s of 2.55 s, for mistakes: 2 % of the outage."""
    quick = [run(r, [2.0], 2.5, mistakes=40 + r % 2) for r in range(12)]
    slow = [run(r, [2.05], 2.55) for r in range(12)]
    (only,) = said([quick, slow], "outage.mean")
    assert only.startswith(
        "Hardly better by outage mean, by 50.0 ms (2 % of the next one's): fall=1;"
    )
    assert "what that costs: mistakes, " in only


def test_where_nothing_follows_that_is_said() -> None:
    same = [run(r, [2.0], 2.5, (100, 99)) for r in range(4)]
    assert said([same, same]) == [
        "By outage mean the data tell none of 2 apart: no choice follows from it."
    ]
    assert said([same]) == []
    nothing = [run(r) for r in range(4)]
    assert said([nothing, nothing], "outage.mean") == [
        "Nothing follows by outage mean about which is best: too little was observed."
    ]
