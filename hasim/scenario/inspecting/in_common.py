"""What recorded outages have in common, in words and as the lines of a fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hasim.scenario.inspecting.guesses import level_of
from hasim.scenario.traces.common_causes import AT_ONCE_NS, CommonCauses, Shared, common_causes
from hasim.settings import from_plain
from hasim.simulation.settings.recordings import OutageTrace

Lasting = Callable[[float], str]
"""Writes a duration in nanoseconds."""


def in_common(settings: dict[str, Any], lasting: Lasting) -> tuple[str, list[str], str] | None:
    """What is found, what the user has to know of it, and lines to paste.

    None if rows name no places, or if nothing ever failed at once. Raises TraceError.
    """
    trace = from_plain(OutageTrace, settings)
    if not isinstance(trace.resource, tuple):
        return None
    found = common_causes(trace)
    levels = [level_of(str(column)) or "zone" for column in trace.resource[:-1]]
    shared = [
        (level, str(column), one)
        for level, column, one in zip(levels, trace.resource, found.levels, strict=False)
        if one.events
    ]
    if not shared:
        return None
    told = "; ".join(_told(column, one, found) for _, column, one in shared)
    text = (
        f"{found.failures:,} failures of {found.resources:,} resources in {found.events:,} events, "
        f"which are what begins within {lasting(AT_ONCE_NS)} at one place; {told}"
    )
    notes = [_note(level, column, one) for level, column, one in shared]
    return text, notes, _lines(found, shared, lasting)


def _told(column: str, one: Shared, found: CommonCauses) -> str:
    each = f"{one.events:,} of them struck several of one {column}"
    return (
        f"{each}, {_percent(one.share)} [{_percent(one.low)}, {_percent(one.high)}] of the "
        f"failures (if each failed by itself, {_percent(one.chance)})"
    )


def _note(level: str, column: str, one: Shared) -> str:
    return (
        f"Such an event struck {one.hit:.3g} of the {one.there:.3g} resources of its {column}; in "
        f"a run it strikes all masters that say the same {level} (the beta-factor model)."
    )


def _lines(found: CommonCauses, shared: list[tuple[str, str, Shared]], lasting: Lasting) -> str:
    shares = ", ".join(f"{level}: {_percent(one.share)}" for level, _, one in shared)
    unsure = [column for level, column, _ in shared if column.lower() != level]
    guess = f"  # a guess: {' and '.join(unsure)}" if unsure else ""
    lasts = lasting(found.lasts_ns)
    if found.cv:
        lasts = f"{{law: lognormal, mean: {lasts}, cv: {found.cv:.3g}}}"
    return (
        "faults:\n"
        "  - kind: crash      # or hang, power-off, slow, ...\n"
        "    target: each\n"
        f"    every: {{law: exponential, mean: {lasting(found.mean_ns)}}}\n"
        f"    for: {lasts}\n"
        f"    common: {{{shares}}}{guess}\n"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"
