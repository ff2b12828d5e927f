"""Messages as evidence in a world: what is seen when, and that it ends."""

from __future__ import annotations

import dataclasses

import pytest

from hasim.events import StatusChanged
from hasim.model import Diagnosis, Status
from hasim.simulation.laws import Constant
from hasim.simulation.settings.faults import ErrorRate
from hasim.units import MILLISECOND, SECOND
from tests.services.bench import detection
from tests.simulation.worlds import after, lasting, masters, run, traffic, world


def gray(rate: float, **settings):
    """Three masters, of which the first fails all its messages from 6 s to 36 s."""
    fault = ErrorRate(kind="error-rate", rate=1.0, target="m1", at=after(6), for_=lasting(30))
    return world(
        40,
        masters=masters(3, service=Constant(mean_ns=5 * MILLISECOND)),
        traffic=traffic(rate, owned=0.0),
        faults=(fault,),
        detection=detection(**settings),
    )


def changes(journal, master: str = "m1") -> list[tuple[int, StatusChanged]]:
    return [(t_ns, event) for t_ns, event in journal.of(StatusChanged) if event.master == master]


@pytest.mark.parametrize("plane", ["compiled", "reference"])
def test_a_master_that_goes_on_failing_is_seen_again_at_once(plane: str) -> None:
    """Case 51: 30 messages of a third of 100/s after each return, not the next report (10 s)."""
    rules = {"interval_ns": 2 * SECOND, "fast_interval_ns": 2 * SECOND, "timeout_ns": 2 * SECOND}
    settings = gray(100, fall=3, rise=2, error_limit=10, **rules)
    seen = changes(run(dataclasses.replace(settings, data_plane=plane)))
    back = [t for t, event in seen if event.new is Status.HEALTHY and t > 6 * SECOND]
    failed = [t for t, event in seen if event.new is Status.FAILED]
    assert len(failed) == 11
    # The last return is after the cure.
    waits = [(next(t for t in failed if t > ready) - ready) / SECOND for ready in back[:-1]]
    # 30 arrivals at a third of 100/s: a gamma of mean 0.9 s.
    assert 0.7 < sum(waits) / len(waits) < 1.1
    assert max(waits) < 2


@pytest.mark.parametrize("rate", [1.5, 6.0])
def test_gray_failure_at_few_messages_is_declared(rate: float) -> None:
    """Checks pass each half second: it is suspected once, and then failed."""
    seen = changes(run(gray(rate, error_limit=2, fall=2)))
    first = [(event.new, event.diagnosis) for t, event in seen if t > 6 * SECOND][:2]
    assert first == [
        (Status.SUSPECT, Diagnosis.GRAY_FAILURE),
        (Status.FAILED, Diagnosis.GRAY_FAILURE),
    ]


def test_connections_that_are_made_are_no_evidence() -> None:
    """A master that answers with errors is out for who looks at answers, not at connections."""
    seen = changes(run(gray(50, observe="connection")))
    assert [event.new for _, event in seen] == [Status.HEALTHY]


def test_failures_among_answers_are_found_by_the_window_and_the_share_alone() -> None:
    """A third of the answers is an error: hardly ever ten in a row, soon ten in a window."""
    fault = ErrorRate(kind="error-rate", rate=0.4, target="m1", at=after(6), for_=lasting(30))
    found = {}
    for count_by in ("in-row", "in-window", "share"):
        settings = gray(60, error_limit=10, fall=1, count_by=count_by, error_share="30%")
        seen = changes(run(dataclasses.replace(settings, faults=(fault,))))
        found[count_by] = [t / SECOND for t, event in seen if event.new is Status.FAILED]
    assert found["in-row"] == []
    assert 6.5 < found["in-window"][0] < 9  # 10 of 8 a second
    # An interval of 10 s by the first report after it, and reports each 10 s.
    assert 10 < found["share"][0] < 31
