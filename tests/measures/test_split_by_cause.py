"""The shortfall split by cause adds up to the whole, in every scenario that is shipped."""

from __future__ import annotations

import dataclasses

import pytest

from hasim.journal import Journal
from hasim.measures import measure
from hasim.measures.availability import Downtime
from hasim.measures.causes import CAUSES
from hasim.measures.facts import facts_of
from hasim.measures.ledgers import ledger_of
from hasim.measures.measured import Measured
from hasim.measures.spans import Span, length_ns, union
from hasim.scenario.catalogue import shipped, systems
from hasim.scenario.loader import load
from hasim.simulation.run import simulate
from hasim.units import HOUR, nanoseconds, seconds

FILES = {**shipped(), **systems()}
WITHIN_S = 1e-9


def journal_of(name: str) -> Journal:
    """The first cell of a scenario; of an hour, where it has more."""
    loaded = load(FILES[name])
    cell = loaded.cells[0]
    world = dataclasses.replace(cell.world, horizon_ns=min(cell.world.horizon_ns, HOUR))
    return simulate(
        world,
        loaded.recorded_of(cell),
        seed=loaded.scenario.seed,
        replication=0,
        scenario=name,
        cell=dict(cell.varied),
    )


def downs_of(journal: Journal) -> list[list[Span]]:
    """When each partition was down (a tier without state: as a whole), by tier, with no causes."""
    tiers = [journal.of_tier(name) for name in journal.tiers] or [journal]
    return [[down.span for down in facts_of(tier).downs()] for tier in tiers]


def split_s(row: Downtime) -> float:
    """The sum of its causes."""
    assert {f"{cause}_s" for cause in CAUSES} | {"down_s"} == {
        f.name for f in dataclasses.fields(Downtime)
    }
    spent = [getattr(row, f"{cause}_s") for cause in CAUSES]
    assert min(spent) >= 0
    return sum(spent)


def ledger_s(run: Measured, of: str) -> float:
    """What an objective of the run is judged by."""
    ledger = ledger_of(run, of, nanoseconds(run.horizon_s), maintenance=True)
    return ledger.bad(0, ledger.horizon_ns) / ledger.unit


def assert_adds_up(row: Downtime, whole_s: float) -> None:
    assert split_s(row) == pytest.approx(whole_s, rel=0, abs=WITHIN_S)
    assert row.down_s == pytest.approx(whole_s, rel=0, abs=WITHIN_S)


@pytest.mark.parametrize("name", FILES)
def test_the_causes_add_up_to_the_whole(name: str) -> None:
    """By time of the service, of each partition and tier, and of enough masters; by message."""
    journal = journal_of(name)
    run, downs = measure(journal), downs_of(journal)
    whole_s = seconds(length_ns(union(span for tier in downs for span in tier)))
    assert_adds_up(run.service, whole_s)
    assert_adds_up(run.service, ledger_s(run, "uptime"))
    assert (1 - run.service.uptime) * run.horizon_s == pytest.approx(whole_s, abs=WITHIN_S)
    for cause in CAUSES:
        own_s = sum(row.ended_at_s - row.started_at_s for row in run.downs if row.cause == cause)
        assert getattr(run.service, f"{cause}_s") == pytest.approx(own_s, rel=0, abs=WITHIN_S)
    for partition in run.partitions:
        assert_adds_up(partition, (1 - partition.uptime) * run.horizon_s)
        assert_adds_up(partition, ledger_s(run, f"partition:{partition.partition}"))
    for tier, spans in zip(run.tiers, downs, strict=bool(run.tiers)):
        assert_adds_up(tier, seconds(length_ns(union(spans))))
        assert_adds_up(tier, ledger_s(run, f"tier:{tier.tier}"))
    assert run.k_of_n is not None
    assert_adds_up(run.k_of_n, ledger_s(run, "uptime.k_of_n"))
    settled = [row for row in run.messages if row.settled]
    assert sum(row.messages - row.in_time for row in settled) == ledger_s(run, "success")
