"""Every shipped scenario, shortened to a few minutes, keeps ARCHITECTURE.md, "Invariants"."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from hasim.events import ServiceFailed
from hasim.journal import Journal
from hasim.oracle import check, difference
from hasim.replay import Replay, replay
from hasim.scenario import catalogue
from hasim.scenario.loader import Cell, Loaded, load
from hasim.services.control_plane import ControlPlane
from hasim.simulation.run import simulate
from hasim.simulation.world import World
from hasim.truth import Writers
from hasim.units import MINUTE
from tests.simulation.planes import some

SHIPPED = catalogue.shipped()
LONGEST_NS = 4 * MINUTE


def shortened(study: Loaded, cell: Cell) -> Cell:
    horizon_ns = min(cell.world.horizon_ns, LONGEST_NS)
    return dataclasses.replace(cell, world=dataclasses.replace(cell.world, horizon_ns=horizon_ns))


def run(study: Loaded, cell: Cell, replication: int) -> Journal:
    return simulate(
        cell.world,
        study.recorded_of(cell),
        seed=study.scenario.seed,
        replication=replication,
        scenario=study.scenario.name,
        cell=cell.varied,
        messages=replication == 0,
    )


def replayed(study: Loaded, cell: Cell, journal: Journal) -> Replay:
    """Through a control plane of its own, that has nothing but the inputs."""
    world = cell.world
    front = World(world, study.recorded_of(cell), seed=0, replication=0).front
    (observer, *_) = journal.header["observers"]
    made = front.settings
    plane = ControlPlane(
        front.cluster,
        made.detection,
        made.failover,
        made.balancing,
        made.monitor,
        made.accession,
        observer=observer,
        seed=journal.header["observers"][observer]["seed"],
    )
    return replay(journal, plane)


def broken(cell: Cell, journal: Journal) -> Iterator[str]:
    """What breaks an invariant, and what `check` does not say: services that raise, writers."""
    yield from map(str, check(journal))
    for t_ns, failed in journal.of(ServiceFailed):
        yield f"{t_ns}: {failed}"
    fenced = cell.world.failover.fencing.one_primary
    for t_ns, writers in journal.of(Writers):
        if fenced and len(writers.masters) > 1:
            yield f"{t_ns}: {writers}"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_scenario_keeps_the_invariants(name: str) -> None:
    study = load(SHIPPED[name])
    cells = [shortened(study, cell) for cell in some(study.cells, 24)]
    for number, cell in enumerate(cells):
        journal = run(study, cell, replication=number)
        assert list(broken(cell, journal)) == []
    first = run(study, cells[0], replication=0)
    assert difference(first, run(study, cells[0], replication=0)) is None
    if first.tiers:
        first = first.of_tier(next(iter(first.tiers)))
    replay = replayed(study, cells[0], first)
    assert replay.difference is None
    assert replay.inputs > 0
