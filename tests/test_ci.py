"""What CI runs: everything for each change, the slow proofs when they are asked for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / ".ci" / "run"


def stub(path: Path, log: Path) -> None:
    """A program that only writes down how it was called."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "$(basename "$0") $*" >> "{log}"\n')
    path.chmod(0o755)


def calls(tmp_path: Path, *args: str) -> list[str]:
    """What the script would run: in a tree whose virtual environment is made of stubs."""
    log = tmp_path / "calls"
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "run").write_bytes(SCRIPT.read_bytes())
    for name in ("python", "ruff", "hasim"):
        stub(tmp_path / "stubs" / name, log)
    made = "cp -r stubs .venv/bin && .venv/bin/python -m pytest -q"
    (tmp_path / "README.md").write_text(f"    mkdir .venv && {made}\n")
    done = subprocess.run(
        ["bash", ".ci/run", *args], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return log.read_text().splitlines()


def test_slow_proofs_run_when_asked_for_and_only_then(tmp_path):
    (tmp_path / "usual").mkdir()
    (tmp_path / "nightly").mkdir()
    usual, nightly = calls(tmp_path / "usual"), calls(tmp_path / "nightly", "--slow")
    assert "python -m pytest -q -m slow" not in usual
    more = [call for call in nightly if call not in usual and not call.startswith("hasim hunt")]
    assert more == [
        "python results/failover.py --only-worlds --worlds 5000",
        "python -m pytest -q -m slow",
        "python -m pip install -q -c constraints.txt -e .[mutation]",
        "python results/mutation.py --budget 1h --least 85",
    ]
    assert sum(call.startswith("hasim hunt") for call in usual) == 1
    assert "python results/failover.py --only-worlds --worlds 200" in usual
    assert usual[0] == "python -m pytest -q"
    assert usual[-1] == "python -m pytest -q notebooks"
    assert "hasim bench --baseline results/baseline/baseline.json" in usual


@pytest.mark.parametrize("args", [["--sloow"], ["--slow", "now"]])
def test_anything_else_is_refused_before_it_starts(tmp_path, args):
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".ci" / "run").write_bytes(SCRIPT.read_bytes())
    done = subprocess.run(
        ["bash", ".ci/run", *args], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, "usage: .ci/run [--slow]\n")
    assert (tmp_path / ".venv").exists()


def test_the_script_can_be_executed():
    assert os.access(SCRIPT, os.X_OK)
