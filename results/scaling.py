"""What a study costs beside its simulations: `python results/scaling.py` writes scaling.md.

Four questions: how much faster two workers do 64 cells than one; what a cell costs beside its
simulation, up to the end of the run; how Dask on this machine compares with the process pool;
whether a plan of very many cells begins late or needs much memory. With `--complete` a fifth: what
such a plan needs if it is run to its end, tables and figures included. What is compared takes
turns, `--rounds` times; the table has medians, with the least and the most in brackets. Needs the
extra `dask`, and an idle machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hasim
from hasim.scenario.loader import Loaded, from_data
from hasim.study.execution import program
from hasim.study.execution.runner import Progress, StudyInterrupted, run_study

FALLS = list(range(1, 9))
Taken = dict[str, list[float]]
"""What was measured in each round, by name."""


@dataclass(frozen=True)
class Row:
    """A line of the table: a number of each round, what it is wanted to be at most or least."""

    what: str
    values: list[float]
    unit: str = "s"
    at_most: float | None = None
    at_least: float | None = None

    def __str__(self) -> str:
        middle = statistics.median(self.values)
        spread = f"({self._text(min(self.values))}-{self._text(max(self.values))})"
        wanted, kept = "", ""
        if self.at_most is not None:
            wanted, kept = f"≤ {self._text(self.at_most)}", str(middle <= self.at_most)
        elif self.at_least is not None:
            wanted, kept = f"≥ {self._text(self.at_least)}", str(middle >= self.at_least)
        kept = {"True": "yes", "False": "**no**"}.get(kept, "")
        return f"| {self.what} | {self._text(middle)} {spread} | {wanted} | {kept} |"

    def _text(self, value: float) -> str:
        return f"{value:.3g} {self.unit}".rstrip()


HEAD = "| what | median (least-most) | wanted | kept |\n|---|---:|---:|---|"


# -- the cells ---------------------------------------------------------------------------


def scenario(horizon_s: float, vary: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Three masters, of which one crashes now and then, and 20 messages a second."""
    return {
        "name": "scaling",
        "horizon": f"{horizon_s:.3f}s",
        "replications": 1,
        "masters": [{"id": "a"}, {"id": "b", "priority": 2}, {"id": "c", "priority": 3}],
        "traffic": {"arrivals": {"law": "poisson", "rate": "20/s"}},
        "faults": [{"kind": "crash", "target": "random", "every": "2m", "for": "20s"}],
        "detection": {"interval": "5s"},
        "vary": {"grid": dict(vary)},
    }


