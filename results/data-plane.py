"""Speed of the compiled data plane beside the reference: `python results/data-plane.py`.

Workload: 5 masters with one worker each, first come first served, exponential service of
20 ms, Poisson arrivals of 150/s, the first master down in the middle third, each master
probed every 1 s (and every 10 s), fall 3. Compiled runs have 1,000,000 messages, those of
the reference 100,000; they take turns in one process, after one run that compiles.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable

from hasim.services.balancing import BalancingSettings
from hasim.services.detection import DetectionSettings
from hasim.simulation.faults.settings import Crash
from hasim.simulation.laws import Constant, Exponential
from hasim.simulation.recorded import Recorded
from hasim.simulation.run import simulate
from hasim.simulation.settings import (
    MasterSettings,
    PoissonArrivals,
    TrafficSettings,
    WorldSettings,
)
from hasim.simulation.world import World
from hasim.units import MILLISECOND, SECOND

RATE = 150


def workload(messages: int, plane: str, interval_s: int, algorithm: str) -> WorldSettings:
    """The world with about so many messages."""
    horizon_ns = messages * SECOND // RATE
    third = Constant(mean_ns=horizon_ns // 3)
    return WorldSettings(
        masters=tuple(
            MasterSettings(
                id=f"m{number}",
                workers=1,
                queue=10**6,
                service=Exponential(mean_ns=20 * MILLISECOND),
            )
            for number in range(1, 6)
        ),
        horizon_ns=horizon_ns,
        traffic=TrafficSettings(arrivals=PoissonArrivals(rate_per_s=RATE), owned=0.0),
        faults=(Crash(kind="crash", target="m1", at=(third,), for_=third),),
        detection=DetectionSettings(interval_ns=interval_s * SECOND, fall=3),
        balancing=BalancingSettings(algorithm=algorithm),
        data_plane=plane,
    )


Times = tuple[float, float]
"""Seconds of processor time, and on the wall."""


def timed(function: Callable[[], object]) -> Times:
    """How long a call takes, without the clearing up of what ran before it."""
    gc.collect()
    wall, processor = time.perf_counter(), time.process_time()
    function()
    return time.process_time() - processor, time.perf_counter() - wall


def whole(settings: WorldSettings) -> Times:
    """One replication: drawing, control plane and results included."""
    return timed(lambda: simulate(settings, Recorded(), seed=1, replication=0))


def messages_alone(settings: WorldSettings) -> Times:
    """The messages and regular reports of a world whose fault and probes never begin."""
    world = World(settings, Recorded(), seed=1, replication=0)
    return timed(lambda: world.messages.run(settings.horizon_ns))


def main() -> None:
    """Run all in turns and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    whole(workload(1000, "compiled", 1, "round-robin"))
    say(
        "| algorithm | what | messages | messages/CPU s: median (least-most) | messages/s | ratio |"
    )
    say("|---|---|---|---|---|---|")
    for algorithm in ("round-robin", "least-loaded"):
        taken: dict[tuple[str, str], list[Times]] = {}
        counts = {"reference": given.messages // 10, "compiled": given.messages}
        for _ in range(given.rounds):
            for plane, count in counts.items():
                for interval_s in (1, 10):
                    settings = workload(count, plane, interval_s, algorithm)
                    row = (f"whole, probe each {interval_s} s", plane)
                    taken.setdefault(row, []).append(whole(settings))
                settings = workload(count, plane, 1, algorithm)
                taken.setdefault(("messages alone", plane), []).append(messages_alone(settings))
        for (what, plane), times in sorted(taken.items()):
            count = counts[plane]
            base = statistics.median(t[0] for t in taken[what, "reference"]) / counts["reference"]
            median = statistics.median(t[0] for t in times)
            wall = statistics.median(t[1] for t in times)
            slowest, fastest = count / max(times)[0], count / min(times)[0]
            say(
                f"| {algorithm} | {plane}, {what} | {count:,} | {count / median:,.0f} "
                f"({slowest:,.0f}-{fastest:,.0f}) | {count / wall:,.0f} "
                f"| {base / (median / count):.1f} |"
            )


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
