"""Selection: rules, promotion rules, filters, and what is done when nobody passes."""

from __future__ import annotations

import itertools

import pytest

from hasim.events import (
    FailoverChanged,
    GatewayReport,
    MasterTraffic,
    OwnerChanged,
    Replica,
    ReplicaReport,
)
from hasim.model import Cause, Cluster, Master, Partition
from hasim.services.control_plane import ControlPlane
from hasim.services.failover import FailoverSettings, NoFencingSettings
from hasim.services.failover.selection.candidate import Candidate
from hasim.services.failover.selection.rules import RULES
from hasim.services.failover.selection.selection import select
from hasim.units import MILLISECOND, MINUTE, SECOND
from tests.services.bench import Bench, detection


def candidate(name: str, priority: int = 1, rule: str = "neutral", **known) -> Candidate:
    return Candidate(Master(name, "r", priority, workers=2, promotion_rule=rule), **known)


def chosen(candidates: list[Candidate], *rules: str) -> str | None:
    found = select(candidates, rules)
    return None if found is None else found.id


def test_by_priority_then_order() -> None:
    made = [candidate("a", 2), candidate("b", 1), candidate("c", 1)]
    assert chosen(made, "priority") == "b"
    assert chosen(made[:1], "priority") == "a"
    assert chosen([], "priority") is None


def test_rules_are_applied_one_after_the_other() -> None:
    """Against all tuples of what the rules look at, sorted: the order of the rules is theirs."""
    values = {
        "priority": lambda c: c.master.priority,
        "freshest": lambda c: -c.position,
        "least-loaded": lambda c: c.in_flight,
        "nearest": lambda c: c.rtt_ns,
        "fewest-partitions": lambda c: c.owned,
        "name": lambda c: c.master.id,
    }
    assert set(values) == set(RULES.names())
    made = [
        candidate(f"{n}", n % 3, owned=n % 2, in_flight=n % 5, rtt_ns=n % 4, position=n % 7 - 1)
        for n in range(60)
    ]
    for rules in itertools.permutations(values, 3):
        ranked = sorted(made, key=lambda c, rules=rules: [values[rule](c) for rule in rules])
        assert chosen(made, *rules) == ranked[0].master.id


def test_who_says_nothing_is_not_the_freshest() -> None:
    made = [candidate("a"), candidate("b", position=0)]
    assert chosen(made, "freshest", "priority") == "b"


def test_preference_goes_before_the_rules() -> None:
    made = [
        candidate("a", 1, "prefer-not", position=9),
        candidate("b", 2, position=5),
        candidate("c", 3, "prefer", position=1),
    ]
    assert chosen(made, "freshest") == "c"
    assert chosen(made[:2], "freshest") == "b"
    assert chosen(made[:1], "freshest") == "a"


# -- in the orchestrator ----------------------------------------------------------------


def bench(rules: tuple[str, ...] = (), regions: tuple[str, ...] = (), **failover) -> Bench:
    """m1 to m4, of which m1 and m2 own something; nobody is fenced."""
    masters = tuple(
        Master(f"m{n}", region, n, 2, promotion_rule=rule)
        for n, region, rule in zip(
            range(1, 5), regions or ("west",) * 4, rules or ("neutral",) * 4, strict=True
        )
    )
    row = tuple(n * MILLISECOND for n in (4, 3, 2, 1))
    partitions = (Partition("p1", "m1"), Partition("p2", "m2"))
    cluster = Cluster(masters, partitions, ("local",), (row,))
    checks = detection(evidence=("probe",), interval_ns=SECOND, fast_interval_ns=SECOND)
    settings = FailoverSettings(fencing=NoFencingSettings(), **failover)
    made = Bench(ControlPlane(cluster, checks, settings))
    made.run(SECOND)
    return made


def report(made: Bench, **positions: tuple[int, int]) -> None:
    """Received writes, and for how many seconds the copy may have missed some."""
    for master, (received, behind_s) in positions.items():
        copy = Replica("p1", received, received, behind_s * SECOND)
        made.feed(ReplicaReport(master, (copy,)))


def new_owner(made: Bench, within_s: int = 60) -> str | None:
    made.down["m1"] = Cause.REFUSED
    made.run(made.now + within_s * SECOND)
    return next((e.owner for e in made.events(OwnerChanged) if e.partition == "p1"), None)


