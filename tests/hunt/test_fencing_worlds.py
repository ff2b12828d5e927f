"""Random worlds under each way of fencing: no schedule of faults breaks an invariant."""

from __future__ import annotations

import pytest

from hasim.events import FailoverChanged
from hasim.hunt.drawing import draw
from hasim.hunt.mutating import whole
from hasim.hunt.running import run
from hasim.oracle.registry import INVARIANTS
from hasim.scenario.loader import from_data
from hasim.scenario.problems import ScenarioError
from hasim.services.failover.registry import FENCINGS

WAYS = {
    "none": {"kind": "none"},
    "best-effort": {"kind": "best-effort", "timeout": "2s"},
    "confirmed": {"kind": "confirmed", "timeout": "2s", "attempts": 3},
    "lease": {"kind": "lease", "ttl": "5s", "renew": "1s"},
    "token": {"kind": "token"},
    "step-down": {"kind": "step-down", "ttl": "5s", "renew": "1s", "wait": "7s"},
    "manual": {"kind": "manual"},
}
SEED = 1807
KEPT = [one for name, one in INVARIANTS.known.items() if name != "verdicts-follow"]
"""All but the one that is about detection alone."""


def test_every_way_that_ships_is_tried() -> None:
    assert set(WAYS) == set(FENCINGS.shipped)


def look(way: str, worlds: range) -> tuple[int, list[str]]:
    """How many failovers there were in these worlds, and every breach of an invariant."""
    failovers, broken = 0, []
    for number in worlds:
        data, _ = draw(SEED, number)
        own = whole(data)
        own["failover"]["fencing"] = WAYS[way]
        if way == "token":
            own["replication"]["copies"] = 2
        try:
            from_data(data)
        except ScenarioError:
            continue  # too few masters for a token
        outcome = run(data, only=KEPT)
        broken += [f"{SEED}/{number} {way}: {breach}" for breach in outcome.breaches]
        if outcome.journal is not None:
            failovers += len({c.failover for _, c in outcome.journal.of(FailoverChanged)})
    return failovers, broken


@pytest.mark.parametrize("way", WAYS)
def test_no_random_schedule_of_faults_breaks_an_invariant(way: str) -> None:
    failovers, broken = look(way, range(60 if way == "token" else 32))
    assert broken == []
    assert failovers > 5  # many worlds have no state, or few faults that matter


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_nor_do_five_thousand(way: str) -> None:
    _, broken = look(way, range(25, 5_000))
    assert broken == []