def cells_of(count: int, cell_s: float) -> Loaded:
    """So many cells, alike in cost, each of which takes about `cell_s` on one core."""
    short_s = 600.0
    one = from_data(scenario(short_s, {"detection.rise": [1, 2, 3]}))
    # The first compiles what its process lacks.
    _, *later = (outcome.wall_s for outcome in run_study(one, jobs=1).ordered())
    horizon_s = max(1.0, short_s * cell_s / statistics.median(later))
    rises = list(range(1, count // len(FALLS) + 1))
    return from_data(scenario(horizon_s, {"detection.fall": FALLS, "detection.rise": rises}))


# -- what takes turns --------------------------------------------------------------------


def elapsed(function: Callable[[], object]) -> float:
    """Seconds on the wall."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def take_turns(rounds: int, once: Mapping[str, Callable[[], float]]) -> Taken:
    """Each in its turn, so many times."""
    taken: Taken = {name: [] for name in once}
    for number in range(rounds):
        for name, measure in once.items():
            taken[name].append(measure())
            sys.stderr.write(f"round {number + 1}, {name}: {taken[name][-1]:.3f}\n")
    return taken


def ratios(taken: Taken, above: str, below: str) -> list[float]:
    """One divided by the other, round by round."""
    return [a / b for a, b in zip(taken[above], taken[below], strict=True)]


def burn(steps: int) -> int:
    """Work that needs nothing but a core."""
    total = 0
    for step in range(steps):
        total += step * step
    return total


def burnt_on(workers: int, steps: int) -> float:
    """Seconds that two pieces of such work take, on processes that run already."""
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        pool.map(burn, [1] * workers, chunksize=1)
        return elapsed(lambda: pool.map(burn, [steps, steps], chunksize=1))


def speed_up(cells: int, cell_s: float, rounds: int) -> list[Row]:
    """One worker beside two, and beside what the machine itself gives."""
    loaded = cells_of(cells, cell_s)
    steps = int(1e7)
    taken = take_turns(
        rounds,
        {
            "one worker": lambda: elapsed(lambda: run_study(loaded, jobs=1)),
            "two workers": lambda: elapsed(lambda: run_study(loaded, jobs=2)),
            "bare loop, one process": lambda: burnt_on(1, steps),
            "bare loop, two processes": lambda: burnt_on(2, steps),
        },
    )
    bare = ratios(taken, "bare loop, one process", "bare loop, two processes")
    return [
        Row(f"{cells} cells, one worker", taken["one worker"]),
        Row(f"{cells} cells, two workers, with their start", taken["two workers"]),
        Row("faster by", ratios(taken, "one worker", "two workers"), "x", at_least=1.8),
        Row("a bare loop on two processes is faster by", bare, "x"),
    ]


def beside_simulation(cells: int, rounds: int) -> list[Row]:
    """What a cell costs beside its simulation and its measures, up to the end of the run.

    Of a run with all cells and one with a quarter of them the ends are timed: what they take alike
    is fixed, what they differ by is due to the cells. Both have more cells than figures show.
    """
    large, small = cells_of(cells, 0.01), cells_of(cells // 4, 0.01)
    _timed_run(small)  # the first run of a process imports what draws, and looks for fonts
    spent: Taken = {"simulating": [], "study": [], "fixed": [], "end": [], "both": []}
    for _ in range(rounds):
        simulated_s, study_s, end_s = _timed_run(large)
        *_, small_end_s = _timed_run(small)
        each_s = (end_s - small_end_s) / (len(large.cells) - len(small.cells))
        spent["simulating"].append(1e3 * simulated_s / cells)
        spent["study"].append(1e3 * study_s / cells)
        spent["end"].append(1e3 * each_s)
        spent["fixed"].append(end_s - each_s * len(large.cells))
        spent["both"].append(spent["study"][-1] + spent["end"][-1])
    return [
        Row(f"simulation and measures of each of {cells} cells", spent["simulating"], "ms"),
        Row("beside it, plan and run folder", spent["study"], "ms"),
        Row("tables and figures at the end of the run, of each cell", spent["end"], "ms"),
        Row("both, of each cell", spent["both"], "ms", at_most=5),
        Row("tables and figures at the end of the run, whatever the cells", spent["fixed"]),
    ]


def _timed_run(loaded: Loaded) -> tuple[float, float, float]:
    """Seconds of a run on one core: simulating, beside it, and once all cells are done."""
    last_s, simulated_s = 0.0, 0.0

    def watch(progress: Progress) -> None:
        nonlocal last_s, simulated_s
        last_s = time.perf_counter()
        simulated_s += progress.outcome.wall_s

    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        hasim.run(loaded, jobs=1, out=Path(folder) / "run", progress=watch)
        ended = time.perf_counter()
    return simulated_s, last_s - started - simulated_s, ended - last_s


def dask_beside_pool(cells: int, cell_s: float, rounds: int) -> list[Row]:
    """Two workers of Dask beside two of the pool: from nothing, and once they run."""
    loaded = cells_of(cells, cell_s)
    begun: Taken = {"pool": [], "dask": []}

    def once(name: str, **how: Any) -> Callable[[], float]:
        def run() -> float:
            whole_s, steady_s = _steady(loaded, **how)
            begun[name].append(steady_s)
            return whole_s

        return run

    taken = take_turns(
        rounds,
        {"pool": once("pool", jobs=2), "dask": once("dask", jobs=2, dask="local")},
    )
    return [
        Row(f"{cells} cells of about {cell_s:g} s, pool of two, with their start", taken["pool"]),
        Row("Dask, two workers on this machine, with their start", taken["dask"]),
        Row("Dask / pool, with their start", ratios(taken, "dask", "pool"), "x"),
        Row("Dask / pool, once both work", ratios(begun, "dask", "pool"), "x", at_most=1.15),
    ]


def _steady(loaded: Loaded, **how: Any) -> tuple[float, float]:
    """Seconds of a study, and of that from the first outcome of it to the last."""
    seen: list[float] = []
    started = time.perf_counter()
    run_study(loaded, progress=lambda _: seen.append(time.perf_counter()), **how)
    return time.perf_counter() - started, seen[-1] - seen[0]


# -- plans of very many cells --------------------------------------------------------------


def begin(cells: int, done: int, since: float) -> dict[str, float]:
    """Begin a plan, do so many cells of it and stop: when the first began, and the memory.

    `since` is when this process was started (seconds since the epoch).
    """
    grid: dict[str, list[Any]] = {
        "detection.fall": list(range(1, 11)),
        "detection.rise": list(range(1, 11)),
        "detection.interval": [f"{2000 + n}ms" for n in range(cells // 100)],
    }
    first_s: list[float] = []
    peaks: dict[str, float] = {}

    def watch(progress: Progress) -> None:
        if not first_s:
            first_s.append(time.time() - since - progress.outcome.wall_s)
        if progress.done >= done:
            workers = [peak_mib(str(one.pid)) for one in multiprocessing.active_children()]
            peaks.update(own=peak_mib("self"), workers=max(workers))
            raise KeyboardInterrupt

    with tempfile.TemporaryDirectory() as folder:
        try:
            loaded = from_data(scenario(60, grid))
            run_study(loaded, jobs=2, out=Path(folder) / "run", progress=watch)
        except StudyInterrupted:
            pass
    return {"first_s": first_s[0], **peaks}


def peak_mib(process: str) -> float:
    """The most memory that a process had so far (Linux; not inherited, as `ru_maxrss` is)."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    kibi = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kibi) / 1024


def large_plans(sizes: tuple[int, int], done: int, rounds: int) -> list[Row]:
    """A small and a large plan, of which as many cells are done, in processes of their own."""
    found: dict[int, list[dict[str, float]]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size in sizes:
            asked = {"--begin": size, "--done": done, "--since": time.time()}
            words = [str(word) for pair in asked.items() for word in pair]
            command = [sys.executable, __file__, *words]
            answer = subprocess.run(command, capture_output=True, text=True, check=True)
            found[size].append(json.loads(answer.stdout))
            sys.stderr.write(f"{size} cells: {found[size][-1]}\n")
    rows = []
    for size in sizes:
        first = [one["first_s"] for one in found[size]]
        rows += [
            Row(
                f"plan of {size:,} cells, from the command until the first begins", first, at_most=5
            ),
            Row("its peak memory", [one["own"] for one in found[size]], "MiB"),
            Row("that of a worker at most", [one["workers"] for one in found[size]], "MiB"),
        ]
    small, large = (found[size] for size in sizes)
    for name, what in (("own", "memory"), ("workers", "memory of a worker")):
        more = [b[name] / a[name] for a, b in zip(small, large, strict=True)]
        rows.append(Row(f"{what}, large plan / small plan", more, "x", at_most=1.1))
    return rows


# -- a plan of very many cells, to its end -------------------------------------------------


def trivial(cells: int) -> Loaded:
    """Cells of next to nothing: one master, one second, a message or so."""
    grid = {
        "detection.fall": list(range(1, 11)),
        "detection.rise": list(range(1, 11)),
        "detection.interval": [f"{2000 + n}ms" for n in range(cells // 100)],
    }
    return from_data(
        {
            "name": "complete",
            "horizon": "1s",
            "replications": 1,
            "masters": [{"id": "a"}],
            "traffic": {"arrivals": {"law": "poisson", "rate": "1/s"}},
            "vary": {"grid": grid},
        }
    )


def complete(cells: int) -> dict[str, float]:
    """Run a plan to its end, tables and figures included: seconds, and the most memory."""
    peaks = {"workers": 0.0}

    def watch(progress: Progress) -> None:
        if progress.done % 500 and progress.done < cells:
            return
        for one in multiprocessing.active_children():
            with contextlib.suppress(OSError, StopIteration):  # it has just ended
                peaks["workers"] = max(peaks["workers"], peak_mib(str(one.pid)))

    loaded = trivial(cells)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        run_s = elapsed(lambda: hasim.run(loaded, jobs=2, out=path, progress=watch))
    return {"run_s": run_s, "own": peak_mib("self"), **peaks}


def complete_plans(sizes: tuple[int, int]) -> list[Row]:
    """A small and a large plan of trivial cells, each once and in a process of its own.

    The small one should have more cells than are kept in memory
    (`hasim.study.planning.outcomes.IN_MEMORY`).
    """
    found = {}
    for size in sizes:
        command = [sys.executable, __file__, "--complete-one", str(size)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        found[size] = json.loads(answer.stdout)
        sys.stderr.write(f"{size} cells to the end: {found[size]}\n")
    rows = []
    for size, one in found.items():
        rows += [
            Row(f"{size:,} cells, to the end of the run", [one["run_s"]]),
            Row("of each cell", [1e3 * one["run_s"] / size], "ms"),
            Row("its peak memory", [one["own"]], "MiB"),
            Row("that of a worker at most", [one["workers"]], "MiB"),
        ]
    small, large = (found[size] for size in sizes)
    more = large["own"] / small["own"]
    return [*rows, Row("memory, large plan / small plan", [more], "x", at_most=1.1)]


# -- the page ------------------------------------------------------------------------------


def page(command: str, parts: list[tuple[str, list[Row]]], load_before: float) -> str:
    """The whole of scaling.md; `load_before` is the load average when all began."""
    lines = [
        "# What a study costs beside its simulations",
        "",
        f"Measured with {_program()}, Python {platform.python_version()}, on "
        f"{_processor()}, {os.cpu_count()} cores; load average {load_before:.1f} at the start, "
        f"{os.getloadavg()[0]:.1f} at the end.",
        "Seconds on the wall; other machines give other numbers.",
        "",
        f"    {command}",
    ]
    for title, rows in parts:
        lines += ["", f"## {title}", "", HEAD, *map(str, rows)]
    return "\n".join(lines) + "\n"


def _program() -> str:
    """The version, and the commit of the tree that is measured, which may not be installed."""
    at = program.commit()
    return f"hasim {hasim.__version__}" + (
        f" (commit {at[:12]}{'+' * at.endswith('+')})" if at else ""
    )


def _processor() -> str:
    try:
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        info = ""
    names = [line.partition(":")[2] for line in info.splitlines() if line.startswith("model name")]
    return names[0].strip() if names else platform.processor() or platform.machine()


def arguments() -> argparse.ArgumentParser:
    """The sizes of everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cells", type=int, default=64, help="a multiple of 16")
    parser.add_argument("--cell-s", type=float, default=1.0, help="seconds that a cell takes")
    parser.add_argument("--small-cells", type=int, default=800, help="of 10 ms; 256 or more in 32s")
    parser.add_argument("--plan", type=int, default=100_000, help="a multiple of 100")
    parser.add_argument("--small-plan", type=int, default=1_000, help="a multiple of 100")
    parser.add_argument("--done", type=int, default=1_000, help="cells that are done of each plan")
    parser.add_argument(
        "--complete", action="store_true", help="also run plans to their end (an hour)"
    )
    parser.add_argument("--complete-cells", type=int, nargs=2, default=(25_000, 100_000))
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("scaling.md"))
    parser.add_argument("--begin", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--complete-one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--since", type=float, help=argparse.SUPPRESS)
    return parser


def main() -> None:
    """Measure all and write the page."""
    given = arguments().parse_args()
    if given.begin is not None:
        sys.stdout.write(json.dumps(begin(given.begin, given.done, given.since)))
        return
    if given.complete_one is not None:
        sys.stdout.write(json.dumps(complete(given.complete_one)))
        return
    load_before = os.getloadavg()[0]
    sizes = (given.small_plan, given.plan)
    parts = [
        ("Two workers beside one", speed_up(given.cells, given.cell_s, given.rounds)),
        ("A cell beside its simulation", beside_simulation(given.small_cells, given.rounds)),
        (
            # Shorter and oftener, since the ratio is wanted more finely than the machine is steady.
            "Dask beside the process pool",
            dask_beside_pool(given.cells // 2, given.cell_s, 3 * given.rounds),
        ),
        (
            f"Plans of very many cells, of which {given.done:,} are done",
            large_plans(sizes, given.done, given.rounds),
        ),
    ]
    if given.complete:
        small, large = given.complete_cells
        parts.append(("Plans of very many cells, to their end", complete_plans((small, large))))
    words = ["python", "results/scaling.py", *sys.argv[1:]]
    text = page(" ".join(words), parts, load_before)
    given.out.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    if "**no**" in text:
        sys.exit(1)


if __name__ == "__main__":
    main()
