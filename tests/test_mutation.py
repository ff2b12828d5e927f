"""What mutants of the services are run with, and how those that survive are counted."""

from __future__ import annotations

import json

import pytest

from results import mutation

SURVIVOR = {
    "mutant": "x_settle__mutmut_1",
    "in": "settle",
    "was": "a",
    "becomes": "b",
    "untested": False,
    "reason": "",
}


def row(killed: int, *reasons: str, **more: object) -> dict[str, object]:
    survivors = [{**SURVIVOR, "reason": reason} for reason in reasons]
    mutants = killed + len(reasons)
    return {"mutants": mutants, "killed": killed, "open": 0, "survivors": survivors, **more}


def test_each_file_of_the_services_has_its_turn_and_tests_that_are_there() -> None:
    files = mutation.all_files()
    assert [file.rpartition("/")[2] for file in files[:2]] == ["lifecycle.py", "orders.py"]
    assert files.index("hasim/services/reign.py") < files.index("hasim/services/routing/service.py")
    for file in files:
        tests = mutation.tests_of([(mutation.full_name(file, "x_settle__mutmut_1"), "")])
        assert all((mutation.ROOT / test).exists() for test in tests)


def test_what_changes_nothing_and_what_is_only_wording_is_left_out_of_the_share() -> None:
    found = row(8, "wording", "wording: for people", "the same: never empty here", "", "")
    assert mutation.counted(found) == {"reworded": 2, "same": 1, "open": 2}
    assert mutation.share(found) == 80.0
    assert mutation.share(row(0, "wording")) == 100.0


def test_the_page_has_each_file_and_each_reason() -> None:
    (file,) = (f for f in mutation.all_files() if f.endswith("failover/orders.py"))
    reason = "the same: never empty here"
    text = mutation.page({file: row(9, reason, "", digest=mutation.digest(file))})
    assert "| failover/orders.py | 11 | 0 | 9 | 2 | 0 | 1 | 90.0 % | 81.8 % |" in text
    assert f"- `{file}`, `settle`: {reason}\n\n  ```diff\n  - a\n  + b\n  ```" in text
    text = mutation.page({file: row(9, digest="of an earlier content")})
    assert "| failover/orders.py (changed since) |" in text


@pytest.mark.parametrize(
    ("became", "now", "again"),
    [("killed", False, False), (None, True, True), ("survived", False, True)],
)
def test_a_call_goes_on_with_what_is_not_decided(became, now: bool, again: bool) -> None:
    assert mutation.still_open(became, False) is now
    assert mutation.still_open(became, True) is again


def test_a_difference_is_told_without_the_names_of_the_variants() -> None:
    was = ["    def x_f__mutmut_orig(a):", "        return a + 1"]
    becomes = ["    def x_f__mutmut_12(a):", "        return a - 1"]
    assert mutation._difference(was, becomes) == ("return a + 1", "return a - 1")


def test_a_file_that_has_changed_or_has_mutants_left_is_not_finished(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(mutation, "KEPT", tmp_path / "kept.json")
    assert mutation.kept() == {}
    file = mutation.all_files()[0]
    for found, done in [
        (row(1, digest=mutation.digest(file)), True),
        (row(1, digest="another"), False),
        (row(1, digest=mutation.digest(file)) | {"open": 1}, False),
    ]:
        mutation.KEPT.write_text(json.dumps({file: found}), encoding="utf-8")
        assert mutation.finished(file, mutation.kept()) is done
