"""The functions that start from Python what the command line starts from a shell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distributed import Client

    from hasim.budgets import Budgets
    from hasim.result import Result
    from hasim.scenario.loader import Loaded
    from hasim.study.rare.rates import Rate
    from hasim.study.rare.runs import Measure
    from hasim.study.runner import Progress


def run(
    scenario: str | Path | Mapping[str, Any] | Loaded,
    *,
    seed: int | None = None,
    replications: int | None = None,
    jobs: int | None = None,
    dask: str | Client | None = None,
    out: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    check: bool = False,
    journals: bool = False,
    messages: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Simulate a scenario and measure it.

    `scenario` is a file, the name of a shipped scenario, the data that such a
    file would hold, or what `hasim.scenario.loader.load` has loaded.
    `overrides` maps dotted paths to values as in a scenario file:
    ``{"detection.fall": 3, "traffic.timeout": "1s"}``. `jobs` is the number of
    processes (None: all cores, if it is worth it); it never changes the
    result. Nor does `dask`, the address of a Dask scheduler (``tcp://10.0.0.1:8786``), a
    ``distributed.Client``, or ``"local"`` for a cluster of `jobs` workers that is
    started for this run. `out` is a folder that keeps the run; if it holds a run of the same
    scenario already, only the replications and cells that are new are
    simulated. `journals` and `messages` need it. `check` verifies the invariants of every
    replication, whose violations are in ``result.study``.

    Raises TypeError if `scenario` is none of these, ValueError for `jobs` below 1,
    ScenarioError for anything wrong with the scenario, ClusterError if the cluster cannot be
    used, NotImportableError if its workers cannot import an algorithm that you registered
    (`hasim.services.balancing.registry.register`), StoreError if `out` holds something else or
    another process works there, ReplicationError if a replication fails, and StudyInterrupted (a
    KeyboardInterrupt) after Ctrl-C.
    """
    from hasim.exports import Exported
    from hasim.study.runner import run_study

    if jobs is not None and (not isinstance(jobs, int) or jobs < 1):
        raise ValueError(f"jobs must be a whole number from 1 on, or None, got {jobs!r}")
    loaded = prepare(scenario, seed=seed, replications=replications, overrides=overrides)
    folder = Path(out) if out is not None else None
    exported = Exported(folder)
    run_study(
        loaded,
        jobs=jobs,
        dask=dask,
        check=check,
        out=folder,
        journals=journals,
        messages=messages,
        progress=progress,
        export=exported,
    )
    return exported.result


def resume(
    folder: str | Path,
    *,
    jobs: int | None = None,
    dask: str | Client | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Do what is missing in a run folder, after Ctrl-C, a kill, or a replication that failed.

    The result is that of a run which was never interrupted. Raises StoreError if it
    is no run folder, another process works there, or hasim or a trace has
    changed since; otherwise as `run`.
    """
    from hasim.exports import Exported
    from hasim.study.runner import resume_study

    exported = Exported(Path(folder))
    resume_study(Path(folder), jobs=jobs, dask=dask, progress=progress, export=exported)
    return exported.result


def load_run(folder: str | Path) -> Result:
    """Read a run folder back, finished or not. Raises StoreError if it is none."""
    from hasim.result import Result
    from hasim.study.store import open_run

    path = Path(folder)
    return Result(open_run(path), folder=path)


def budget(
    scenario: str | Path | Mapping[str, Any] | Loaded,
    *,
    rates: Mapping[str, str | float | Rate] | None = None,
    measure: Measure = "uptime",
    seed: int | None = None,
    replications: int | None = None,
    pairs: int | None = None,
    quiet: str | None = None,
    crude: str | None = None,
    jobs: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Budgets:
    """The unavailability of a year by fault and cause, from runs of minutes.

    `rates` are faults per master by kind: ``"12/y"``, a number per second, or what
    `hasim.study.rare.rates.fit` made of recorded outages; without one, the scenario says it
    (``every``, ``schedule``, ``projection``). `measure` is ``uptime`` (every partition up) or
    ``uptime.mean`` (the mean partition). `replications` counts runs with one fault, for each
    kind; `pairs` those with two (default: as many; 0: none); `quiet` is the simulated time
    without faults (``"500h"``; default: an hour for each replication), `crude` that of a
    plain simulation to compare with (default: none). See `hasim.study.rare.estimate`.

    Raises ValueError for an amount that makes no sense, SettingsError for a bad rate, and
    otherwise as `run`.
    """
    from hasim.budgets import Budgets
    from hasim.study.rare.analysis import amounts_of, analyse
    from hasim.study.rare.rates import parse_rates
    from hasim.units import parse_duration

    if measure not in ("uptime", "uptime.mean"):
        raise ValueError(f"measure must be uptime or uptime.mean, got {measure!r}")
    if pairs is not None and pairs < 0:
        raise ValueError(f"pairs must not be negative, got {pairs}")
    loaded = prepare(scenario, seed=seed, replications=replications, overrides=overrides)
    amounts = amounts_of(
        loaded,
        pairs=pairs,
        quiet_ns=None if quiet is None else parse_duration(quiet),
        plain_ns=0 if crude is None else parse_duration(crude),
    )
    given = parse_rates(rates or {})
    cells = analyse(loaded, amounts, rates=given, of=measure, jobs=jobs, progress=progress)
    return Budgets(loaded.scenario, measure, amounts, tuple(cells))


def prepare(
    scenario: str | Path | Mapping[str, Any] | Loaded,
    *,
    seed: int | None = None,
    replications: int | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Loaded:
    """Load a scenario with some settings replaced. Raises ScenarioError."""
    from hasim.scenario.catalogue import find
    from hasim.scenario.loader import Loaded, from_data, load

    replaced = dict(overrides or {})
    if seed is not None:
        replaced["seed"] = seed
    if replications is not None:
        replaced["replications"] = replications
    if isinstance(scenario, str | Path):
        return load(find(str(scenario)), replaced.items())
    if isinstance(scenario, Mapping):
        return from_data(scenario, replaced.items())
    if not isinstance(scenario, Loaded):
        raise TypeError(
            f"expected a file, a name, a mapping or a loaded scenario, got {scenario!r}"
        )
    return from_data(scenario.data, replaced.items()) if replaced else scenario
