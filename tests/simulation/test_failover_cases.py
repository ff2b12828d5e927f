"""What people who run such systems reported: an owner that returns, one that is moved by hand.

Each scenario says what they had; each test, what must come out.
"""

from __future__ import annotations

import io

import pytest

from hasim.events import FailoverChanged, Fence, OwnerChanged, SendProbe, StatusChanged
from hasim.journal import Journal
from hasim.measures import Measured, measure
from hasim.model import Cause, Status
from hasim.oracle import check
from hasim.scenario.loader import from_data, from_stream
from hasim.simulation.run import simulate
from hasim.truth import (
    FaultCured,
    MasterFenced,
    MessageRecord,
    PartitionAnswered,
    PartitionServed,
    Writers,
    WritesLost,
)
from hasim.units import MILLISECOND, SECOND
from tests.simulation.planes import assert_equal, both

NODES = """
masters:
  - {id: a, workers: 8, service: {law: constant, mean: 5ms}}
  - {id: b, like: a, priority: 2}
traffic: {arrivals: {law: poisson, rate: 10/s}, owned: 100%, timeout: 1s}
"""
ROUND_TRIP_NS = MILLISECOND
"""Between two places of a region, if nothing else is said."""
CHECKS = "detection: {evidence: [probe], interval: 1s, fast_interval: 500ms, timeout: 500ms}\n"


def runs(text: str, replications: int) -> list[tuple[Journal, Measured]]:
    """Journals and measures of some replications; the invariants hold in each."""
    study = from_stream(io.StringIO("name: case\n" + text))
    made = []
    for replication in range(replications):
        (cell,) = study.cells
        journal = simulate(
            cell.world, study.recorded_of(cell), seed=study.scenario.seed, replication=replication
        )
        assert check(journal) == []
        made.append((journal, measure(journal)))
    return made


def declared_healthy(journal: Journal, master: str, after_ns: int) -> int:
    """When a master was first declared healthy after a time (nanoseconds)."""
    return next(
        t_ns
        for t_ns, change in journal.of(StatusChanged)
        if (change.master, change.new) == (master, Status.HEALTHY) and t_ns > after_ns
    )


def outcomes(measured: Measured) -> list[str]:
    return [failover.outcome for failover in measured.failovers]


# -- an owner that returns while its failover is under way ---------------------------------


@pytest.mark.parametrize("how", ["delay: 5m", "promote_timeout: 8m"])
def test_work_that_is_moved_after_five_minutes_stays_with_a_node_that_was_away_for_two(how) -> None:
    """Kubernetes tolerates an unready node for 300 s; a slow start on another one is the same."""
    slow = "promotion: {duration: 5m}\n" if "promote" in how else ""
    text = f"""horizon: 15m
{NODES}{slow}
faults: [{{kind: power-off, target: a, at: {{law: uniform, low: 60s, high: 70s}}, for: 2m}}]
detection:
  {{evidence: [probe], interval: 10s, fast_interval: 10s, timeout: 1s, fall: 4, rise: 1}}
failover: {{fencing: none, {how}}}
"""
    for journal, measured in runs(text, 4):
        assert outcomes(measured) == ["cancelled"]
        assert list(journal.of(OwnerChanged)) == []
        assert measured.service.dual_primary_s == 0.0
        (incident,) = measured.incidents
        # It is back after 120 s, and declared healthy with the next check, 10 s later at most.
        assert 120.0 <= incident.outage_s <= 131.0


def test_a_short_crash_ends_a_slow_promotion_without_a_second_primary() -> None:
    text = f"""horizon: 5m
{NODES}{CHECKS}
faults: [{{kind: crash, target: a, at: 60s, for: 10s}}]
failover: {{fencing: none, promote_timeout: 60s}}
promotion: {{duration: 30s}}
"""
    for _, measured in runs(text, 2):
        assert outcomes(measured) == ["cancelled"]
        assert measured.service.dual_primary_s == 0.0


def test_an_outage_ends_when_the_node_is_back_whose_fence_failed_with_it() -> None:
    text = f"""horizon: 8m
{NODES}
faults: [{{kind: power-off, target: a, at: {{law: uniform, low: 60s, high: 70s}}, for: 3m}}]
detection: {{evidence: [probe], interval: 1s, fast_interval: 1s, timeout: 1s, fall: 3}}
failover: {{fencing: {{kind: confirmed, timeout: 10s, attempts: 10}}, retry_interval: 5s}}
fencing_device: {{fails: 100%, latency: 5s}}
"""
    for journal, measured in runs(text, 3):
        (incident,) = measured.incidents
        assert 180.0 <= incident.outage_s <= 183.0  # back, and two checks passed
        (cured_ns,) = [t_ns for t_ns, _ in journal.of(FaultCured)]
        healthy_ns = declared_healthy(journal, "a", cured_ns)
        assert all(t_ns < healthy_ns for t_ns, _ in journal.of(Fence))
        assert outcomes(measured)[-1] == "cancelled"


