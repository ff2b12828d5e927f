"""The block after a failover: by what fault it was, and until somebody has looked into it."""

from __future__ import annotations

import json

import pytest

from hasim.events import AcknowledgeFailover, FailoverChanged, OwnerChanged
from hasim.model import Cause
from hasim.services.failover import NoFencingSettings
from hasim.units import HOUR, MINUTE, SECOND
from tests.services.bench import Bench
from tests.services.failover.test_policy import bench, until


def twice(first: Cause | None, second: Cause | None, **failover: object) -> Bench:
    """m1 fails in one way, and then m2, that has taken over, in another."""
    made = bench(block_ns=HOUR, fencing=NoFencingSettings(), **failover)
    made.down["m1"] = first
    until(made, "completed")
    made.down.clear()
    made.run(made.now + MINUTE)
    made.down["m2"] = second
    made.run(made.now + MINUTE)
    return made


def owner(made: Bench) -> str:
    return made.control_plane.failover.owner_of("p1")


def blocked(made: Bench) -> list[str]:
    return [e.reason for e in made.events(FailoverChanged) if e.trigger == "block"]


@pytest.mark.parametrize(
    ("first", "second", "blocks", "held"),
    [
        (Cause.REFUSED, Cause.REFUSED, "same-fault", True),
        (None, None, "same-fault", True),
        (Cause.REFUSED, None, "same-fault", False),
        (None, Cause.REFUSED, "same-fault", False),
        (Cause.REFUSED, None, "any-fault", True),
    ],
)
def test_a_new_fault_is_no_reason_to_hold_its_failover(
    first: Cause | None, second: Cause | None, blocks: str, held: bool
) -> None:
    made = twice(first, second, blocks=blocks)
    assert len(blocked(made)) == held
    assert (owner(made) == "m2") == held
    fault = "the same fault" if first is second else "another fault"
    assert all(reason.endswith(f"from m1 for {fault}") for reason in blocked(made))


@pytest.mark.parametrize("master", ["m1", "m2"])
def test_what_is_held_begins_when_the_failover_before_is_acknowledged(master: str) -> None:
    made = twice(Cause.REFUSED, Cause.REFUSED)
    made.feed(AcknowledgeFailover("m3"))
    made.run(made.now + MINUTE)
    assert owner(made) == "m2"
    asked_ns = made.now
    made.feed(AcknowledgeFailover(master))
    made.run(made.now + 10 * SECOND)
    assert owner(made) in ("m1", "m3")
    moved = [t for t, e in made.outputs if isinstance(e, OwnerChanged) and e.partition == "p1"]
    assert asked_ns <= moved[-1] < asked_ns + SECOND


def test_a_snapshot_remembers_the_block_and_what_was_acknowledged() -> None:
    made = twice(Cause.REFUSED, Cause.REFUSED)
    frozen = made.control_plane.freeze()
    assert frozen["failover"]["moved"]["p1"]["source"] == "m1"
    other = made.control_plane.reborn()
    other.restore(json.loads(json.dumps(frozen)))
    assert other.freeze()["failover"] == frozen["failover"]
    made.feed(AcknowledgeFailover("m1"))
    assert "p1" not in made.control_plane.freeze()["failover"]["moved"]
