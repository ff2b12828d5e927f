"""What each way of fencing costs: `python results/failover.py` writes `results/failover.md`.

The same world, seeds and faults for each way of fencing and each preset of failover: an owner and
two standbys in three regions, ten writes a second. Each replication has one fault; there are so
many that p99 has the hundred that it needs (20 minutes of one processor). Then random worlds for
each way of fencing (`--worlds 200`: three minutes; 5,000: 75), in which no invariant may break;
with `--only-worlds` those alone, and nothing is written.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hasim.hunt.fenced import STRIKES, Seen, look
from hasim.hunt.fenced import WAYS as FENCED
from hasim.measures import Measured, measure
from hasim.oracle import check
from hasim.scenario.loader import from_data
from hasim.services.failover.registry import FENCINGS, PRESETS
from hasim.simulation.run import simulate

WAYS: dict[str, dict[str, Any]] = {
    **{name: {"fencing": {"kind": name}} for name in FENCINGS.shipped},
    "lease": {"fencing": {"kind": "lease", "ttl": "10s", "renew": "2s"}},
    **{f"preset {name}": {"preset": name} for name in PRESETS.shipped},
}
WHEN = {"law": "uniform", "low": "30s", "high": "60s"}
LAGGING = {"kind": "replication-lag", "target": "b", "extra": "20s", "at": "5s", "for": "4m"}
SITUATIONS: dict[str, list[dict[str, Any]]] = {
    "crash": [{"kind": "crash", "target": "a", "at": WHEN, "for": "60s"}],
    "hang": [{"kind": "hang", "target": "a", "at": WHEN, "for": "60s"}],
    "partition": [{"kind": "partition", "target": "a", "at": WHEN, "for": "60s"}],
    "partition of the monitor": [
        {"kind": "partition", "scope": "monitor", "target": "a", "at": WHEN, "for": "60s"}
    ],
    "region outage": [{"kind": "region-outage", "target": "region:west", "at": WHEN, "for": "60s"}],
    "crash, lagging replica": [
        LAGGING,
        {"kind": "crash", "target": "a", "at": WHEN, "for": "60s"},
    ],
}
PHASES = ("deciding", "fencing", "transferring", "promoting", "redirecting")
HEAD = """# What each way of fencing costs

Command: `python results/failover.py` ({replications} replications of each cell)