def test_nobody_powers_off_a_master_that_was_declared_healthy_again() -> None:
    text = f"""horizon: 6m
{NODES}
faults: [{{kind: power-off, target: a, at: 60s, for: 20s}}]
detection: {{evidence: [probe], interval: 1s, fast_interval: 1s, timeout: 1s, fall: 3}}
failover: {{fencing: {{kind: confirmed, timeout: 10s, attempts: 10}}, retry_interval: 5s}}
fencing_device: {{fails: 92%, latency: 5s}}
"""
    made = runs(text, 20)
    for journal, _ in made:
        healthy_ns = declared_healthy(journal, "a", 80 * SECOND)
        assert all(t_ns < healthy_ns for t_ns, _ in journal.of(MasterFenced))
    assert any(outcomes(measured) == ["cancelled"] for _, measured in made)


def test_a_fence_that_takes_longer_than_the_stop_is_taken_back() -> None:
    text = f"""horizon: 5m
{NODES}
faults: [{{kind: hang, target: a, at: {{law: uniform, low: 60s, high: 61s}}, for: 4s}}]
detection:
  {{evidence: [probe], interval: 1s, fast_interval: 500ms, timeout: 500ms, fall: 3, rise: 2}}
failover: {{fencing: {{kind: confirmed, timeout: 30s}}}}
fencing_device: {{latency: 10s, restart: 60s}}
"""
    for journal, measured in runs(text, 4):
        (incident,) = measured.incidents
        assert list(journal.of(MasterFenced)) == []
        assert [c.new for _, c in journal.of(FailoverChanged)] == [
            *("declared", "fencing", "aborting", "cancelled")
        ]
        # After the cure a check under way still fails, the next one is due after an interval,
        # and two must pass.
        assert 4.0 <= incident.outage_s <= 4.0 + 2.1
        assert 4.0 <= incident.first_ok_s <= 4.0 + 2.3


@pytest.mark.parametrize(
    ("fault", "promotion"),
    [("partition, scope: monitor, for: 10s", "30s"), ("crash, for: 3s", "4s")],
)
def test_an_owner_that_returns_during_the_promotion_stays_the_only_primary(
    fault: str, promotion: str
) -> None:
    text = f"""horizon: 3m
{NODES}
faults: [{{kind: {fault}, target: a, at: {{law: uniform, low: 60s, high: 61s}}}}]
detection:
  {{evidence: [probe], interval: 1s, fast_interval: 500ms, timeout: 500ms, fall: 3, rise: 2}}
failover: {{fencing: none, promote_timeout: 60s}}
promotion: {{duration: {promotion}}}
"""
    for journal, measured in runs(text, 4):
        assert outcomes(measured) == ["cancelled"]
        assert measured.service.dual_primary_s == 0.0
        last = {writers.partition: writers.masters for _, writers in journal.of(Writers)}
        assert last["p1"] == ("a",)


def test_without_fencing_two_primaries_last_as_long_as_the_partition_of_the_monitor() -> None:
    """The old owner, which nobody but the monitor has lost, is told to stop as soon as it hears."""
    text = f"""horizon: 5m
{NODES}{CHECKS}
faults: [{{kind: partition, scope: monitor, target: a, at: 60s, for: 100s}}]
failover: {{fencing: none}}
"""
    for journal, measured in runs(text, 2):
        (moved_ns,) = [t_ns for t_ns, moved in journal.of(OwnerChanged) if moved.owner == "b"]
        (cured_ns,) = [t_ns for t_ns, _ in journal.of(FaultCured)]
        probed_ns = next(
            t_ns for t_ns, o in journal.of(SendProbe) if o.master == "a" and t_ns >= cured_ns
        )
        # It is probed once a second, and told to stop when the first probe after the cure is
        # answered; half a round trip later it has. Half a round trip before it was heard that b
        # is promoted, b was.
        assert 0 <= probed_ns - cured_ns < SECOND
        order_ns = (probed_ns - cured_ns) + ROUND_TRIP_NS + ROUND_TRIP_NS // 2
        promoted_ns = moved_ns - ROUND_TRIP_NS // 2
        expected_s = (cured_ns - promoted_ns + order_ns) / SECOND
        assert measured.service.dual_primary_s == pytest.approx(expected_s, abs=1e-9)
        last = {writers.partition: writers.masters for _, writers in journal.of(Writers)}
        assert last["p1"] == ("b",)


