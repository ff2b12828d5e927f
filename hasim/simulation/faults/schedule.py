"""When faults begin and how long they last; nothing here depends on what happens in the world."""

from __future__ import annotations

from hasim.simulation.laws import Law, whole_ns
from hasim.simulation.recorded import Recorded
from hasim.simulation.settings.faults import Fault
from hasim.simulation.streams import Stream, generator

Span = tuple[int, int]


def occurrences(fault: Fault, draws: Stream, horizon_ns: int, part: float = 1.0) -> list[Span]:
    """(start, duration) in nanoseconds of each occurrence by `at` or `every` before the horizon.

    `part` is the share of the failures that these are: waits are longer by it.
    """
    if part <= 0.0:
        return []
    if fault.at:
        starts = [drawn_ns(law, draws) for law in fault.at]
        return [(start, _duration(fault, draws)) for start in starts if start < horizon_ns]
    assert fault.every is not None
    spans: list[Span] = []
    now = 0
    while True:
        waited_ns = drawn_ns(fault.every, draws)
        start = now + (waited_ns if part == 1.0 else round(waited_ns / part))
        if start >= horizon_ns:
            return spans
        duration = _duration(fault, draws)
        spans.append((start, duration))
        # A renewal process: the next wait begins at the cure (and moves on at least 1 ns).
        now = start + max(1, duration)


def drawn_ns(law: Law, draws: Stream) -> int:
    """The next draw of a law, in nanoseconds."""
    return int(whole_ns(law, draws.uniforms())[0])


def _duration(fault: Fault, draws: Stream) -> int:
    return max(1, drawn_ns(fault.for_, draws))


def replayed(
    index: int,
    recorded: Recorded,
    targets: int,
    horizon_ns: int,
    *,
    together: bool,
    seed: int,
    replication: int,
) -> list[list[Span]]:
    """For each target, the (start, duration) of one recorded resource's outages in a window.

    Targets get different resources while there are enough; each window starts at a
    random offset between the resource's first outage and its last, less the horizon;
    `together`: all at the same one, between the first outage of all and the last.
    An outage that is under way when the window opens is left out.
    """
    resources = recorded.outages[index]
    draws = generator(seed, replication, f"fault:{index}:trace")
    order = draws.random(len(resources)).argsort(kind="stable")
    spans = []
    whole = (min(r[0][0] for r in resources), max(r[-1][1] for r in resources))
    luck = draws.random() if together else 0.0
    for number in range(targets):
        outages = resources[int(order[number % len(resources)])]
        first, last = whole if together else (outages[0][0], outages[-1][1])
        luck = luck if together else draws.random()
        offset = first + int(luck * max(0, last - first - horizon_ns))
        spans.append(
            [
                (start - offset, end - start)
                for start, end in outages
                if 0 <= start - offset < horizon_ns
            ]
        )
    return spans
