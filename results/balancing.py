"""All balancing algorithms under each kind of fault: `python results/balancing.py`.

Runs the scenario `balancing` with the bins of MSER-5 (warm_up: mser-5), which hold sums of
latencies and counts of answers for every 0.24 s, and whose first blocks, left out, are the
scenario's own warm-up; and once more without any fault, with the same chance, to be compared with.
Writes the figures balancing.svg and balancing-course.svg, and all of balancing.md below its heading
"Tables".
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from hasim.study.estimates.estimate import Estimate
from hasim.study.estimates.statistics import mean_interval
from hasim.study.estimates.summary import estimate_of
from hasim.study.estimates.warm_up import without
from hasim.units import SECOND

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
SHADES = "Darker is more; the shades are logarithmic, and each panel has a scale of its own"
ACROSS = 5
"""Kinds of faults side by side in the figure of courses."""
Floats = NDArray[np.float64]
Cells = Mapping[tuple[str, str], Sequence[Measured]]
"""The replications of each (kind of fault, algorithm)."""
Found = Mapping[tuple[str, str], Mapping[str, Estimate]]
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


def runs_of(replications: int | None, jobs: int | None) -> Cells:
    """The replications of every cell, kind of fault after kind of fault."""
    scenario = load(shipped()["balancing"]).scenario
    alone = {"faults": [], "vary": {k: list(v) for k, v in scenario.vary.grid.items()}}
    found: dict[tuple[str, str], Sequence[Measured]] = {}
    for overrides in (alone, {}):
        result = hasim.run(
            "balancing",
            replications=replications,
            jobs=jobs,
            overrides={"warm_up": "mser-5", **overrides},
        )
        for cell, varied in result.cells:
            key = varied.get("faults.0.kind", NONE), varied["balancing.algorithm"]
            found[key] = list(result.measured(cell).values())
    kinds = dict.fromkeys(kind for kind, _ in found)
    return {key: found[key] for kind in kinds for key in found if key[0] == kind}


def estimates_of(runs: Sequence[Measured]) -> dict[str, Estimate]:
    """The measures of the table, of the time that the scenario's warm-up leaves."""
    warm_up_ns = load(shipped()["balancing"]).scenario.warm_up
    assert isinstance(warm_up_ns, int), "the scenario sets a duration"
    (blocks,) = (n for n, b in enumerate(runs[0].blocks) if b.start_s == warm_up_ns / SECOND)
    rest = [replace(without(run, blocks), blocks=()) for run in runs]
    return {measure: estimate_of(measure, rest) for measure in MEASURES}


@dataclass(frozen=True)
class Struck:
    """When a replication's fault began, was noticed (declared, or at last cured), and was cured."""

    began_s: float
    noticed_s: float
    cured_s: float


def struck(courses: Cells, kind: str, algorithm: str) -> list[Struck]:
    """The times of each replication's fault.

    All kinds begin at the same times. Loss and latency are no incidents: their times
    are those of a crash, and their declarations are mistakes by definition.
    """
    found = []
    for run, crashed in zip(courses[kind, algorithm], courses["crash", algorithm], strict=True):
        began_s = crashed.incidents[0].started_at_s
        cured_s = crashed.incidents[0].cured_at_s or crashed.horizon_s
        assert all(incident.started_at_s == began_s for incident in run.incidents)
        declared = [i.declared_at_s for i in run.incidents if i.declared_at_s is not None]
        declared = declared or [m.declared_at_s for m in run.mistakes if m.declared_at_s > began_s]
        found.append(Struck(began_s, min([cured_s, max(declared, default=cured_s)]), cured_s))
    return found


# -- what hasim does not measure by itself ----------------------------------------------------


