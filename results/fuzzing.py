"""Hostile files and arguments on the command line: 20,000 inputs, by kind, with what came of them.

    python results/fuzzing.py [--inputs 20000] [--budget 1h] [--part 1/2] [--first 19445]

Goes on where the last call stopped (folder `runs/fuzzing`), and writes results/fuzzing.md anew.
`--part 1/2` tries every other input, so that two processes share the work. With `--first` only the
inputs from that number on are tried, and what came of them is told, not written.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from hasim.units import SECOND, parse_duration
from tests.fuzz import corpus
from tests.fuzz.guard import MOST_S, peak_mib
from tests.fuzz.kinds import KINDS
from tests.fuzz.trying import Tally, kind_of, tried

FOLDER = Path("runs/fuzzing")
PAGE = Path(__file__).with_suffix(".md")
EVERY = 100


def go_on(file: Path, numbers: range, budget_s: float) -> None:
    """Try inputs from where the file stops, until all are tried or the time is over."""
    state = json.loads(file.read_text()) if file.exists() else {"next": 0, "kinds": {}, "peak": 0.0}
    kinds = {name: Tally(**one) for name, one in state["kinds"].items()}
    began, at = time.monotonic(), state["next"]
    with tempfile.TemporaryDirectory() as made:
        corpus.make(Path(made))
        while at < len(numbers) and time.monotonic() - began < budget_s:
            number = numbers[at]
            tally = kinds.setdefault(kind_of(number), Tally())
            tally.add(number, tried(number, Path(made)))
            at += 1
            if at % EVERY == 0 or at == len(numbers):
                _write(file, at, kinds, max(state["peak"], peak_mib()))
    _write(file, at, kinds, max(state["peak"], peak_mib()))


def _write(file: Path, at: int, kinds: dict[str, Tally], peak: float) -> None:
    plain = {name: asdict(tally) for name, tally in kinds.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"next": at, "kinds": plain, "peak": peak}, indent=1))


def page() -> str:
    """The table of all parts that there are."""
    parts = [json.loads(file.read_text()) for file in sorted(FOLDER.glob("part-*.json"))]
    codes = ("0", "1", "2", "3")
    lines = [
        "# Hostile files and arguments",
        "",
        "Shipped and small files, changed by their structure, their lines or their bytes (digests",
        "and checksums set right where that lets more of the program be reached), and words on the",
        "command line; each on the commands that take it. Made by `python results/fuzzing.py`;",
        "`tests/fuzz` has a fixed part of it.",
        "",
        "| kind | inputs | commands | fine | failed | bad input | undecided | faults | slowest |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    total = Counter[str]()
    for name in KINDS:
        found = [part["kinds"][name] for part in parts if name in part["kinds"]]
        count = Counter({k: sum(one[k] for one in found) for k in ("inputs", "commands")})
        for one in found:
            count.update(one["codes"])
            count["faults"] += len(one["faults"])
        total.update(count)
        slowest = max((one["slowest_s"] for one in found), default=0.0)
        cells = [count["inputs"], count["commands"], *(count[c] for c in codes), count["faults"]]
        lines.append(f"| {name} | {' | '.join(f'{c:,}' for c in cells)} | {slowest:.1f} |")
    cells = [total["inputs"], total["commands"], *(total[c] for c in codes), total["faults"]]
    lines.append(f"| all | {' | '.join(f'{c:,}' for c in cells)} | |")
    peak = max((part["peak"] for part in parts), default=0.0)
    lines += [
        "",
        "A fault is a traceback, a code 2 without a word, a raw control character, more than",
        f"{MOST_S} CPU seconds, or more than 1 GiB. The process had {peak:,.0f} MiB at most, after",
        "all inputs in turn. Faults stand as they were found; what caused them is mended. The last",
        "inputs, from 19,445 on, were tried alone (`--first 19445`): 555 with 835 commands,",
        "one fault (19857: a key that holds a mapping was a traceback), which is mended, too. Of",
        "15,500 that were then tried anew one was a fault (12586: a journal without a cluster,",
        "heard by another detector): mended. The slowest took 4.1 s, the most was 638 MiB.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Go on, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--budget", default="1h")
    parser.add_argument("--part", default="1/1")
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    part, parts = map(int, asked.part.split("/"))
    name = f"from-{asked.first}-" if asked.first else ""
    file = FOLDER / f"{name}part-{part}-of-{parts}.json"
    numbers = range(asked.first + part - 1, asked.inputs, parts)
    go_on(file, numbers, parse_duration(asked.budget) / SECOND)
    if not asked.first:
        PAGE.write_text(page())
    kinds = json.loads(file.read_text())["kinds"].values()
    faults = [fault for one in kinds for fault in one["faults"]]
    tried, commands = (sum(one[what] for one in kinds) for what in ("inputs", "commands"))
    counted = f"{tried:,} inputs, {commands:,} commands, {len(faults)} faults"
    sys.stdout.write("\n".join([*faults, counted, ""]))


if __name__ == "__main__":
    main()
