"""All recordings of a world, each file read once for each way in which it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from hasim.scenario.sent import state_of
from hasim.scenario.tables.errors import TraceError
from hasim.settings.validation import Where
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings import JitterTrace, MatrixTrace, TraceArrivals, WorldSettings
from hasim.simulation.settings.recordings import RecordedOutages, SampleFile, TableFile
from hasim.units import format_duration

T = TypeVar("T")
MOST_MESSAGES = 10**8
"""More messages in one replication do not fit in the memory of a common machine."""
_CACHE: dict[tuple[Any, ...], Any] = {}


def read_recorded(world: WorldSettings) -> tuple[Recorded, list[tuple[Where, TraceError]]]:
    """All traces of a world, and what is wrong with them by the place of the setting.

    Paths are taken as they are: relative ones count from the working directory. The arrays
    that come out are shared, and read-only.
    """
    if not _recordings(world):
        return Recorded(), []
    from hasim.scenario.traces.arrivals import read_arrivals, read_bins
    from hasim.scenario.traces.matrices import read_matrix
    from hasim.scenario.traces.outages import read_outages
    from hasim.scenario.traces.samples import read_jitter, read_samples

    errors: list[tuple[Where, TraceError]] = []

    def read(where: Where, reader: Callable[[Any], T], trace: Any, otherwise: T) -> T:
        try:
            return _once(reader, trace)
        except TraceError as error:
            errors.append((where, error))
            return otherwise

    network, arrivals = world.network, world.traffic.arrivals
    at = ("traffic", "arrivals")
    trace = arrivals if isinstance(arrivals, TraceArrivals) else None
    counted = trace is not None and trace.count_ is not None
    none: Any = None
    recorded = Recorded(
        arrivals_ns=none if trace is None or counted else read(at, read_arrivals, trace, none),
        bins=read(at, read_bins, trace, none) if counted else None,
        rtt_ns=read(("network", "rtt"), read_matrix, network.rtt, {})
        if isinstance(network.rtt, MatrixTrace)
        else {},
        jitter=read(("network", "jitter"), read_jitter, network.jitter, none)
        if isinstance(network.jitter, JitterTrace)
        else None,
        service_ns={
            index: values
            for index, (at, master) in enumerate(world.placed_masters)
            if isinstance(master.service, SampleFile)
            if (values := read((*at, "service"), read_samples, master.service, none)) is not None
        },
        outages={
            index: read(("faults", index, "schedule"), read_outages, fault.schedule, [])
            for index, fault in enumerate(world.faults)
            if fault.schedule is not None
        },
    )
    return recorded, errors


def _recordings(world: WorldSettings) -> list[TableFile]:
    """What a world says of its files."""
    places: list[Any] = [world.traffic.arrivals, world.network.rtt, world.network.jitter]
    places += [fault.schedule for fault in world.faults]
    places += [master.service for master in world.all_masters]
    return [one for one in places if isinstance(one, TableFile)]


def _once(reader: Callable[[Any], T], trace: Any) -> T:
    """The reader's result, from the cache unless the file has changed."""
    try:
        key = (reader.__name__, repr(trace), *state_of(trace.file))
    except OSError:
        return reader(trace)  # which says what is wrong with the file
    if key not in _CACHE:
        _CACHE[key] = reader(trace)
    result: T = _CACHE[key]
    return result


def remarks_on_traces(worlds: Iterable[WorldSettings]) -> list[str]:
    """A sentence for each thing that a recording leaves open, and what was made of it."""
    said: dict[str, None] = {}
    for world in worlds:
        for recording in _recordings(world):
            if isinstance(recording, RecordedOutages):
                from hasim.scenario.traces.outages import open_outages

                said |= dict.fromkeys(_once(open_outages, recording))
    return list(said)


def traces_problems(world: WorldSettings, recorded: Recorded) -> Iterator[tuple[Where, str]]:
    """(where, message) if the recorded arrivals do not fill the run, or are too many."""
    short = span_problem(world, recorded)
    if short:
        yield ("traffic", "arrivals"), short
    if recorded.bins is not None:
        most = recorded.bins.most_in(world.horizon_ns)
        if most > MOST_MESSAGES:
            text = f"makes {most:.0e} messages; the most is {MOST_MESSAGES:.0e}"
            yield ("traffic", "arrivals", "count"), text


def span_problem(world: WorldSettings, recorded: Recorded) -> str:
    """Why the recorded arrivals do not fill the run; empty if they do."""
    span = recorded.arrivals_span_ns
    if span is None or span >= world.horizon_ns:
        return ""
    return (
        f"the trace lasts {format_duration(span)}, less than the horizon, "
        f"{format_duration(world.horizon_ns)}"
    )
