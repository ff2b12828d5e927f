"""What a master costs among many: `python results/scale.py > results/scale.md`.

Steady state: the processor time of a run of 2H less that of one of H, over the probes that the
longer one has more, so that building the world and its first second are not in it. All
sizes take turns in one process. Long runs are processes of their own, for their memory.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import statistics
import subprocess
import sys
import time

from hasim.measures import measure
from hasim.services.detection import DetectionSettings
from hasim.settings import from_plain
from hasim.simulation.recorded import Recorded
from hasim.simulation.run import collector_paused, simulate
from hasim.simulation.settings import (
    JitterLaw,
    MasterSettings,
    NetworkSettings,
    PoissonArrivals,
    TrafficSettings,
    WorldSettings,
)
from hasim.units import SECOND

WAYS = ("single", "stretches")
SIZES = (10, 100, 1_000, 10_000)
PROBES = 40_000
"""About so many probes in a run of H."""
SHORTEST_S = 10
LONG = ((1_000, 3_600, 60, 1024), (10_000, 600, 60, 2048))
"""Masters, seconds, and what is wanted: seconds of processor time, MiB."""
HEAD = """# What a master costs among many

Command: `python results/scale.py > results/scale.md` ({rounds} rounds).

Each master is probed each second, with jitter (cv 0.1) and a loss of 0.1 % each way; 20 messages/s
in all. Steady state: (CPU at 2H - CPU at H) / probes, H so long that there are about {probes:,}
probes, median of the rounds. Long runs: `simulate` and `measure` in a process of their own, and its
peak memory, imports included."""


def world(masters: int, horizon_s: int, probes: str) -> WorldSettings:
    """So many masters, probed each second in a network that jitters and loses."""
    return WorldSettings(
        masters=tuple(MasterSettings(id=f"m{number}") for number in range(1, masters + 1)),
        horizon_ns=horizon_s * SECOND,
        network=NetworkSettings(jitter=JitterLaw(cv=0.1), loss=0.001),
        traffic=TrafficSettings(arrivals=PoissonArrivals(rate_per_s=20)),
        detection=from_plain(DetectionSettings, {"interval": "1s", "fall": 3}),
        probes=probes,
    )


def once(masters: int, horizon_s: int, probes: str) -> tuple[float, int]:
    """Seconds of processor time of one run, and how many probes it had."""
    gc.collect()
    with collector_paused():
        begun = time.process_time()
        journal = simulate(world(masters, horizon_s, probes), Recorded(), seed=1, replication=0)
        spent_s = time.process_time() - begun
        return spent_s, sum(row.probes for row in measure(journal).masters)


def steady_us(masters: int, probes: str) -> float:
    """Microseconds of processor time for a probe more."""
    horizon_s = max(SHORTEST_S, PROBES // masters)
    (short_s, few), (long_s, many) = (once(masters, times * horizon_s, probes) for times in (1, 2))
    return (long_s - short_s) / (many - few) * 1e6


def long_run(masters: int, horizon_s: int) -> tuple[float, float, float]:
    """Seconds of processor time to simulate and to measure, and MiB, in this very process."""
    with collector_paused():
        begun = time.process_time()
        settings = world(masters, horizon_s, "stretches")
        journal = simulate(settings, Recorded(), seed=1, replication=0)
        simulated = time.process_time()
        measure(journal)
        measured = time.process_time()
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return simulated - begun, measured - simulated, peak_mib


def in_a_process(masters: int, horizon_s: int) -> tuple[float, float, float]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--long", str(masters), str(horizon_s)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    simulate_s, measure_s, peak_mib = json.loads(told)
    return simulate_s, measure_s, peak_mib


def say(text: str) -> None:
    """A line of the report."""
    sys.stdout.write(text + "\n")


def main() -> None:
    """Run all in turns and print medians and goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--long", type=int, nargs=2, metavar=("MASTERS", "SECONDS"))
    given = parser.parse_args()
    if given.long:
        say(json.dumps(long_run(*given.long)))
        return
    once(3, 5, "single")  # compiles
    taken: dict[tuple[int, str], list[float]] = {}
    for _ in range(given.rounds):
        for masters in given.sizes:
            for way in WAYS:
                taken.setdefault((masters, way), []).append(steady_us(masters, way))
    cost = {key: statistics.median(values) for key, values in taken.items()}
    say(HEAD.format(rounds=given.rounds, probes=PROBES))
    say("\n## Steady state\n\n| masters | single, us a probe | stretches, us a probe |")
    say("|---:|---:|---:|")
    for masters in given.sizes:
        say(f"| {masters:,} | " + " | ".join(f"{cost[masters, w]:.2f}" for w in WAYS) + " |")
    say("\n## Long runs\n\n| masters | simulated | simulate, CPU s | measure, CPU s | MiB |")
    say("|---:|---:|---:|---:|---:|")
    found = {row: in_a_process(*row[:2]) for row in LONG}
    for (masters, horizon_s, *_), (simulate_s, measure_s, mib) in found.items():
        say(f"| {masters:,} | {horizon_s} s | {simulate_s:.1f} | {measure_s:.1f} | {mib:.0f} |")
    say("\n## Goals\n\n| wanted | measured | |\n|---|---:|---|")
    for masters, most in ((1_000, 1.5), (10_000, 2.0)):
        if {10, masters} <= set(given.sizes):
            times = cost[masters, "single"] / cost[10, "single"]
            goal = f"single steps at {masters:,} masters: at most {most:g} x those at 10"
            say(f"| {goal} | {times:.2f} | {'yes' if times <= most else 'no'} |")
    for (masters, horizon_s, most_s, most_mib), (simulate_s, measure_s, mib) in found.items():
        whole_s = simulate_s + measure_s
        goal = f"{masters:,} masters for {horizon_s} s: under {most_s} s and {most_mib} MiB"
        kept = "yes" if whole_s < most_s and mib < most_mib else "no"
        say(f"| {goal} | {whole_s:.1f} s, {mib:.0f} MiB | {kept} |")


if __name__ == "__main__":
    main()
