"""Several tiers on compiled planes: one loop advances the messages of all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop
from typing import Any, Protocol

from hasim.simulation.clients.compiled.layout import STATE
from hasim.simulation.clients.compiled.stops import GROW
from hasim.simulation.clock import FIRST, Call, Clock, cancelled


def place_of(field: str) -> int:
    """The place of a field of the state, all of whose fields have eight bytes."""
    return list(STATE.fields or ()).index(field)


NEXT_NS, NEXT_PRIORITY, STRUCK = map(place_of, ("next_ns", "next_priority", "struck"))
BEFORE, BEHIND = place_of("before"), place_of("behind")
AT_ONCE = -1
"""As the time of the next event: it is not known, and may come before all others, at 0 too."""


class Plane(Protocol):
    """What the loop needs of the plane of a tier."""

    env: Clock
    table: int
    """The address of its memory."""
    fields: memoryview
    """Its state."""
    next_ns: int
    next_priority: int

    behind: Any
    """The plane of the next tier, or None."""

    def prepare(self) -> None:
        """Write what has changed into the memory."""
        ...

    def handle(self, stop: int) -> None:
        """Do what the loop has stopped for."""
        ...

    def grow(self) -> None:
        """Have room for more."""
        ...


def put_before(front: Plane, behind: Plane) -> None:
    """The masters of a tier ask the next one, whose plane is run along."""
    front.behind = behind
    front.fields[BEHIND], behind.fields[BEFORE] = behind.table, front.table


Advance = Callable[[Any, int, int], int]


def run_all(front: Plane, advance: Advance, until: int) -> None:
    """Run the world up to (and without) `until`: this plane, that of clients, and those behind."""
    planes = [front]
    while (following := planes[-1].behind) is not None:
        planes.append(following)
    env, fields = front.env, front.fields
    queue, reached = env.queue, env.now
    end = Call(env, until - env.now, FIRST, lambda _: None)
    while True:
        time, priority, _, event = queue[0]
        if event.callbacks is cancelled:
            heappop(queue)  # no reason to stop the messages
            continue
        if any((plane.next_ns, plane.next_priority) < (time, priority) for plane in planes):
            for plane in planes:
                plane.prepare()
            stop = advance(front.table, time, priority)
            for plane in planes:  # after a stop: whatever comes next may rank before it
                plane.next_ns = AT_ONCE if stop else fields[NEXT_NS]
                plane.next_priority = fields[NEXT_PRIORITY]
            if stop:
                _handle(planes, stop)
                reached = env.now
                continue
        if time > reached or priority > env.reached:
            env.reached = priority
        if event is end:
            return
        reached = time
        env.step()


def _handle(planes: Sequence[Plane], stop: int) -> None:
    if stop == GROW:
        for plane in planes:
            plane.grow()
    else:
        planes[planes[0].fields[STRUCK]].handle(stop)
