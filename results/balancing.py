"""All balancing algorithms under each kind of fault: `python results/balancing.py`.

Runs the scenario `balancing` twice with the same chance: for its measures, and once more with the
bins of MSER-5 (warm_up: mser-5), which hold sums of latencies and counts of answers for every
0.24 s; and without any fault, to be compared with message for message. Writes the figures
balancing.svg and balancing-course.svg, and all of balancing.md below its heading "Tables".
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

import hasim
from hasim.measures import Measured
from hasim.report.format import estimate_text, percent, seconds
from hasim.report.style import GREY, colour, look, save
from hasim.scenario.catalogue import shipped
from hasim.scenario.loader import load
from hasim.study.estimate import Estimate
from hasim.study.statistics import mean_interval

HERE = Path(__file__).parent
BELOW = "## Tables\n"
MEASURES = {
    "latency.p50": "latency p50",
    "latency.p99": "p99",
    "latency.p99.9": "p99.9",
    "success": "success",
    "balance.cv": "CoV of loads",
}
NONE = "none"
PART_S = 0.96  # four bins
SLOWER, LOST = 1.2, 0.01
"""Normal again: the mean latency within 20 % of that without the fault, 1 % lost at most."""
SHOWN = ("round-robin", "least-loaded", "two-choices", "peak-ewma", "prequal", "priority-spillover")
DRAWS = 1000
Floats = NDArray[np.float64]
Cells = Mapping[tuple[str, str], Sequence[Measured]]
"""The replications of each (kind of fault, algorithm)."""
Tables = dict[tuple[str, str], dict[str, str]]


@dataclass(frozen=True)
class Course:
    """One cell bin by bin: arrays of shape (replications, bins), of messages by their arrival."""

    latency_s: Floats
    answered: Floats
    bin_s: float

    @classmethod
    def of(cls, runs: Sequence[Measured]) -> Course:
        """The course of a cell that was run with warm_up: mser-5."""
        latency_s = [[x for block in run.blocks for x in block.latency_s] for run in runs]
        answered = [[x for block in run.blocks for x in block.answered] for run in runs]
        bins = len(answered[0])
        return cls(np.array(latency_s), np.array(answered, float), runs[0].horizon_s / bins)

    def aligned(self, times_s: Sequence[float], before: int, after: int) -> tuple[Floats, Floats]:
        """Latencies and answers in bins around a time of each replication: first whole one is 0."""
        starts = [int(np.ceil(t / self.bin_s)) for t in times_s]
        pick = [np.arange(start - before, start + after) for start in starts]
        rows = np.arange(len(starts))[:, None]
        return self.latency_s[rows, pick], self.answered[rows, pick]


def runs_of(warm_up: str | None, replications: int | None, jobs: int | None) -> dict[Any, Any]:
    """Estimates and replications of every cell, by kind of fault and algorithm."""
    algorithms = load(shipped()["balancing"]).scenario.vary.grid["balancing.algorithm"]
    changed: dict[str, Any] = {} if warm_up is None else {"warm_up": warm_up}
    alone = {"faults": [], "vary": {"balancing.algorithm": list(algorithms)}}
    found = {}
    for overrides in (alone, {}):
        result = hasim.run(
            "balancing", replications=replications, jobs=jobs, overrides={**changed, **overrides}
        )
        for place, (cell, varied) in enumerate(result.cells):
            key = varied.get("faults.0.kind", NONE), varied["balancing.algorithm"]
            estimates = result.estimates[place] if warm_up is None else {}
            found[key] = estimates, list(result.measured(cell).values())
    return found


# -- what hasim does not measure by itself ----------------------------------------------------


def lost(runs: Sequence[Measured], own: Course, without: Course, all_of_it: bool) -> Estimate:
    """Answers fewer than without the fault, until it was declared (or cured), or of the whole."""
    counts = []
    for place, run in enumerate(runs):
        (incident,) = run.incidents
        noticed_s = incident.declared_at_s or incident.cured_at_s or run.horizon_s
        end_s = run.horizon_s if all_of_it else noticed_s
        span = slice(int(incident.started_at_s / own.bin_s), int(np.ceil(end_s / own.bin_s)))
        counts.append((without.answered[place, span] - own.answered[place, span]).sum())
    found = mean_interval(counts)
    return Estimate("lost", "count", found.value, found.low, found.high, found.n, found.method)


def back_to_normal(runs: Sequence[Measured], own: Course, without: Course) -> str:
    """Time after the cure from which all is normal, with a bootstrap interval over replications."""
    cured = [run.incidents[0].cured_at_s or 0.0 for run in runs]
    each = round(PART_S / own.bin_s)
    parts = (int((runs[0].horizon_s - max(cured)) / own.bin_s) - 1) // each

    def by_part(rows: Floats) -> Floats:
        summed: Floats = rows.reshape(len(runs), parts, each).sum(axis=2)
        return summed

    sums = [by_part(x) for c in (own, without) for x in c.aligned(cured, 0, parts * each)]

    def last_abnormal(chosen: NDArray[np.int64]) -> float:
        latency, answered, usual, all_answered = (x[chosen].sum(axis=0) for x in sums)
        mean, expected = latency / np.maximum(answered, 1), usual / np.maximum(all_answered, 1)
        abnormal = (mean > SLOWER * expected) | (answered < (1 - LOST) * all_answered)
        return float(PART_S * (np.flatnonzero(abnormal)[-1] + 1)) if abnormal.any() else 0.0

    everybody = np.arange(len(runs))
    rng = np.random.default_rng(1)
    drawn = [last_abnormal(rng.choice(everybody, len(everybody))) for _ in range(DRAWS)]
    low, high = np.quantile(drawn, [0.025, 0.975], method="nearest")
    most = PART_S * parts

    def shown(value: float) -> str:
        return f"> {most - PART_S:.1f}" if value == most else f"{value:.1f}"

    return f"{shown(last_abnormal(everybody))} s [{shown(low)}, {shown(high)}]"


# -- Markdown -----------------------------------------------------------------------------------


def tables(found: Mapping[Any, Any], courses: Cells) -> tuple[Tables, dict[tuple[str, str], float]]:
    """The cells of the table as texts, and the messages lost in all."""
    made: Tables = {}
    gone = {}
    for (kind, algorithm), (estimates, _) in found.items():
        row = {name: estimate_text(estimates[measure]) for measure, name in MEASURES.items()}
        if kind != NONE:
            runs = courses[kind, algorithm]
            own, without = Course.of(runs), Course.of(courses[NONE, algorithm])
            whole = lost(runs, own, without, all_of_it=True)
            row["lost until noticed"] = estimate_text(lost(runs, own, without, all_of_it=False))
            row["lost in all"] = estimate_text(whole)
            row["normal after"] = back_to_normal(runs, own, without)
            gone[kind, algorithm] = whole.value or 0.0
        made[kind, algorithm] = row
    return made, gone


def markdown(made: Tables) -> str:
    """A table for each kind of fault."""
    lines = []
    for kind in dict.fromkeys(kind for kind, _ in made):
        rows = {algorithm: row for (own, algorithm), row in made.items() if own == kind}
        columns = list(next(iter(rows.values())))
        lines += ["", "### No fault" if kind == NONE else f"### {kind}", ""]
        lines += [f"| algorithm | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
        lines += [f"| {name} | {' | '.join(row.values())} |" for name, row in rows.items()]
    return "\n".join(lines) + "\n"


# -- figures --------------------------------------------------------------------------------------


def overview(found: Mapping[Any, Any], gone: Mapping[tuple[str, str], float]) -> Figure:
    """p99 latency, success and messages lost: a square for each algorithm and kind of fault."""
    kinds = list(dict.fromkeys(kind for kind, _ in found))
    names = list(dict.fromkeys(name for _, name in found))
    p99 = {key: estimates["latency.p99"].value for key, (estimates, _) in found.items()}
    cv = {key: estimates["balance.cv"].value for key, (estimates, _) in found.items()}
    with look():
        figure = Figure(figsize=(11.5, 7.5), layout="constrained")
        panels = figure.subplots(1, 3, sharey=True)
        _squares(panels[0], "p99 latency", p99, kinds, names, seconds)
        _squares(panels[1], "messages lost by a fault", gone, kinds[1:], names, _count)
        _squares(panels[2], "coefficient of variation of loads", cv, kinds, names, _two_digits)
    return figure


def _count(value: float) -> str:
    return f"{value:.0f}"


def _two_digits(value: float) -> str:
    """A coefficient of variation in a square."""
    return f"{value:.3f}" if value < 0.01 else f"{value:.2f}"


def _squares(
    axes: Any,
    heading: str,
    values: Mapping[tuple[str, str], float],
    kinds: Sequence[str],
    names: Sequence[str],
    text: Any,
) -> None:
    grid = np.array([[values[kind, name] for kind in kinds] for name in names])
    least = max(float(grid.min()), float(grid.max()) / 1000)
    shades = LogNorm(least, float(grid.max()))
    axes.imshow(np.maximum(grid, least), norm=shades, cmap="Blues", aspect="auto")
    axes.grid(visible=False)
    axes.set_title(heading)
    axes.set_xticks(range(len(kinds)), kinds, rotation=35, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for row, column in np.ndindex(grid.shape):
        value = float(grid[row, column])
        dark = shades(max(value, least)) > 0.6
        where = {"ha": "center", "va": "center", "fontsize": 7}
        axes.text(column, row, text(value), color="white" if dark else "black", **where)


def over_time(courses: Cells) -> Figure:
    """Messages lost and the mean latency, second by second, for some algorithms."""
    kinds = [kind for kind in dict.fromkeys(kind for kind, _ in courses) if kind != NONE]
    with look():
        figure = Figure(figsize=(11.5, 5.2), layout="constrained")
        panels = figure.subplots(2, len(kinds), sharex=True, sharey="row")
        for column, kind in enumerate(kinds):
            for number, name in enumerate(SHOWN):
                _course(panels[:, column], courses[kind, name], courses[NONE, name], number, name)
            panels[0, column].set_title(kind)
            panels[1, column].set_xlabel("since the fault, s")
            for axes in panels[:, column]:
                axes.axvspan(0, 30, color="#f0f0f0", zorder=0)
        panels[0, 0].yaxis.set_major_formatter(lambda share, _: percent(share))
        panels[0, 0].set_ylabel("messages lost")
        panels[1, 0].set_yscale("log")
        panels[1, 0].yaxis.set_major_formatter(lambda time, _: seconds(time))
        panels[1, 0].set_yticks([0.03, 0.1, 0.3, 1.0])
        panels[1, 0].minorticks_off()
        panels[1, 0].set_ylabel("mean latency of answers")
        handles, names = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=len(SHOWN))
        figure.suptitle("Means over all replications; shaded: the fault", color=GREY, fontsize=9)
    return figure


def _course(
    panels: Any, runs: Sequence[Measured], without: Sequence[Measured], number: int, name: str
) -> None:
    own, usual = Course.of(runs), Course.of(without)
    started = [run.incidents[0].started_at_s for run in runs]
    before, after = 20, 4 * 54
    latency, answered = (
        x.sum(axis=0).reshape(-1, 4).sum(axis=1) for x in own.aligned(started, before, after)
    )
    _, expected = (
        x.sum(axis=0).reshape(-1, 4).sum(axis=1) for x in usual.aligned(started, before, after)
    )
    times = (np.arange(len(answered)) * 4 - before + 2) * own.bin_s
    style = {"color": colour(number), "label": name, "linewidth": 1.1}
    panels[0].plot(times, 1 - answered / expected, **style)
    panels[1].plot(times, latency / np.maximum(answered, 1), **style)


def main() -> None:
    """Write the tables and figures."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--replications", type=int, help="instead of the scenario's")
    asked.add_argument("--jobs", type=int, help="processes; the results are the same")
    given = asked.parse_args()
    found = runs_of(None, given.replications, given.jobs)
    binned = runs_of("mser-5", given.replications, given.jobs)
    courses = {key: runs for key, (_, runs) in binned.items()}
    made, gone = tables(found, courses)
    save(overview(found, gone), HERE / "balancing.svg")
    save(over_time(courses), HERE / "balancing-course.svg")
    page = HERE / "balancing.md"
    above = page.read_text(encoding="utf-8").partition(BELOW)[0]
    page.write_text(f"{above}{BELOW}{markdown(made)}", encoding="utf-8")


if __name__ == "__main__":
    main()
