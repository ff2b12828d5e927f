"""What answers an order gets lost, or comes a second time."""

from __future__ import annotations

from hasim.events import FailoverChanged, FenceResult, InputRefused, PromoteResult
from hasim.oracle import check
from hasim.services.failover import ConfirmedSettings, FailoverSettings
from hasim.simulation.settings import FencingDeviceSettings, WorldSettings
from hasim.simulation.settings.faults import Crash, DoubledAnswers, LostAnswers
from hasim.truth import MasterFenced
from hasim.units import SECOND
from tests.services.bench import detection
from tests.simulation.planes import assert_equal, both
from tests.simulation.worlds import after, lasting, traffic, world


def settings(*faults: LostAnswers | DoubledAnswers) -> WorldSettings:
    """m1 crashes after 20 s; its power is cut by 24 s at the latest."""
    return world(
        90,
        traffic=traffic(10, owned=0.5),
        detection=detection(interval="2s"),
        failover=FailoverSettings(fencing=ConfirmedSettings(timeout_ns=5 * SECOND)),
        fencing_device=FencingDeviceSettings(latency=lasting(0.5)),
        faults=(Crash(kind="crash", target="m1", at=after(20), for_=lasting(30)), *faults),
    )


def test_a_confirmation_that_is_lost_costs_its_timeout_and_a_second_power_off() -> None:
    lost = LostAnswers(kind="lost-answers", at=after(20), for_=lasting(5))
    usual, journal = assert_equal(both(settings())), assert_equal(both(settings(lost)))
    ended = [
        next(t_ns for t_ns, c in one.of(FailoverChanged) if c.trigger == "fenced")
        for one in (usual, journal)
    ]
    # The order is given up after the timeout, and given again: the device takes as long once more.
    assert ended[1] - ended[0] == 5 * SECOND
    assert [c.trigger for _, c in journal.of(FailoverChanged) if c.old == "fencing"] == [
        *("not-fenced", "fenced")
    ]
    assert len(list(journal.of(MasterFenced))) == 2
    assert len(list(journal.of(FenceResult))) == 1
    assert check(journal) == []


def test_an_answer_that_comes_twice_changes_nothing() -> None:
    doubled = DoubledAnswers(
        kind="doubled-answers", at=after(20), for_=lasting(10), after_ns=4 * SECOND
    )
    usual, journal = assert_equal(both(settings())), assert_equal(both(settings(doubled)))
    for kind in (FenceResult, PromoteResult):
        (heard_ns,) = [t_ns for t_ns, _ in usual.of(kind)]
        assert [t_ns for t_ns, _ in journal.of(kind)] == [heard_ns, heard_ns + 4 * SECOND]
    assert list(journal.of(FailoverChanged)) == list(usual.of(FailoverChanged))
    refused = {r.input: r.reason for _, r in journal.of(InputRefused)}
    assert set(refused) == {"FenceResult", "TransferResult", "PromoteResult", "RoutingAck"}
    assert all(reason.startswith("doubled or late") for reason in refused.values())
    assert check(journal) == []
