"""The functions that start from Python what the command line starts from a shell."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from distributed import Client

    from hasim.findings.configured import Configured
    from hasim.findings.doctor import Health
    from hasim.findings.gating import GateReport
    from hasim.findings.result import Result
    from hasim.findings.tradeoff import Tradeoff
    from hasim.report.progress import Auto
    from hasim.scenario.inspecting.uses import Inspection
    from hasim.scenario.loader import Loaded
    from hasim.study.execution.runner import Progress

    Scenario = str | Path | Mapping[str, Any] | Loaded | IO[str] | IO[bytes]


def run(
    scenario: Scenario,
    *,
    seed: int | None = None,
    replications: int | None = None,
    jobs: int | None = None,
    dask: str | Client | None = None,
    out: str | Path | None = None,
    fresh: bool = False,
    overrides: Mapping[str, Any] | None = None,
    check: bool = False,
    journals: bool = False,
    messages: bool = False,
    progress: Callable[[Progress], None] | Auto | None = "auto",
) -> Result:
    """Simulate a scenario and measure it.

    `scenario` is a file (its path, or open to be read), the name of a shipped scenario, the data
    that such a file would hold, or what `hasim.scenario.loader.load` has loaded.
    `overrides` maps dotted paths to values as in a scenario file:
    ``{"detection.fall": 3, "traffic.timeout": "1s"}``. `jobs` is the number of
    processes (None: all cores, if it is worth it); it never changes the
    result. Nor does `dask`, the address of a Dask scheduler (``tcp://10.0.0.1:8786``), a
    ``distributed.Client``, or ``"local"`` for a cluster of `jobs` workers that is
    started for this run. `out` is a folder that keeps the run; if it holds a run of the same
    scenario already, only the replications and cells that are new are simulated, unless `fresh`
    moves that run aside (`hasim.study.folder.places.set_aside`). `journals` and `messages` need it.
    `check` verifies the invariants of every replication, whose violations are in
    ``result.study``. `progress` is called after each replication; by default a bar is shown in
    Jupyter and IPython, and None is silent there, too.

    Raises TypeError if `scenario` is none of these, ValueError for `jobs` below 1,
    ScenarioError for anything wrong with the scenario, ClusterError if the cluster cannot be
    used, NotImportableError if its workers cannot import an algorithm or a detector
    that you registered, StoreError if `out` holds something else, was made by another hasim or
    with other libraries, or another process works there,
    ReplicationError if a replication fails, and StudyInterrupted (a KeyboardInterrupt) after
    Ctrl-C.
    """
    from hasim.findings.exports import Exported
    from hasim.study.execution.runner import run_study
    from hasim.study.folder.places import set_aside

    if jobs is not None and (not isinstance(jobs, int) or jobs < 1):
        raise ValueError(f"jobs must be a whole number from 1 on, or None, got {jobs!r}")
    loaded = prepare(scenario, seed=seed, replications=replications, overrides=overrides)
    folder = Path(out) if out is not None else None
    if fresh and folder is not None:
        set_aside(folder)
    exported = Exported(folder)
    with _told(progress, loaded.scenario.name) as tell:
        run_study(
            loaded,
            jobs=jobs,
            dask=dask,
            check=check,
            out=folder,
            journals=journals,
            messages=messages,
            progress=tell,
            export=exported,
        )
    return exported.result


@contextlib.contextmanager
def _told(
    progress: Callable[[Progress], None] | Auto | None, title: str
) -> Iterator[Callable[[Progress], None] | None]:
    """The callback for a study: the caller's, or one that moves a bar where somebody looks on."""
    if progress != "auto":
        yield progress
        return
    from hasim.report.progress import interactive_bar

    with interactive_bar(title) as move:
        yield None if move is None else lambda step: move(step.done, step.total)


def resume(
    folder: str | Path,
    *,
    jobs: int | None = None,
    dask: str | Client | None = None,
    progress: Callable[[Progress], None] | Auto | None = "auto",
) -> Result:
    """Do what is missing in a run folder, after Ctrl-C, a kill, or a replication that failed.

    The result is that of a run which was never interrupted. Raises StoreError if it
    is no run folder, another process works there, or hasim, a library or a trace
    has changed since; otherwise as `run`.
    """
    from hasim.findings.exports import Exported
    from hasim.study.execution.runner import resume_study

    exported = Exported(Path(folder))
    with _told(progress, Path(folder).name) as tell:
        resume_study(Path(folder), jobs=jobs, dask=dask, progress=tell, export=exported)
    return exported.result


def load_run(folder: str | Path) -> Result:
    """Read a run folder back, finished or not. Raises StoreError if it is none."""
    from hasim.findings.result import Result
    from hasim.study.folder.reading import open_run

    path = Path(folder)
    return Result(open_run(path), folder=path)


@contextlib.contextmanager
def moved(
    progress: Callable[[int, int], None] | Auto | None, title: str
) -> Iterator[Callable[[int, int], None] | None]:
    """As the progress of `run`, for what counts what is done, of how much."""
    if progress != "auto":
        yield progress
        return
    from hasim.report.progress import interactive_bar

    with interactive_bar(title) as move:
        yield move


def compare(
    before: Result | str | Path,
    after: Result | str | Path,
    measures: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Paired differences of two runs with the same seed, one row per common cell and measure.

    Both are results or run folders; the difference is `after` minus `before`. Columns: `cell` (its
    number in `before`), the varied settings, `measure`, `value`, `low`, `high`, `unit`, `n`
    (pairs), `method`, `p` (after Holm's correction over all rows) and `verdict`. ``frame.attrs``
    says what differs beside the varied settings: ``"settings"`` of the services, and ``"world"``.

    Raises CompareError if the seeds differ or no cell or no two replications are common,
    LookupError for an unknown measure, StoreError for what is no run folder. Warns if the runs
    are not of the same world, since the differences then are not due to the services alone.
    """
    import warnings

    from hasim.study.comparing.compare import MEASURES

    first, second = (load_run(r) if isinstance(r, str | Path) else r for r in (before, after))
    frame = second.minus(first, MEASURES if measures is None else measures)
    if frame.attrs["world"]:
        warnings.warn(f"the runs differ in {'; '.join(frame.attrs['world'])}", stacklevel=2)
    return frame


def data(file: str | Path, **layout: Any) -> Inspection:
    """Look at a file: what is in it, and what of a scenario it could be.

    `layout` says how its table is written where that is not found by looking: `delimiter`,
    `header`, `decimal`, `where` as in a scenario. Each use comes with lines to paste, which have
    been tried; paths of traces are relative to the scenario.

    Raises TraceError, with lines and settings, if it is no table, and SettingsError for a layout
    that there is not.
    """
    from hasim.scenario.inspecting.uses import inspect

    return inspect(file, **layout)


def bench(
    suite: str | Path | Mapping[str, Any] | None = None,
    baseline: str | Path = "hasim-baseline.json",
    *,
    overrides: Mapping[str, Any] | None = None,
    jobs: int | None = None,
    dask: str | Client | None = None,
    exact: bool = False,
    speed: bool = False,
    progress: Callable[[int], None] | Auto | None = "auto",
) -> GateReport:
    """Run a suite (default: the one that comes with hasim) and compare it with a baseline.

    A suite is a file, or a mapping as one would hold it. `overrides` replaces settings in every
    scenario of the suite. With `exact` any change of behaviour is a regression, with `speed` also
    a slower program. `progress` is told how many replications are done; `jobs`, `dask`: see `run`.
    `hasim.study.gate` has what makes baselines.

    Raises ScenarioError for a bad suite, and BaselineError for a bad baseline.
    """
    from hasim.findings.gating import GateReport
    from hasim.study.gate import DEFAULT_SUITE, read_suite, suite_from_data
    from hasim.study.gate import bench as run_gate

    if isinstance(suite, Mapping):
        wanted = suite_from_data(suite, overrides)
    else:
        wanted = read_suite(suite or DEFAULT_SUITE, overrides)
    given = progress if progress is None or progress == "auto" else _without_total(progress)
    with moved(given, wanted.name) as move:
        tell = None if move is None else lambda done: move(done, wanted.most)
        where: dict[str, Any] = {"jobs": jobs, "dask": dask, "progress": tell}
        found = run_gate(wanted, baseline, exact=exact, speed=speed, **where)
    return GateReport.of(found)


def configure(
    detector: str,
    *,
    detection_time: float | str,
    mistake_recurrence: float | str,
    mistake_duration: float | str,
    loss: float | str = 0.0,
    delay_mean: float | str | None = None,
    delay_deviation: float | str | None = None,
    delay_law: str = "unknown",
) -> Configured:
    """The settings of a detector that give a wanted quality of service (Chen et al. 2002).

    `detector` is ``nfd-s`` or ``nfd-e``. Times are seconds, or texts such as ``"30s"``; `loss` is
    a ratio, or a text such as ``"1%"``. A crash is detected within `detection_time` (with nfd-e:
    and the mean delay), mistakes are `mistake_recurrence` apart and last `mistake_duration` in the
    mean. With a `delay_law` (``exponential``) the bounds are those of that law; without one they
    hold for any with this mean and deviation (None: of the mean).

    Raises ValueError for what cannot be, and if no settings give it.
    """
    from hasim.findings.configured import configured
    from hasim.services.detection.configurator import Network, Wanted
    from hasim.units import parse_duration, parse_percent, seconds

    def time_s(value: float | str) -> float:
        return seconds(parse_duration(value)) if isinstance(value, str) else float(value)

    if delay_mean is None and (detector == "nfd-s" or delay_deviation is None):
        raise ValueError("say the mean delay of a heartbeat (nfd-e: or its deviation)")
    mean_s = time_s(delay_mean or 0.0)
    deviation_s = mean_s if delay_deviation is None else time_s(delay_deviation)
    lost = parse_percent(loss) if isinstance(loss, str) else float(loss)
    wanted = Wanted(time_s(detection_time), time_s(mistake_recurrence), time_s(mistake_duration))
    return configured(detector, wanted, Network(lost, mean_s, deviation_s), delay_law)


def tradeoff(
    scenario: Scenario | None = None,
    *,
    detectors: Sequence[str] = (),
    rtt: tuple[str | Path, str] | None = None,
    seed: int | None = None,
    overrides: Mapping[str, Any] | None = None,
    **options: Any,
) -> Tradeoff:
    """Detection time against mistakes of detectors whose parameter is swept.

    On the network of a `scenario` (as `run` takes it, without its faults; between its observer
    and a `master`, None: the first), or on recorded round-trip times: `rtt` is a table and the
    column, in `unit` (``"ms"``), an empty cell being a loss. `detectors` are written as
    ``timeout:down_after=1s..8s`` or ``threshold:fall=1|2|3``; without any, those that go by
    heartbeats, and counting failed checks, are compared. More `options`: `interval`, the time
    between two heartbeats (None: the scenario's, or 1 s), `replications` (10) of so many
    `heartbeats` (5000) each, and `progress`, which is told what is done, of how much.

    Raises HearingError, ScenarioError or TraceError for what cannot be.
    """
    from hasim.findings.tradeoff import compare_tradeoff
    from hasim.study.hearing.contest import HearingError

    if (scenario is None) == (rtt is None):
        raise HearingError("expected either a scenario or recorded round-trip times")
    loaded = None if scenario is None else prepare(scenario, seed=seed, overrides=overrides)
    return compare_tradeoff(loaded, detectors=detectors, rtt=rtt, seed=seed, **options)


def doctor() -> Health:
    """Whether hasim works here: interpreter, libraries, both data planes, files, the terminal.

    Nothing is raised: what fails is a check that is ``bad``, with what to do about it.
    """
    from hasim.findings.doctor import examine

    return examine()


def _without_total(progress: Callable[[int], None]) -> Callable[[int, int], None]:
    return lambda done, _: progress(done)


def prepare(
    scenario: Scenario,
    *,
    seed: int | None = None,
    replications: int | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Loaded:
    """Load a scenario with some settings replaced. Raises ScenarioError."""
    from hasim.scenario.catalogue import find
    from hasim.scenario.loader import Loaded, from_data, from_stream, load

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
        if hasattr(scenario, "read"):
            return from_stream(scenario, replaced.items())
        raise TypeError(
            f"expected a file, a name, a mapping or a loaded scenario, got {scenario!r}"
        )
    return from_data(scenario.data, replaced.items()) if replaced else scenario
