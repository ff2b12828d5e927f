"""Where nothing is known a table has no number, and what is made of it says so."""

from __future__ import annotations

import pytest

import hasim
from hasim.findings.operations import operations_sheet

SCENARIO = {
    "name": "nobody-asks",
    "horizon": "2m",
    "replications": 2,
    "masters": [{"id": "a"}, {"id": "b"}],
    "traffic": {"arrivals": {"law": "poisson", "rate": "0.000001/s"}},
    "faults": [{"kind": "crash", "target": "a", "at": "70s", "for": "10s"}],
    "operations": [{"do": "drain", "master": "a", "at": "30s"}],
}
"""Nothing is sent, so that nothing can be said of how an operation moved the load."""


@pytest.fixture(scope="module")
def result() -> hasim.Result:
    return hasim.run(SCENARIO, progress=None, jobs=1)


def test_an_operation_of_which_nothing_is_known_has_dashes(result: hasim.Result) -> None:
    row = result.operations.iloc[0]
    assert row[["moved", "settled_s", "keys_moved"]].isna().all()
    (shown,) = operations_sheet(result.cells, result.operations).rows
    assert shown[3] is None
    assert "no observations" in str(shown[4])
    assert "drain" in result.render("table")


@pytest.mark.parametrize(
    "table", ["incidents", "failovers", "masters", "operations", "churn", "tiers", "transients"]
)
def test_no_column_of_numbers_holds_objects(result: hasim.Result, table: str) -> None:
    """Else what is missing would be None, which no arithmetic takes."""
    frame = getattr(result, table)
    objects = frame.columns[(frame.dtypes == "object") & frame.isna().all()]
    assert frame.empty or set(objects) <= {"before", "after"}


def test_failovers_of_which_none_answers_an_incident() -> None:
    """A switchover that somebody ordered is nobody's failure."""
    operation = {"do": "switchover", "master": "a", "to": "b", "at": "30s"}
    found = hasim.run({**SCENARIO, "faults": [], "operations": [operation]}, progress=None, jobs=1)
    assert len(found.failovers) == 2
    assert found.failovers.incident.isna().all()
