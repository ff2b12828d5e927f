"""Which uses the columns of a file suggest: a guess, by what they hold and how they are called."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import Any

from hasim.scenario.inspecting.columns import ColumnFacts, TableFacts
from hasim.scenario.traces.arrivals import FEWEST_BINS
from hasim.units import SECOND

UNIT_WORDS = {
    "ns": ("ns", "nanoseconds", "nanos"),
    "us": ("us", "microseconds", "micros", "usec"),
    "ms": ("ms", "milliseconds", "millis", "msec"),
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hour", "hours"),
    "d": ("d", "day", "days"),
}


def _words(text: str) -> dict[str, None]:
    """Words in their order, the likeliest first."""
    return dict.fromkeys(text.split())


STARTS = _words("start started begin began begins from down failed opened since")
ENDS = _words("end ended ends stop stopped fixed until to up mended closed recovered resolved")
LASTS = _words("duration lasted lasts length minutes seconds hours downtime down")
TIMES = STARTS | ENDS | _words("t ts at time times timestamp when arrival arrived")
COUNTS = _words("count counts n number requests hits calls messages value total")
RESOURCES = _words(
    "resource node nodenum host hostname server service instance machine system component master "
    "target name id url check monitor site"
)
PLACES = {
    "region": _words("region site datacenter datacentre dc"),
    "zone": _words("zone az room building hall cluster system pod"),
    "rack": _words("rack cabinet chassis enclosure"),
}
"""Words for places by the level that they are likeliest to be, the largest first."""
FEW = 0.05
"""So many rows may leave the name of what failed empty."""
LATENCIES = _words("rtt latency ping elapsed response delay ms duration took")


@dataclass(frozen=True)
class Guess:
    """A use that the columns suggest: what as, and the settings of the file for it.

    `unsure` names settings that the file does not say, which the user has to look at.
    """

    use: str
    settings: dict[str, Any]
    unsure: tuple[str, ...] = field(default=())


def guesses(facts: TableFacts, wide: bool) -> Iterator[Guess]:
    """The uses to try, the likeliest first."""
    if wide:
        yield Guess("rtt", {"unit": "ms"}, ("unit",))
        return
    matrix = list(_matrix(facts))
    yield from matrix
    outages = list(_checks(facts)) or list(_outages(facts))
    yield from outages
    if not outages and not matrix:
        yield from _arrivals(facts)
        yield from _starts(facts)
    if not matrix:
        yield from _samples(facts)


def words(name: str) -> list[str]:
    """The words of a name such as ``Prob Started (mm/dd/yy)`` or ``endUtc``, in small letters."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[a-z]+|[0-9]+", split.lower())


def is_called(column: ColumnFacts, known: Container[str]) -> bool:
    """Whether one of the words is in the name of a column."""
    return any(word in known for word in words(column.name))


def unit_of(column: ColumnFacts) -> str:
    """The unit that the name of a column says, else empty."""
    named = words(column.name)
    return next((u for u, known in UNIT_WORDS.items() if any(w in named for w in known)), "")


def _times(facts: TableFacts) -> list[ColumnFacts]:
    """The columns of times; numbers whose name says that they are, if there are no others."""
    found = [column for column in facts.columns if column.kind == "times"]
    if found:
        return found
    numbers = [c for c in facts.columns if c.kind == "numbers" and c.course is not None]
    return [c for c in numbers if is_called(c, TIMES) and not is_called(c, LATENCIES)]


def _time_settings(column: ColumnFacts) -> tuple[dict[str, Any], tuple[str, ...]]:
    """How a column of times is written, and which of it is a guess."""
    if column.kind == "numbers":
        unit = unit_of(column)
        return {"unit": unit or "s"}, () if unit else ("unit",)
    if column.unit != "timestamp":
        return {"unit": column.unit}, ()
    if column.doubt:
        return {"format": column.form}, ("format",)
    return {}, ()


def _texts(facts: TableFacts) -> list[ColumnFacts]:
    return [column for column in facts.columns if column.kind == "text" and not column.empty]


def _resource(
    facts: TableFacts, taken: list[ColumnFacts]
) -> str | int | tuple[str | int, ...] | None:
    """The column that names what failed, after those of its places if there are any; or None."""
    free = [c for c in facts.columns if c not in taken and c.kind in ("text", "numbers")]
    free = [c for c in free if c.empty <= FEW * facts.rows and (c.kind == "text" or c.whole)]
    whole = [c for word in RESOURCES for c in free if words(c.name) == [word]]
    named = [c for word in RESOURCES for c in free if word in words(c.name) and not c.empty]
    several = [c for c in free if c.kind == "text" and c.distinct < max(2, facts.rows)]
    found = whole or named or several
    if not found:
        return None
    places = [c for c in free if c != found[0] and level_of(c.name) and c.distinct > 1]
    places = [c for c in places if len(words(c.name)) == 1 and c.distinct < facts.rows]
    if not level_of(found[0].name) and places:
        one_each = {level_of(c.name): c.said for c in reversed(places)}
        return (*(one_each[level] for level in PLACES if level in one_each), found[0].said)
    return found[0].said


