"""Budgets of messages and of users' time: what a fault costs is known in closed form."""

from __future__ import annotations

from typing import Any

import pytest

from hasim.scenario.loader import Loaded, from_data
from hasim.scenario.problems import ScenarioError
from hasim.study.rare.amounts import Amounts
from hasim.study.rare.analysis import CellBudget, analyse, designs_of
from hasim.study.rare.estimate import ALL, FAULTS, MISTAKEN, OVERLAP, QUIET, TOTAL, Run
from hasim.study.rare.runs import Trials
from hasim.study.rare.shortfalls import MEASURES, Measure, by_mistake, causes_of
from hasim.units import HOUR
from tests.intervals import assert_met

LASTS_S, EVERY_S = 40, 36_000
"""A master that nobody replaces crashes: it is away for 40 s, 10 h after it came back."""
AWAY = LASTS_S / (EVERY_S + LASTS_S)


def alone(**more: Any) -> Loaded:
    traffic = {"arrivals": {"law": "poisson", "rate": "20/s"}, "owned": "100%", "timeout": "200ms"}
    return from_data(
        {
            "name": "shortfall",
            "horizon": "10m",
            "masters": [{"id": "a", "service": "1ms"}],
            "network": {"rtt": "0s", "local_rtt": "0s"},
            "traffic": traffic | more.pop("traffic", {}),
            "detection": {"evidence": "probe", "interval": "10s", "fall": 1000},
            "faults": [{"kind": "crash", "target": "a", "every": "10h", "for": "40s"}],
        }
        | more
    )


def budget(loaded: Loaded, of: Measure, amounts: Amounts) -> CellBudget:
    (cell,) = analyse(loaded, amounts, of=of, jobs=1)
    return cell


def costs(loaded: Loaded, of: Measure, runs: int = 150) -> dict[str, list[float]]:
    """What one fault costs, run by run: seconds by cause, and in all."""
    designs = designs_of(loaded, Amounts(runs, 0, HOUR))
    trials = Trials(loaded, designs, of)
    found = [trials(0, number * designs[0].groups).found for number in range(runs)]
    rows = [run.down_s for run in found if isinstance(run, Run)]
    by_cause = dict(zip(causes_of(of), map(list, zip(*rows, strict=True)), strict=True))
    return by_cause | {ALL: [sum(row) for row in rows]}


@pytest.mark.parametrize("traffic", [{}, {"deadline": "20s"}])
def test_of_messages_those_are_lost_that_come_while_nobody_answers(traffic) -> None:
    """Whatever part of the run has no verdict on its messages, at its end."""
    found = costs(alone(traffic=traffic), "success")
    assert_met(found[ALL], LASTS_S)
    assert sum(found["refused"]) > 0.99 * sum(found[ALL])
    assert sum(found["timeout"]) == sum(found[MISTAKEN]) == 0.0


def test_a_user_is_without_the_service_from_its_first_failure_to_its_next_success() -> None:
    """Both moments are late by the mean pause between two messages: the time is that of the fault.

    With pauses of an exponential length 1/r a user of a fault of length T meets it with the chance
    1 - exp(-rT), loses T less what is left until its first message, and 1/r at the end: T in all.
    """
    users = alone(traffic={"keys": {"number": 20, "active": "10m"}})
    assert_met(costs(users, "user_uptime")[ALL], LASTS_S)
    found = budget(users, "user_uptime", Amounts(20, 0, HOUR)).budget
    assert found.causes == ("unserved", MISTAKEN)
    share = found.parts[FAULTS, ALL].value
    assert share == pytest.approx(AWAY, rel=0.02)


def test_without_users_there_is_no_budget_of_their_time() -> None:
    with pytest.raises(ScenarioError, match=r"traffic: a budget of user_uptime needs users"):
        budget(alone(), "user_uptime", Amounts(2, 0, HOUR))


def test_what_is_lost_without_a_fault_is_lost_in_a_plain_simulation_as_well() -> None:
    """Loss of packets, and a crash each hour: the budget is what plain runs come to."""
    loaded = alone(
        network={"rtt": "2ms", "local_rtt": "2ms", "loss": "1%"},
        faults=[{"kind": "crash", "target": "a", "every": "1h", "for": "40s"}],
    )
    cell = budget(loaded, "success", Amounts(100, 60, 10 * HOUR, plain_ns=40 * HOUR))
    parts, plain = cell.budget.parts, cell.plain
    # By arithmetic: a message needs both of its packets.
    assert parts[QUIET, ALL].value == pytest.approx(1 - 0.99**2, rel=0.02)
    assert plain is not None
    whole = parts[TOTAL, ALL]
    assert max(whole.low, plain.low) < min(whole.high, plain.high)
    assert parts[FAULTS, ALL].low > 0.9 * 40 / 3640 * 0.98
    # What pairs add is little, and what is split adds up.
    assert abs(parts[OVERLAP, ALL].value or 0.0) < 0.1 * (whole.value or 0.0)
    split = sum(parts[TOTAL, cause].value or 0.0 for cause in cell.budget.causes)
    assert split == pytest.approx(whole.value, abs=1e-9)


@pytest.mark.parametrize("of", MEASURES)
def test_what_a_false_failover_costs_has_a_column_in_each(of: Measure) -> None:
    causes = causes_of(of)
    assert MISTAKEN in causes
    lost = tuple(float(place) for place in range(len(causes)))
    moved = by_mistake(lost, of)
    assert sum(moved) == sum(lost)
    if not of.startswith("uptime"):
        assert moved[causes.index(MISTAKEN)] == sum(lost)
