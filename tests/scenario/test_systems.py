"""Scenarios that read like a system's configuration: they run, and name each key as it does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from hasim.cli import main
from hasim.measures import measure
from hasim.scenario.catalogue import of_system, shipped, systems
from hasim.scenario.loader import load
from hasim.scenario.problems import ScenarioError
from hasim.simulation.run import simulate

SYSTEMS = sorted(systems())


def test_there_are_the_usual_systems() -> None:
    """And they are none of the scenarios of `hasim list`."""
    assert [
        *("haproxy", "keepalived", "kubernetes", "orchestrator", "pacemaker", "patroni"),
        *("pg-auto-failover", "sentinel", "statefulset", "two-sites"),
    ] == SYSTEMS
    assert not set(SYSTEMS) & set(shipped())


@pytest.mark.parametrize("system", SYSTEMS)
def test_new_from_a_system_runs_as_it_stands(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written by the command, loaded without a remark, and each cell runs and loses something."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["new", "mine", "--from", system])
    assert result.exit_code == 0, result.output
    printed = CliRunner().invoke(main, ["new", "--from", system])
    own = re.sub(r"(?m)^name: .*$", 'name: "mine"', printed.stdout, count=1)
    assert own == (tmp_path / "mine.yaml").read_text()
    loaded = load(tmp_path / "mine.yaml")
    assert loaded.scenario.name == "mine"
    assert loaded.remarks() == []
    for cell in loaded.cells:
        journal = simulate(cell.world, loaded.recorded_of(cell), seed=1, replication=0)
        found = measure(journal)
        assert found.incidents
        assert sum(row.messages for row in found.messages) > 1000


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_key_says_what_it_is_called_there(system: str) -> None:
    """Every line with a value has a comment, up to a list of masters that are like another."""
    for number, line in enumerate(of_system(system, "x").splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#") or "like: " in bare:
            continue
        if re.match(r"(name|description):", bare) or bare.endswith(":"):
            continue
        assert re.search(r"\s# \S", line) or "kind: " in bare or _goes_on(bare), f"{number}: {line}"


def _goes_on(line: str) -> bool:
    """Whether a line only says when and where a fault strikes, or what is varied."""
    return line.startswith(("target:", "other:", "at:", "for:", "detection.", "workers:"))


def test_an_unknown_system_is_told_with_the_nearest() -> None:
    """As any other name."""
    with pytest.raises(ScenarioError, match="no such system; did you mean patroni"):
        of_system("patrony", "x")
    result = CliRunner().invoke(main, ["new", "x", "--from", "haproxy", "--like", "crash"])
    assert result.exit_code == 2


@pytest.mark.parametrize("system", [s for s in SYSTEMS if s not in ("haproxy", "kubernetes")])
def test_standbys_take_over_in_systems_with_state(system: str, tmp_path: Path) -> None:
    """And nothing does in those without."""
    path = tmp_path / "x.yaml"
    path.write_text(of_system(system, "x"))
    loaded = load(path)
    cell = loaded.cells[0]
    found = measure(simulate(cell.world, loaded.recorded_of(cell), seed=2, replication=1))
    assert [row.partition for row in found.partitions] == ["p1"]
    assert "completed" in {row.outcome for row in found.failovers}
