"""Operators order a switchover, and acknowledge a failover; what stories say of elections."""

from __future__ import annotations

import io

import pytest

from hasim.events import InputRefused, LeaderElected, OwnerChanged
from hasim.measures import measure
from hasim.report.teller import Teller
from hasim.scenario.loader import from_stream
from hasim.simulation.run import simulate
from hasim.truth import WritesLost
from hasim.units import SECOND
from tests.commands.test_cli import ROOT
from tests.simulation.planes import assert_equal, both
from tests.simulation.test_failover_cases import outcomes, runs

CLUSTER = """
masters:
  - {id: r1, workers: 32, service: {law: exponential, mean: 2ms}}
  - {id: r2, like: r1, priority: 2}
  - {id: r3, like: r1, priority: 3}
traffic: {arrivals: {law: poisson, rate: 50/s}, owned: 100%, timeout: 1s}
replication: {copies: 2, lag: 500ms}
detection: {evidence: [probe], interval: 1s, fast_interval: 1s, timeout: 500ms, fall: 3}
"""


@pytest.mark.parametrize("what", ["master: r1", "partition: p1"])
def test_a_switchover_to_a_named_master_loses_nothing_and_takes_less_than_a_second(
    what: str,
) -> None:
    """Case 05: the primary is moved by hand, and nobody is powered off."""
    text = f"""horizon: 2m
{CLUSTER}
operations: [{{do: switchover, {what}, to: r3, at: 1m}}]
"""
    for journal, measured in runs(text, 2):
        assert outcomes(measured) == ["completed"]
        assert list(journal.of(WritesLost)) == []
        assert 0.0 < measured.service.down_s < 1.0
        moved = [(t / SECOND, e.partition, e.owner) for t, e in journal.of(OwnerChanged)]
        assert [each[1:] for each in moved] == [("p1", "r3")]
        assert 60 < moved[0][0] < 61


@pytest.mark.parametrize(("starts_s", "right"), [((60, 60, 60), 8 / 9), ((60, 110, 160), 1.0)])
def test_a_deploy_of_all_at_once_costs_its_time_and_one_by_one_costs_nothing(
    starts_s: tuple[int, ...], right: float
) -> None:
    """Cases 22, 22b: three instances are away for 40 s of 360 s each: 88.9 % and 100 %."""
    operations = ", ".join(
        f"{{do: maintenance, master: p{n}, at: {at}s}}, "
        f"{{do: end-maintenance, master: p{n}, at: {at + 40}s}}"
        for n, at in enumerate(starts_s, 1)
    )
    text = f"""horizon: 6m
masters: [{{id: p1, workers: 8}}, {{id: p2, like: p1}}, {{id: p3, like: p1}}]
traffic: {{arrivals: {{law: poisson, rate: 30/s}}, owned: 0%, timeout: 1s}}
detection: {{evidence: [probe], interval: 5s, fast_interval: 5s, timeout: 1s, fall: 3, rise: 1}}
operations: [{operations}]
"""
    rows = [row for _, measured in runs(text, 6) for row in measured.messages if row.settled]
    offered, answered = sum(r.messages for r in rows), sum(r.in_time for r in rows)
    # 99.9 % of the chance of 64,800 messages, each of which comes in a bad time or does not.
    within = 3.3 * (right * (1 - right) / offered) ** 0.5
    assert answered / offered == pytest.approx(right, abs=within or 1e-12)


def test_both_planes_hand_over_alike() -> None:
    text = f"name: s\nhorizon: 90s\n{CLUSTER}\n"
    text += "operations: [{do: switchover, master: r1, to: r3, at: 30s}]\n"
    study = from_stream(io.StringIO(text))
    assert_equal(both(study.cells[0].world))


def test_a_target_that_is_down_is_refused_and_the_owner_serves_on() -> None:
    text = f"""horizon: 2m
{CLUSTER}
failover: {{fencing: none}}
faults: [{{kind: crash, target: r3, at: 30s, for: 80s}}]
operations: [{{do: switchover, master: r1, to: r3, at: 1m}}]
"""
    ((journal, _),) = runs(text, 1)
    refused = [e.reason for _, e in journal.of(InputRefused) if e.input == "SwitchOver"]
    assert refused == ["r3 cannot take over: it is failed"]
    assert "p1" not in {e.partition for _, e in journal.of(OwnerChanged)}


def test_a_block_ends_when_the_operator_has_looked_into_it() -> None:
    text = f"""horizon: 6m
{CLUSTER}
failover: {{fencing: none, block: 1h}}
faults:
  - {{kind: crash, target: r1, at: 30s, for: 1h}}
  - {{kind: crash, target: r2, at: 90s, for: 1h}}
OPERATIONS
"""
    acknowledged = "operations: [{do: acknowledge, master: r1, at: 3m}]"
    for operation, moved_s in (("", None), (acknowledged, 180)):
        ((journal, _),) = runs(text.replace("OPERATIONS", operation), 1)
        moves = [t / SECOND for t, e in journal.of(OwnerChanged) if e.owner == "r3"]
        if moved_s is None:
            assert moves == []
        else:
            assert moves[0] == pytest.approx(moved_s, abs=1)


def test_what_a_failover_lost_is_told_in_writes_bytes_and_seconds() -> None:
    text = f"""horizon: 2m
{CLUSTER.replace("2ms}}", "2ms}, state: {write: 1000B}}")}
faults: [{{kind: crash, target: r1, at: 1m, for: 1h}}]
"""
    ((journal, measured),) = runs(text, 1)
    (lost,) = [row for _, row in journal.of(WritesLost)]
    (failover,) = measured.failovers
    assert failover.writes_lost == lost.writes > 0
    assert failover.lost_bytes == 1000 * lost.writes
    assert failover.lost_s == lost.since_ns / SECOND >= 0.5
    assert measure(journal).failovers == measured.failovers


def test_a_story_names_the_elections_of_others() -> None:
    text = (ROOT / "scenarios/leader-crash.yaml").read_text(encoding="utf-8")
    study = from_stream(io.StringIO(text.partition("vary:")[0]))
    (cell,) = study.cells
    journal = simulate(cell.world, study.recorded_of(cell), seed=1, replication=0)
    elections = [(t, e) for t, e in journal.of(LeaderElected)]
    assert {e.leader for _, e in elections} > {"observer"}
    teller = Teller(journal, "a", 0, journal.horizon_ns, "observer")
    told = [(line.t_ns, line.text) for line in teller.lines() if line.who == "election"]
    for t_ns, election in elections:
        assert any(t == t_ns and text.startswith(f"{election.leader} is") for t, text in told)
    assert any("it acts under term" in text for _, text in told)
