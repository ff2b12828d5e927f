"""False failovers that nobody can wait for, beside exact chains and plain simulation.

`python results/false-failovers.py` writes results/false-failovers.md: (a) independent loss beside
its closed form, (b) bursts beside their exact chain, heartbeats; and,
with `--seeds N`, how many of N intervals hold the exact number.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hasim.api import prepare
from hasim.measures import measure
from hasim.simulation.run import simulate
from hasim.study.estimates.statistics import Interval, rate_interval
from hasim.study.rare.falsely import FalseFailovers, false_failovers
from hasim.units import DAY
from tests.study.rare.chains import Rhythm, by_bursts, by_loss

PROBES = {"evidence": ["probe"], "interval": "2s", "fast_interval": "500ms", "timeout": "500ms"}
RHYTHM = Rhythm(rtt=0.01, timeout=0.5, interval=2.0, fast=0.5, fall=3)
BURSTS = {"share": "0.05%", "mean": "300ms"}
BEATS = {"evidence": ["heartbeat"], "heartbeat_interval": "1s"}
PLAIN_DAYS = 40
"""Of plain simulation, in runs of a day."""


@dataclass(frozen=True)
class Case:
    """A detector under a noise; `exact` is its rate a year, None where only plain runs tell it."""

    name: str
    detection: Mapping[str, Any]
    network: Mapping[str, Any]
    exact: float | None = None
    plain: bool = False


def rhythm(fall: int) -> Rhythm:
    """That of the probes here."""
    return dataclasses.replace(RHYTHM, fall=fall)


CASES = (
    Case(
        "(a) threshold, fall 3, loss 2 %",
        {**PROBES, "fall": 3},
        {"loss": "2%"},
        by_loss(rhythm(3), 0.02),
        plain=True,
    ),
    Case(
        "(a) threshold, fall 6, loss 1 %",
        {**PROBES, "fall": 6},
        {"loss": "1%"},
        by_loss(rhythm(6), 0.01),
    ),
    Case(
        "(b) threshold, fall 2, bursts",
        {**PROBES, "fall": 2},
        {"loss": "0.1%", "bursts": BURSTS},
        by_bursts(rhythm(2), 0.001, 0.0005, 0.3),
        plain=True,
    ),
    Case(
        "(b) threshold, fall 5, bursts",
        {**PROBES, "fall": 5},
        {"loss": "0.1%", "bursts": BURSTS},
        by_bursts(rhythm(5), 0.001, 0.0005, 0.3),
    ),
    Case(
        "heartbeats, timeout 5 s, loss 0.6 %",
        {**BEATS, "detector": "timeout", "down_after": "5s"},
        {"loss": "0.6%"},
        0.994 * 0.006**5 * 365.25 * 86400,
    ),
)


def found_of(case: Case, seed: int, jobs: int | None) -> FalseFailovers:
    """The estimate of a case."""
    loaded = loaded_of(case)
    cell = loaded.cells[0]
    return false_failovers(cell.world, loaded.recorded_of(cell), seed=seed, jobs=jobs)


def loaded_of(case: Case) -> Any:
    """One master at ten milliseconds from its observer, and hardly any traffic."""
    return prepare(
        {
            "name": "false-failovers",
            "horizon": "1h",
            "replications": 2,
            "masters": [{"id": "a", "region": "here"}],
            "network": {"rtt": "10ms", "local_rtt": "10ms", **case.network},
            "traffic": {"arrivals": {"rate": "1/h"}},
            "detection": dict(case.detection),
        }
    )


def plainly(case: Case) -> Interval:
    """Mistakes a year in plain runs of the whole world."""
    loaded = loaded_of(case)
    world = dataclasses.replace(loaded.cells[0].world, horizon_ns=DAY)
    recorded = loaded.recorded_of(loaded.cells[0])
    runs = (simulate(world, recorded, seed=2, replication=n) for n in range(PLAIN_DAYS))
    return rate_interval(sum(len(measure(run).mistakes) for run in runs), PLAIN_DAYS / 365.25)


def text(found: Interval | None) -> str:
    """``1.54e-3 [1.52e-3, 1.57e-3]``."""
    if found is None or found.value is None:
        return "-"
    return f"{found.value:.4g} [{found.low:.4g}, {found.high:.4g}]"


def row(case: Case, seeds: int, jobs: int | None) -> str:
    """A case, estimated and compared."""
    began = time.perf_counter()
    found = found_of(case, 1, jobs)
    took_s = time.perf_counter() - began
    inside = "-"
    if seeds and case.exact is not None:
        every = [found_of(case, 100 + seed, jobs).told for seed in range(seeds)]
        held = sum(one is not None and one.low <= case.exact <= one.high for one in every)
        inside = f"{held} of {seeds}"
    fields = (
        case.name,
        "-" if case.exact is None else f"{case.exact:.5g}",
        text(found.told) if not found.refused else found.refused,
        text(found.check),
        text(plainly(case)) if case.plain else "-",
        inside,
        f"{took_s:.0f} s",
    )
    return "| " + " | ".join(fields) + " |"


TEXT = """# False failovers that nobody can wait for

`python results/false-failovers.py --seeds {seeds}` writes this file. The real detection service of
one master hears probes, or heartbeats, over a noisy network; a plain run would wait a thousand
years for the rarest of these. Rates are a year, intervals 95 %: by splitting (what `hasim budget`
prints), by tilting (the second method, without whose agreement nothing is printed), and, where it
sees enough, by {days} days of plain simulation of the whole world. *Exact*: the closed form of
independent loss, and the chain of (failures in a row, weather) for bursts, both in
`tests/study/rare/chains.py`. *Held*: how many of so many intervals, each with a seed of its own,
hold the exact number. Wall time on {cores} cores that others used as well.

| case | exact | splitting | tilting | plain | held | wall |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
{rows}
"""


def main() -> None:
    """Run every case and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=None)
    parser.add_argument("--seeds", type=int, default=0)
    options = parser.parse_args()
    rows = []
    for case in CASES:
        rows.append(row(case, options.seeds, options.jobs))
        sys.stdout.write(rows[-1] + "\n")
        sys.stdout.flush()
    told = TEXT.format(
        rows="\n".join(rows), seeds=options.seeds, days=PLAIN_DAYS, cores=os.cpu_count()
    )
    Path(__file__).with_name("false-failovers.md").write_text(told, encoding="utf-8")


if __name__ == "__main__":
    main()
