"""``hasim compare``: two runs, replication by replication."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hasim.commands.options import baseline_of, baseline_option, examples, format_option
from hasim.commands.shell import FAILED, FINE, fail, note, warn

if TYPE_CHECKING:
    from hasim.findings.result import Result

MOST_LISTED = 8
"""Settings that are named."""


@click.command(
    epilog=examples(
        "hasim compare RUN OTHER",
        "hasim compare RUN --baseline detection.fall=1 --format markdown",
    )
)
@click.argument("first", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("second", metavar="[RUN]", type=click.Path(path_type=Path), required=False)
@baseline_option("Compare the cells of one RUN with this one, e.g. detection.fall=2.")
@format_option
def compare(first: Path, second: Path | None, baseline: tuple[str, ...], style: str) -> int:
    """Compare two runs, or the cells of one, paired by replication.

    The differences are those of the second RUN minus the first or, with
    --baseline, of the other cells minus that one.

    Exit code 1 if a measure got worse (paired t-test, Holm's correction, 5 %) from
    the first RUN to the second.
    """
    if second is None:
        return _within(first, baseline, style)
    if baseline:
        fail("--baseline is for the cells of one RUN, got two")
    from hasim.api import load_run
    from hasim.commands.output import show
    from hasim.findings.comparison import OfTwoRuns
    from hasim.study.comparing.compare import compare as compare_runs

    before, after = load_run(first), load_run(second)
    if before.name != after.name:
        note(f"The runs are of two scenarios, {before.name} and {after.name}.")
    _tell_unlike(before, after)
    if before.seed != after.seed:
        fail(
            f"seeds {before.seed} and {after.seed} differ, so the replications are no pairs; "
            f"run one of them again with the other's --seed"
        )
    compared = compare_runs(before.by_cell(), after.by_cell())
    show(OfTwoRuns(compared), style)
    worse = [one for one in compared if one.verdict == "worse"]
    if worse:
        note(f"Worse: {', '.join(dict.fromkeys(one.measure for one in worse))}")
    return FAILED if worse else FINE


def _tell_unlike(before: Result, after: Result) -> None:
    """Say which settings differ beside those that are varied."""
    from hasim.study.comparing.settings import unlike

    found = unlike(before.study, after.study)
    if found.services:
        note(f"Settings that differ: {_listed(found.services)}.")
    if found.world:
        warn(
            f"Warning: the runs are not of the same world: {_listed(found.world)}. "
            "The differences are due to that, too."
        )


def _listed(texts: list[str]) -> str:
    more = f"; and {len(texts) - MOST_LISTED} more" if len(texts) > MOST_LISTED else ""
    return "; ".join(texts[:MOST_LISTED]) + more


def _within(run: Path, baseline: tuple[str, ...], style: str) -> int:
    """The cells of one run against a baseline, that of its scenario by default."""
    from hasim.api import load_run
    from hasim.commands.output import show
    from hasim.findings.comparison import WithBaseline
    from hasim.report.titles import DEFAULT
    from hasim.study.comparing.compare import against

    result = load_run(run)
    wanted = dict(result.study.baseline)
    if baseline:
        wanted = baseline_of(baseline, lambda: result.cells)
    if not wanted:
        fail("give a second RUN, or --baseline PATH=VALUE to compare the cells of one")
    compared = against(result.by_cell(), wanted, DEFAULT)
    show(WithBaseline(result.cells, compared, wanted), style)
    return FINE
