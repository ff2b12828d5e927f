"""What masters that ask for leases are asked themselves, as a term begins."""

from __future__ import annotations

import pytest

from hasim.events import (
    AskMaster,
    FailoverChanged,
    LeaseAsked,
    MasterState,
    Output,
    Promote,
    StatusChanged,
    TransferState,
)
from hasim.model import Diagnosis, Ownership, Status
from hasim.services.accession import Heard
from hasim.services.failover import FailoverOrchestrator, FailoverSettings, StepDownSettings
from hasim.services.failover.fencing.lease import LeaseFencingSettings
from hasim.units import SECOND
from tests.services.bench import cluster, promoted, whole

SAID = MasterState("m1", 2, (Ownership("p1", "m1", 1),), "")


def questions(outputs: list[Output]) -> list[str]:
    return [out.master for out in outputs if isinstance(out, AskMaster)]


@pytest.mark.parametrize("kind", [LeaseFencingSettings, StepDownSettings])
def test_whoever_does_not_answer_is_asked_again(kind: type[LeaseFencingSettings]) -> None:
    """Questions and answers get lost; what it accepts may have changed since the term began."""
    settings = FailoverSettings(fencing=kind())
    service = FailoverOrchestrator(settings, cluster(2))
    assert questions(service.step(SECOND, LeaseAsked("m1", 1, 0))) == []  # the first term knows
    statuses = {"m1": Status.HEALTHY, "m2": Status.HEALTHY}
    service.accede(2 * SECOND, Heard(2, {"m1": SAID}, {}, statuses))
    service.step(2 * SECOND, SAID)  # as old as the first answer, for all that is known
    for number in (2, 3, 4):
        assert questions(service.step(number * SECOND, LeaseAsked("m1", number, 0))) == ["m1"]
        service = FailoverOrchestrator.restore(settings, cluster(2), service.freeze())
    service.step(4 * SECOND, SAID)
    service = FailoverOrchestrator.restore(settings, cluster(2), service.freeze())
    assert questions(service.step(5 * SECOND, LeaseAsked("m1", 5, 0))) == []


@pytest.mark.parametrize("late", [True, False])
def test_a_lapse_before_a_promotion_drops_nobody_and_one_after_it_does(late: bool) -> None:
    """The first question after both does not say which came first: the master is asked."""
    service = FailoverOrchestrator(FailoverSettings(fencing=LeaseFencingSettings()), cluster(2))
    for master in ("m1", "m2"):
        service.step(SECOND, LeaseAsked(master, 1, 0))
        verdict = StatusChanged(master, Status.UNKNOWN, Status.HEALTHY, Diagnosis.NONE, "")
        service.handle_failover_event(SECOND, verdict)
    out = service.step(2 * SECOND, LeaseAsked("m2", 2, 1))
    (transfer,) = (o for o in out if isinstance(o, TransferState))
    assert transfer.target == "m1"
    (promote,) = (o for o in service.step(2 * SECOND, whole(transfer)) if isinstance(o, Promote))
    service.step(2 * SECOND, promoted(promote))
    assert service.owner_of("p2") == "m1"
    assert questions(service.step(3 * SECOND, LeaseAsked("m1", 2, 1))) == ["m1"]
    assert questions(service.step(4 * SECOND, LeaseAsked("m1", 3, 1))) == ["m1"]
    own = "m1" if late else ""
    knows = (Ownership("p1", own, 1), Ownership("p2", own, promote.epoch))
    said = service.step(5 * SECOND, MasterState("m1", 1, knows, ""))
    begun = [o.partitions for o in said if isinstance(o, FailoverChanged) and not o.old]
    assert begun == ([] if late else [("p1", "p2")])
    assert questions(service.step(6 * SECOND, LeaseAsked("m1", 4, 1))) == []
