"""Ranges in a few signs: which values they are, and what is refused."""

from __future__ import annotations

import pytest

from hasim.scenario.ranges import values_of


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1s..16s:log5", ["1s", "2s", "4s", "8s", "16s"]),
        ("1s..3s:lin3", ["1s", "2s", "3s"]),
        ("500ms..2s:3", ["500ms", "1s", "2s"]),
        ("1..4", [1, 2, 3, 4]),
        ("1..100:log3", [1, 10, 100]),
        ("0..1:lin3", [0, 1]),  # whole numbers, each once
        ("0.5..2:log3", [0.5, 1.0, 2.0]),
        ("1%..4%:log3", ["1%", "2%", "4%"]),
        ("2|3|5", [2, 3, 5]),
        ("threshold|phi-accrual", ["threshold", "phi-accrual"]),
        ("[[probe], [probe, messages]]", [["probe"], ["probe", "messages"]]),
        ("[probe]|[probe, messages]", [["probe"], ["probe", "messages"]]),
        ("30s", ["30s"]),
    ],
)
def test_values(text: str, values: list) -> None:
    assert values_of(text) == values


def test_a_range_without_a_number_has_seven_values() -> None:
    found = values_of("1s..64s")
    assert found == ["1s", "2s", "4s", "8s", "16s", "32s", "64s"]


@pytest.mark.parametrize(
    "text", ["3s..1s", "1..x", "0s..1s", "1s..2s:log1", "1s..2s:cube3", "", "|2", "1%..x%", "4..2"]
)
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError, match="expected a range such as"):
        values_of(text)
