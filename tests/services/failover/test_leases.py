"""What masters that ask for leases are asked themselves, as a term begins."""

from __future__ import annotations

import pytest

from hasim.events import AskMaster, LeaseAsked, MasterState, Output
from hasim.model import Ownership, Status
from hasim.services.accession import Heard
from hasim.services.failover import FailoverOrchestrator, FailoverSettings, StepDownSettings
from hasim.services.failover.fencing.lease import LeaseFencingSettings
from hasim.units import SECOND
from tests.services.bench import cluster

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
