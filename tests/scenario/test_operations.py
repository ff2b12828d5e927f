"""Operations in scenario files: each bad one is named with its line, and what was expected."""

from __future__ import annotations

from typing import Any

import pytest

from hasim.scenario.loader import from_data
from hasim.scenario.problems import ScenarioError
from hasim.simulation.operations import INPUTS
from hasim.simulation.settings.operations import Switch

MASTERS = [{"id": "a"}, {"id": "b"}, {"id": "spare", "absent": True}]


def load(*operations: dict[str, Any], **more: Any) -> Any:
    data = {"horizon": "2m", "masters": MASTERS, "operations": list(operations), **more}
    return from_data(data).scenario


def problems(*operations: dict[str, Any], **more: Any) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load(*operations, **more)
    return [f"{problem.field}: {problem.message}" for problem in caught.value.problems]


def test_every_operation_has_its_input() -> None:
    scenario = load(
        {"at": "10s", "do": "drain", "master": "a"},
        {"at": "20s", "do": "undrain", "master": "a"},
        {"at": "30s", "do": "maintenance", "master": "a"},
        {"at": "40s", "do": "end-maintenance", "master": "a"},
        {"at": "50s", "do": "remove", "master": "b"},
        {"at": "60s", "do": "add", "master": "b"},
        {"at": "70s", "do": "switch-algorithm", "algorithm": "geo"},
        {"at": "80s", "do": "declare-failed", "master": "a"},
        {"at": "81s", "do": "roll-back", "failover": 1},
        {"at": "90s", "do": "check", "master": "a"},
        {"at": "95s", "do": "declare-healthy", "master": "a"},
        {"at": "98s", "do": "confirm-off", "master": "b"},
        {"at": "99s", "do": "fail-over", "master": "a"},
        {"at": "99s", "do": "acknowledge", "master": "a"},
        {"at": "99s", "do": "switchover", "master": "a", "to": "b"},
        {"at": "99s", "do": "switchover", "partition": "p1", "to": "b"},
        {"at": "100s", "do": "switch-algorithm", "algorithm": "random"},
    )
    assert {operation.do for operation in scenario.operations} == set(INPUTS)
    assert isinstance(scenario.operations[-1], Switch)


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({"do": "ad", "master": "a"}, "operations.0.do: unknown do 'ad'; did you mean add?"),
        ({"do": "drain", "master": "c"}, "operations.0.master: no master 'c'; possible: a, b"),
        ({"do": "drain", "master": "spar"}, "no master 'spar'; did you mean spare?"),
        ({"do": "drain"}, "operations.0.master: is required and missing"),
        ({"do": "add", "master": "a"}, "at 30s a is in service; expected one that is absent"),
        ({"do": "drain", "master": "spare"}, "spare is absent; expected one that is in service"),
        ({"do": "undrain", "master": "a"}, "a is in service; expected one that is draining"),
        ({"do": "end-maintenance", "master": "a"}, "expected one that is in maintenance"),
        ({"do": "check", "master": "spare"}, "expected one that is in service or draining"),
        ({"do": "switchover", "master": "a"}, "operations.0.to: is required and missing"),
        ({"do": "switchover", "to": "b"}, "needs either a master or a partition"),
        (
            {"do": "switchover", "to": "b", "master": "a", "partition": "p1"},
            "needs either a master or a partition that is handed over, got both",
        ),
        ({"do": "switchover", "to": "a", "master": "a"}, "operations.0.to: a has it already"),
        ({"do": "switchover", "to": "c", "master": "a"}, "operations.0.to: no master 'c'"),
        ({"do": "switchover", "to": "a", "partition": "p9"}, "no partition 'p9'; possible: p1, p2"),
        ({"do": "roll-back", "failover": 0}, "operations.0.failover: must be at least 1, got 0"),
        ({"do": "switch-algorithm", "algorithm": "goe"}, "did you mean geo?"),
        ({"do": "drain", "master": "a", "at": "2m"}, "lies beyond the end of the run (2m, hori"),
    ],
)
def test_what_cannot_be_done_is_refused(operation: dict[str, Any], message: str) -> None:
    (found,) = problems({"at": "30s", **operation})
    assert message in found


def test_the_order_of_time_counts_and_not_that_of_the_file() -> None:
    load({"at": "40s", "do": "undrain", "master": "a"}, {"at": "20s", "do": "drain", "master": "a"})


def test_somebody_must_be_there_at_the_start() -> None:
    masters = [{"id": "a", "absent": True}]
    assert problems(masters=masters) == ["masters: needs at least one master that is not absent"]


def test_absent_masters_own_nothing() -> None:
    fault = {"kind": "crash", "target": "owner-of:p3", "at": "10s"}
    (found,) = problems(faults=[fault])
    assert "no such partition in 'owner-of:p3'; there are p1 to p2" in found
