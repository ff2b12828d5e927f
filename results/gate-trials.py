"""How often the gate is wrong about an unchanged program.

`python results/gate-trials.py > results/gate-trials.md`; 80 minutes of one core for 200 trials.

Each trial takes a fresh seed, records a baseline of the default suite, and compares the same
program with it after the streams of the control plane's own traffic (crossings of the network,
errors of probes, the fencing device) were given other keys: other luck, same behaviour. A
regression is a false alarm; inconclusive means that the suite's cap on replications was too low.
Trials that were done are kept in `--keep FILE` and not repeated.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from scipy import stats

from hasim.simulation import streams
from hasim.study.gate import DEFAULT_SUITE, bench, read_suite, record

FIRST_SEED = 1000
INCONCLUSIVE = 0.05
"""The share of trials that may be inconclusive: exit code 1 if there are more, or a regression."""
CONTROL = ("link:", "probe-errors:", "fencing:")


def other(seed: int, replication: int, concern: str) -> np.random.Generator:
    """The generator of a concern; another one for the control plane's own traffic."""
    return GENERATOR(
        seed, replication, f"again:{concern}" if concern.startswith(CONTROL) else concern
    )


GENERATOR = streams.generator
HEAD = """# How often the gate is wrong about an unchanged program

`python results/gate-trials.py > results/gate-trials.md` ({trials} trials, seeds 1000 to {last})

Each trial records a baseline of the default suite with a fresh seed and compares the same program
with it, whose control traffic (crossings of the network, errors of probes, the fencing device)
drew from other streams. A regression would be a false alarm; inconclusive is a suite whose cap
on replications was too low. The second table says how many trials put each cell to the test.

"""


def trial(seed: int) -> dict[str, Any]:
    """The verdict on one fresh seed, which measures were not plainly passed, what was tried.

    Raises RuntimeError if the new keys changed the behaviour of no cell.
    """
    suite = read_suite(DEFAULT_SUITE, {"seed": seed})
    baseline, _ = record(suite, jobs=1)
    with mock.patch.object(streams, "generator", other):
        report = bench(suite, baseline, jobs=1)
    if not report.changed:
        raise RuntimeError(f"seed {seed}: the new keys changed nothing, so nothing was tried")
    doubtful = [f"{c.cell} {c.measure}" for c in report.comparisons if c.verdict != "pass"]
    changed = [change.cell for change in report.changed]
    cells = [cell.name for cell in suite.cells]
    return {
        "seed": seed,
        "verdict": report.verdict,
        "doubtful": doubtful,
        "cells": cells,
        "changed": changed,
    }


def table(trials: list[dict[str, Any]]) -> str:
    """Verdicts with Clopper-Pearson intervals, what was not passed, and what was tried."""
    lines = ["| verdict | trials | share, 95 % |", "| --- | ---: | ---: |"]
    counts = Counter(t["verdict"] for t in trials)
    for verdict in ("pass", "inconclusive", "regression"):
        found = stats.binomtest(counts[verdict], len(trials)).proportion_ci()
        share = f"{found.low:.1%} to {found.high:.1%}"
        lines.append(f"| {verdict} | {counts[verdict]} | {share} |")
    doubtful = Counter(name for t in trials for name in t["doubtful"])
    if doubtful:
        names = ", ".join(f"{name} ({count})" for name, count in doubtful.most_common())
        lines += ["", f"Not passed: {names}."]
    lines += ["", "| cell | trials in which the new keys changed its behaviour |", "| --- | ---: |"]
    for cell in trials[0]["cells"]:
        lines.append(f"| {cell} | {sum(cell in t['changed'] for t in trials)} of {len(trials)} |")
    return "\n".join(lines)


def main() -> None:
    """Run what is missing, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    done: list[dict[str, Any]] = []
    if chosen.keep and chosen.keep.exists():
        done = [json.loads(line) for line in chosen.keep.read_text().splitlines()]
    done = [t for t in done if "changed" in t]  # not of an earlier version of this script
    known = {t["seed"] for t in done}
    seeds = [s for s in range(FIRST_SEED, FIRST_SEED + chosen.trials) if s not in known]
    with ProcessPoolExecutor(chosen.jobs) as pool:
        for future in as_completed([pool.submit(trial, seed) for seed in seeds]):
            done.append(future.result())
            if chosen.keep:
                with chosen.keep.open("a") as out:
                    out.write(json.dumps(done[-1]) + "\n")
    sys.stdout.write(HEAD.format(trials=len(done), last=FIRST_SEED + chosen.trials - 1))
    sys.stdout.write(table(sorted(done, key=lambda t: t["seed"])) + "\n")
    counts = Counter(t["verdict"] for t in done)
    if counts["regression"] or counts["inconclusive"] > INCONCLUSIVE * len(done):
        sys.exit(1)


if __name__ == "__main__":
    main()
