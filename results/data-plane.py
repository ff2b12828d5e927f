"""Speed of the compiled data plane beside four others: `python results/data-plane.py`.

Workload: 5 masters with one worker each, first come first served, exponential service of
20 ms, Poisson arrivals of 150/s, the first master down in the middle third, each master
probed every 1 s (and every 10 s), fall 3. All take turns in one process, after one run that
compiles; those of SimPy with a tenth of the messages. Needs the extra `benchmark`.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable

from rivals import bare_loop, idiomatic_simpy, on_cimba

from hasim.services.balancing import BalancingSettings
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.detection import DetectionSettings
from hasim.simulation.compiled.availability import available
from hasim.simulation.faults.settings import Crash, Hang, Slow
from hasim.simulation.laws import Constant, Exponential
from hasim.simulation.recorded import Recorded
from hasim.simulation.run import simulate
from hasim.simulation.settings import (
    MasterSettings,
    PoissonArrivals,
    RetrySettings,
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


def heavy(messages: int) -> WorldSettings:
    """Workload 2: 20 masters of 50 workers, 20,000 messages/s; one hangs, one is slow."""
    horizon_ns = messages * SECOND // 20_000
    third = Constant(mean_ns=horizon_ns // 3)
    return WorldSettings(
        masters=tuple(
            MasterSettings(
                id=f"m{number}",
                workers=50,
                queue=10_000,
                service=Exponential(mean_ns=20 * MILLISECOND),
            )
            for number in range(1, 21)
        ),
        horizon_ns=horizon_ns,
        traffic=TrafficSettings(
            arrivals=PoissonArrivals(rate_per_s=20_000),
            owned=0.0,
            timeout_ns=SECOND,
            retry=RetrySettings(attempts=2),
        ),
        faults=(
            Hang(kind="hang", target="m1", at=(third,), for_=third),
            Slow(kind="slow", target="m2", at=(third,), for_=third, speed=0.5),
        ),
        detection=DetectionSettings(interval_ns=10 * SECOND, fall=3),
        balancing=BalancingSettings(algorithm="least-loaded"),
    )


def rows(messages: int, algorithm: str) -> dict[str, tuple[int, Callable[[], Times]]]:
    """What takes turns: name, number of messages, and how to time it once."""
    few = messages // 10

    def ours(count: int, plane: str, interval_s: int) -> Callable[[], Times]:
        return lambda: whole(workload(count, plane, interval_s, algorithm))

    least_loaded = algorithm == "least-loaded"
    return {
        "hasim, probe each 1 s": (messages, ours(messages, "compiled", 1)),
        "hasim, probe each 10 s": (messages, ours(messages, "compiled", 10)),
        "hasim, messages alone": (
            messages,
            lambda: messages_alone(workload(messages, "compiled", 1, algorithm)),
        ),
        "hasim's reference, probe each 1 s": (few, ours(few, "reference", 1)),
        "idiomatic SimPy": (few, lambda: timed(lambda: idiomatic_simpy(few, 1.0, algorithm))),
        "cimba": (messages, lambda: timed(lambda: on_cimba(messages, 1.0, algorithm))),
        "bare numba loop": (
            messages,
            lambda: timed(lambda: bare_loop(messages, 1.0, least_loaded, 1)),
        ),
    }


def take_turns(table: dict[str, tuple[int, Callable[[], Times]]], rounds: int) -> dict[str, float]:
    """Print a line for each row; returns seconds of processor time per message (median)."""
    taken: dict[str, list[Times]] = {name: [] for name in table}
    for _ in range(rounds):
        for name, (_, once) in table.items():
            taken[name].append(once())
    cost = {n: statistics.median(t[0] for t in taken[n]) / table[n][0] for n in table}
    for name, (count, _) in table.items():
        times = taken[name]
        wall = statistics.median(t[1] for t in times)
        ratios = [f"{cost[r] / cost[name]:.2f}" if r in cost else "-" for r in RIVALS]
        say(
            f"| {name} | {count:,} | {1 / cost[name]:,.0f} "
            f"({count / max(times)[0]:,.0f}-{count / min(times)[0]:,.0f}) | {count / wall:,.0f} "
            f"| {' | '.join(ratios)} |"
        )
    return cost


RIVALS = ("idiomatic SimPy", "cimba", "bare numba loop")
HEAD = (
    "| what | messages | messages/CPU s: median (least-most) | messages/s "
    "| x SimPy | x cimba | x bare loop |\n|---|---:|---:|---:|---:|---:|---:|"
)


def main() -> None:
    """Run all in turns and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--heavy", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    for algorithm in ("round-robin", "least-loaded"):
        for _, once in rows(10_000, algorithm).values():
            once()  # compiles
        say(f"\n{algorithm}\n\n{HEAD}")
        take_turns(rows(given.messages, algorithm), given.rounds)
    say(f"\nheavy traffic\n\n{HEAD}")
    once = {"hasim": (given.heavy, lambda: whole(heavy(given.heavy)))}
    take_turns(once, max(1, given.rounds // 2))
    say(f"\nevery algorithm, messages alone\n\n{HEAD}")
    few = given.messages // 4
    every = {
        name: (few, lambda name=name: messages_alone(workload(few, "compiled", 1, name)))
        for name in ALGORITHMS
        if available(name)
    }
    for _, once_more in every.values():
        once_more()
    cost = take_turns(every, given.rounds)
    slowest = max(cost, key=lambda name: cost[name])
    say(f"\nslowest: {slowest}, {cost[slowest] / cost['round-robin']:.2f} x round-robin")


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