def level_of(name: str) -> str:
    """The level of places that the name of a column speaks of, else empty."""
    own = words(name)
    return next((level for level, known in PLACES.items() if any(w in known for w in own)), "")


def _outages(facts: TableFacts) -> Iterator[Guess]:
    times = _times(facts)
    starts = [c for c in times if is_called(c, STARTS)]
    ends = [c for c in times if is_called(c, ENDS) and c not in starts]
    numbers = [c for c in facts.columns if c.kind == "numbers" and c not in times]
    lasts = [c for c in numbers if is_called(c, LASTS)]
    if starts and ends:
        start, end = starts[0], ends[0]
    elif len(times) == 2:
        start, end = times
    elif times and lasts:
        start, end = (starts or times)[0], None
    else:
        return
    written, unsure = _time_settings(start if start.doubt or end is None else end)
    settings: dict[str, Any] = {"start": start.said}
    taken = [start]
    if end is not None:
        settings["end"] = end.said
        taken.append(end)
    else:
        unit = unit_of(lasts[0])
        settings |= {"duration": lasts[0].said, "duration_unit": unit or "s"}
        unsure = unsure if unit else (*unsure, "duration_unit")
        taken.append(lasts[0])
    resource = _resource(facts, taken)
    yield Guess("outages", {**settings, "resource": resource, **written}, unsure)


def _starts(facts: TableFacts) -> Iterator[Guess]:
    """Outages of which the file has only starts, and says of what."""
    times, names = _times(facts), _texts(facts)
    if len(times) == 1 and names:
        written, unsure = _time_settings(times[0])
        settings = {"start": times[0].said, "lasts": "5m", "resource": names[0].said}
        yield Guess("outages", {**settings, **written}, ("lasts", *unsure))


def _checks(facts: TableFacts) -> Iterator[Guess]:
    results = [c for c in facts.columns if c.kind == "up or down"]
    times = _times(facts)
    if not results or not times:
        return
    written, unsure = _time_settings(times[0])
    target = _resource(facts, [times[0], results[0]])
    settings = {"time": times[0].said, "target": target, "result": results[0].said}
    yield Guess("checks", {**settings, **written}, unsure)


def _arrivals(facts: TableFacts) -> Iterator[Guess]:
    for column in _times(facts)[:1]:
        written, unsure = _time_settings(column)
        numbers = [c for c in facts.columns if c.kind == "numbers" and c != column]
        counts = [c for c in numbers if c.whole and c.low >= 0]
        course = column.course
        regular = course is not None and course.step_ns >= SECOND and facts.rows >= FEWEST_BINS
        if regular and counts:
            named = [c for word in COUNTS for c in counts if word in words(c.name)]
            count = (named or counts)[0]
            settings = {"column": column.said, "count": count.said, **written}
            yield Guess("counts", settings, unsure)
        else:
            yield Guess("arrivals", {"column": column.said, **written}, unsure)


def _matrix(facts: TableFacts) -> Iterator[Guess]:
    """Two columns of names and one of numbers, and hardly anything beside them."""
    names = _texts(facts)
    numbers = [c for c in facts.columns if c.kind == "numbers" and c.low >= 0]
    if len(names) != 2 or len(numbers) != 1 or len(facts.columns) > 4:
        return
    one, other = names
    if one.distinct * other.distinct < facts.rows:
        return
    unit = unit_of(numbers[0])
    settings = {
        "source": one.said,
        "destination": other.said,
        "column": numbers[0].said,
        "unit": unit or "ms",
    }
    yield Guess("rtt", settings, () if unit else ("unit",))


def _samples(facts: TableFacts) -> Iterator[Guess]:
    """A column of durations: the one whose name says so, or the one with decimals in a log."""
    numbers = [c for c in facts.columns if c.kind == "numbers" and c.low >= 0 and c.high > 0]
    numbers = [c for c in numbers if not is_called(c, TIMES)]
    results = [c for c in facts.columns if c.kind == "up or down"]
    decimals = [c for c in numbers if not c.whole]
    found = [c for c in numbers if is_called(c, LATENCIES)]
    found = found or [c for c in numbers if is_called(c, ("ratio", "ratios"))]
    if not found and len(decimals) == 1 and (results or len(facts.columns) == 1):
        found = decimals
    if not found:
        return
    column = found[0]
    unit = unit_of(column)
    only_up: dict[str, Any] = {}
    if results:
        only_up = {"where": {str(results[0].said): list(results[0].up_words)}}
    counts = [c for c in numbers if c.whole and c.low >= 1 and is_called(c, ("count", "times"))]
    counted = {"count": counts[0].said} if counts and counts[0] != column else {}
    pair = [c.said for c in _texts(facts) if 1 < c.distinct < facts.rows][:2]
    paired = {"pair": pair} if pair else {}
    yield Guess("jitter", {"column": column.said, **paired, **counted, **only_up})
    if unit or results or is_called(column, LATENCIES):
        settings = {"column": column.said, "unit": unit or "s", **counted, **only_up}
        yield Guess("service", settings, () if unit else ("unit",))
