"""Memory does not grow with the number of messages, only with what is in flight."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

RATE = 20_000
PROGRAM = """
import resource, sys
from hasim.simulation.settings.faults import Hang
from hasim.simulation.laws import Exponential
from hasim.simulation.settings import RetrySettings
from hasim.truth import TrafficRollup
from tests.simulation.worlds import after, lasting, masters, run, traffic, world

horizon_s = int(sys.argv[1]) / {rate}
service = Exponential(mean_ns=40_000_000)
hang = Hang(kind="hang", target="m1", at=after(horizon_s / 3), for_=lasting(5))
settings = world(
    horizon_s,
    masters=masters(20, service=service, workers=50),
    traffic=traffic({rate}, owned=0.5, vip=0.1, retry=RetrySettings(attempts=2)),
    faults=(hang,),
)
counted = sum(b.messages for _, b in run(settings).of(TrafficRollup))
print(counted, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def peak(messages: int) -> tuple[int, int]:
    """How many messages there were, and the peak of a process's memory (bytes)."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(rate=RATE), str(messages)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    )
    counted, used = map(int, done.stdout.split())
    return counted, used


@pytest.mark.slow
def test_four_times_the_messages_take_no_more_memory() -> None:
    few, used_by_few = peak(1_000_000)
    many, used_by_many = peak(4_000_000)
    assert many > 3.9 * few
    # Not even one number is kept of each message more.
    assert used_by_many - used_by_few < 8 * (many - few)
