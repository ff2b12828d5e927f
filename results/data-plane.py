"""Speed of the compiled data plane beside four others: `python results/data-plane.py`.

Workload: 5 masters with one worker each, first come first served, exponential service of
20 ms, Poisson arrivals of 150/s, the first master down in the middle third, each master
probed every 1 s (and every 10 s), fall 3. All take turns in one process, after one run that
compiles; those of SimPy with a tenth of the messages. Then heavy traffic, every algorithm, and the
command `hasim run` as a process of its own. Needs the extra `benchmark`.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

from rivals import bare_loop, idiomatic_simpy, on_cimba

from hasim.services.balancing import BalancingSettings
from hasim.services.balancing.registry import ALGORITHMS
from hasim.services.control_plane import ControlPlane
from hasim.services.detection import DetectionSettings
from hasim.settings import from_plain, plain
from hasim.simulation import run
from hasim.simulation.clients.compiled import plane
from hasim.simulation.clients.compiled.availability import available
from hasim.simulation.clients.compiled.counting import Counting
from hasim.simulation.clients.compiled.gateway import CompiledGateway
from hasim.simulation.clients.compiled.window import Window
from hasim.simulation.control.commands import Commands
from hasim.simulation.laws import Constant, Exponential
from hasim.simulation.recorded import Recorded
from hasim.simulation.run import simulate
from hasim.simulation.settings import (
    HedgeSettings,
    MasterSettings,
    PoissonArrivals,
    RetrySettings,
    TrafficSettings,
    WorldSettings,
)
from hasim.simulation.settings.faults import Crash, Hang, Slow
from hasim.simulation.world import World
from hasim.units import MILLISECOND, SECOND

RATE = 150
EACH_1, EACH_10 = "hasim, probe each 1 s", "hasim, probe each 10 s"
EACH = ((EACH_1, 1), (EACH_10, 10))
SIMPY, CIMBA, BARE = "idiomatic SimPy", "cimba", "bare numba loop"
RIVALS = (SIMPY, CIMBA, BARE)
SHELL_S = 4
"""What a second `hasim run` of a million messages shall take at most."""
HEAD = """# Speed of the compiled data plane

Command: `python results/data-plane.py > results/data-plane.md` (extra `benchmark`;
{rounds} rounds).

