"""What clients wait for beside the downtime of a budget: by hand, and behind a name in a world."""

from __future__ import annotations

import re

import pytest

from hasim.findings.budget_sheets import MINUTES, plain_cell, remarks
from hasim.study.estimates.statistics import mean_interval
from hasim.study.rare.amounts import Amounts
from hasim.study.rare.analysis import analyse
from hasim.study.rare.combine import exactly
from hasim.study.rare.estimate import ALL, Kind, Run
from hasim.study.rare.waiting import KEPT, waiting
from hasim.units import MINUTE
from tests.study.rare.test_runs import scenario


def run(*followed_s: float, chance: float = 1.0, outcome: int = 0) -> Run:
    return Run((0.0,), 100.0, chance=chance, outcome=outcome, followed_s=followed_s)


def test_it_is_how_often_faults_strike_times_what_clients_wait_for_each() -> None:
    kinds = [Kind("x", 2, exactly(1e-6), 0.0), Kind("y", 1, exactly(3e-6), 0.0)]
    singles = {"x": [run(10, 0, 2, 1), run(14, 0, 4, 1)], "y": [run(), run()]}
    found = waiting(kinds, singles)
    assert list(found) == [*KEPT, ALL]
    assert [found[kept].value for kept in KEPT] == pytest.approx([2.4e-5, 0.0, 6e-6, 2e-6])
    assert found[ALL].value == pytest.approx(3.2e-5)
    assert found[ALL].low == pytest.approx(2e-6 * mean_interval([13.0, 19.0]).low)


def test_outcomes_count_as_often_as_they_come() -> None:
    rare = [run(8, 0, 0, 0, chance=0.1, outcome=1), run(12, 0, 0, 0, chance=0.1, outcome=1)]
    usual = [run(2, 0, 0, 0, chance=0.9), run(4, 0, 0, 0, chance=0.9)]
    found = waiting([Kind("x", 1, exactly(1e-6), 0.0)], {"x": [*usual, *rare]})
    assert found["name"].value == pytest.approx(1e-6 * (0.1 * 10 + 0.9 * 3))


def test_a_budget_says_what_a_name_adds() -> None:
    """Renewal-reward: each crash keeps twenty clients for U(0, TTL), but those without an answer.

    A client has one for 20 s of 21, since it sends once a second to each of the three partitions.
    """
    clients = {"number": 20, "dns": {"ttl": "20s"}}
    arrivals = {"law": "poisson", "rate": "60/s"}
    fault = {"kind": "crash", "target": "each", "every": "10h", "for": "5m"}
    traffic = {"arrivals": arrivals, "owned": "100%", "clients": clients}
    loaded = scenario(faults=[fault], traffic=traffic, failover={"fencing": "none"})
    (cell,) = analyse(loaded, Amounts(24, 2, MINUTE), jobs=1)
    (one,) = cell.classes
    each = (one.kind.intensity.value or 0.0) * 20
    expected = each * 20**2 / 2 / 21
    assert cell.waiting["name"].low <= expected <= cell.waiting["name"].high
    assert cell.waiting["name"].high - cell.waiting["name"].low < 0.3 * expected
    assert cell.waiting["pause"].low <= each <= cell.waiting["pause"].high
    assert cell.waiting["pool"].value == cell.waiting["stay"].value == 0.0
    (said,) = (text for text in remarks("uptime", cell, []) if "client-minutes" in text)
    (told,) = re.findall(r"for (\d+) \[", said)
    assert float(told) == pytest.approx((cell.waiting[ALL].value or 0.0) * MINUTES, rel=1e-3)
    assert set(plain_cell("uptime", cell, [])["clients_wait"]) == {*KEPT, ALL}
    assert analyse(scenario(), Amounts(2, 2, MINUTE), jobs=1)[0].waiting == {}
