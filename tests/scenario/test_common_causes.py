"""Beta factors from recordings: by hand, from a known model, and back from hasim's own faults."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hasim.scenario.document import parse_document
from hasim.scenario.inspecting.uses import inspect
from hasim.scenario.loader import from_data
from hasim.scenario.traces.common_causes import CommonCauses, Shared, common_causes
from hasim.settings import from_plain
from hasim.settings.validation import SettingsError
from hasim.simulation.run import simulate
from hasim.simulation.settings.recordings import OutageTrace
from hasim.truth import FaultCured, FaultStarted
from hasim.units import DAY, MINUTE, SECOND

Read = Callable[..., CommonCauses]
HEADER = "rack,node,start,end\n"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def made(text: str, *resource: str) -> CommonCauses:
        path = tmp_path / "failures.csv"
        path.write_text(text)
        resource = resource or ("rack", "node")
        return common_causes(OutageTrace(trace=str(path), unit="m", resource=resource))

    return made


def test_by_hand(read: Read) -> None:
    """Rack a: nodes 1 and 2 at once, 1 alone; rack b: 1 alone, at the minute of those in a."""
    found = read(HEADER + "a,1,100,110\na,2,100,130\nb,1,100,120\na,1,500,510\na,2,501,511\n")
    assert (found.failures, found.resources, found.events) == (5, 3, 4)
    (shared,) = found.levels
    assert (shared.share, shared.events, shared.hit, shared.there) == (2 / 5, 1, 2.0, 2.0)
    # By event: 2 of 2, 0 of 1, 0 of 1, 0 of 1; less 2/5 of the size: 1.2, -.4, -.4, -.4.
    spread = (4 / 3 * (1.2**2 + 3 * 0.4**2)) ** 0.5 / 5
    assert shared.high == pytest.approx(min(1.0, 0.4 + 1.959964 * spread))
    # Rack a was watched for 401 minutes with two nodes, b for no time of its own: for all 401.
    assert found.mean_ns == pytest.approx(3 * 401 * MINUTE / 5)
    assert found.lasts_ns == pytest.approx(16 * MINUTE)
    # Each of a's nodes meets the other's two failures in 401 minutes; nobody meets b's.
    assert shared.chance == pytest.approx(4 * (1 - np.exp(-2 / 401)) / 5)


def test_an_event_is_of_the_smallest_place_that_holds_it(read: Read) -> None:
    rows = "z,r1,1,100,101\nz,r1,2,100,101\nz,r1,1,200,201\nz,r2,1,200,201\nz,r2,1,300,301\n"
    found = read("zone,rack,node,start,end\n" + rows, "zone", "rack", "node")
    zone, rack = found.levels
    assert (zone.share, zone.events) == (2 / 5, 1)
    assert (rack.share, rack.events) == (2 / 5, 1)


def of_model(beta: float, seed: int, racks: int = 30, nodes: int = 4) -> str:
    """Failures of the beta-factor model, in minutes: one a day of each node, for 40 days."""
    random, rows, minutes = np.random.default_rng(seed), [], 40 * DAY / MINUTE
    for rack in range(racks):
        rate = 1 / (DAY / MINUTE)
        for at in random.uniform(0, minutes, random.poisson(beta * rate * minutes)):
            rows += [(rack, node, int(at)) for node in range(nodes)]
        for node in range(nodes):
            own = random.uniform(0, minutes, random.poisson((1 - beta) * rate * minutes))
            rows += [(rack, node, int(at)) for at in own]
    return HEADER + "".join(f"r{rack},{node},{at},{at + 9}\n" for rack, node, at in rows)


@pytest.mark.parametrize("beta", [0.05, 0.2])
def test_the_factor_of_a_known_model(beta: float, read: Read) -> None:
    """In the interval in as many of 40 recordings as 95 % allow, with what chance adds."""
    found = [read(of_model(beta, seed)).levels[0] for seed in range(40)]
    # Beside a common cause, one that fails by itself in the same minute counts, too.
    expected = beta + (1 - beta) * found[0].chance
    within = sum(one.low < expected < one.high for one in found)
    assert within >= 34  # binomial(40, .95): fewer once in 1,000
    assert np.mean([one.share for one in found]) == pytest.approx(expected, rel=0.07)
    assert np.mean([one.hit for one in found]) == pytest.approx(4, abs=0.3)


def test_independent_failures_have_what_chance_gives(read: Read) -> None:
    """Forty to a rack: one failure in forty meets another in its minute."""
    found = [read(of_model(0.0, seed, racks=3, nodes=40)) for seed in range(10)]
    share = np.mean([one.levels[0].share for one in found])
    assert share == pytest.approx(found[0].levels[0].chance, rel=0.12)  # three sigmas
    assert 0.02 < share < 0.03
    assert found[0].mean_ns == pytest.approx(DAY, rel=0.04)


def test_what_hasim_does_with_the_lines_gives_the_factor_back(tmp_path: Path) -> None:
    """The lines that `hasim data` writes, run, recorded and looked at again."""
    path = tmp_path / "failures.csv"
    path.write_text(of_model(0.2, seed=1).replace("start,end", "start_min,end_min"))
    first = {use.use: use for use in inspect(path).uses}["common"]
    assert re.search(r"common: \{rack: (19|2[0-2])", first.settings)
    assert re.search(r"mean: (23h|1d|24h)", first.settings)
    data = {
        "horizon": "40d",
        "masters": [{"id": f"m{n}", "rack": f"r{n // 4}"} for n in range(40)],
        "traffic": {"arrivals": {"law": "poisson", "rate": "1/d"}, "owned": "0%"},
        "detection": {"interval": "1d", "evidence": ["probe"]},
        **parse_document(first.settings, "pasted").data,
    }
    loaded = from_data(data)
    rows = []
    for replication in range(3):
        cell = loaded.cells[0]
        journal = simulate(cell.world, loaded.recorded_of(cell), seed=1, replication=replication)
        cured = {e.fault: t_ns for t_ns, e in journal.of(FaultCured)}
        for t_ns, started in journal.of(FaultStarted):
            ends_ns = cured.get(started.fault, journal.horizon_ns)
            racks = [(f"r{replication}-{int(m[1:]) // 4}", m) for m in started.masters]
            rows += [f"{r},{m},{t_ns / SECOND},{ends_ns / SECOND}\n" for r, m in racks]
    path.write_text(HEADER + "".join(rows))
    trace = OutageTrace(trace=str(path), unit="s", resource=("rack", "node"))
    again: Shared = common_causes(trace).levels[0]
    beta = loaded.cells[0].world.faults[0].common.rack
    assert again.low < beta + (1 - beta) * again.chance < again.high
    assert again.high - again.low < 0.06
    assert common_causes(trace).mean_ns == pytest.approx(DAY, rel=0.05)


def test_rows_without_a_name_are_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "failures.csv"
    rows = "".join(f"a,{node},{at},{at + 1}\n" for node in (1, 2) for at in range(1, 31, 3))
    header = HEADER.replace("start,end", "start_min,end_min")
    path.write_text(f"{header}{rows}b,,3,4\n" + rows.replace("a,", "c,"))
    uses = {use.use: use for use in inspect(path).uses}
    assert "resource: [rack, node]" in uses["outages"].settings
    assert (
        "line 22: left out: of what names the resource, something is empty"
        in (uses["outages"].notes[0])
    )
    assert "40 failures of 4 resources in 20 events" in uses["common"].found


@pytest.mark.parametrize("resource", [[], [""], [0], [["rack"]]])
def test_columns_that_are_none(resource: object) -> None:
    with pytest.raises(SettingsError, match="expected the name of a column"):
        from_plain(OutageTrace, {"trace": "x.csv", "resource": resource})