Five masters with one worker each, first come first served, exponential service of 20 ms, Poisson
arrivals of 150/s, the first master down in the middle third, every master probed each 1 s or 10 s,
fall 3. All take turns in one process after one run that compiles. "hasim, probe each ..." is a
replication as `hasim run` makes it: drawing, network, timeouts, evidence, control plane, journal
and results; "messages alone" is without fault, probes and their answers. The three rivals simulate
the same queues and the same probes, keep latencies, and have none of the rest. Heavy traffic: 20
masters of 50 workers, 20,000 messages/s, one master hangs, one is slow, client timeouts and one
retry. From the shell: one replication of the first workload, probe each 1 s, as a process of its
own, from its start to its end, run folder, tables and figures included; the first run compiles into
an empty cache, the others find it full. Compare within a table only."""


def probes_each(interval_s: int) -> DetectionSettings:
    """Detection that probes this often."""
    return from_plain(DetectionSettings, {"interval": f"{interval_s}s", "fall": 3})


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
        detection=probes_each(interval_s),
        balancing=BalancingSettings(algorithm=algorithm),
        data_plane=plane,
    )


Times = tuple[float, float]
"""Seconds of processor time, and on the wall."""
Table = dict[str, tuple[int, Callable[[], Times]]]
"""Name, number of messages, and what times them once."""


def timed(function: Callable[[], object]) -> Times:
    """How long a call takes, without the clearing up of what ran before it."""
    gc.collect()
    wall, processor = time.perf_counter(), time.process_time()
    function()
    return time.process_time() - processor, time.perf_counter() - wall


def whole(settings: WorldSettings) -> Times:
    """One replication: drawing, control plane and results included."""

    def replicate() -> None:
        with run.collector_paused():  # as a worker does
            simulate(settings, Recorded(), seed=1, replication=0)

    return timed(replicate)


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
        detection=probes_each(10),
        balancing=BalancingSettings(algorithm="least-loaded"),
    )


def alone(messages: int, algorithm: str, hedge: HedgeSettings | None = None) -> WorldSettings:
    """The workload for comparing algorithms: what masters fail at under herds is no evidence."""
    settings = workload(messages, "compiled", 1, algorithm)
    traffic = replace(settings.traffic, hedge=hedge or HedgeSettings())
    detection = replace(settings.detection, evidence=settings.detection.evidence[:1])
    return replace(settings, traffic=traffic, detection=detection)


def rows(messages: int, algorithm: str) -> Table:
    """What takes turns: name, number of messages, and how to time it once."""
    few = messages // 10

    def ours(count: int, plane: str, interval_s: int) -> Callable[[], Times]:
        return lambda: whole(workload(count, plane, interval_s, algorithm))

    least_loaded = algorithm == "least-loaded"
    return {
        EACH_1: (messages, ours(messages, "compiled", 1)),
        EACH_10: (messages, ours(messages, "compiled", 10)),
        "hasim, messages alone": (
            messages,
            lambda: messages_alone(workload(messages, "compiled", 1, algorithm)),
        ),
        "hasim's reference, probe each 1 s": (few, ours(few, "reference", 1)),
        SIMPY: (few, lambda: timed(lambda: idiomatic_simpy(few, 1.0, algorithm))),
        CIMBA: (messages, lambda: timed(lambda: on_cimba(messages, 1.0, algorithm))),
        BARE: (messages, lambda: timed(lambda: bare_loop(messages, 1.0, least_loaded, 1))),
    }


def every_algorithm(messages: int) -> Table:
    """The same for messages alone under each algorithm, and hedged after 50 ms."""
    settings = {name: alone(messages, name) for name in ALGORITHMS if available(name)}
    hedge = HedgeSettings(after_ns=50 * MILLISECOND, budget=1.0)
    settings["round-robin, hedged"] = alone(messages, "round-robin", hedge)
    return {
        name: (messages, lambda world=world: messages_alone(world))
        for name, world in settings.items()
    }


def take_turns(table: Table, rounds: int) -> dict[str, float]:
    """Print a line for each row; returns seconds of processor time per message (median)."""
    taken: dict[str, list[Times]] = {name: [] for name in table}
    for _ in range(rounds):
        for name, (_, once) in table.items():
            taken[name].append(once())
    cost = {n: statistics.median(t[0] for t in taken[n]) / table[n][0] for n in table}
    rivals = [rival for rival in RIVALS if rival in cost]
    say("| what | messages | messages/CPU s: median (least-most) | messages/s |", end="")
    say("".join(f" x {rival} |" for rival in rivals))
    say(f"|---{'|---:' * (3 + len(rivals))}|")
    for name, (count, _) in table.items():
        times = taken[name]
        wall = statistics.median(t[1] for t in times)
        say(
            f"| {name} | {count:,} | {1 / cost[name]:,.0f} "
            f"({count / max(times)[0]:,.0f}-{count / min(times)[0]:,.0f}) | {count / wall:,.0f} |",
            end="",
        )
        say("".join(f" {cost[rival] / cost[name]:.2f} |" for rival in rivals))
    return cost


# -- where the time goes ------------------------------------------------------------------

PARTS: dict[str, list[tuple[object, str]]] = {
    "messages: the compiled kernel": [(plane.CompiledPlane, "advance")],
    "messages: drawn": [(Window, "extend"), (Window, "draw_retries")],
    "messages: counted": [(Counting, "roll"), (run, "roll_up")],
    "control plane": [(ControlPlane, "step"), (ControlPlane, "next_wakeup")],
    "gateways' reports": [(CompiledGateway, "_wake")],
    "commands and probes in the world": [(Commands, "perform")],
}


def parts(settings: WorldSettings) -> dict[str, float]:
    """Shares of the processor time of one replication; what is left is SimPy, journal, driver."""
    spent = dict.fromkeys(PARTS, 0.0)

    def watched(part: str, function: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object, **named: object) -> object:
            begun = time.perf_counter()
            try:
                return function(*given, **named)
            finally:
                spent[part] += time.perf_counter() - begun

        return call

    with contextlib.ExitStack() as stack:
        for part, places in PARTS.items():
            for owner, name in places:
                if name == "advance":
                    names = ("advance", "catch_up", "take_back")
                    own = {name: watched(part, getattr(plane.KERNEL, name)) for name in names}
                    kernel = plane.KERNEL._replace(**own)
                    stack.enter_context(mock.patch.object(plane, "KERNEL", kernel))
                else:
                    made = watched(part, getattr(owner, name))
                    stack.enter_context(mock.patch.object(owner, name, made))
        _, wall = whole(settings)
    return {part: seconds / wall for part, seconds in spent.items()}


def say_parts(worlds: dict[str, WorldSettings]) -> None:
    """A table of parts, with a column for each world."""
    shares = {name: parts(settings) for name, settings in worlds.items()}
    say("| part | " + " | ".join(shares) + " |\n|---|" + "---:|" * len(shares))
    for part in PARTS:
        say(f"| {part} | " + " | ".join(f"{own[part]:.0%}" for own in shares.values()) + " |")
    rest = [f"{1 - sum(own.values()):.0%}" for own in shares.values()]
    say("| the rest: SimPy, driver, journal | " + " | ".join(rest) + " |")


# -- from the shell -----------------------------------------------------------------------


def from_the_shell(messages: int, rounds: int) -> tuple[float, list[float]]:
    """Seconds on the wall of `hasim run`: with an empty cache of numba's, then with a full one."""
    world = plain(workload(messages, "compiled", 1, "round-robin"))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        scenario = folder / "million.yaml"
        scenario.write_text(json.dumps({"name": "million", "replications": 1, **world}))
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache")}

        def once(number: int) -> float:
            command = [sys.executable, "-m", "hasim", "run", scenario, "--out", f"run-{number}"]
            begun = time.perf_counter()
            subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True)
            return time.perf_counter() - begun

        return once(0), [once(number) for number in range(1, rounds + 1)]


