"""A whole advice on a scenario: candidates, decision, what else would help; all by simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hasim.measures.catalogue import find
from hasim.scenario.loader import Loaded
from hasim.study.advising.candidates import Candidates, Point, candidates, study_of
from hasim.study.advising.improvements import Improvement, improvements
from hasim.study.advising.limits import Kept, kept_limits, least_replications
from hasim.study.advising.noise import Noise, noise_of, refuse_without_noise, rests_on_noise
from hasim.study.advising.procedure import Decision, decide
from hasim.study.advising.race import ENOUGH, LogRatio, compared
from hasim.study.advising.rare import MISTAKEN, NEEDLESS, RareRates, covers
from hasim.study.advising.sampling import Runs
from hasim.study.advising.simulated import Simulated, Tell
from hasim.study.advising.so_far import so_far
from hasim.study.advising.terms import AdviceError, Terms
from hasim.study.estimates.statistics import LEVEL
from hasim.study.execution.runner import StudyInterrupted
from hasim.units import SECOND, format_duration

if TYPE_CHECKING:
    from distributed import Client

FALSE = "failovers.needless"
"""What stands for false failovers where no limit is about them."""


@dataclass(frozen=True)
class Worth:
    """What a change would be worth: the log ratio to the recommended setting, and its limits."""

    change: Improvement
    cell: int
    ratio: LogRatio
    limits: tuple[Kept, ...]


@dataclass(frozen=True)
class Advised:
    """An advice: what was tried, what came out, and on which noise it rests."""

    candidates: Candidates
    decision: Decision
    noise: Noise
    points: tuple[Point, ...]
    runs: Mapping[int, Runs]
    worth: tuple[Worth, ...]


def advised(
    loaded: Loaded,
    terms: Terms,
    folder: Path,
    *,
    vary: Sequence[tuple[str, str]] = (),
    jobs: int | None = None,
    dask: str | Client | None = None,
    progress: Tell | None = None,
) -> Advised:
    """Find out what to recommend; replications are kept in a run folder.

    Raises AdviceError for what cannot be advised on, ScenarioError, and what `run_study` raises: a
    StudyInterrupted with a note on how today's setting compares by then.
    """
    world = loaded.scenario.world()
    refuse_without_noise(world, terms.measures)
    found = candidates(loaded, vary, terms.measures)
    _refuse_too_rare(terms, found)
    load = any(find(measure).load for measure in (*terms.measures, FALSE))
    source = Simulated(
        loaded, found.points, folder, windows=load, jobs=jobs, dask=dask, progress=progress
    )
    try:
        rare = RareRates(loaded, found.points, jobs)
        decision = decide(range(len(found.points)), terms, source, found.today, rare.of_cell)
    except StudyInterrupted as error:
        if told := so_far(found, terms, source):
            error.add_note(told)
        raise
    worth = _worth(loaded, decision, source) if decision.chosen is not None else ()
    runs = {cell: source.runs(cell, count) for cell, count in decision.taken.items()}
    return Advised(found, decision, noise_of(world), tuple(source.points), runs, worth)


def _refuse_too_rare(terms: Terms, tried: Candidates) -> None:
    """Raise AdviceError if not even runs without any event could show that a limit is kept."""
    scenario = tried.loaded.scenario
    horizon_ns = scenario.world().horizon_ns
    estimated = {MISTAKEN, NEEDLESS} if scenario.projection is not None else {MISTAKEN}
    for limit in terms.limits:
        rare = find(limit.measure).unit == "per_year" and rests_on_noise(limit.measure)
        if not rare or limit.op not in ("<", "<=") or not limit.bound:
            continue
        least = least_replications(limit, terms, horizon_ns / SECOND)
        if least <= terms.most or (limit.measure in estimated and _covered(tried)):
            continue
        raise AdviceError(
            f"{limit}: even if none is ever seen, that takes {least:,} replications of "
            f"{format_duration(horizon_ns)} for each setting, and {terms.most:,} are allowed: "
            f"{_ways_on(limit.measure, tried)}make the horizon longer, allow --at-most {least}, "
            "or set a limit that is less rare"
        )


def _covered(tried: Candidates) -> bool:
    """Whether the rare rates of any setting that is tried are estimated."""
    plan = study_of(tried.loaded, tried.points, 1)
    return any(covers(cell.world) for cell in plan.cells)


def _ways_on(measure: str, tried: Candidates) -> str:
    """What would have the rates of false failovers estimated without waiting for any."""
    if not _covered(tried):
        return (
            "where probes or heartbeats alone are the evidence, and the noise is the network's "
            "and no fault's, rates are estimated without waiting for any; else "
        )
    if measure != NEEDLESS:
        return ""
    return (
        "say how rare faults really are (projection: {mtbf: 30d}, of a master), and rates are "
        "estimated without waiting for any; or "
    )


def _worth(loaded: Loaded, decision: Decision, source: Simulated) -> tuple[Worth, ...]:
    """What each change would be worth, the best first."""
    assert decision.chosen is not None, "something is recommended"
    changes = improvements(loaded, source.points[decision.chosen])
    cells = source.add([change.point for change in changes])
    replications = _enough(decision, source)
    if not cells:
        return ()
    source.take([decision.chosen, *cells], replications)
    level = 1 - 2 * (1 - LEVEL) / len(cells)
    found = [
        Worth(
            change,
            cell,
            compared(cell, decision.chosen, decision.terms, source, replications),
            kept_limits(decision.terms.limits, source.runs(cell, replications), level),
        )
        for change, cell in zip(changes, cells, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (one.ratio.value, one.cell)))


def _enough(decision: Decision, source: Simulated) -> int:
    """Replications in which the recommended setting has met enough incidents."""
    assert decision.chosen is not None, "something is recommended"
    assert decision.ended is not None, "what is recommended has raced"
    most = decision.ended.replications
    seen = 0
    for count, run in enumerate(source.runs(decision.chosen, most), 1):
        seen += len(run.incidents)
        if seen >= ENOUGH and count >= decision.terms.first:
            return count
    return most
