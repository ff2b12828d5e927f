"""Hostile files and arguments: a fixed part of them, and all when the slow proofs are asked for.

`results/fuzzing.py` tries 20,000 and writes down what came of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz import corpus
from tests.fuzz.guard import Tried, attempt
from tests.fuzz.kinds import KINDS
from tests.fuzz.trying import kind_of, tried

EACH = 12


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    corpus.make(folder)
    return folder


def numbers(kind: str, count: int) -> Iterator[int]:
    """The first inputs of a kind."""
    number = 0
    while count:
        if kind_of(number) == kind:
            yield number
            count -= 1
        number += 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_input_ends_with_an_exit_code_and_a_message(made, kind) -> None:
    for number in numbers(kind, EACH):
        for one in tried(number, made):
            assert not one.fault, f"input {number}: {one}"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_hostile_inputs(made, kind) -> None:
    for number in numbers(kind, 1000):
        for one in tried(number, made):
            assert not one.fault, f"input {number}: {one}"


@pytest.mark.parametrize("service", [{"law": "exponential", "mean": "9" * 30_000}, "9" * 30_000])
def test_digits_without_a_unit_are_refused_at_once(tmp_path, service) -> None:
    file = tmp_path / "digits.yaml"
    file.write_text(json.dumps({"name": "digits", "masters": [{"id": "a", "service": service}]}))
    done = attempt("validate", file)
    assert (done.code, done.fault) == (2, "")
    assert f"{file}:1: masters.0.service" in done.said
    assert "expected a duration such as 250ms, 30s or 1h30m" in done.said


def test_a_long_row_of_blanks_in_a_table_is_read_at_once(tmp_path) -> None:
    file = tmp_path / "blanks.csv"
    file.write_text("a\x0b" + " " * 200_000 + "\x0bb\n")
    assert attempt("data", file).fault == ""


def test_an_input_is_the_same_whenever_it_is_tried(made, tmp_path_factory) -> None:
    number = next(numbers("scenarios", 1))
    first, again = tried(number, made), tried(number, made)
    assert [one.code for one in first] == [one.code for one in again]


def test_a_fault_is_seen(monkeypatch) -> None:
    def raises(**options: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("hasim.commands.lists.measures.callback", raises)
    assert attempt("measures").fault == "traceback"
    assert Tried(("x",), 2, 0.1, "").fault == "silent"
    assert Tried(("x",), None, 10.1, "stopped").fault == "endless"
    assert Tried(("x",), 2, 0.1, "a\x1b[2J").fault == "raw character"
    assert Tried(("x",), 2, 0.1, "a\n").fault == ""


@pytest.mark.parametrize(
    ("body", "said"), [("while True: pass", "endless"), ("bytearray(2**31)", "traceback")]
)
def test_time_and_memory_have_an_end(monkeypatch, body, said) -> None:
    def greedy(**options: object) -> None:
        exec(body)

    monkeypatch.setattr("tests.fuzz.guard.MOST_S", 0.2)
    monkeypatch.setattr("hasim.commands.lists.measures.callback", greedy)
    assert attempt("measures").fault == said