def test_an_owner_that_its_token_has_deposed_is_not_believed_when_it_returns() -> None:
    """Its backup was promoted meanwhile, and a majority has seen the newer token."""
    text = f"""horizon: 2m
{NODES.replace("traffic", "  - {id: c, like: a, priority: 3}" + chr(10) + "traffic")}{CHECKS}
replication: {{copies: 2}}
faults:
  - {{kind: partition, scope: monitor, target: a, at: 30s, for: 5s}}
  - {{kind: lost-answers, at: 30s, for: 5s}}
failover: {{fencing: token, transfer: none, promote_timeout: 20s}}
promotion: {{duration: 1s}}
"""
    for journal, _ in runs(text, 2):
        healthy_ns = declared_healthy(journal, "a", 35 * SECOND)
        last = {writers.partition: writers.masters for _, writers in journal.of(Writers)}
        assert len(last["p1"]) == 1
        assert max(t_ns for t_ns, _ in journal.of(Writers)) > healthy_ns


def test_a_lease_that_runs_out_before_a_new_process_has_heard_of_it_is_asked_about() -> None:
    """It comes back after 7 s, when the owner's lease of 8 s is just about to end."""
    text = f"""horizon: 2m
{NODES}{CHECKS}
faults: [{{kind: observer-crash, at: 30s, for: 7s}}]
observer: {{remembers: nothing}}
failover: {{fencing: {{kind: lease, ttl: 8s, renew: 1s}}}}
"""
    for journal, measured in runs(text, 4):
        last = {writers.partition: writers.masters for _, writers in journal.of(Writers)}
        assert {len(masters) for masters in last.values()} == {1}
        assert measured.service.down_s < 20.0


@pytest.mark.parametrize("kind", ["crash", "hang", "partition, scope: monitor"])
def test_the_first_answer_is_one_to_what_was_served_since_by_who_serves_again(kind: str) -> None:
    """Answers are on their way for 200 ms: those of before the fall say nothing of service.

    A partition of the monitor alone leaves an old owner at work, who is routed no more.
    """
    back_ns = 200 * MILLISECOND
    text = f"""name: first
horizon: 40s
masters:
  - {{id: a, region: west, workers: 8, service: 50ms}}
  - {{id: b, region: west, priority: 2, like: a, standby: true}}
network: {{rtt: 400ms}}
traffic: {{regions: [east], arrivals: {{law: poisson, rate: 40/s}}, owned: 100%, timeout: 2s}}
{CHECKS}
faults: [{{kind: {kind}, target: a, at: 20s, for: 15s}}]
observer: {{region: west}}
failover: {{fencing: none}}
"""
    journal = assert_equal(both(from_stream(io.StringIO(text)).cells[0].world))
    falls = [t_ns for t_ns, s in journal.of(PartitionServed) if s.reason and not s.up]
    fell_ns = min(t_ns for t_ns in falls if t_ns > SECOND)
    answered = [
        m.ended_ns
        for _, m in journal.of(MessageRecord)
        if m.outcome == Cause.OK and m.ended_ns is not None and m.ended_ns > fell_ns
    ]
    by_new = [
        m.ended_ns
        for _, m in journal.of(MessageRecord)
        if m.outcome == Cause.OK and m.master == "b" and m.ended_ns - back_ns >= fell_ns
    ]
    told = [t_ns for t_ns, _ in journal.of(PartitionAnswered)]
    assert min(answered) < fell_ns + back_ns  # that was counted once
    assert told[0] == min(by_new)


# -- an owner that is moved by hand --------------------------------------------------------


@pytest.mark.parametrize("mean", ["2ms", "300ms"])
@pytest.mark.parametrize("mode", ["none", "confirmed"])
@pytest.mark.parametrize("do", ["remove", "maintenance"])
def test_a_living_owner_hands_over_and_loses_nothing(do: str, mode: str, mean: str) -> None:
    text = f"""horizon: 2m
masters:
  - {{id: r1, workers: 32, service: {{law: exponential, mean: {mean}}}}}
  - {{id: r2, like: r1, priority: 2}}
  - {{id: r3, like: r1, priority: 3}}
traffic: {{arrivals: {{law: poisson, rate: 50/s}}, owned: 100%, timeout: 1s}}
replication: {{copies: 2, lag: 500ms}}
detection: {{evidence: [probe], interval: 1s, fast_interval: 1s, timeout: 1s, fall: 3}}
failover: {{fencing: {mode}}}
operations: [{{do: {do}, master: r1, at: 1m}}]
"""
    for journal, measured in runs(text, 4):
        assert outcomes(measured) == ["completed"]
        assert sum(partition.writes_lost for partition in measured.partitions) == 0
        assert measured.service.down_s < 1.0
        assert measured.service.dual_primary_s == 0.0
        assert list(journal.of(MasterFenced)) == []
        assert {moved.owner for _, moved in journal.of(OwnerChanged)} == {"r2"}


