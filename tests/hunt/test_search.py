from __future__ import annotations

import copy
from pathlib import Path

import pytest

from hasim.hunt import running
from hasim.hunt.costly import Costly, bare
from hasim.hunt.crew import crew_of, worlds
from hasim.hunt.search import ROUND, Hunt, State
from hasim.hunt.store import HuntError, keep, read, write
from hasim.oracle import Invariant
from hasim.oracle.statements import stated
from hasim.scenario import catalogue
from hasim.scenario.loader import load
from hasim.services.detection.detectors.detector import Opinion
from hasim.services.detection.detectors.threshold import Threshold
from hasim.services.failover.fencing.confirmed import Confirmed
from tests.commands.test_cli import cli

NEVER = "always: failed-messages < 0"
SHORT = {
    "name": "short",
    "horizon": "1m",
    "masters": [{"id": "a"}, {"id": "b", "priority": 2}],
    "traffic": {"arrivals": {"law": "poisson", "rate": "4/s"}, "owned": "50%", "timeout": "1s"},
    "detection": {"evidence": ["probe"], "interval": "1s"},
    "failover": {"fencing": "none"},
    "data_plane": "reference",
    "include_messages": True,
    "replications": 1,
}


def test_the_same_seed_gives_the_same_hunt_also_if_it_goes_on_from_a_folder(tmp_path: Path) -> None:
    begun = State(5, number=ROUND - 4)
    whole = Hunt(copy.deepcopy(begun))
    for _ in range(10):
        whole.step()
    part = Hunt(begun)
    for _ in range(2):
        part.step()
    write(tmp_path, part.state)
    rest = Hunt(read(tmp_path, 5))
    for _ in range(8):
        rest.step()
    assert rest.state == whole.state
    assert whole.state.mutants
    assert whole.state.faults
    with pytest.raises(HuntError, match="--seed 5 goes on"):
        read(tmp_path, 6)
    (tmp_path / "hunt.json").write_text('{"hasim_hunt": 1, "seed": "x"}')
    with pytest.raises(HuntError, match=r"hunt\.json"):
        read(tmp_path, 5)


def test_any_number_of_processes_gives_the_same_hunt() -> None:
    """Over the end of a round, from which on earlier worlds are changed."""
    begun = State(5, number=ROUND - 15, fresh=[dict(SHORT, faults=[])])
    alone, many = Hunt(copy.deepcopy(begun)), Hunt(copy.deepcopy(begun), [stated(NEVER)])
    for _ in range(35):
        alone.step()
    source = worlds(many, 3)
    found = [next(source) for _ in range(35)]
    source.close()
    assert all(NEVER in ran.broken for ran in found)
    assert many.state.broken.pop(NEVER) == 35
    assert many.state == alone.state
    assert alone.state.mutants
    again = many.again(found[0], NEVER)
    assert again.journal is not None
    assert again.broken == (NEVER,)


def test_what_other_processes_do_not_know_is_looked_at_in_this_one() -> None:
    hunt = Hunt(State(5), [Invariant("own", "", "", lambda case: iter(()))])
    source = worlds(hunt, 2)
    assert next(source).journal is not None
    source.close()


def test_a_world_that_does_not_end_within_a_step_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Were it in a service, whose failures are contained."""

    def for_ever(self: Threshold, now: int) -> Opinion:
        while True:
            pass

    monkeypatch.setattr(running, "MOST_SECONDS", 0.3)
    monkeypatch.setattr(Threshold, "opinion", for_ever)
    hang = {"kind": "hang", "target": "a", "at": "10s", "for": "20s"}
    found = running.run({**SHORT, "faults": [hang]})
    assert found.broken == ("world-ends",)
    assert "0.3 s of the processor" in found.breaches[0].text


def test_few_worlds_are_no_work_for_many_processes() -> None:
    assert crew_of(8, 3) == 1
    assert crew_of(8, 40) == 4
    assert crew_of(8, None) == 8


def test_a_find_is_shrunk_to_a_scenario_that_breaks_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is dangerous: nothing is fenced, and a hung owner goes on accepting writes."""
    monkeypatch.setattr(Confirmed, "dangerous", lambda self, failover: [])
    search = Costly({**SHORT, "failover": {}}, "dual-primary", 2, 1)
    hunt = Hunt(State(1), first=search.world)
    found = next(ran for ran in (hunt.step() for _ in range(200)) if ran.broken)
    smallest = hunt.shrink(found)
    assert smallest.broken[0] == found.broken[0]
    assert 1 <= len(smallest.data["faults"]) <= 2
    path = keep(tmp_path, smallest, "find")
    assert "# Found by hasim hunt" in path.read_text()
    result = cli("run", path, "--check", "--jobs", 1, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert found.broken[0] in result.stderr


def test_the_costliest_schedule_is_worse_than_most_and_is_the_same_again() -> None:
    def searched() -> tuple[Costly, list[float]]:
        made = Costly(dict(SHORT), "outage.max", 1, 3)
        return made, [cost for cost in (made.step() for _ in range(40)) if cost is not None]

    one, costs = searched()
    assert one.worst == max(costs) > sorted(costs)[len(costs) // 2]
    assert searched()[1] == costs
    smallest = one.shrink()
    assert len(smallest.data["faults"]) == 1


def test_a_scenario_is_laid_bare_for_its_schedule() -> None:
    data = bare(load(catalogue.shipped()["hang"]))
    assert not set(data) & {"vary", "expect", "baseline"}
    assert data["replications"] == 1


def test_what_users_state_is_hunted_for(tmp_path: Path) -> None:
    search = Costly(dict(SHORT), "downtime", 1, 1)
    hunt = Hunt(State(1), [stated("always: outage.max < 100ms")], search.world)
    assert any("always: outage.max < 100ms" in hunt.step().broken for _ in range(20))


def test_the_command_says_what_it_has_met_and_ends_as_documented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli("hunt", "--worlds", 2, "--seed", 9)
    assert result.exit_code == 0, result.output
    assert "No invariant was broken." in result.stdout
    assert "2 worlds" in result.stdout
    again = cli("hunt", "--worlds", 3, "--seed", 9, "--format", "json")
    assert "Goes on after 2 worlds" in again.stderr
    assert '"worlds": 3' in again.stdout
    broken = cli("hunt", "crash", "--worlds", 1, "--hold", "always: failed-messages > 10000")
    assert broken.exit_code == 2  # the folder holds a hunt with another seed
    broken = cli(
        *("hunt", "crash", "--worlds", 1, "--out", "other", "--format", "json"),
        *("--hold", "always: failed-messages > 10000"),
    )
    assert broken.exit_code == 1
    for wrong in (
        ["--budget", "soon"],
        ["--for", "outage"],
        ["--hold", "x"],
        ["crash", "--for", "x"],
    ):
        assert cli("hunt", *wrong).exit_code == 2
