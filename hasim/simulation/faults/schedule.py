"""When faults begin and how long they last; nothing here depends on what happens in the world."""

from __future__ import annotations

from hasim.simulation.recorded import Recorded
from hasim.simulation.settings.faults import Fault
from hasim.simulation.streams import Stream, generator

Span = tuple[int, int]


def occurrences(fault: Fault, draws: Stream, horizon_ns: int) -> list[Span]:
    """(start, duration) in nanoseconds of each occurrence by `at` or `every` before the horizon."""
    if fault.at:
        starts = [round(float(law.quantile(draws.uniforms())[0])) for law in fault.at]
        return [(start, _duration(fault, draws)) for start in starts if start < horizon_ns]
    assert fault.every is not None
    spans: list[Span] = []
    now = 0
    while True:
        start = now + round(float(fault.every.quantile(draws.uniforms())[0]))
        if start >= horizon_ns:
            return spans
        duration = _duration(fault, draws)
        spans.append((start, duration))
        # A renewal process: the next wait begins at the cure (and moves on at least 1 ns).
        now = start + max(1, duration)


def _duration(fault: Fault, draws: Stream) -> int:
    return max(1, round(float(fault.for_.quantile(draws.uniforms())[0])))


def replayed(
    index: int, recorded: Recorded, targets: int, horizon_ns: int, *, seed: int, replication: int
) -> list[list[Span]]:
    """For each target, the (start, duration) of one recorded resource's outages in a window.

    Targets get different resources while there are enough; each window starts at a
    random offset between the resource's first outage and its last, less the horizon.
    An outage that is under way when the window opens is left out.
    """
    resources = recorded.outages[index]
    draws = generator(seed, replication, f"fault:{index}:trace")
    order = draws.random(len(resources)).argsort(kind="stable")
    spans = []
    for number in range(targets):
        outages = resources[int(order[number % len(resources)])]
        first, last = outages[0][0], outages[-1][1]
        offset = first + int(draws.random() * max(0, last - first - horizon_ns))
        spans.append(
            [
                (start - offset, end - start)
                for start, end in outages
                if 0 <= start - offset < horizon_ns
            ]
        )
    return spans
