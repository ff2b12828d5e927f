"""The functions that answer what to set, from Python; `hasim.api` has those that measure."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from distributed import Client

    from hasim.api import Scenario
    from hasim.findings.advice import Advice
    from hasim.findings.budgets import Budgets
    from hasim.findings.capacity import Capacity
    from hasim.report.progress import Auto
    from hasim.study.rare.rates import Rate
    from hasim.study.rare.shortfalls import Measure

T = TypeVar("T")
Cause = Literal["own", "hang", "crash", "power-off"]
"""What is over when overload keeps itself alive."""


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
        folder = stack.enter_context(_folder(out, fresh))
        tell = stack.enter_context(moved(progress, loaded.scenario.name))
        found = advised(loaded, terms, folder, vary=tried, jobs=jobs, dask=dask, progress=tell)
    return Advice(loaded.scenario.name, loaded.scenario.seed, found)


def capacity(
    scenario: Scenario,
    *,
    limits: Sequence[str] = (),
    down: Sequence[str | int] = (),
    cause: Cause | None = "own",
    lasting: str = "10s",
    within: str | float = 0.02,
    horizon: str | None = None,
    seed: int | None = None,
    replications: int | None = None,
    jobs: int | None = None,
    dask: str | Client | None = None,
    out: str | Path | None = None,
    fresh: bool = False,
    overrides: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | Auto | None = "auto",
) -> Capacity:
    """The largest load that is carried: with masters down, and before an overload stays.

    `limits` are what shall hold, as ``"latency.p99 < 200ms"`` (none: what the scenario expects of
    load, else ``success >= 99.9%``). `down` says which masters: ``2`` (the two largest), ``"zone"``
    (the largest), ``"zone:eu/a"``, ``"ams-1+ams-2"``; without any, none, one, two and the largest
    zone (region). `cause` is what is over when overload keeps itself alive: the scenario's ``own``
    faults that go away (without any: all masters hang, or crash where caches are cold), or one that
    befalls all masters, for `lasting`; None leaves that out. Borders are narrowed down to a ratio
    of 1 + `within`, in runs of `horizon` (None: the scenario's, ten minutes at most), of which
    each load gets 16 times as many as `replications` (None: 10) at most. What the scenario varies
    is left out. `out`, `fresh`, `jobs` and `dask` are as in `advise`.

    Raises AdviceError (a ValueError) for what cannot be; otherwise as `hasim.run`.
    """
    from hasim.api import moved, prepare
    from hasim.findings.capacity import Capacity
    from hasim.study.capacity.capacity import find_capacity
    from hasim.study.capacity.downs import downs_of
    from hasim.study.capacity.terms import LONGEST, capacity_terms
    from hasim.study.capacity.worlds import cause_of
    from hasim.units import parse_duration, parse_percent

    loaded = prepare(scenario, seed=seed, overrides=overrides)
    own = loaded.scenario
    terms = capacity_terms(
        limits,
        own.expect,
        min(LONGEST, own.horizon_ns)
        if horizon is None
        else _read(parse_duration, horizon, "--horizon"),
        within=_read(parse_percent, within, "--within") if isinstance(within, str) else within,
        first=10 if replications is None else replications,
    )
    downs = downs_of(own.world(), [str(one) for one in down])
    kind = None if cause == "own" else cause
    lasting_ns = _read(parse_duration, lasting, "--lasting")
    after = None if cause is None else cause_of(loaded, terms.long_ns, kind, lasting_ns)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(_folder(out, fresh))
        tell = stack.enter_context(moved(progress, own.name))
        found = find_capacity(
            loaded, terms, downs, after, folder, jobs=jobs, dask=dask, progress=tell
        )
    return Capacity(own.name, own.seed, found)


def budget(
    scenario: Scenario,
    *,
    rates: Mapping[str, str | float | Rate] | None = None,
    measure: Measure = "uptime",
    seed: int | None = None,
    replications: int | None = None,
    pairs: int | None = None,
    triples: int = 0,
    quadruples: int = 0,
    quiet: str | None = None,
    crude: str | None = None,
    jobs: int | None = None,
    dask: str | Client | None = None,
    out: str | Path | None = None,
    fresh: bool = False,
    overrides: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | Auto | None = "auto",
) -> Budgets:
    """The unavailability of a year by fault and cause, from runs of minutes.

    `rates` are faults per master by kind: ``"12/y"``, a number per second, or what
    `hasim.study.rare.rates.fit` made of recorded outages; without one, the scenario says it
    (``every``, ``schedule``, ``projection``). `measure` is ``uptime`` (every partition up),
    ``uptime.mean`` (the mean partition), ``uptime.k_of_n`` (as many masters serve as are `needed`),
    ``success`` (messages answered by their deadline; minutes are those in which as many come) or
    ``user_uptime`` (users' time with the service, where messages have keys). `replications` counts
    runs with one fault, for each kind; `pairs` those with two (default: as many; 0: none),
    `triples` those with three, each of which takes seven runs, `quadruples` those with four, of
    fifteen (default: none); `quiet` is the simulated time without faults (``"500h"``; default: an
    hour for each replication), `crude` that of a plain simulation to compare with (default: none).
    `dask` as in `run`. With `out`, a folder keeps each run, so that the same call goes on where an
    earlier one was stopped, unless it is to begin `fresh`. See `hasim.study.rare.estimate`.

    Raises ValueError for an amount that makes no sense, SettingsError for a bad rate, and
    otherwise as `run`.
    """
    from hasim.api import moved, prepare
    from hasim.findings.budgets import Budgets
    from hasim.study.rare.amounts import amounts_of
    from hasim.study.rare.analysis import analyse
    from hasim.study.rare.rates import parse_rates
    from hasim.study.rare.shortfalls import MEASURES
    from hasim.units import parse_duration

    if measure not in MEASURES:
        raise ValueError(f"measure must be one of {', '.join(MEASURES)}, got {measure!r}")
    for name, given_count in (("pairs", pairs), ("triples", triples), ("quadruples", quadruples)):
        if given_count is not None and given_count < 0:
            raise ValueError(f"{name} must not be negative, got {given_count}")
    loaded = prepare(scenario, seed=seed, replications=replications, overrides=overrides)
    amounts = amounts_of(
        loaded,
        pairs=pairs,
        quiet_ns=None if quiet is None else parse_duration(quiet),
        plain_ns=0 if crude is None else parse_duration(crude),
        triples=triples,
        quadruples=quadruples,
    )
    given = parse_rates(rates or {})
    kept = {"out": None if out is None else Path(out), "fresh": fresh}
    with moved(progress, loaded.scenario.name) as tell:
        where: dict[str, Any] = {"jobs": jobs, "dask": dask, "progress": tell, **kept}
        cells = analyse(loaded, amounts, rates=given, of=measure, **where)
    return Budgets(loaded.scenario, measure, amounts, tuple(cells))


def _read(parse: Callable[[str], T], text: str, option: str) -> T:
    """What an option's text means. Raises AdviceError."""
    from hasim.study.advising.terms import AdviceError

    try:
        return parse(text)
    except ValueError as error:
        raise AdviceError(f"{option}: {error}") from None


@contextlib.contextmanager
def _folder(out: str | Path | None, fresh: bool) -> Iterator[Path]:
    """The run folder of the work, one that is not kept for None."""
    from hasim.study.folder.places import set_aside

    if out is None:
        with tempfile.TemporaryDirectory() as place:
            yield Path(place) / "work"
        return
    if fresh:
        set_aside(Path(out))
    yield Path(out)


def _written(values: str | Sequence[Any]) -> str:
    """Values as the command line has them: JSON is YAML."""
    import json

    return values if isinstance(values, str) else json.dumps(list(values))