def lost(times: Sequence[Struck], own: Course, usual: Course, *, all_of_it: bool) -> Estimate:
    """Answers fewer than without the fault, until it was declared (or cured), or of the whole."""
    counts = []
    for place, time in enumerate(times):
        last = len(own.answered[place]) if all_of_it else int(np.ceil(time.noticed_s / own.bin_s))
        span = slice(int(time.began_s / own.bin_s), last)
        counts.append((usual.answered[place, span] - own.answered[place, span]).sum())
    found = mean_interval(counts)
    return Estimate("lost", "count", found.value, found.low, found.high, found.n, found.method)


def back_to_normal(times: Sequence[Struck], own: Course, usual_course: Course) -> str:
    """Time after the cure from which all is normal, with a bootstrap interval over replications."""
    cured = [time.cured_s for time in times]
    each = round(PART_S / own.bin_s)
    parts = (own.answered.shape[1] - int(max(cured) / own.bin_s) - 1) // each

    def by_part(rows: Floats) -> Floats:
        summed: Floats = rows.reshape(len(times), parts, each).sum(axis=2)
        return summed

    sums = [by_part(x) for c in (own, usual_course) for x in c.aligned(cured, 0, parts * each)]

    def last_abnormal(chosen: NDArray[np.int64]) -> float:
        latency, answered, usual, all_answered = (x[chosen].sum(axis=0) for x in sums)
        mean, expected = latency / np.maximum(answered, 1), usual / np.maximum(all_answered, 1)
        abnormal = (mean > SLOWER * expected) | (answered < (1 - LOST) * all_answered)
        return float(PART_S * (np.flatnonzero(abnormal)[-1] + 1)) if abnormal.any() else 0.0

    everybody = np.arange(len(times))
    rng = np.random.default_rng(1)
    drawn = [last_abnormal(rng.choice(everybody, len(everybody))) for _ in range(DRAWS)]
    low, high = np.quantile(drawn, [0.025, 0.975], method="nearest")
    most = PART_S * parts

    def shown(value: float) -> str:
        return f"> {most - PART_S:.1f}" if value == most else f"{value:.1f}"

    return f"{shown(last_abnormal(everybody))} s [{shown(low)}, {shown(high)}]"


# -- Markdown -----------------------------------------------------------------------------------


def tables(found: Found, courses: Cells) -> tuple[Tables, dict[tuple[str, str], float]]:
    """The cells of the table as texts, and the messages lost in all."""
    made: Tables = {}
    gone = {}
    for (kind, algorithm), estimates in found.items():
        row = {name: estimate_text(estimates[measure]) for measure, name in MEASURES.items()}
        if kind != NONE:
            times = struck(courses, kind, algorithm)
            own, usual = Course.of(courses[kind, algorithm]), Course.of(courses[NONE, algorithm])
            whole = lost(times, own, usual, all_of_it=True)
            row["lost until noticed"] = estimate_text(lost(times, own, usual, all_of_it=False))
            row["lost in all"] = estimate_text(whole)
            row["normal after"] = back_to_normal(times, own, usual)
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


def overview(found: Found, gone: Mapping[tuple[str, str], float]) -> Figure:
    """p99 latency, messages lost and evenness: a square for each kind of fault and algorithm."""
    kinds = list(dict.fromkeys(kind for kind, _ in found))
    names = list(dict.fromkeys(name for _, name in found))
    p99 = {key: estimates["latency.p99"].value or 0.0 for key, estimates in found.items()}
    cv = {key: estimates["balance.cv"].value or 0.0 for key, estimates in found.items()}
    with look():
        figure = Figure(figsize=(11.5, 9.5), layout="constrained")
        heights = [len(kinds), len(kinds) - 1, len(kinds)]
        panels = figure.subplots(3, 1, sharex=True, height_ratios=heights)
        _squares(panels[0], "p99 latency", p99, kinds, names, _time)
        _squares(panels[1], "messages lost by a fault", gone, kinds[1:], names, _count)
        _squares(panels[2], "coefficient of variation of loads", cv, kinds, names, _two_digits)
        figure.suptitle(SHADES, color=GREY, fontsize=9)
    return figure


def _time(value: float) -> str:
    """A latency in a square, in milliseconds."""
    return f"{1000 * value:.0f} ms"


