"""Balancing algorithms of the user's own: in this process, in workers, on a cluster."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hasim
from hasim.services.balancing.registry import ALGORITHMS, SHIPPED, Algorithm, register
from hasim.study.execution.teaching import Lesson, NotImportableError, lesson_of
from hasim.study.planning.own_algorithms import own_algorithms
from hasim.study.planning.own_parts import ALGORITHM, Own
from tests.study.planning import own_pickers

STUDY: dict[str, Any] = {
    "name": "own",
    "horizon": "20s",
    "replications": 4,
    "seed": 5,
    "masters": [{"id": "m1", "region": "eu"}, {"id": "m2", "like": "m1"}],
    "traffic": {"arrivals": {"law": "poisson", "rate": "20/s"}, "owned": "0%"},
    "balancing": {"algorithm": "highest"},
}
SWITCHED: dict[str, Any] = {
    **STUDY,
    "balancing": {"algorithm": "round-robin"},
    "operations": [{"do": "switch-algorithm", "at": "10s", "algorithm": "highest"}],
}
PLAIN = "highest is plain Python: messages run on the reference data plane"


@pytest.fixture
def highest() -> Iterator[str]:
    register("highest", own_pickers.HIGHEST)
    yield "highest"
    ALGORITHMS.pop("highest", None)


@pytest.fixture
def a_lambda() -> Iterator[str]:
    register("lambda", Algorithm("The first.", lambda fleet, request: 0))
    yield "lambda"
    del ALGORITHMS["lambda"]


def attempts(result: Any) -> list[int]:
    return list(result.masters["attempts"])


@pytest.mark.parametrize("study", [STUDY, SWITCHED], ids=["from the start", "switched to"])
def test_workers_learn_an_algorithm_and_the_output_says_how_it_ran(highest, study):
    with pytest.warns(RuntimeWarning, match=PLAIN) as told:
        alone = hasim.run(study, jobs=1)
    assert len(told) == 1
    with pytest.warns(RuntimeWarning, match=PLAIN) as told:
        spread = hasim.run(study, jobs=2)
    assert len(told) == 1
    assert attempts(spread) == attempts(alone)
    assert all(second > first for first, second in zip(*[iter(attempts(alone))] * 2, strict=True))
    for result in (alone, spread):
        assert any("highest is plain Python" in note for note in result.notes)


def test_nothing_is_said_if_it_is_not_used_or_the_reference_is_asked_for(highest):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asked = hasim.run(STUDY, jobs=1, overrides={"data_plane": "reference"})
        unused = hasim.run(STUDY, jobs=1, overrides={"balancing.algorithm": "random"})
    assert [note for note in (*asked.notes, *unused.notes) if "data plane" in note] == []


def test_what_workers_cannot_import_runs_here_and_says_so(a_lambda):
    study = {**STUDY, "balancing": {"algorithm": a_lambda}}
    with pytest.warns(RuntimeWarning) as told:
        result = hasim.run(study, jobs=2)
    texts = [str(one.message) for one in told]
    assert any("cannot import lambda" in text and "done in this process" in text for text in texts)
    assert all(second == 0 for second in attempts(result)[1::2])


def test_a_cluster_refuses_what_its_workers_cannot_import(a_lambda):
    pytest.importorskip("distributed")
    study = {**STUDY, "balancing": {"algorithm": a_lambda}}
    with (
        pytest.warns(RuntimeWarning, match="plain Python"),
        pytest.raises(NotImportableError, match="cannot import lambda: all classes and functions"),
    ):
        hasim.run(study, dask="local", jobs=1)


def test_the_workers_of_a_cluster_learn_an_algorithm(highest):
    pytest.importorskip("distributed")
    with pytest.warns(RuntimeWarning, match=PLAIN):
        alone, spread = (hasim.run(STUDY, jobs=2, dask=dask) for dask in (None, "local"))
    assert attempts(spread) == attempts(alone)


def test_budgets_know_it_in_workers(highest):
    struck = {**STUDY, "faults": [{"kind": "crash", "target": "m1", "at": "1s", "for": "5s"}]}
    with pytest.warns(RuntimeWarning, match=PLAIN):
        found = hasim.budget(
            struck, rates={"crash": "12/y"}, replications=2, pairs=0, quiet="1m", jobs=2
        )
    assert len(found.table()) > 0


SCRIPT = """
import hasim
from hasim.services.balancing.registry import Algorithm, register
from tests.study.planning.test_own_algorithms import STUDY
def first(fleet, request):
    return 0
register("highest", Algorithm("The first master.", first))
result = hasim.run(STUDY, jobs=2)
print(list(result.masters["attempts"])[1::2])
"""


def test_a_script_with_a_picker_of_its_own_runs_in_one_process():
    root = Path(hasim.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={"PYTHONPATH": str(root), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[0, 0, 0, 0]"
    assert done.stderr.count("cannot import highest") == 1
    assert done.stderr.count("reference data plane") == 1


def test_a_lesson_that_leads_nowhere_says_what_is_missing(highest):
    lesson = lesson_of(Own(ALGORITHM, highest))
    assert lesson is not None
    lost = dataclasses.replace(lesson, functions={"pick": ("no_such_module", "pick")})
    with pytest.raises(ImportError, match=r"highest needs no_such_module\.pick"):
        lost.learn()


def test_one_put_in_the_place_of_another_is_told_from_it(monkeypatch):
    assert own_algorithms({"balancing": {"algorithm": "random"}}) == ()
    monkeypatch.setitem(ALGORITHMS, "random", own_pickers.HIGHEST)
    assert own_algorithms({"vary": {"balancing.algorithm": ["geo", "random"]}}) == ("random",)
    lesson = lesson_of(Own(ALGORITHM, "random"))
    monkeypatch.setitem(ALGORITHMS, "random", SHIPPED["random"])
    assert isinstance(lesson, Lesson)
    lesson.learn()
    assert ALGORITHMS["random"] == own_pickers.HIGHEST
