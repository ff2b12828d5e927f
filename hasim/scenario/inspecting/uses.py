"""The uses of a file, each tried with the reader that a run would use."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hasim.scenario.inspecting.columns import TableFacts, facts_of
from hasim.scenario.inspecting.guesses import Guess, guesses
from hasim.scenario.inspecting.in_common import in_common
from hasim.scenario.inspecting.pasting import to_paste
from hasim.scenario.tables.errors import TraceError
from hasim.scenario.traces.arrivals import read_arrivals, read_bins
from hasim.scenario.traces.matrices import is_wide, read_matrix
from hasim.scenario.traces.outages import open_outages, read_outages
from hasim.scenario.traces.samples import read_jitter, read_samples
from hasim.settings import fields_by_user_name, from_plain
from hasim.simulation.settings.recordings import (
    CheckLog,
    JitterTrace,
    MatrixTrace,
    OutageTrace,
    SampleFile,
    TableFile,
    TraceArrivals,
)
from hasim.units import DAY, HOUR, MILLISECOND, MINUTE, SECOND, format_duration


@dataclass(frozen=True)
class Use:
    """What a file could be used for.

    `settings` are lines of YAML to paste, `found` what is read with them, in words; `notes` say
    what the user has to look at. If the reader refuses the file, `refused` says why.
    """

    use: str
    settings: str
    found: str = ""
    notes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inspection:
    """What is in a file, and what it could be used for; the likeliest use comes first."""

    facts: TableFacts
    uses: tuple[Use, ...]


@dataclass(frozen=True)
class _Way:
    """A way to use a file: the class of its settings, where they stand, what is read with them."""

    cls: type[TableFile]
    key: str
    place: str
    read: Callable[[Any], str]


def inspect(file: str | Path, **layout: Any) -> Inspection:
    """What a file is, and what it could be used for.

    `layout` says how it is written where that is not to be found by looking: `delimiter`,
    `header`, `decimal`, `where` (`hasim.simulation.settings.recordings.TableFile`).
    Raises TraceError if it is no table, SettingsError for a layout that there is not.
    """
    path = Path(file)
    facts = facts_of(path, from_plain(TableFile, layout))
    wide = is_wide(from_plain(MatrixTrace, {"matrix": str(path), **layout}))
    found: list[Use] = []
    for guess in guesses(facts, wide):
        use = _tried(path, guess, layout)
        found.append(use)
        if guess.use == "outages" and not use.refused:
            found += _in_common({"trace": str(path), **guess.settings, **layout})
    return Inspection(facts, tuple(found))


def _in_common(settings: dict[str, Any]) -> list[Use]:
    """Outages as failures with common causes, if rows name places and some failed at once."""
    found = in_common(settings, shortly)
    if found is None:
        return []
    text, notes, lines = found
    return [Use("common", lines, text, tuple(notes))]


def _tried(path: Path, guess: Guess, layout: dict[str, Any]) -> Use:
    way = _WAYS[guess.use]
    defaults = {name: field.default for name, field in fields_by_user_name(way.cls).items()}
    asked = {
        name: value
        for name, value in guess.settings.items()
        if value != defaults[name] or name in guess.unsure
    }
    settings = {way.key: str(path), **asked, **layout}
    notes: list[str] = []

    def lines() -> str:
        return to_paste(way.place, settings, guess.unsure)

    try:
        trace = from_plain(way.cls, settings)
        if isinstance(trace, OutageTrace | CheckLog):
            if _has_few(trace):
                settings["least_outages"] = 1
                trace = dataclasses.replace(trace, least_outages=1)
            notes += open_outages(trace)
        return Use(guess.use, lines(), way.read(trace), tuple(notes))
    except TraceError as error:
        return Use(guess.use, lines(), "", tuple(notes), tuple(_told(error)))


def _has_few(trace: OutageTrace | CheckLog) -> bool:
    """Whether no resource has as many outages as are asked for."""
    try:
        read_outages(trace)
    except TraceError as error:
        return any(setting == "least_outages" for setting, _ in error.settings)
    return False


def _told(error: TraceError) -> list[str]:
    lines = [
        ": ".join(filter(None, (f"line {line}", column, message)))
        for line, column, message in error.lines
    ]
    return lines + [": ".join(filter(None, part)) for part in error.settings]


# -- what is read, in words ----------------------------------------------------------------


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _rate(count: int, span_ns: int) -> str:
    span = f" in {shortly(span_ns)}"
    return f"{span}, {count / (span_ns / SECOND):.3g} a second" if span_ns else span


def shortly(time_ns: float) -> str:
    """A duration to about three digits: ``3.4ms``, ``58m22s``, ``103d4h``."""
    if time_ns < SECOND:
        return f"{time_ns / MILLISECOND:.3g}ms"
    if time_ns < 10 * SECOND:
        return f"{time_ns / SECOND:.3g}s"
    unit = SECOND if time_ns < HOUR else MINUTE if time_ns < DAY else HOUR
    return format_duration(round(time_ns / unit) * unit)


def _arrivals(trace: TraceArrivals) -> str:
    times = read_arrivals(trace)
    return _plural(len(times), "arrival") + _rate(len(times), int(times[-1]))


def _counts(trace: TraceArrivals) -> str:
    bins = read_bins(trace)
    count, span_ns = int(bins.count.sum()), int(bins.end_ns[-1])
    width = shortly(int(bins.end_ns[0] - bins.start_ns[0]))
    rows = f" (with each row an arrival, it would be {len(bins.count):,})"
    return f"{_plural(count, 'message')}{_rate(count, span_ns)}, in bins of {width}{rows}"


def _outages(trace: OutageTrace | CheckLog) -> str:
    spans = read_outages(trace)
    lasting = [end - start for own in spans for start, end in own]
    shown = " to ".join(dict.fromkeys((shortly(min(lasting)), shortly(max(lasting)))))
    span_ns = max(end for own in spans for _, end in own)
    least = f" that have {trace.least_outages} or more" if trace.least_outages > 1 else ""
    resources = f"{_plural(len(spans), 'resource')}{least}"
    return (
        f"{_plural(len(lasting), 'outage')} of {resources} in {shortly(span_ns)}, lasting {shown}"
    )


def _rtt(trace: MatrixTrace) -> str:
    matrix = read_matrix(trace)
    sites = {site for pair in matrix for site in pair}
    pairs = [rtt for (one, other), rtt in matrix.items() if one != other]
    known = len({frozenset(p) for p in matrix if p[0] != p[1]})
    whole = len(sites) * (len(sites) - 1) // 2
    missing = "" if known == whole else f" of {whole:,}"
    return (
        f"{_plural(len(sites), 'site')}, {known:,}{missing} pairs, "
        f"{shortly(min(pairs))} to {shortly(max(pairs))}"
    )


def _jitter(trace: JitterTrace) -> str:
    ratios = read_jitter(trace)
    p99 = float(np.quantile(ratios, 0.99))
    return f"{_plural(len(ratios), 'ratio')} to the median, p99 {p99:.3g}, max {ratios[-1]:.3g}"


def _service(trace: SampleFile) -> str:
    values = read_samples(trace)
    p99 = shortly(float(np.quantile(values, 0.99)))
    return f"{_plural(len(values), 'time')}, mean {shortly(values.mean())}, p99 {p99}"


_WAYS = {
    "arrivals": _Way(TraceArrivals, "trace", "arrivals", _arrivals),
    "counts": _Way(TraceArrivals, "trace", "arrivals", _counts),
    "outages": _Way(OutageTrace, "trace", "schedule", _outages),
    "checks": _Way(CheckLog, "checks", "schedule", _outages),
    "rtt": _Way(MatrixTrace, "matrix", "rtt", _rtt),
    "jitter": _Way(JitterTrace, "trace", "jitter", _jitter),
    "service": _Way(SampleFile, "trace", "service", _service),
}