def reasons(made: Bench) -> str:
    return " | ".join(e.reason for e in made.events(FailoverChanged))


def test_the_freshest_that_has_reported_takes_over() -> None:
    made = bench(selection=("freshest", "priority"))
    report(made, m1=(10, 0), m2=(7, 1), m3=(9, 1), m4=(9, 1))
    assert new_owner(made) == "m3"


def test_the_nearest_and_the_least_loaded_take_over() -> None:
    assert new_owner(bench(selection=("nearest",))) == "m4"
    made = bench(selection=("least-loaded", "priority"))
    busy = tuple(
        MasterTraffic(m, 9, 0, flight, 0, Cause.OK, 0, 0)
        for m, flight in (("m2", 4), ("m3", 1), ("m4", 2))
    )
    made.feed(GatewayReport("local", 1, busy))
    assert new_owner(made) == "m3"


def test_who_must_not_is_never_promoted() -> None:
    made = bench(rules=("neutral", "must-not", "must-not", "must-not"), if_none="promote")
    assert new_owner(made) is None
    assert "m2 (its promotion rule is must-not)" in reasons(made)


def test_the_region_guard_keeps_others_out() -> None:
    regions = ("west", "east", "west", "west")
    made = bench(regions=regions, region_guard=True)
    assert new_owner(made) == "m3"
    assert "m2 (not in west)" in reasons(made)


def test_a_copy_that_lags_is_not_even_tried() -> None:
    made = bench(max_lag_ns=10 * SECOND, report_interval_ns=MINUTE)
    report(made, m1=(10, 0), m2=(1, 60), m3=(9, 1), m4=(9, 1))
    assert new_owner(made) == "m3"
    assert "m2 (its copy is 1m behind the freshest)" in reasons(made)


def test_evidence_has_an_age() -> None:
    made = bench(report_age_ns=20 * SECOND)
    report(made, m2=(9, 0))
    made.run(made.now + 30 * SECOND)
    report(made, m3=(5, 0), m4=(5, 0))
    assert new_owner(made) == "m3"
    assert "m2 (has not reported lately)" in reasons(made)


@pytest.mark.parametrize(
    ("if_none", "owner", "ends"),
    [("wait", None, "failed"), ("fail", None, "failed"), ("promote", "m2", "completed")],
)
def test_when_nobody_passes(if_none: str, owner: str | None, ends: str) -> None:
    made = bench(
        if_none=if_none,
        wait_ns=20 * SECOND,
        report_age_ns=MINUTE,
        retry_interval_ns=MINUTE,
    )
    assert new_owner(made, 50) == owner
    steps = [(t, e.new) for t, e in made.outputs if isinstance(e, FailoverChanged)]
    assert steps[-1][1] == ends
    if if_none == "wait":
        since = next(t for t, new in steps if new == "waiting")
        assert steps[-1][0] - since == 20 * SECOND
    if if_none == "promote":
        assert "though nobody passes" in reasons(made)


def waits(made: Bench, owner: str, *standbys: str) -> None:
    """The owner of p1 says for whose copies it waits."""
    made.feed(ReplicaReport(owner, (Replica("p1", 5, 5, 0, standbys),)))


def test_only_standbys_take_over_for_which_the_owner_has_waited() -> None:
    made = bench(synchronous_only=True)
    waits(made, "m1", "m4")
    waits(made, "m3", "m2")  # who does not own p1
    made.feed(ReplicaReport("m1", (Replica("p2", 5, 5, 0),)))  # that says nothing of p1
    assert new_owner(made) == "m4"
    # Whom the new owner waits for, nobody has said yet.
    service = made.control_plane.failover
    assert service.select_backup_master("m4") is None
    waits(made, "m1", "m2")  # late: it owns nothing any more
    assert service.select_backup_master("m4") is None
    waits(made, "m4", "m3", "m2")
    assert service.select_backup_master("m4") == "m2"


def test_nobody_takes_over_where_the_owner_waited_for_nobody() -> None:
    for told in ((), None):
        made = bench(synchronous_only=True)
        if told is not None:
            waits(made, "m1", *told)
        assert new_owner(made) is None
        (waiting,) = made.control_plane.failover.get_active_failovers()
        assert waiting.state == "waiting"
        (*_, last) = made.control_plane.failover.get_failover_history()
        assert "m2 (the owner did not wait for its copy)" in last.reason
