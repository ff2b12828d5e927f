"""Speed of a chain of tiers with clients as people have them.

Two tiers, clients with names that they keep, pools of connections between the tiers, connect
timeouts, retries by cause, ties in turns, and a server that loses its power.

Command: `python results/chain.py > results/chain.md`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import Any

from hasim.scenario.loader import Loaded, from_data
from hasim.simulation.run import simulate
from hasim.truth import TrafficRollup

GOAL = 1_000_000
HEAD = """# Speed of a chain of tiers

Command: `python results/chain.py > results/chain.md` ({rounds} rounds).

Ten API servers of 50 workers before five database servers, 10,000 messages/s for 40 s; a request of
an API server for each. One API server loses its power for 4 s. Least loaded, ties in turns; a
connect timeout, then the answer's; three attempts on refusals, resets and timeouts. Clients go by a
name for 10 s, and each API server keeps 20 connections, for 30 s each. A replication as `hasim run`
makes it, in one process after one that compiles. Messages of clients and requests between tiers
both count in the first column, messages of clients alone in the second.

| what | messages | all/CPU s: median (least-most) | of clients/CPU s: median |
|---|---:|---:|---:|"""

DETECTION = {"evidence": ["probe"], "interval": "2s", "fast_interval": "1s", "timeout": "500ms"}
BALANCING = {"algorithm": "least-loaded"}


def servers(letter: str, count: int, mean: str) -> list[dict[str, Any]]:
    """Servers that are alike."""
    service = {"law": "exponential", "mean": mean}
    first = {"id": f"{letter}1", "workers": 50, "queue": 1000, "service": service}
    return [first, *({"id": f"{letter}{n}", "like": first["id"]} for n in range(2, count + 1))]


def chain(*, clients: bool, tiers: bool) -> Loaded:
    """The workload, with clients that keep something or without, with both tiers or one."""
    traffic: dict[str, Any] = {
        "arrivals": {"law": "poisson", "rate": "10000/s"},
        "owned": "0%",
        "connect_timeout": "200ms",
        "timeout": "1s",
        "deadline": "3s",
        "retry": {"attempts": 3, "on": ["refused", "connect_timeout", "reset", "timeout"]},
    }
    requests: dict[str, Any] = {
        "owned": "0%",
        "connect_timeout": "200ms",
        "timeout": "500ms",
        "deadline": "1s",
        "retry": {"attempts": 2, "on": ["refused", "connect_timeout"]},
    }
    if clients:
        traffic["clients"] = {"number": 1000, "dns": {"ttl": "10s"}}
        requests["clients"] = {"number": 20, "connections": {"lifetime": "30s"}}
    data: dict[str, Any] = {
        "name": "chain",
        "horizon": "40s",
        "network": {"rtt": "1ms", "local_rtt": "1ms"},
        "traffic": traffic,
        "faults": [{"kind": "power-off", "target": "a2", "at": "3s", "for": "4s"}],
    }
    own = {"detection": DETECTION, "balancing": BALANCING}
    api = {"masters": servers("a", 10, "10ms"), **own}
    database = {"masters": servers("d", 5, "5ms"), **own, "requests": requests}
    if tiers:
        data["tiers"] = [{"name": "api", **api}, {"name": "db", **database}]
    else:
        data |= api
    return from_data(data)


def once(loaded: Loaded) -> tuple[float, int, int]:
    """Seconds of processor time, messages in all and of clients."""
    (cell,) = loaded.cells
    recorded, began = loaded.recorded_of(cell), time.process_time()
    journal = simulate(cell.world, recorded, seed=1, replication=0)
    took_s = time.process_time() - began
    counts = {
        tier: sum(
            row.messages
            for _, row in (journal.of_tier(tier) if tier else journal).of(TrafficRollup)
        )
        for tier in journal.tiers or ("",)
    }
    return took_s, sum(counts.values()), next(iter(counts.values()))


def main() -> None:
    """Run all in turns and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    rows = {
        "two tiers, names and pools": chain(clients=True, tiers=True),
        "two tiers": chain(clients=False, tiers=True),
        "one tier, names": chain(clients=True, tiers=False),
        "one tier": chain(clients=False, tiers=False),
    }
    for loaded in rows.values():
        once(loaded)  # compiles
    found: dict[str, list[tuple[float, int, int]]] = {name: [] for name in rows}
    for _ in range(rounds):
        for name, loaded in rows.items():
            found[name].append(once(loaded))
    sys.stdout.write(HEAD.format(rounds=rounds) + "\n")
    for name, times in found.items():
        took = sorted(took_s for took_s, _, _ in times)
        every, of_clients = times[0][1:]
        middle = statistics.median(took)
        sys.stdout.write(
            f"| {name} | {every:,} | {every / middle:,.0f} ({every / took[-1]:,.0f}-"
            f"{every / took[0]:,.0f}) | {of_clients / middle:,.0f} |\n"
        )
    slowest = min(
        of_clients / statistics.median(took for took, _, _ in times)
        for times in found.values()
        for of_clients in [times[0][2]]
    )
    kept = "yes" if slowest >= GOAL else "no"
    sys.stdout.write(f"\nWanted: {GOAL:,} messages of clients per CPU second: {kept}.\n")


if __name__ == "__main__":
    main()