def say_shell(messages: int, rounds: int) -> float:
    """A table of both; returns the median with a full cache."""
    cold, warm = from_the_shell(messages, rounds)
    say(f"| `hasim run`, {messages:,} messages | s: median (least-most) |\n|---|---:|")
    median = statistics.median(warm)
    say(f"| first run, empty cache | {cold:.1f} |")
    say(f"| second run and later | {median:.2f} ({min(warm):.2f}-{max(warm):.2f}) |")
    return median


# -- all of it ----------------------------------------------------------------------------


def say_goals(
    costs: list[dict[str, float]], most: float, hedged: float, heavily: float, shell_s: float
) -> None:
    """What was wanted, and what there is (the worse of both algorithms)."""

    def times(ours: str, rival: str) -> float:
        return min(cost[rival] / cost[ours] for cost in costs)

    say("| wanted | measured | |\n|---|---:|---|")
    goals = [
        ("probe each 1 s: at least 60 x SimPy", times(EACH_1, SIMPY), 60),
        ("probe each 1 s: at least 1.8 x cimba", times(EACH_1, CIMBA), 1.8),
        ("probe each 10 s: at least 60 x SimPy", times(EACH_10, SIMPY), 60),
        ("probe each 10 s: at least 1.7 x cimba", times(EACH_10, CIMBA), 1.7),
        ("probe each 10 s: at least 0.4 x the bare loop", times(EACH_10, BARE), 0.4),
        ("heavy traffic: at least 2.5 million messages per CPU second", 1e-6 / heavily, 2.5),
        ("slowest algorithm but Prequal: at least 1/3 of round robin's speed", 1 / most, 1 / 3),
        ("Prequal and hedging: at least 1/12 of round robin's speed", 1 / hedged, 1 / 12),
    ]
    for goal, measured, wanted in goals:
        say(f"| {goal} | {measured:.2f} | {'yes' if measured >= wanted else 'no'} |")
    kept = "yes" if shell_s < SHELL_S else "no"
    say(f"| second `hasim run` from the shell: under {SHELL_S} s | {shell_s:.2f} s | {kept} |")


def main() -> None:
    """Run all in turns and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--heavy", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    say(HEAD.format(rounds=given.rounds))
    costs = []
    for algorithm in ("round-robin", "least-loaded"):
        for _, once in rows(10_000, algorithm).values():
            once()  # compiles
        say(f"\n## {algorithm}\n")
        costs.append(take_turns(rows(given.messages, algorithm), given.rounds))
    say("\n## Where the time goes (round-robin)\n")
    say_parts({name: workload(given.messages, "compiled", s, "round-robin") for name, s in EACH})
    whole(heavy(100_000))  # compiles
    say("\n## Heavy traffic\n")
    heavily = take_turns({"hasim": (given.heavy, lambda: whole(heavy(given.heavy)))}, given.rounds)
    say("\nWhere the time goes:\n")
    say_parts({"hasim": heavy(given.heavy)})
    say("\n## From the shell\n")
    shell_s = say_shell(given.messages, given.rounds)
    say("\n## Every algorithm, messages alone\n")
    table = every_algorithm(given.messages // 4)
    for _, once_more in table.values():
        once_more()
    cost = take_turns(table, given.rounds)
    special = ("prequal", "round-robin, hedged")
    slowest = max((n for n in cost if n not in special), key=lambda name: cost[name])
    say(f"\nSlowest but Prequal and hedging: {slowest}.\n\n## Goals\n")
    base = cost["round-robin"]
    hedged = max(cost[name] for name in special) / base
    say_goals(costs, cost[slowest] / base, hedged, heavily["hasim"], shell_s)


def say(line: str, end: str = "\n") -> None:
    """Print a line."""
    sys.stdout.write(line + end)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
