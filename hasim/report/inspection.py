"""What is in a file, and what it could be used for, as text of at most 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hasim.scenario.inspecting.columns import ColumnFacts, Course, TableFacts
from hasim.scenario.inspecting.uses import Inspection, Use, shortly

WIDTH = 80
MOST_COLUMNS = 40
"""Columns that are told one by one."""
SEPARATORS = {
    "comma": "commas",
    "semicolon": "semicolons",
    "tab": "tabs",
    "bar": "bars (|)",
    "blanks": "blanks",
}
AS = {
    "arrivals": "As arrival times",
    "counts": "As counts of messages in bins of time",
    "outages": "As outages",
    "common": "As failures with common causes",
    "checks": "As a log of checks",
    "rtt": "As round-trip times between sites",
    "jitter": "As jitter (round-trip times over their median)",
    "service": "As service times of a master",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def as_text(found: Inspection) -> str:
    """The whole of it, ending in a line feed."""
    parts = ["\n".join(_facts(found.facts))]
    parts += ["\n".join(_use(use)) for use in found.uses]
    if not found.uses:
        text = "No use for it was found: no times, round-trip times or durations."
        parts.append("\n".join(_wrapped(text, "")))
    return "\n\n".join(parts) + "\n"


def _facts(facts: TableFacts) -> Iterator[str]:
    dialect = facts.dialect
    rows = f"{facts.rows:,} row{'' if facts.rows == 1 else 's'}"
    columns = f"{dialect.width} column{'' if dialect.width == 1 else 's'}"
    between = f", separated by {SEPARATORS[dialect.delimiter]}" if dialect.width > 1 else ""
    header = f"header in line {dialect.header}" if dialect.header else "no header"
    lines = f"rows in the lines {dialect.first} to {facts.last_line}"
    if facts.last_line == dialect.first:
        lines = f"the row in line {dialect.first}"
    text = f"{facts.path}: {rows}, {columns}{between}; {header}, {lines}; {facts.encoding}"
    yield from _wrapped(text, "  ")
    yield ""
    shown = facts.columns[:MOST_COLUMNS]
    names = [f"{column.number} {column.name}".rstrip() for column in shown]
    width = min(30, max(map(len, names)))
    for name, column in zip(names, shown, strict=True):
        first, *rest = textwrap.wrap(_holds(column), WIDTH - width - 4)
        if len(name) > width:
            yield from _wrapped(name, "    ", "  ")
        own = name if len(name) <= width else ""
        yield f"  {own:{width}}  {first}"
        yield from (f"  {'':{width}}  {line}" for line in rest)
    if len(facts.columns) > MOST_COLUMNS:
        yield f"  and {len(facts.columns) - MOST_COLUMNS} more columns"


def _holds(column: ColumnFacts) -> str:
    """What a column holds, in words."""
    parts = [_kind(column)]
    if column.kind == "times" and column.course is not None:
        parts += _course(column.course)
    if column.empty and column.kind != "nothing":
        parts.append(f"{column.empty:,} empty")
    if column.broken:
        parts.append(f"{column.broken:,} that are none (from line {column.broken_line} on)")
    if column.doubt:
        parts.append(column.doubt)
    if column.unnamed:
        parts.append(f"{column.unnamed}, so give its number")
    return ", ".join(parts)


def _kind(column: ColumnFacts) -> str:
    if column.kind == "times":
        how = column.form if column.unit == "timestamp" else f"{column.unit} since 1970"
        return f"times ({how})"
    if column.kind == "numbers":
        whole = "whole numbers" if column.whole else "numbers"
        return f"{whole}, {column.low:.12g} to {column.high:.12g}"
    if column.kind == "text":
        return f"text, {column.distinct:,} different"
    return column.kind


def _course(course: Course) -> Iterator[str]:
    first, last = moment(course.first_ns), moment(course.last_ns)
    if first == last:
        yield f"{first} UTC"
        return
    yield f"{first} to {last} UTC ({shortly(course.last_ns - course.first_ns)})"
    if course.back:
        yield f"not in order ({course.back:,} before the one above)"
    else:
        yield "in order"
    if not course.step_ns:
        yield f"longest gap {shortly(course.longest_ns)}"
    elif course.longest_ns == course.step_ns:
        yield f"{shortly(course.step_ns)} apart, no gaps"
    else:
        gaps = f"{course.gaps:,} gap{'' if course.gaps == 1 else 's'}"
        yield f"mostly {shortly(course.step_ns)} apart"
        yield f"{gaps} of up to {shortly(course.longest_ns)}"


def moment(time_ns: int) -> str:
    """A time since 1970 to the second: ``2024-03-01 10:00:00``."""
    return f"{_EPOCH + timedelta(seconds=time_ns // 10**9):%Y-%m-%d %H:%M:%S}"


def _use(use: Use) -> Iterator[str]:
    if use.refused:
        yield from _wrapped(f"{AS[use.use]} it would be refused:", "")
        for text in use.refused:
            yield from _wrapped(text, "    ", "  ")
        return
    yield from _wrapped(f"{AS[use.use]}: {use.found}.", "")
    for text in use.notes:
        yield from _wrapped(text, "  ", "  ")
    yield ""
    yield textwrap.indent(use.settings, "    ").rstrip()


def _wrapped(text: str, later: str, first: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
