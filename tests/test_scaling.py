"""`results/scaling.py`: what it measures, and how it splits what it has measured."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

import hasim.findings.exports

SCRIPT = Path(__file__).parents[1] / "results" / "scaling.py"


@pytest.fixture
def scaling(monkeypatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("scaling", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "scaling", module)
    # Drawing takes the longest.
    monkeypatch.setattr(hasim.findings.exports, "draw", lambda result: {})
    spec.loader.exec_module(module)
    return module


def test_the_end_of_a_run_is_split_in_fixed_and_per_cell(scaling, monkeypatch):
    """Ends that take 3 s and 2 ms a cell are found to do so."""
    monkeypatch.setattr(
        scaling, "cells_of", lambda count, _: type("Plan", (), {"cells": [0] * count})
    )
    monkeypatch.setattr(
        scaling,
        "_timed_run",
        lambda plan: (0.01 * len(plan.cells), 0.003 * len(plan.cells), 3 + 0.002 * len(plan.cells)),
    )
    rows = {row.what: row for row in scaling.beside_simulation(800, rounds=2)}
    found = {what: (row.values[1], row.unit) for what, row in rows.items()}
    assert found == {
        "simulation and measures of each of 800 cells": (pytest.approx(10), "ms"),
        "beside it, plan and run folder": (pytest.approx(3), "ms"),
        "tables and figures at the end of the run, of each cell": (pytest.approx(2), "ms"),
        "both, of each cell": (pytest.approx(5), "ms"),
        "tables and figures at the end of the run, whatever the cells": (pytest.approx(3), "s"),
    }


def test_the_parts_of_a_run_add_up(scaling):
    simulated_s, beside_s, end_s = scaling._timed_run(scaling.trivial(100))
    assert min(simulated_s, beside_s, end_s) > 0


def test_a_complete_run_tells_its_memory(scaling):
    found = scaling.complete(100)
    assert set(found) == {"run_s", "own", "workers"}
    assert min(found.values()) > 0


def test_the_page_says_what_was_measured_and_how_busy_the_machine_was(scaling, monkeypatch):
    monkeypatch.setattr(scaling.os, "getloadavg", lambda: (0.25, 0, 0))
    monkeypatch.setattr(scaling.program, "commit", lambda: "abcdef0123456789" + "+")
    text = scaling.page("python x", [("Part", [scaling.Row("it", [1.0])])], 0.125)
    assert f"Measured with hasim {scaling.hasim.__version__} (commit abcdef012345+), " in text
    assert "load average 0.1 at the start, 0.2 at the end." in text
    assert scaling.arguments().parse_args([]).rounds == 5
    assert not scaling.arguments().parse_args([]).complete
