"""The estimates of a study's cells as sheets, the verdicts on them, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hasim.report.cells import Cell, heading, labels, text
from hasim.report.format import estimate_text, significant
from hasim.report.sheet import Column, Field, Mood, Sheet, Value, plain_estimate
from hasim.report.titles import DEFAULT, blocks, title
from hasim.study.estimates.estimate import Estimate

Summary = Mapping[str, Estimate]
ESTIMATE_COLUMNS = ("measure", "unit", "value", "low", "high", "n", "needed", "method", "unbounded")
MOODS: Mapping[str, Mood] = {"pass": "good", "fail": "bad", "undecided": "open"}


class Verdict(Protocol):
    """What is to be known of a verdict on one expectation."""

    @property
    def measure(self) -> str:
        """The measure, as in ``expect:``."""
        ...

    @property
    def text(self) -> str:
        """The limit as written: ``< 5s``."""
        ...

    @property
    def verdict(self) -> str:
        """``pass``, ``fail`` or ``undecided``."""
        ...

    @property
    def estimate(self) -> Estimate | None:
        """What was measured."""
        ...

    @property
    def by_how_much(self) -> str:
        """The distance between limit and estimate, in words."""
        ...


# -- names of rows and columns ----------------------------------------------------------


def name_column(cells: Sequence[Cell]) -> Column:
    """The column of what tells the cells apart."""
    return Column(heading(cells).replace(", ", ",\n"))


def name_fields(cells: Sequence[Cell]) -> list[Field]:
    """What tells each cell apart: a setting a line where rows have several lines."""
    return [Field(label, tuple(label.replace(", ", ",\n").split("\n"))) for label in labels(cells)]


def measure_columns(measures: Sequence[str]) -> list[Column]:
    """A column of numbers for each measure, in the groups in which measures are shown."""
    groups = {m: group for group, members in blocks(measures).items() for m in members}
    return [
        Column(
            "\n".join(filter(None, title(measure).rpartition(" ")[::2])),
            key=measure,
            align="right",
            group=groups[measure],
        )
        for measure in measures
    ]


# -- estimates --------------------------------------------------------------------------


def summary_sheet(
    cells: Sequence[Cell], summaries: Sequence[Summary], measures: Sequence[str] = DEFAULT
) -> Sheet:
    """A row for each cell: each estimate with its 95 % interval.

    Measures that no summary has are left out.
    """
    shown = [m for m in measures if any(m in summary for summary in summaries)]
    rows: list[list[Value]] = [
        [name, *(summary.get(measure, "") for measure in shown)]
        for name, summary in zip(name_fields(cells), summaries, strict=True)
    ]
    return Sheet([name_column(cells), *measure_columns(shown)], rows, stacked=True)


def tidy_columns(cells: Sequence[Cell]) -> tuple[list[str], list[list[Value]]]:
    """The varied settings of all cells, and for each cell its number and their values."""
    paths = list(dict.fromkeys(path for _, varied in cells for path in varied))
    places: list[list[Value]] = [
        [index, *(text(varied[path]) if path in varied else "" for path in paths)]
        for index, varied in cells
    ]
    return paths, places


def tidy_estimates(cells: Sequence[Cell], summaries: Sequence[Summary]) -> Sheet:
    """A row for each cell and measure; a missing or unbounded number is missing."""
    paths, places = tidy_columns(cells)
    rows = [
        [*place, *estimate_row(estimate)]
        for place, summary in zip(places, summaries, strict=True)
        for estimate in summary.values()
    ]
    return Sheet([Column(name) for name in ("cell", *paths, *ESTIMATE_COLUMNS)], rows)


def estimate_row(estimate: Estimate) -> list[Value]:
    """An estimate in `ESTIMATE_COLUMNS`."""
    plain = {"measure": estimate.measure, **plain_estimate(estimate)}
    return [
        *(plain[column] for column in ESTIMATE_COLUMNS[:-1]),
        "true" if plain.get("unbounded") else "",
    ]


def plain_cells(
    cells: Sequence[Cell],
    summaries: Sequence[Summary],
    verdicts: Sequence[Sequence[Mapping[str, Any]]] | None = None,
) -> list[dict[str, Any]]:
    """Each cell with its estimates as plain data, and with plain data of its verdicts."""
    found = [
        {
            "cell": index,
            "varied": dict(varied),
            "measures": {e.measure: plain_estimate(e) for e in summary.values()},
        }
        for (index, varied), summary in zip(cells, summaries, strict=True)
    ]
    if verdicts is not None:
        for row, judged in zip(found, verdicts, strict=True):
            row["verdicts"] = [dict(verdict) for verdict in judged]
    return found


# -- verdicts ---------------------------------------------------------------------------


def verdict_sheet(
    cells: Sequence[Cell], verdicts: Sequence[Sequence[Verdict]], said: Sequence[str] = ()
) -> Sheet:
    """The verdicts on the expectations (one sequence per cell): limit, estimate, by how much."""
    several = len(cells) > 1
    columns = [
        *([Column(heading(cells))] if several else []),
        *map(Column, ("measure", "limit", "estimate", "verdict", "by how much")),
    ]
    rows: list[list[Value]] = [
        [
            *([label] if several else []),
            one.measure,
            one.text,
            "" if one.estimate is None else one.estimate,
            Field(one.verdict, mood=MOODS.get(one.verdict, "")),
            one.by_how_much,
        ]
        for label, judged in zip(labels(cells), verdicts, strict=True)
        for one in judged
    ]
    return Sheet(columns, rows, "expectations", said, names=2 if several else 1)


def plain_verdict(verdict: Verdict) -> dict[str, str]:
    """A verdict as plain data."""
    return {
        "measure": verdict.measure,
        "limit": verdict.text,
        "verdict": verdict.verdict,
        "by_how_much": verdict.by_how_much,
    }


# -- what the numbers rest on -----------------------------------------------------------


def basis(
    cells: Sequence[Cell],
    summaries: Sequence[Summary],
    measures: Sequence[str] = DEFAULT,
    *,
    seed: int,
    replications: int | tuple[int, int],
) -> list[str]:
    """What the numbers rest on: seed, incidents, kinds of interval; marks explained if used.

    `replications` is how many each cell has, or the fewest and the most.
    """
    if isinstance(replications, tuple):
        fewest, most = replications
        runs = f"{fewest:,} to {_plural(most, 'replication')}"
    else:
        runs = _plural(replications, "replication")
    lines = [f"Seed {seed}, {runs} of {_plural(len(cells), 'cell')}{_incidents(summaries)}."]
    shown = [s[m] for m in measures for s in summaries if m in s]
    methods: dict[str, dict[str, None]] = {}
    for estimate in shown:
        if estimate.value is not None and estimate.low is not None:
            methods.setdefault(estimate.method, {})[title(estimate.measure)] = None
    if methods:
        kinds = "; ".join(f"{', '.join(names)}: {kind}" for kind, names in methods.items())
        lines.append(f"Each estimate with its 95 % confidence interval ({kinds}).")
    texts = [estimate_text(estimate) for estimate in shown]
    if any("needs" in text for text in texts):
        lines.append("-: too few observations; how many there are, and how many it takes.")
    if any(text.startswith("> ") for text in texts):
        lines.append("> x: too many were never over in time; with 95 % confidence it exceeds x.")
    if any("inf" in text for text in texts):
        lines.append("inf: the data give no bound (too few, or some never over in time).")
    return lines + _cut(summaries)


def _cut(summaries: Sequence[Summary]) -> list[str]:
    """How many retries a budget cut, where it did: nothing else in a table shows that."""
    found = [s["retries_cut"].value or 0.0 for s in summaries if "retries_cut" in s]
    if not any(found):
        return []
    least, most = (significant(number) for number in (min(found), max(found)))
    many = most if least == most else f"{least} to {most}"
    return [f"A budget of retries cut {many} of them in a run (measure retries_cut)."]


def _incidents(summaries: Sequence[Summary]) -> str:
    """How many incidents the detection measures rest on, per cell."""
    # Not of `detected`: a share pooled over replications counts the replications.
    counts = [s["detection_time.p50"].n for s in summaries if "detection_time.p50" in s]
    if not counts:
        return ""
    if min(counts) == max(counts):
        return f", {_plural(counts[0], 'incident')} in each"
    return f", {min(counts)} to {max(counts)} incidents in each"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
