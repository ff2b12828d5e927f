"""Detectors that hear evidence: against closed formulas, and against the service in a world."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hasim.events import StatusChanged
from hasim.model import Cause, Diagnosis, Status
from hasim.scenario.traces.heard import Evidence, Heard
from hasim.study.hearing.contest import DetectorError, contest, parse_detector
from hasim.study.hearing.journals import evidence_of
from hasim.study.hearing.quality import quality_of
from hasim.units import SECOND
from tests.services.bench import detection
from tests.simulation.worlds import after, lasting, run, world


def beats(count: int, loss: float, mean_delay_s: float, seed: int) -> Evidence:
    """Heartbeats each second with exponential delays, some of them lost."""
    drawn = np.random.default_rng(seed)
    sent = np.arange(1, count + 1)
    at = np.round((sent + drawn.exponential(mean_delay_s, count)) * SECOND).astype(np.int64)
    kept = drawn.random(count) >= loss
    heard = sorted(
        Heard(t, n, 0, Cause.OK, "heartbeat")
        for t, n in zip(at[kept].tolist(), sent[kept].tolist(), strict=True)
    )
    return Evidence({"m": heard}, SECOND, SECOND, (count + 1) * SECOND, {})


@pytest.mark.parametrize(("timeout_s", "recurrence_s"), [(1.05, 19.95), (1.10, 75.75)])
def test_a_fixed_timeout_makes_the_mistakes_of_the_closed_form(timeout_s, recurrence_s) -> None:
    """Loss 1 %, delays of 20 ms: the mean time between mistakes, within four standard errors."""
    (one,) = contest(beats(100_000, 0.01, 0.02, 7), [f"timeout:down_after={timeout_s}s"])
    expected = 100_000 / recurrence_s
    assert abs(one.quality.mistakes - expected) < 4 * math.sqrt(expected)


def test_verdicts_are_those_of_the_service_that_heard_the_same() -> None:
    """A journal's own probes, heard again: the same declarations at the same times."""
    from hasim.simulation.settings.faults import Crash

    settings = world(
        200,
        faults=(Crash(kind="crash", target="m1", at=after(50), for_=lasting(40)),),
        detection=detection(evidence=("probe",), fall=3),
    )
    journal = run(settings)
    evidence = evidence_of(journal)
    (one,) = contest(evidence, ["threshold:fall=3"])
    declared = [
        (t, e.master, e.new) for t, e in journal.of(StatusChanged) if e.new is Status.FAILED
    ]
    heard = [
        (t, master, e.new)
        for master, changes in one.verdicts.items()
        for t, e in changes
        if e.new is Status.FAILED
    ]
    assert heard == declared
    assert one.quality.detection_s == [(declared[0][0] - 50 * SECOND) / SECOND]
    assert one.quality.mistakes == 0


def changes(*steps: tuple[float, Status]) -> list[tuple[int, StatusChanged]]:
    made, old = [], Status.UNKNOWN
    for at_s, new in steps:
        made.append((round(at_s * SECOND), StatusChanged("m", old, new, Diagnosis.NONE, "")))
        old = new
    return made


def test_quality_of_service_by_hand() -> None:
    """Up 0-100 s but for 40-50 and 90-95: a mistake of 2 s, one cut by the outage at 40 s."""
    up, down = Status.HEALTHY, Status.FAILED
    verdicts = {
        "m": changes(
            *((1, up), (10, Status.SUSPECT), (11, down), (13, up)),
            *((35, down), (53, up), (60, down), (64, up)),
        )
    }
    outages = {"m": [(40 * SECOND, 50 * SECOND), (90 * SECOND, 95 * SECOND)]}
    found = quality_of(verdicts, outages, 0, 100 * SECOND)
    assert (found.suspicions, found.declarations, found.already) == (1, 3, 1)
    assert (found.detection_s, found.censored_s) == ([], [5.0])
    assert (found.mistakes_s, found.cut_s, found.recurrence_s) == ([2.0, 4.0], [5.0], [24.0, 25.0])
    assert found.accuracy == pytest.approx(1 - 11 / 85)
    assert found.mistake_rate == pytest.approx(3 / (85 / 3600))


def test_a_declaration_soon_after_an_outage_is_late_and_no_mistake() -> None:
    verdicts = {"m": changes((51, Status.FAILED), (60, Status.HEALTHY))}
    outages = {"m": [(40 * SECOND, 50 * SECOND)]}
    found = quality_of(verdicts, outages, 0, 100 * SECOND, late_window_ns=2 * SECOND)
    assert (found.late, found.mistakes, found.censored_s) == (1, 0, [10.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("phi", "unknown detector 'phi'"),
        ("timeout:down_after", "expected NAME:SETTING=VALUE"),
        ("timeout:dawn_after=1s", "dawn_after"),
        ("threshold:fall=0", "fall"),
    ],
)
def test_a_detector_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(DetectorError, match=message):
        contest(beats(10, 0, 0.01, 1), [text])


def test_how_a_detector_is_written() -> None:
    assert parse_detector("phi-accrual:threshold=8,samples=100") == (
        "phi-accrual",
        {"threshold": 8, "samples": 100},
    )