def test_both_data_planes_refuse_what_a_demoted_master_had_in_service() -> None:
    masters_of = [{"id": name, "service": {"law": "exponential", "mean": "300ms"}} for name in "ab"]
    study = from_data(
        {
            "horizon": "30s",
            "masters": masters_of,
            "traffic": {"arrivals": {"law": "poisson", "rate": "20/s"}, "owned": "100%"},
            "operations": [{"do": "remove", "master": "a", "at": "10s"}],
            "failover": {"fencing": "none"},
        }
    )
    journal = assert_equal(both(study.cells[0].world))
    refused = [m for _, m in journal.of(MessageRecord) if m.outcome == Cause.NOT_OWNER]
    assert refused
    assert list(journal.of(WritesLost)) == []


# -- policy ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("failback", "down_s"), [("manual", 12.0), ("automatic", 22.0)])
def test_a_preferred_node_takes_its_role_back_at_the_price_of_a_second_interruption(
    failback: str, down_s: float
) -> None:
    """keepalived preempts unless it is told `nopreempt`; becoming the master takes 10 s here."""
    text = f"""horizon: 6m
{NODES}
faults: [{{kind: crash, target: a, at: 60s, for: 60s}}]
detection: {{evidence: [probe], interval: 1s, fast_interval: 1s, timeout: 1s, fall: 3}}
failover:
  fencing: none
  promote_timeout: 20s
  failback: {failback}
  failback_after: 30s
promotion: {{duration: 10s}}
"""
    for journal, measured in runs(text, 2):
        assert measured.service.down_s == pytest.approx(down_s, abs=1.5)
        owners = [moved.owner for _, moved in journal.of(OwnerChanged)]
        assert owners == (["b", "a"] if failback == "automatic" else ["b"])
        assert sum(partition.writes_lost for partition in measured.partitions) == 0


@pytest.mark.parametrize("gate", ["", ", max_lag: 10s"])
def test_a_replica_a_minute_behind_loses_a_minute_of_writes_or_is_not_promoted(gate: str) -> None:
    text = f"""horizon: 5m
masters:
  - {{id: primary, workers: 16, service: {{law: constant, mean: 5ms}}}}
  - {{id: replica, like: primary, priority: 2}}
traffic: {{arrivals: {{law: poisson, rate: 50/s}}, owned: 100%, timeout: 1s}}
faults: [{{kind: crash, target: primary, at: {{law: uniform, low: 120s, high: 130s}}, for: 2m}}]
detection: {{evidence: [probe], interval: 2s, fast_interval: 2s, timeout: 1s, fall: 3}}
failover: {{fencing: none{gate}}}
replication: {{copies: 1, lag: 60s}}
"""
    for journal, measured in runs(text, 3):
        lost = sum(partition.writes_lost for partition in measured.partitions)
        if gate:
            assert lost == 0
            assert list(journal.of(OwnerChanged)) == []
            assert outcomes(measured)[-1] == "cancelled"  # with the primary's return
        else:
            # Half of the messages go to its partition: 60 s of 25 a second.
            assert lost == pytest.approx(1500, abs=4 * 1500**0.5)


def test_a_block_stops_what_goes_to_and_fro_and_its_suppressions_are_shown() -> None:
    text = f"""horizon: 10m
{NODES}
faults:
  - kind: partition
    target: each
    every: {{law: exponential, mean: 80s}}
    for: {{law: constant, mean: 6s}}
detection:
  {{evidence: [probe], interval: 1s, fast_interval: 1s, timeout: 500ms, fall: 3, rise: 1}}
failover: {{fencing: none, BLOCK}}
"""
    free = runs(text.replace(", BLOCK", ""), 2)
    blocked = runs(text.replace("BLOCK", "block: 30m"), 2)
    for (_, without), (_, measured) in zip(free, blocked, strict=True):
        moved = outcomes(measured).count("completed")
        assert moved <= 2 < outcomes(without).count("completed")  # once for each partition
        assert sum(failover.suppressed for failover in measured.failovers) >= 2
        assert not any(failover.suppressed for failover in without.failovers)
