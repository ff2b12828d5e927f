"""The functions that answer what to set, from Python; `hasim.api` has those that measure."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distributed import Client

    from hasim.api import Scenario
    from hasim.findings.advice import Advice
    from hasim.report.progress import Auto


def advise(
    scenario: Scenario,
    *,
    minimise: str = "outage.p99",
    limits: Sequence[str] = (),
    vary: Mapping[str, str | Sequence[Any]] | None = None,
    indifference: float = 0.05,
    seed: int | None = None,
    replications: int | None = None,
    at_most: int | None = None,
    jobs: int | None = None,
    dask: str | Client | None = None,
    out: str | Path | None = None,
    fresh: bool = False,
    overrides: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | Auto | None = "auto",
) -> Advice:
    """Which setting to choose: the least of a measure, within limits.

    `limits` are written as ``"outage.p99 < 10s"`` and ``"failovers.needless < 1/y"``. `vary` maps
    dotted paths to what is tried: ``"1s..30s:log5"``, ``"2|3|5"``, or a list; None: what the
    scenario varies, else usual settings of detection. `replications` are those of the first look
    (None: of the scenario), of which a cell gets `at_most` so many (None: 256 times as many).
    Settings within the `indifference` of the best count as equal, and today's wins among equals.
    With `out`, a run folder keeps all replications: called again, the work goes on where it was
    left, unless `fresh` moves it aside. The result is the same with any `jobs`, or on a cluster.

    Raises AdviceError (a ValueError) for what cannot be advised on: an unknown measure, a limit
    that no runs could decide, false failovers where only independent loss is stated; otherwise as
    `hasim.run`.
    """
    from hasim.api import moved, prepare
    from hasim.findings.advice import Advice
    from hasim.scenario.replications import Sequential
    from hasim.study.advising.advising import advised
    from hasim.study.advising.terms import terms_of
    from hasim.study.folder.places import set_aside

    loaded = prepare(scenario, seed=seed, overrides=overrides)
    rule = loaded.scenario.replications
    own = rule.at_least if isinstance(rule, Sequential) else rule
    terms = terms_of(
        minimise,
        limits,
        indifference=indifference,
        first=max(2, own) if replications is None else replications,
        most=at_most,
    )
    tried = [(path, _written(values)) for path, values in (vary or {}).items()]
    with contextlib.ExitStack() as stack:
        if out is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "advice"
        else:
            folder = Path(out)
            if fresh:
                set_aside(folder)
        tell = stack.enter_context(moved(progress, loaded.scenario.name))
        found = advised(loaded, terms, folder, vary=tried, jobs=jobs, dask=dask, progress=tell)
    return Advice(loaded.scenario.name, loaded.scenario.seed, found)


def _written(values: str | Sequence[Any]) -> str:
    """Values as the command line has them: JSON is YAML."""
    import json

    return values if isinstance(values, str) else json.dumps(list(values))
