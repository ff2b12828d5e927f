"""The long hunt: random worlds until enough have run without a breach, and the seeded defects.

    python results/hunting.py [--worlds 100000] [--budget 10m] [--seed 2] [--defects 120 [--all]]

Goes on where the last call stopped (folder `runs/hunting`, one for each seed), and writes
results/hunting.md anew. A call that is killed loses the worlds since it wrote last, 500 at most.
With `--defects S` each of the twenty seeded defects that are asked for is hunted for S seconds of
the processor first, with `--all` each other one of tests/defects as well; what is not found so is
looked for by the tests of its part. Each is kept as it is done.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from hasim.findings.hunted import Hunted
from hasim.hunt import crew
from hasim.hunt.coverage import thinkable
from hasim.hunt.drawing import kinds
from hasim.hunt.search import Hunt, State
from hasim.hunt.store import keep, read, write
from hasim.study.execution.executor import default_jobs
from hasim.units import SECOND, parse_duration
from tests.defects import DEFECTS
from tests.defects.published import ASKED as ASKED_FOR
from tests.defects.published import LIST, folders_of
from tests.defects.putting import examined

FOLDER = Path("runs/hunting")
DEFECTS_FOUND = FOLDER / "defects.json"
PAGE = Path(__file__).with_suffix(".md")
EVERY = 500
ASKED = 100_000
LOOKED_AT = (
    "All invariants are looked at in each world, but for one: in every fourth the recorded inputs "
    "are also fed to a second control plane (`no-clairvoyance`). Half of the worlds are drawn, "
    "half are earlier ones that reached something new, changed."
)


def hunt(seed: int, worlds: int, budget_s: float, jobs: int) -> Iterator[State]:
    """Go on with the hunt until so many worlds have run, or the time is over; now and then."""
    folder = FOLDER / f"seed-{seed}"
    state = read(folder, seed)
    made, began, before_s = Hunt(state), time.monotonic(), state.seconds
    source = crew.worlds(made, jobs)
    while state.number < worlds and time.monotonic() - began < budget_s:
        ran = next(source)
        state.seconds = before_s + time.monotonic() - began
        if ran.broken:
            keep(folder, made.again(ran, ran.broken[0]), f"world-{state.number - 1}")
        if state.number % EVERY == 0:
            write(folder, state)
            yield state
    source.close()
    write(folder, state)
    yield state


def examine(
    seed: int, seconds: float, jobs: int, names: Iterable[str], known: dict[str, dict[str, Any]]
) -> Iterator[None]:
    """Hunt for each of these defects that is not yet known; what comes of it is kept one by one."""
    left = [name for name in names if name not in known]
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        asked = {
            pool.submit(examined, name, seed, seconds, folders_of(name)): name for name in left
        }
        for done in as_completed(asked):
            known[asked[done]] = done.result()
            DEFECTS_FOUND.parent.mkdir(parents=True, exist_ok=True)
            partial = DEFECTS_FOUND.with_name(DEFECTS_FOUND.name + ".part")
            partial.write_text(json.dumps(known), encoding="utf-8")
            partial.replace(DEFECTS_FOUND)
            yield


def _told(found: dict[str, Any] | None) -> str:
    """Four cells: after how many worlds, and seconds, what it breaks, by how many faults; or else.

    The seconds are those of one processor, with the shrinking.
    """
    if not found:
        return "- | - | not tried |"
    if "worlds" in found:
        cells = [found["worlds"], found["seconds"], ", ".join(found["broken"]), found["faults"]]
        return " | ".join(map(str, cells))
    return f"- | - | a test: `{found['killed']}` |" if found["killed"] else "- | - | not found |"


def _counted(names: Iterable[str], known: dict[str, dict[str, Any]]) -> str:
    listed = [known.get(name, {}) for name in names]
    seen = sum("worlds" in one for one in listed)
    killed = sum(bool(one.get("killed")) for one in listed)
    return f"Of {len(listed)} the hunt finds {seen}; tests kill {killed} of the others."


def _not_reached(state: State) -> Iterator[str]:
    """What no world has reached of what can be thought of."""
    yield from ("## Not reached", "", "Of what can be thought of, possible or not:", "")
    for group, features in thinkable(kinds()).items():
        missing = sorted(one.partition(": ")[2] for one in features - state.reached.keys())
        if group == "fault in state":  # by state: the list is long
            of_state: dict[str, list[str]] = {}
            for one in missing:
                kind, _, where = one.partition(" while ")
                of_state.setdefault(where, []).append(kind)
            missing = [f"while {where}: {', '.join(of)}" for where, of in sorted(of_state.items())]
        told = "; ".join(missing) or "nothing"
        yield f"- {group}: {told}"
    yield ""


def page(state: State, found: dict[str, dict[str, Any]]) -> str:
    """The page of results."""
    lines = ["# Hunting", "", "Random worlds of `hasim hunt`, by `python results/hunting.py`."]
    if state.number < ASKED:
        lines[-1] += f" A short run: {ASKED:,} worlds\nare what the command goes on to."
    lines += ["", *textwrap.wrap(LOOKED_AT, 100)]
    lines += ["", Hunted(state).render("markdown").strip(), "", *_not_reached(state)]
    head = ["worlds | seconds | broken | faults |", "---: | ---: | --- | ---: |"]
    if found:
        lines += ["## Seeded defects", "", "Small defects, put into the services one at a time."]
        lines += ["", "Twenty that are asked for, with the seconds of a processor until the world"]
        lines += [f"was shrunk to so many faults: {_counted(ASKED_FOR, found)}", ""]
        lines += [f"| defect | {head[0]}", f"| --- | {head[1]}"]
        lines += [f"| {name} | {_told(found.get(name))} |" for name in ASKED_FOR]
    if any(one.name in found for one in LIST if one.name not in ASKED_FOR):
        lines += ["", "The list of forty-six:", _counted([one.name for one in LIST], found), ""]
        lines += [f"| part | defect | {head[0]}", f"| --- | --- | {head[1]}"]
        lines += [f"| {one.part} | {one.what} | {_told(found.get(one.name))} |" for one in LIST]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Hunt, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=ASKED)
    parser.add_argument("--budget", default="10m")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--defects", type=float, default=0.0)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=default_jobs())
    asked = parser.parse_args()
    found: dict[str, dict[str, Any]] = {}
    if DEFECTS_FOUND.exists():
        found = json.loads(DEFECTS_FOUND.read_text(encoding="utf-8"))
    budget_s = parse_duration(asked.budget) / SECOND
    if asked.defects:
        names = dict.fromkeys([*ASKED_FOR, *(DEFECTS if asked.all else ())])
        for _ in examine(asked.seed, asked.defects, asked.jobs, names, found):
            kept = read(FOLDER / f"seed-{asked.seed}", asked.seed)
            PAGE.write_text(page(kept, found), encoding="utf-8")
    for state in hunt(asked.seed, asked.worlds, budget_s, asked.jobs):
        PAGE.write_text(page(state, found), encoding="utf-8")


if __name__ == "__main__":
    main()
