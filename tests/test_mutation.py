"""How a sample of mutants is drawn, with what it is run, and how those that survive are counted."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from results import mutation, mutation_page

SURVIVOR = {
    "file": "hasim/services/failover/orders.py",
    "mutant": "x_settle__mutmut_1",
    "part": "failover",
    "in": "settle",
    "was": "a",
    "becomes": "b",
    "source": "1f",
    "became": "survived",
    "by": "",
    "reason": "",
}
KILLED = {**SURVIVOR, "became": "killed", "by": "tests/test_mutation.py::test_the_page"}


def rows(killed: int, *reasons: str) -> list[dict[str, object]]:
    return [KILLED] * killed + [{**SURVIVOR, "reason": reason} for reason in reasons]


def mutants(**many: int) -> list[dict[str, object]]:
    return [
        {"file": f"hasim/services/{folder}/x.py", "mutant": str(n), "was": "", "becomes": ""}
        for folder, count in many.items()
        for n in range(count)
    ]


def test_each_file_is_of_one_part() -> None:
    parts = Counter(map(mutation.part_of, mutation.all_files()))
    assert parts.keys() == mutation.PARTS.keys()
    assert mutation.part_of("hasim/services/door.py") == "control plane"
    assert mutation.part_of("hasim/services/gateway/guards/gate.py") == "balancing"


def test_each_part_is_drawn_from_in_proportion() -> None:
    every = mutants(failover=500, detection=300, gateway=100, routing=50, leadership=50)
    sample = mutation.drawn(every, 100, 1)
    found = Counter(mutation.part_of(str(each["file"])) for each in sample)
    assert found == {"failover": 50, "detection": 30, "balancing": 15, "control plane": 5}
    assert mutation.shared(2, {"a": 1, "b": 1, "c": 1}) == {"a": 1, "b": 1, "c": 0}
    assert mutation.shared(99, {"a": 1, "b": 4}) == {"a": 1, "b": 4}


def test_a_larger_sample_holds_the_smaller_and_another_seed_is_another() -> None:
    every = mutants(failover=1000)
    small, large, other = (
        {str(each["mutant"]) for each in mutation.drawn(every, number, seed)}
        for number, seed in ((50, 1), (100, 1), (100, 2))
    )
    assert small < large
    assert 2 < len(large & other) < 25  # 10 is to be expected
    # What is added to the code takes places, and moves nothing else.
    more = mutation.drawn([*every, *mutants(failover=2000)[1000:]], 100, 1)
    assert {str(each["mutant"]) for each in more if int(str(each["mutant"])) < 1000} <= large


def test_what_changes_nothing_and_what_is_only_wording_is_left_out_of_the_share() -> None:
    found = rows(8, "wording", "wording: for people", "the same: never empty here", "", "")
    counted = mutation_page.counted(found)
    assert (counted["worded"], counted["same"], counted["killed"]) == (2, 1, 8)
    assert mutation_page.share(found) == 80.0
    assert mutation_page.share(rows(0, "wording")) == 100.0


def test_the_page_has_the_exact_interval_and_each_reason() -> None:
    reason = "the same: never empty here"
    sample = {"of": 20_000, "said": "drawn beforehand", "rows": rows(9, reason, "")}
    text = mutation_page.page({"7": sample})
    assert "## Sample 7: 11 of 20,000\n\ndrawn beforehand\n" in text
    # Clopper and Pearson for 9 of 10: 55.50 % to 99.75 %.
    assert "| all | 11 | 0 | 9 | 2 | 0 | 1 | 90.0 % | 55.5 to 99.7 | 81.8 % |" in text
    assert f"`settle`: {reason}\n\n  ```diff\n  - a\n  + b\n  ```" in text


@pytest.mark.parametrize(
    ("verdict", "now", "again"),
    [
        (("killed", "tests/test_mutation.py::test_the_page_has_the_exact[1]"), False, False),
        (("killed", "tests/test_mutation.py::test_that_is_there_no_" + "more"), True, True),
        (("killed", "tests/nowhere.py::test"), True, True),
        (None, True, True),
        (("survived", ""), False, True),
        (("no tests", ""), False, True),
    ],
)
def test_a_call_goes_on_with_what_is_not_decided(verdict, now: bool, again: bool) -> None:
    assert mutation.still_open(verdict, False) is now
    assert mutation.still_open(verdict, True) is again


def test_a_difference_is_told_without_the_names_of_the_variants() -> None:
    was = ["    def x_f__mutmut_orig(a):", "        return a + 1"]
    becomes = ["    def x_f__mutmut_12(a):", "        return a - 1"]
    assert mutation._difference(was, becomes) == ("return a + 1", "return a - 1", 1)


def test_the_lines_of_a_change_are_those_of_its_statement() -> None:
    text = (
        "  def f(a):\n    if a and (\n        b\n    ):\n      c(\n       1\n      )\n    return 2"
    )
    lines = [mutation.statement(text, line) for line in range(8)]
    assert lines == [(0, 0), (1, 3), (1, 3), (1, 3), (4, 6), (4, 6), (4, 6), (7, 7)]
    # mutmut writes empty lines before a function; what tests reach is counted from its `def`.
    assert [mutation.statement(f"\n\n{text}", 2 + line) for line in range(8)] == lines


def test_a_reason_that_was_given_stays_as_long_as_the_change_reads_the_same(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(mutation, "KEPT", tmp_path / "kept.json")
    monkeypatch.setattr(mutation, "LOG", tmp_path / "log.jsonl")
    assert mutation.kept() == {}
    mutation.KEPT.write_text(json.dumps({"3": {"of": 9, "said": "", "rows": rows(0, "the same")}}))
    moved = {**SURVIVOR, "mutant": "x_settle__mutmut_4"}
    verdict = {"mutant": mutation.full_name(moved), "source": "1f", "became": "survived", "by": ""}
    mutation.LOG.write_text(json.dumps(verdict) + "\n")
    other = {**SURVIVOR, "becomes": "c", "source": "2e"}
    noted = mutation.note(3, [moved, other], 9)["rows"]
    assert [(row["became"], row["reason"]) for row in noted] == [("survived", "the same"), ("", "")]
    assert mutation.still_open(mutation.verdicts().get((mutation.full_name(other), "2e")), False)