def _count(value: float) -> str:
    return f"{abs(value):.0f}" if abs(value) < 0.5 else f"{value:.0f}"


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
    grid = np.array([[values[kind, name] for name in names] for kind in kinds])
    least = max(float(grid.min()), float(grid.max()) / 1000)
    shades = LogNorm(least, float(grid.max()))
    axes.imshow(np.maximum(grid, least), norm=shades, cmap="Blues", aspect="auto")
    axes.grid(visible=False)
    axes.set_title(heading)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(kinds)), kinds)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for row, column in np.ndindex(grid.shape):
        value = float(grid[row, column])
        dark = shades(max(value, least)) > 0.6
        where = {"ha": "center", "va": "center", "fontsize": 7}
        axes.text(column, row, text(value), color="white" if dark else "black", **where)


def over_time(courses: Cells) -> Figure:
    """Messages lost and the mean latency, second by second, for some algorithms.

    The kinds stand in rows of `ACROSS`, each above with the messages lost, below with the latency.
    """
    kinds = [kind for kind in dict.fromkeys(kind for kind, _ in courses) if kind != NONE]
    across = min(ACROSS, len(kinds))
    down = -(-len(kinds) // across)
    with look():
        figure = Figure(figsize=(11.5, 4.4 * down), layout="constrained")
        grid = figure.subplots(2 * down, across, sharex=True, squeeze=False)
        for place in range(down * across):
            row, column = divmod(place, across)
            panels = grid[2 * row : 2 * row + 2, column]
            if place >= len(kinds):
                for axes in panels:
                    axes.set_axis_off()
                continue
            for number, name in enumerate(SHOWN):
                _course(panels, courses, kinds[place], number, name)
            panels[0].set_title(kinds[place])
            _dress(panels, first=column == 0)
        handles, names = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=len(SHOWN))
        figure.suptitle("Means over all replications; shaded: the fault", color=GREY, fontsize=9)
    return figure


def _dress(panels: Any, *, first: bool) -> None:
    """The same axes for every kind of fault."""
    panels[1].set_xlabel("since the fault, s")
    panels[0].set_ylim(-0.03, 1.03)
    panels[0].yaxis.set_major_formatter(lambda share, _: percent(share))
    panels[1].set_yscale("log")
    panels[1].set_ylim(0.025, 1.2)
    panels[1].yaxis.set_major_formatter(lambda time, _: seconds(time))
    panels[1].set_yticks([0.03, 0.1, 0.3, 1.0])
    panels[1].minorticks_off()
    for axes in panels:
        axes.axvspan(0, 30, color="#f0f0f0", zorder=0)
        axes.tick_params(labelleft=first)
    panels[1].tick_params(labelbottom=True)
    if first:
        panels[0].set_ylabel("messages lost")
        panels[1].set_ylabel("mean latency of answers")


def _course(panels: Any, courses: Cells, kind: str, number: int, name: str) -> None:
    own, usual = Course.of(courses[kind, name]), Course.of(courses[NONE, name])
    started = [time.began_s for time in struck(courses, kind, name)]
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
    panels[1].plot(times, np.where(answered, latency / np.maximum(answered, 1), np.nan), **style)


def main() -> None:
    """Write the tables and figures."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--replications", type=int, help="instead of the scenario's")
    asked.add_argument("--jobs", type=int, help="processes; the results are the same")
    given = asked.parse_args()
    courses = runs_of(given.replications, given.jobs)
    found = {key: estimates_of(runs) for key, runs in courses.items()}
    made, gone = tables(found, courses)
    save(overview(found, gone), HERE / "balancing.svg")
    save(over_time(courses), HERE / "balancing-course.svg")
    page = HERE / "balancing.md"
    above = page.read_text(encoding="utf-8").partition(BELOW)[0]
    page.write_text(f"{above}{BELOW}{markdown(made)}", encoding="utf-8")


if __name__ == "__main__":
    main()
