"""Mistakes of checks that fail by chance, beside their closed forms.

Each check fails with probability p, whatever the verdict. Until F fail in a row it takes
(1 - p^F) / ((1 - p) p^F) of them, and until R pass in a row (1 - q^R) / ((1 - q) q^R), with
q = 1 - p: the mean length of the two kinds of spell, and so the share of time without a mistake.
"""

from __future__ import annotations

import numpy as np
import pytest

from hasim.events import StatusChanged
from hasim.model import Status
from hasim.services.failover import FailoverSettings, NoFencingSettings
from hasim.simulation.settings import FixedRtt, NetworkSettings
from hasim.units import SECOND
from tests.services.bench import detection
from tests.simulation.worlds import run, traffic, world

CHECKS = 30_000
UNFENCED = FailoverSettings(fencing=NoFencingSettings())


def spells(fails: float, fall: int, rise: int) -> tuple[np.ndarray, np.ndarray]:
    """Lengths, in checks, of the spells of a healthy master that is held healthy, and failed."""
    checks = detection(
        evidence=["probe"],
        rhythm="clock",
        interval_ns=SECOND,
        fast_interval=None,
        timeout_ns=SECOND // 2,
        fall=fall,
        rise=rise,
    )
    # A check crosses the network twice, and is lost if either crossing is.
    lossy = NetworkSettings(
        rtt=FixedRtt(rtt_ns=0), local_rtt_ns=0, loss=1.0 - float(np.sqrt(1.0 - fails))
    )
    settings = world(
        CHECKS, 1, network=lossy, traffic=traffic(0.001), detection=checks, failover=UNFENCED
    )
    journal = run(settings, seed=8)
    settled = [
        (t_ns, event.new)
        for t_ns, event in journal.of(StatusChanged)
        if (event.new is Status.FAILED and event.old is not Status.RECOVERING)
        or (event.new is Status.HEALTHY and event.old in (Status.RECOVERING, Status.FAILED))
    ]
    times = np.array([t_ns for t_ns, _ in settled]) / SECOND
    first = next(place for place, (_, status) in enumerate(settled) if status is Status.HEALTHY)
    lengths = np.diff(times[first:])
    return lengths[0::2], lengths[1::2]


def until_in_row(chance: float, row: int) -> float:
    """Trials until so many in a row succeed (Feller I, XIII.7)."""
    return (1.0 - chance**row) / ((1.0 - chance) * chance**row)


@pytest.mark.parametrize(("fails", "fall", "rise"), [(0.2, 2, 2), (0.3, 3, 2), (0.4, 2, 5)])
def test_spells_and_accuracy_are_those_of_their_closed_forms(fails, fall, rise) -> None:
    up, down = spells(fails, fall, rise)
    assert min(len(up), len(down)) > 300
    for lengths, mean in ((up, until_in_row(fails, fall)), (down, until_in_row(1 - fails, rise))):
        error = np.std(lengths, ddof=1) / np.sqrt(len(lengths))
        # One check more or less: a lost one ends a timeout later than one that passes.
        assert abs(np.mean(lengths) - mean) < 3.3 * error + 1.0
    accuracy = up.sum() / (up.sum() + down.sum())
    expected = until_in_row(fails, fall) / (
        until_in_row(fails, fall) + until_in_row(1 - fails, rise)
    )
    assert accuracy == pytest.approx(expected, abs=0.03)