An owner `a` and two standbys in three regions (west, north, south; 20 ms between them, the monitor
in the north), ten writes a second, replicated within 100 ms; probes each second, two that fail
convict; the power switch takes 2 s and stands apart. Faults last a minute. In "lagging replica" the
backup that comes first by priority is 20 s behind. Times in seconds: p50 / p95 / p99; a dash where
there are fewer than 20 (p95) or 100 (p99) of them. RPO: acknowledged writes lost (mean of a run),
and the age of the oldest (the worst run); dual: seconds with two primaries (mean of a run); failed
and suppressed failovers of all. No run broke an invariant{but}.
"""


@dataclass
class Cell:
    """What the replications of one way and situation came to."""

    phases: dict[str, list[float]] = field(default_factory=lambda: {p: [] for p in PHASES})
    outages: list[float] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    lost_s: list[float] = field(default_factory=list)
    dual_s: list[float] = field(default_factory=list)
    failovers: int = 0
    failed: int = 0
    suppressed: int = 0
    broken: list[str] = field(default_factory=list)

    def add(self, measured: Measured, broken: list[str]) -> None:
        """One more replication."""
        own = [one for one in measured.failovers if one.partitions and not one.planned]
        for one in own:
            if one.outcome == "completed":
                for phase in PHASES:
                    self.phases[phase].append(getattr(one, f"{phase}_s"))
        self.outages += [i.outage_s for i in measured.incidents if i.outage_s is not None]
        self.lost.append(sum(one.writes_lost for one in own))
        self.lost_s.append(max((one.lost_s for one in own), default=0.0))
        self.dual_s.append(measured.service.dual_primary_s)
        self.failovers += len(own)
        self.failed += sum(one.outcome == "failed" for one in own)
        self.suppressed += sum(one.suppressed for one in own)
        self.broken += broken


def scenario(way: str, situation: str) -> dict[str, Any]:
    """One cell, as a scenario file has it."""
    return {
        "name": "failover",
        "horizon": "3m",
        "seed": 1,
        "data_plane": "reference",
        "masters": [
            {"id": "a", "region": "west", "service": {"law": "exponential", "mean": "5ms"}},
            {"id": "b", "like": "a", "region": "north", "priority": 2, "standby": True},
            {"id": "c", "like": "a", "region": "south", "priority": 3, "standby": True},
        ],
        "network": {"rtt": "20ms"},
        "traffic": {
            "regions": ["north"],
            "arrivals": {"law": "poisson", "rate": "10/s"},
            "owned": "100%",
            "timeout": "1s",
        },
        "replication": {"copies": 2, "lag": "100ms"},
        "fencing_device": {"latency": "2s", "restart": "30s"},
        "observer": {"region": "north"},
        "detection": {"evidence": ["probe"], "interval": "1s", "fast_interval": "500ms"},
        "failover": WAYS[way],
        "faults": SITUATIONS[situation],
    }


def run(task: tuple[str, str, int]) -> Cell:
    """All replications of one cell."""
    way, situation, replications = task
    study = from_data(scenario(way, situation))
    (cell,) = study.cells
    found = Cell()
    for replication in range(replications):
        recorded = study.recorded_of(cell)
        journal = simulate(cell.world, recorded, seed=1, replication=replication)
        found.add(measure(journal), [breach.invariant for breach in check(journal)])
    return found


def quantiles(values: Sequence[float]) -> str:
    """p50 / p95 / p99, a dash where the sample is too small."""
    if not values:
        return "-"
    needed = ((0.5, 1), (0.95, 20), (0.99, 100))
    told = (f"{np.quantile(values, q):.2f}" if len(values) >= n else "-" for q, n in needed)
    return " / ".join(told)


def lines(cells: dict[tuple[str, str], Cell]) -> Iterator[str]:
    """A table for each situation."""
    columns = (
        "fencing",
        *PHASES,
        "outage",
        "RPO writes",
        "RPO s",
        "dual s",
        "failed",
        "suppressed",
    )
    for situation in SITUATIONS:
        yield f"\n## {situation.capitalize()}\n"
        yield "| " + " | ".join(columns) + " |"
        yield "| --- |" + " ---: |" * (len(columns) - 1)
        for way in WAYS:
            one = cells[way, situation]
            yield (
                "| "
                + " | ".join(
                    [
                        way,
                        *(quantiles(one.phases[phase]) for phase in PHASES),
                        quantiles(one.outages),
                        f"{np.mean(one.lost):.1f}",
                        f"{max(one.lost_s):.2f}",
                        f"{np.mean(one.dual_s):.2f}",
                        f"{one.failed} of {one.failovers}",
                        str(one.suppressed),
                    ]
                )
                + " |"
            )


WORLDS = """\
Worlds of everything (`hasim.hunt.fenced`), in 70 % of them an owner that dies and returns, and what
strikes a failover itself: gateways and control planes that are killed and started anew, answers
that are lost or come twice. All invariants are looked at in each. "Owner back": failovers that were
taken back; "refused": inputs that came late, twice, or of nobody; seconds of one processor.
"""
SHARE = 25
"""So many worlds are one task."""


def look_at(task: tuple[str, int, int]) -> tuple[str, Seen]:
    """Some random worlds of one way of fencing."""
    way, first, last = task
    return way, look(way, range(first, last))


def hunted(worlds: int, pool: ProcessPoolExecutor) -> dict[str, Seen]:
    """So many random worlds for each way of fencing; a breach is told as soon as it is known."""
    found = {way: Seen() for way in FENCED}
    starts = range(0, worlds, SHARE)
    tasks = [(way, first, min(first + SHARE, worlds)) for first in starts for way in FENCED]
    for way, seen in pool.map(look_at, tasks):
        sys.stderr.write("".join(f"{breach}\n" for breach in seen.broken))
        sys.stderr.flush()
        found[way].join(seen)
    return found


def told(found: dict[str, Seen]) -> Iterator[str]:
    """The table of the random worlds."""
    yield "\n## Random worlds\n"
    yield WORLDS
    columns = ("failovers", "owner back", *STRIKES, "refused", "dual s", "seconds", "breaches")
    yield "| fencing | worlds | " + " | ".join(columns) + " |"
    yield "| --- |" + " ---: |" * (len(columns) + 1)
    for way, seen in found.items():
        struck = (seen.faults[kind] for kind in STRIKES)
        counts = (seen.worlds, seen.failovers, seen.returned, *struck, seen.refused)
        texts = (f"{count:,}" for count in counts)
        ends = (f"{seen.dual_s:.1f}", f"{seen.seconds:.0f}", str(len(seen.broken)))
        yield f"| {way} | " + " | ".join((*texts, *ends)) + " |"


def check_worlds(found: dict[str, Seen]) -> None:
    """End with 1 if any of them broke something."""
    sys.exit(1 if any(seen.broken for seen in found.values()) else 0)


def main() -> None:
    """Run all cells and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replications", type=int, default=120)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--worlds", type=int, default=200, help="for each way of fencing")
    parser.add_argument("--only-worlds", action="store_true", help="print them, write nothing")
    given = parser.parse_args()
    if given.only_worlds:
        with ProcessPoolExecutor(given.jobs) as pool:
            found = hunted(given.worlds, pool)
        sys.stdout.write("\n".join(told(found)) + "\n")
        check_worlds(found)
    tasks = [(way, situation, given.replications) for way in WAYS for situation in SITUATIONS]
    with ProcessPoolExecutor(given.jobs) as pool:
        done = pool.map(run, tasks)
        cells = {
            (way, situation): cell for (way, situation, _), cell in zip(tasks, done, strict=True)
        }
        found = hunted(given.worlds, pool)
    broken = Counter((way, name) for (way, _), cell in cells.items() for name in cell.broken)
    names = ", ".join(f"{name} with {way} ({count})" for (way, name), count in broken.items())
    but = f" but {names}" if names else ""
    head = HEAD.format(replications=given.replications, but=but).rstrip()
    text = "\n".join([head, *lines(cells), *told(found)]) + "\n"
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    if broken:
        sys.exit(1)
    check_worlds(found)


if __name__ == "__main__":
    main()
