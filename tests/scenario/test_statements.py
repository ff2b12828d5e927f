"""Invariants that a scenario states: read, refused with a message, looked at by --check."""

from __future__ import annotations

from typing import Any

import pytest

from hasim.hunt.running import run
from hasim.scenario.loader import from_data
from hasim.scenario.problems import ScenarioError
from hasim.study.execution.replication import Replicate

HANG: dict[str, Any] = {
    "name": "hang",
    "horizon": "2m",
    "replications": 1,
    "masters": [{"id": "a"}, {"id": "b"}],
    "traffic": {"arrivals": {"law": "poisson", "rate": "2/s"}},
    "detection": {"interval": "2s"},
    "faults": [{"kind": "hang", "target": "a", "at": "30s", "for": "60s"}],
}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ([{"always": "served"}], ("always: served",)),
        (["always: served"], ("always: served",)),
        ("always: outage.max < 9s", ("always: outage.max < 9s",)),
        (
            {"always": "one-primary", "eventually within 30s": "healthy"},
            ("always: one-primary", "eventually within 30s: healthy"),
        ),
    ],
)
def test_statements_are_read_as_yaml_has_them(written: object, read: tuple[str, ...]) -> None:
    assert from_data({**HANG, "invariants": written}).scenario.invariants == read


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ([{"always": "servd"}], "did you mean served"),
        ([3], "expected statements such as always: served"),
        ([{"sometimes": "served"}], "expected 'always: STATE'"),
        ([{"eventually within soon": "served"}], "soon"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(written: object, message: str) -> None:
    with pytest.raises(ScenarioError, match=f"invariants: .*{message}"):
        from_data({**HANG, "invariants": written})


def test_what_is_stated_is_looked_at_by_check_and_by_hunts() -> None:
    stated = ["always: one-primary", "eventually within 30s: served", "always: outage.max < 1s"]
    data = {**HANG, "invariants": stated}
    loaded = from_data(data)
    assert run(data).broken == ("always: outage.max < 1s",)
    found = Replicate(loaded, check=True)(0, 0).violations
    assert len(found) == 1
    assert found[0].startswith("always: outage.max < 1s")
    assert Replicate(loaded)(0, 0).violations == ()
