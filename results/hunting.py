"""The long hunt: random worlds until enough have run without a breach, and the seeded defects.

    python results/hunting.py [--worlds 100000] [--budget 10m] [--seed 1] [--defects 25]

Goes on where the last call stopped (folder `runs/hunting`), and writes results/hunting.md anew.
With `--defects S` each seeded defect of tests/hunt/defects.py is hunted for S seconds as well.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from hasim.findings.hunted import Hunted
from hasim.hunt import crew
from hasim.hunt.running import run
from hasim.hunt.search import Hunt, State
from hasim.hunt.store import keep, read, write
from hasim.study.execution.executor import default_jobs
from hasim.units import SECOND, parse_duration
from tests.hunt.defects import DEFECTS

FOLDER = Path("runs/hunting")
PAGE = Path(__file__).with_suffix(".md")
EVERY = 500
ASKED = 100_000


def hunt(seed: int, worlds: int, budget_s: float, jobs: int) -> Iterator[State]:
    """Go on with the hunt until so many worlds have run, or the time is over; now and then."""
    state = read(FOLDER, seed)
    made, began, before_s = Hunt(state), time.monotonic(), state.seconds
    source = crew.worlds(made, jobs)
    while state.number < worlds and time.monotonic() - began < budget_s:
        ran = next(source)
        state.seconds = before_s + time.monotonic() - began
        if ran.broken:
            keep(FOLDER, made.again(ran, ran.broken[0]), f"world-{state.number - 1}")
        if state.number % EVERY == 0:
            write(FOLDER, state)
            yield state
    source.close()
    write(FOLDER, state)
    yield state


def bites(name: str, seed: int, seconds: float) -> str:
    """How a defect was found: after how many worlds, by which invariants; empty if it was not."""
    made, began = Hunt(State(seed)), time.process_time()
    while time.process_time() - began < seconds:
        with pytest.MonkeyPatch.context() as patch:
            DEFECTS[name](patch)
            ran = made.step()
        # What the world breaks without the defect says nothing of it.
        broken = [n for n in ran.broken if n not in run(ran.data).broken] if ran.broken else []
        if broken:
            return f"{made.state.number} | {', '.join(broken)}"
    return ""


def page(state: State, found: dict[str, str]) -> str:
    """The page of results."""
    lines = ["# Hunting", "", "Random worlds of `hasim hunt`, by `python results/hunting.py`."]
    if state.number < ASKED:
        lines[-1] += f" A short run: {ASKED:,} worlds\nare what the command goes on to."
    lines.append("")
    lines += [Hunted(state).render("markdown").strip(), ""]
    if found:
        bitten = sum(bool(text) for text in found.values())
        lines += [
            "## Seeded defects",
            "",
            f"{bitten} of {len(found)} were found in the time that each was given.",
            "",
            "| defect | worlds | broken |",
            "| --- | ---: | --- |",
        ]
        lines += [f"| {name} | {text or 'not found |'} |" for name, text in found.items()]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Hunt, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=ASKED)
    parser.add_argument("--budget", default="10m")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--defects", type=float, default=0.0)
    parser.add_argument("--jobs", type=int, default=default_jobs())
    asked = parser.parse_args()
    known = FOLDER / "defects.json"
    found: dict[str, str] = json.loads(known.read_text()) if known.exists() else {}
    budget_s = parse_duration(asked.budget) / SECOND
    for state in hunt(asked.seed, asked.worlds, budget_s, asked.jobs):
        PAGE.write_text(page(state, found), encoding="utf-8")
    for name in DEFECTS if asked.defects else ():
        found[name] = bites(name, asked.seed, asked.defects)
        known.write_text(json.dumps(found))
    PAGE.write_text(page(state, found), encoding="utf-8")


if __name__ == "__main__":
    main()
